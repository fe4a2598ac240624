//! The demo: eight simulated weeks, then live on a fast clock. It runs the same code as the service.

mod args;
mod operator;
mod roster;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

pub use self::args::{DemoArgs, DemoSettings};
use self::operator::OperatorFeed;
pub use self::roster::roster;
use crate::alert::{Escalation, Route};
use crate::anomaly::AnomalyRules;
use crate::api::ServiceInfo;
use crate::api::config::Admin;
use crate::app::{self, Role, Running, Setup};
use crate::clock::{FastClock, WallClock};
use crate::commands::usage::UsageError;
use crate::config::core::staffing::default_profiles;
use crate::domain::{Clock, DAY, SourceId, Timestamp, WindowWidth, Zone};
use crate::engine::{ForecasterConfig, IssueConfig, RefitConfig};
use crate::forecast::{Calendar, DayKind};
use crate::ingest;
use crate::output::print;
use crate::output::receivers::{Console, Receivers};
use crate::simulate::{Operator, OperatorConfig};
use crate::staffing::Rules;
use crate::store::{Body, Store, StoreError, with_appended};
use crate::telemetry::init_logging;
use crate::text::Language;
use crate::window::{AggregatorConfig, AlarmRules, TicketRules};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);
/// Length of the history before going live for which vintages are issued.
const BACKFILL: Duration = Duration::from_secs(7 * 86_400);
/// Scripted outages, in minutes after going live. All other incidents are random.
const SHOWCASE_MIN: [u64; 6] = [6, 420, 900, 1500, 2300, 3300];
/// Version of [`OperatorConfig::demo`]. A demo of another version cannot be continued.
const OPERATOR: u32 = 1;

/// The parameters of a stored demo, from which a later start continues.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct DemoState {
    seed: u64,
    days: u32,
    /// First simulated midnight.
    start: Timestamp,
    /// Simulated time at which the demo went live.
    live: Timestamp,
    /// [`OPERATOR`] of the release that created the demo.
    operator: u32,
}

impl Body for DemoState {
    const VERSION: u32 = 1;

    fn earlier(_version: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        with_appended(bytes, &0u32)
    }
}

/// Runs the demo until Ctrl-C or SIGTERM.
///
/// # Errors
/// [`UsageError`] for wrong flags, or flags that contradict the stored demo; other errors for addresses and the store.
pub fn run(args: DemoArgs) -> anyhow::Result<()> {
    let settings = args.settings()?;
    init_logging(false, "warn", None);
    let data = settings.store.path.clone();
    if args.reset {
        reset(&data)?;
    }
    let listener = app::bind(settings.server.listen, "--listen")?;
    let mut store = Store::open(&data, WIDTH)?;
    let (state, resumed) = load(&mut store, &data, &args)?;
    if let Some(pause) = args.pause_at.filter(|pause| *pause <= state.live) {
        let text =
            format!("--pause-at {pause}: use a time after {}, when the clock starts", state.live);
        return Err(UsageError(text).into());
    }
    let now = match store.reader()?.state("clock")? {
        Some(millis) => Timestamp::from_millis(millis),
        None => state.live,
    };
    let end = args.pause_at.unwrap_or(Timestamp::MAX);
    let clock = Arc::new(FastClock::new(now, args.speed).until(end));
    clock.pause();
    let position = Arc::new(AtomicI64::new(if resumed { now } else { state.start }.millis()));
    let admin = admin(&settings.admin)?;
    let asked_for = settings.admin.asked_for;
    let setup = setup(&args, settings, state, clock.clone(), position.clone());
    let running = app::start_with(setup, store, listener, admin)?;
    print(&format!(
        "surgecast demo on http://{}  (a simulated operator; nothing leaves this machine)",
        running.address
    ));
    if let Some(admin) = running.admin.filter(|_| asked_for) {
        print(&format!("probes and metrics on http://{admin}"));
    }
    if resumed {
        print(&format!(
            "continuing the demo stored in {} at {now} simulated time; --reset starts over",
            data.display()
        ));
    }
    show_progress(&running, &args, state, resumed, clock, position)?;
    running.wait()?;
    print("stopped; the next start continues from here, --reset starts over");
    Ok(())
}

/// Opens the listener of probes and metrics. If its default address is taken, the demo runs without one, so that two
/// demos can run side by side.
fn admin(admin: &Admin) -> anyhow::Result<Option<TcpListener>> {
    match app::bind(admin.listen, "--admin-listen") {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if admin.asked_for => Err(error),
        Err(error) => {
            tracing::warn!("admin: probes and metrics are off: {error}");
            Ok(None)
        }
    }
}

/// Deletes a stored demo: only the files of the store.
fn reset(data: &Path) -> anyhow::Result<()> {
    // Opening takes the lock, so that a running demo keeps its files.
    drop(Store::open(data, WIDTH)?);
    for base in ["state.db", "events.db"] {
        for end in ["", "-wal", "-shm"] {
            let path = data.join(format!("{base}{end}"));
            if path.exists() {
                std::fs::remove_file(path)?;
            }
        }
    }
    for copy in Store::copies(data)? {
        std::fs::remove_file(copy)?;
    }
    Ok(())
}

/// Loads the stored demo and `true`, or creates a new one that goes live now.
fn load(store: &mut Store, data: &Path, args: &DemoArgs) -> anyhow::Result<(DemoState, bool)> {
    if let Some(state) = store.reader()?.state::<DemoState>("demo")? {
        if state.operator != OPERATOR {
            let text = format!(
                "{} holds the demo of another release with another simulated operator: choose another directory with --data, or \
                 start over with --reset",
                data.display()
            );
            return Err(UsageError(text).into());
        }
        if (state.seed, state.days) != (args.seed, args.days) {
            let text = format!(
                "{} holds a demo with --seed {} --days {}: use these flags, choose another directory with --data, \
                 or start over with --reset",
                data.display(),
                state.seed,
                state.days
            );
            return Err(UsageError(text).into());
        }
        return Ok((state, true));
    }
    let live = WIDTH.floor(args.live_at.unwrap_or_else(|| WallClock.now()));
    let start = live.utc_midnight() - DAY * args.days;
    let state = DemoState { seed: args.seed, days: args.days, start, live, operator: OPERATOR };
    let mut tx = store.begin()?;
    tx.put_state("demo", &state)?;
    tx.commit()?;
    Ok((state, false))
}

fn operator(state: DemoState) -> OperatorConfig {
    let mut config = OperatorConfig::demo(state.seed, state.start);
    config.showcase =
        SHOWCASE_MIN.iter().map(|min| state.live + Duration::from_secs(min * 60)).collect();
    config
}

fn setup(
    args: &DemoArgs,
    settings: DemoSettings,
    state: DemoState,
    clock: Arc<FastClock>,
    position: Arc<AtomicI64>,
) -> Setup {
    let config = operator(state);
    let language = settings.server.language;
    let info = ServiceInfo { stops_at: args.pause_at, ..info(&config, args.speed, language) };
    let forecaster = forecaster(&config, &info, state, args);
    let aggregator = AggregatorConfig {
        width: WIDTH,
        lateness: LATENESS,
        max_future_skew: Some(Duration::from_secs(300)),
        names_max: AggregatorConfig::NAMES,
    };
    let feed = OperatorFeed::new(Operator::new(config), state.start, position);
    let persisted = clock.clone();
    let access = settings.server.access();
    let tokens = settings.server.tokens.as_ref();
    let reloadable = app::reloadable(tokens, settings.tls.as_ref(), &[]);
    Setup {
        listen: settings.server.listen,
        admin_listen: None,
        texts_kept: settings.store.texts,
        store: settings.store.path,
        info,
        decoder: ingest::Decoder::default(),
        tables: Vec::new(),
        lexicon: None,
        sentiment: None,
        forecaster,
        aggregator,
        feeds: vec![(Box::new(feed), aggregator)],
        files: Vec::new(),
        steady: None,
        kafka: None,
        queue_events: 0,
        role: Role::Both,
        advertise: None,
        influxdb: None,
        grafana: None,
        traces: None,
        public_url: String::new(),
        receivers: console(language, settings.server.public_url.clone()),
        heartbeat: None,
        access,
        tls: settings.tls,
        connections_max: settings.server.connections_max,
        reloadable,
        clock,
        periodic: Box::new(move |store| {
            let mut tx = store.begin()?;
            tx.put_state("clock", &persisted.now().millis())?;
            tx.commit()
        }),
        main_source: SourceId::new("demo", 0),
    }
}

/// Receives pages and prints them to standard output.
fn console(language: Language, public_url: String) -> Receivers {
    let console = Console { language, public_url };
    Receivers::from([("console".to_owned(), (Route::default(), Box::new(console) as _))])
}

/// The description of the service for the API.
fn info(config: &OperatorConfig, speed: f64, language: Language) -> ServiceInfo {
    ServiceInfo {
        version: env!("CARGO_PKG_VERSION"),
        mode: "demo",
        speed,
        stops_at: None,
        width: WIDTH,
        zone: config.regions.first().map_or(Zone::UTC, |region| region.zone),
        language,
        regions: config.regions.iter().map(|r| (r.name.clone(), r.zone)).collect(),
        staffing: Arc::new(Rules::of_channels(default_profiles())),
        body_bytes_max: 8 << 20,
        limits: ingest::Limits::default(),
    }
}

/// The forecaster's configuration. It depends on the stored demo only, so that a restart changes nothing.
fn forecaster(
    config: &OperatorConfig,
    info: &ServiceInfo,
    state: DemoState,
    args: &DemoArgs,
) -> ForecasterConfig {
    let calendars = config.regions.iter().map(|region| {
        let mut calendar = Calendar::default();
        let dates = region.holidays.iter().filter_map(|date| date.parse().ok());
        dates.for_each(|date| calendar.add(date, DayKind::Holiday));
        (region.name.clone(), Arc::new(calendar))
    });
    ForecasterConfig {
        width: WIDTH,
        lateness: LATENESS,
        source_timeout: DAY,
        series_max: 10_000,
        alarms: AlarmRules::default(),
        tickets: TicketRules::default(),
        policy: Default::default(),
        customer_key: None,
        issue: IssueConfig {
            zone: info.zone,
            zones: info.regions.clone(),
            calendars: calendars.collect(),
            calendar: Arc::default(),
            staffing: info.staffing.clone(),
            anomalies: AnomalyRules::default(),
            advice: Arc::default(),
            // As vintages wait for their fit.
            tables_patience: Some(Duration::from_secs(600)),
            vintages_from: state.live - BACKFILL,
            // The first nowcast may come before the first window of the live time is final: then plans know the roster.
            plans_from: state.live - Duration::from_secs(3600),
            alerts_from: state.live,
            notify_from: state.live,
            quiet_hours: None,
            alert_rules: Default::default(),
            roster: Some(Arc::new(move |day| roster(&Operator::new(operator(state)), day))),
        },
        // Vintages wait for their fit, so that a restart does not change them.
        refit: Some(RefitConfig {
            width: WIDTH,
            every: DAY / 4,
            from: state.live,
            used_from: state.live,
            patience: Duration::from_secs(600),
        }),
        // Nowcasts depend on the clock. A demo with --pause-at has to be reproducible.
        nowcasts: args.pause_at.is_none(),
        receivers: vec![("console".into(), Route::default())],
        escalation: Escalation::default(),
        reports: Vec::new(),
    }
}

/// Shows a progress bar until the demo has caught up. Then starts the clock and prints where to look.
fn show_progress(
    running: &Running,
    args: &DemoArgs,
    state: DemoState,
    resumed: bool,
    clock: Arc<FastClock>,
    position: Arc<AtomicI64>,
) -> anyhow::Result<()> {
    let (progress, caught_up) = (running.progress.clone(), running.caught_up.clone());
    let (stop, address, speed) = (running.stop.clone(), running.address, args.speed);
    app::spawn("catch-up", move || {
        let whole = clock.now().since(state.start).as_secs();
        let bar = ProgressBar::new(whole);
        if let Ok(style) = ProgressStyle::with_template("  {msg} {bar:40} {percent} % in {elapsed}")
        {
            bar.set_style(style);
        }
        let verb = if resumed { "catching up on" } else { "simulating" };
        bar.set_message(format!("{verb} {} days", state.days));
        while !caught_up.load(Ordering::Acquire) && !stop.load(Ordering::Relaxed) {
            let at = Timestamp::from_millis(position.load(Ordering::Relaxed));
            let done = at.since(state.start).as_secs();
            bar.set_position(done);
            progress.set((done as f64 / whole.max(1) as f64).min(0.999));
            std::thread::park_timeout(Duration::from_millis(100));
        }
        bar.finish_and_clear();
        if stop.load(Ordering::Relaxed) {
            return;
        }
        progress.set(1.0);
        clock.resume();
        let outage = match resumed {
            false => {
                "In six simulated minutes an outage starts in `north`: first alarms, then complaints."
                    .into()
            }
            true => next_outage(&operator(state), clock.now()),
        };
        print(&format!(
            "caught up: live at {speed} times real time.\n\n\
             Open http://{address} and look at\n  \
             - Forecast by series: the highest risk first, each with its peak and the agents missing\n  \
             - a series (click one): the last day, the forecast of the next six hours, alarms, agents needed\n\n\
             {outage}\n\n\
             Pages to the shift lead appear here. Ctrl-C stops.\n"
        ));
    })?;
    Ok(())
}

/// Announces the next scripted outage after `now`.
fn next_outage(config: &OperatorConfig, now: Timestamp) -> String {
    let next = config.showcase.iter().enumerate().find(|(_, starts)| **starts > now);
    match next {
        Some((n, starts)) => {
            let region = &config.regions[n % config.regions.len()].name;
            format!("The next scripted outage starts at {starts} simulated time in `{region}`.")
        }
        None => "Outages are random from now on: the scripted ones are over.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_start_announces_the_next_scripted_outage() {
        let live = Timestamp::from_secs(1_773_104_400);
        let config = operator(DemoState {
            seed: 7,
            days: 1,
            start: live.utc_midnight(),
            live,
            operator: OPERATOR,
        });
        let after = |minutes: u64| next_outage(&config, live + Duration::from_secs(minutes * 60));
        assert_eq!(
            after(7),
            "The next scripted outage starts at 2026-03-10T08:00:00Z simulated time in `east`."
        );
        assert!(after(5).contains("2026-03-10T01:06:00Z"), "{}", after(5));
        assert!(after(3300).contains("are over"), "{}", after(3300));
    }
}
