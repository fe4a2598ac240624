//! The demo: eight simulated weeks, then live on a fast clock. The same path as the service's.

mod args;
mod operator;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

pub use self::args::{DemoArgs, DemoSettings};
use self::operator::OperatorFeed;
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
use crate::staffing::{Shift, required};
use crate::store::{Body, Store};
use crate::telemetry::init_logging;
use crate::window::{AggregatorConfig, AlarmRules};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const LATENESS: Duration = Duration::from_secs(600);
/// Simulated weeks with vintages before going live.
const BACKFILL: Duration = Duration::from_secs(7 * 86_400);
/// Scripted outages, minutes after going live; the rest happens by chance.
const SHOWCASE_MIN: [u64; 6] = [6, 420, 900, 1500, 2300, 3300];
/// A roster is made for this much more than an ordinary day brings.
const MARGIN: f64 = 1.1;

/// What a stored demo is, so that a second start goes on with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct DemoState {
    seed: u64,
    days: u32,
    /// First simulated midnight, and the instant at which it went live.
    start: Timestamp,
    live: Timestamp,
}

impl Body for DemoState {}

/// Runs the demo until it is told to stop.
///
/// # Errors
/// What could not be opened, or flags that contradict the stored demo.
pub fn run(args: DemoArgs) -> anyhow::Result<()> {
    let settings = args.settings()?;
    init_logging(false, "warn");
    let data = &settings.store.path;
    if args.reset {
        reset(data)?;
    }
    let listener = app::bind(settings.server.listen, "--listen")?;
    let mut store = Store::open(data, WIDTH)?;
    let (state, resumed) = load(&mut store, data, &args)?;
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
    watch(&running, &args, state, resumed, clock, position)?;
    running.wait()?;
    print("stopped; the next start goes on from here (or --reset)");
    Ok(())
}

/// Where probes and metrics are. Two demos side by side do without, unless someone asked for an address.
fn admin(admin: &Admin) -> anyhow::Result<Option<TcpListener>> {
    match app::bind(admin.listen, "--admin-listen") {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if admin.asked_for => Err(error),
        Err(error) => {
            tracing::warn!("no probes and metrics: {error}");
            Ok(None)
        }
    }
}

/// Throws a stored demo away: the files that a store makes, nothing else.
fn reset(data: &Path) -> anyhow::Result<()> {
    // Opening takes the lock: a demo that runs is not pulled from under itself.
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

/// The stored demo, or a new one that goes live now.
fn load(store: &mut Store, data: &Path, args: &DemoArgs) -> anyhow::Result<(DemoState, bool)> {
    if let Some(state) = store.reader()?.state::<DemoState>("demo")? {
        if (state.seed, state.days) != (args.seed, args.days) {
            let text = format!(
                "{} holds a demo with --seed {} --days {}: go on with these, name another --data, or add \
                 --reset",
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
    let state = DemoState { seed: args.seed, days: args.days, start, live };
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
    let info = info(&config, args.speed);
    let forecaster = forecaster(&config, &info, state, args);
    let aggregator = AggregatorConfig {
        width: WIDTH,
        lateness: LATENESS,
        max_future_skew: Some(Duration::from_secs(300)),
    };
    let feed = OperatorFeed::new(Operator::new(config), state.start, position);
    let persisted = clock.clone();
    Setup {
        listen: settings.server.listen,
        admin_listen: None,
        store: settings.store.path,
        info,
        decoder: ingest::Decoder::default(),
        tables: Vec::new(),
        lexicon: None,
        forecaster,
        aggregator,
        feeds: vec![(Box::new(feed), aggregator)],
        kafka: None,
        queue_events: 0,
        role: Role::Both,
        advertise: None,
        influxdb: None,
        public_url: String::new(),
        receivers: Receivers::from([("console".to_owned(), Box::new(Console) as _)]),
        tokens: settings.server.tokens,
        clock,
        periodic: Box::new(move |store| {
            let mut tx = store.begin()?;
            tx.put_state("clock", &persisted.now().millis())?;
            tx.commit()
        }),
        main_source: SourceId::new("demo", 0),
    }
}

/// What the API says of the service.
fn info(config: &OperatorConfig, speed: f64) -> ServiceInfo {
    ServiceInfo {
        version: env!("CARGO_PKG_VERSION"),
        mode: "demo",
        speed,
        width: WIDTH,
        zone: config.regions.first().map_or(Zone::UTC, |region| region.zone),
        regions: config.regions.iter().map(|r| (r.name.clone(), r.zone)).collect(),
        body_bytes_max: 8 << 20,
        limits: ingest::Limits::default(),
    }
}

/// How the demo forecasts: nothing that a restart could change.
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
        issue: IssueConfig {
            zone: info.zone,
            zones: info.regions.clone(),
            calendars: calendars.collect(),
            calendar: Arc::default(),
            profiles: default_profiles(),
            vintages_from: state.live - BACKFILL,
            alerts_from: state.live,
            told_from: state.live,
            roster: Some(Arc::new(move |day| roster(state, day))),
        },
        // A vintage waits for its fit, so that a restart cannot change it.
        refit: Some(RefitConfig {
            width: WIDTH,
            every: DAY / 4,
            from: state.live,
            used_from: state.live,
            patience: Duration::from_secs(600),
        }),
        // Runs that are compared end somewhere, and have to say the same.
        nowcasts: args.pause_at.is_none(),
        receivers: vec!["console".into()],
    }
}

/// A day's shifts: what an ordinary day brings, by the hour, with a little margin.
fn roster(state: DemoState, day: Timestamp) -> Vec<Shift> {
    let operator = Operator::new(operator(state));
    let profiles = default_profiles();
    let mut shifts: Vec<Shift> = Vec::new();
    for (series, place) in operator.series() {
        let Some(profile) = profiles.get(&series.channel) else { continue };
        for hour in 0..24u32 {
            let start = day + Duration::from_secs(3600) * hour;
            let end = start + Duration::from_secs(3600);
            let middle = start + Duration::from_secs(1800);
            let arrivals = MARGIN * operator.base_rate(*place, middle);
            let agents = required(arrivals, profile).map_or(0, |staffing| staffing.agents);
            match shifts.last_mut() {
                Some(last)
                    if last.series == *series && last.agents == agents && last.end == start =>
                {
                    last.end = end;
                }
                _ => shifts.push(Shift { series: series.clone(), start, end, agents }),
            }
        }
    }
    shifts
}

/// Shows the catch-up, then lets the clock run and says what to look at.
fn watch(
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
        let verb = if resumed { "going on with" } else { "simulating" };
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
        print(&format!(
            "caught up: live at {speed} times the speed of time.\n\n\
             Open http://{address} and look at\n  \
             - What is coming: series by risk, the peak, when, and how many agents are missing\n  \
             - a series (click it): the last day, the next six hours with bands, alarms, agents\n  \
             - in a minute or two an outage starts in `north`: alarms first, complaints after\n\n\
             A shift lead's page will appear here. Ctrl-C stops.\n"
        ));
    })?;
    Ok(())
}
