//! The real forecaster, minute by minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use surgecast::alert::{Escalation, NotificationKind, Route, UNDERSTAFFED};
use surgecast::anomaly::Anomaly;
use surgecast::commands::demo::roster;
use surgecast::config::core::staffing::default_profiles;
use surgecast::domain::{DAY, SourceId, Timestamp};
use surgecast::engine::{Forecaster, ForecasterConfig, IssueConfig, RefitConfig};
use surgecast::forecast::{Calendar, DayKind};
use surgecast::ingest::{Decoder, Headers};
use surgecast::input::{Decoders, RecordRef, SourceProcessor};
use surgecast::simulate::Operator;
use surgecast::staffing::Rules;
use surgecast::store::{Filter, Store};
use surgecast::telemetry::Metrics;
use surgecast::text::{Language, Texts};
use surgecast::window::{AggregatorConfig, AlarmRules, TicketRules};

use super::score::Page;
use super::world::{WIDTH, World};

const LATENESS: Duration = Duration::from_secs(600);
/// Seconds between two reports.
const ROUND: i64 = 60;

fn config(world: &World) -> ForecasterConfig {
    let regions = &world.config.regions;
    let calendars = regions.iter().map(|region| {
        let mut calendar = Calendar::default();
        let dates = region.holidays.iter().filter_map(|date| date.parse().ok());
        dates.for_each(|date| calendar.add(date, DayKind::Holiday));
        (region.name.clone(), Arc::new(calendar))
    });
    let live = world.live;
    let operator = world.config.clone();
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
            zone: regions[0].zone,
            zones: regions.iter().map(|region| (region.name.clone(), region.zone)).collect(),
            calendars: calendars.collect(),
            calendar: Arc::default(),
            staffing: Arc::new(Rules::of_channels(default_profiles())),
            anomalies: Default::default(),
            advice: Default::default(),
            tables_patience: Some(Duration::from_secs(600)),
            vintages_from: live - DAY,
            plans_from: live - DAY,
            alerts_from: live,
            notify_from: live,
            quiet_hours: None,
            alert_rules: Default::default(),
            roster: Some(Arc::new(move |day| roster(&Operator::new(operator.clone()), day))),
        },
        refit: Some(RefitConfig {
            width: WIDTH,
            every: DAY / 4,
            from: live - DAY,
            used_from: live - DAY,
            patience: Duration::from_secs(600),
        }),
        nowcasts: true,
        receivers: vec![("lead".into(), Route::default())],
        escalation: Escalation::default(),
        reports: Vec::new(),
    }
}

/// The pages that the forecaster decides, and the worst window of each episode of anomalies.
pub fn run(world: &World) -> (Vec<Page>, Vec<Anomaly>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), WIDTH).unwrap();
    let mut leader = Forecaster::open(config(world), store, Arc::<Metrics>::default()).unwrap();
    leader.leads = true;
    let aggregator = AggregatorConfig {
        width: WIDTH,
        lateness: LATENESS,
        max_future_skew: Some(Duration::from_secs(300)),
        names_max: AggregatorConfig::NAMES,
    };
    let decoders = Arc::new(Decoders::new(Decoder::default()));
    let source = SourceId::new("operator", 0);
    let mut source = SourceProcessor::new(source, None, aggregator, decoders, Arc::default());
    let mut operator = Operator::new(world.config.clone());
    let (first, end) = (world.config.start.secs() / 3600, world.end.secs() / 3600);
    for hour in first..end {
        let mut events = operator.hour(hour).into_iter().peekable();
        let begin = Timestamp::from_secs(hour * 3600);
        let round = if begin < world.live - DAY { 3600 } else { ROUND };
        for now in (1..=3600 / round).map(|n| begin + Duration::from_secs((n * round) as u64)) {
            while let Some(event) = events.next_if(|event| event.append_at < now) {
                source.take(&RecordRef {
                    offset: event.offset,
                    appended_at: event.append_at,
                    hint: None,
                    headers: Headers::default(),
                    bytes: &event.line,
                });
            }
            let report = source.report(Some(now));
            leader.apply(&[report], None, now).unwrap();
        }
        if (hour - first) % (7 * 24) == 0 {
            eprintln!("  week {} of {}", (hour - first) / (7 * 24) + 1, (end - first) / (7 * 24));
        }
    }
    (sent(&leader), peaks(world, &leader))
}

/// The worst window of each episode of anomalies in the weeks.
fn peaks(world: &World, leader: &Forecaster) -> Vec<Anomaly> {
    let reader = leader.reader();
    let filter = Filter { region: None, service: None, channel: None };
    let found = reader.anomalies(&filter, world.live, world.end, 1_000_000, None).unwrap();
    let found: Vec<Anomaly> = found.into_iter().map(|(_, anomaly)| anomaly).collect();
    let episodes = reader.episodes_of(&found).unwrap();
    let all = found.into_iter().zip(episodes);
    all.filter(|(own, episode)| own.window == episode.peak).map(|(own, _)| own).collect()
}

fn sent(leader: &Forecaster) -> Vec<Page> {
    let reader = leader.reader();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let rows = reader.outbox(None, None, 1000, after).unwrap();
        let Some((id, _)) = rows.last() else { break };
        after = Some(*id);
        for (_, row) in rows {
            let alert = &row.notice.alert;
            let news = [NotificationKind::Firing, NotificationKind::Escalated];
            if !news.contains(&row.notice.kind) || alert.rule != UNDERSTAFFED {
                continue;
            }
            let mut parts = BTreeMap::from([(alert.scope.clone(), alert.need())]);
            for part in &alert.paging.others {
                parts.insert(part.scope.clone(), part.need.clone());
            }
            let parts = parts.into_iter().filter_map(|(scope, need)| {
                let most = need.iter().map(|step| step.agents).max()?;
                Some((scope, (need.first()?.from, need.last()?.to, most)))
            });
            let texts = Texts::new(Language::En);
            let text =
                format!("{:?} {}\n{}", row.notice.kind, alert.title(&texts), alert.body(&texts));
            let (at, since) = (row.created_at, alert.since);
            found.push(Page { at, since, parts: parts.collect(), text });
        }
    }
    found.sort_by_key(|page| page.at);
    found
}
