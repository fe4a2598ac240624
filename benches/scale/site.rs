//! An operator with many series, most of them small, and eight weeks of its counts in a store.

use std::path::Path;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Poisson};
use surgecast::domain::{
    AlarmAction, AlarmEvent, Name, Position, Scope, SeriesKey, Severity, SourceId, Timestamp,
    WindowWidth,
};
use surgecast::engine::Report;
use surgecast::input::LocalFeed;
use surgecast::store::{SourceRecord, Store, WindowRecord};
use surgecast::window::{AggregationKey, CommitPoint, Counts, Frontier, Partial};

pub const WIDTH: WindowWidth = WindowWidth::QUARTER;
pub const DAYS: i64 = 56;
const SERVICES: usize = 20;
const CHANNELS: [&str; 5] = ["phone", "chat", "email", "social", "app"];
/// Series written in one call; a day of them is within the store's limit.
const BLOCK: usize = 1024;
const DAY_MS: i64 = 86_400_000;

pub struct Site {
    pub leaves: Vec<SeriesKey>,
    /// Mean tickets a window, by leaf.
    rates: Vec<f64>,
    rng: ChaCha8Rng,
    offset: i64,
}

impl Site {
    /// Rates are between 0.2 and 20 tickets a window; half of them are below 0.7.
    pub fn new(series: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let name = |text: String| Name::new(&text).unwrap();
        let leaf = |n: usize| {
            let (service, region) = (n / CHANNELS.len() % SERVICES, n / CHANNELS.len() / SERVICES);
            SeriesKey::new(
                name(format!("region-{region:03}")),
                name(format!("service-{service:02}")),
                name(CHANNELS[n % CHANNELS.len()].to_owned()),
            )
        };
        let leaves: Vec<SeriesKey> = (0..series).map(leaf).collect();
        let rates = leaves.iter().map(|_| 0.2 * 100f64.powf(rng.random::<f64>().powi(2))).collect();
        Self { leaves, rates, rng, offset: 0 }
    }

    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self.leaves.iter().map(SeriesKey::scope).collect();
        scopes.dedup();
        scopes
    }

    /// Tickets of a leaf in a window: more by day, fewer at weekends.
    fn tickets(&mut self, leaf: usize, window: Timestamp) -> u32 {
        let hours = window.millis().rem_euclid(DAY_MS) as f64 / 3.6e6;
        let weekday = (window.millis().div_euclid(DAY_MS) + 3).rem_euclid(7);
        let weekend = if weekday >= 5 { 0.6 } else { 1.0 };
        let turn = (hours - 2.0) / 24.0 * std::f64::consts::TAU;
        let rate = self.rates[leaf] * weekend * (1.05 - turn.cos());
        Poisson::new(rate.max(1e-3)).map_or(0, |poisson| poisson.sample(&mut self.rng) as u32)
    }

    /// Fills a store with eight weeks of windows before `end`, and a week of alarms: two an hour for a hundred scopes.
    pub fn fill(&mut self, folder: &Path, end: Timestamp) {
        let mut store = Store::open(folder, WIDTH).unwrap();
        let first = end - Duration::from_millis((DAYS * DAY_MS) as u64);
        let mut day = first;
        while day < end {
            let next =
                Timestamp::from_millis((day.millis().div_euclid(DAY_MS) + 1) * DAY_MS).min(end);
            let mut tx = store.begin().unwrap();
            for block in 0..self.leaves.len().div_ceil(BLOCK) {
                let leaves = block * BLOCK..((block + 1) * BLOCK).min(self.leaves.len());
                let mut rows = Vec::new();
                for leaf in leaves {
                    let key = AggregationKey::Tickets(self.leaves[leaf].clone());
                    for index in WIDTH.index(day)..WIDTH.index(next) {
                        let start = WIDTH.start(index);
                        let counts = self.counts(leaf, start);
                        let record =
                            WindowRecord { counts, settled: true, ..WindowRecord::default() };
                        rows.push((key.clone(), start, record));
                    }
                }
                tx.put_windows(&rows).unwrap();
            }
            tx.commit().unwrap();
            day = next;
        }
        let mut tx = store.begin().unwrap();
        for hour in 0..7 * 24 {
            let at = end - Duration::from_secs(3600 * (7 * 24 - hour));
            for (position, alarm) in self.alarms(at) {
                tx.put_alarm(&position, &alarm).unwrap();
            }
        }
        tx.put_source(&SourceRecord {
            source: LocalFeed::source_id(),
            closed: end,
            decided_upto: 0,
            resume_at: 0,
            caught_up_at: Some(end),
            reported_at: end,
        })
        .unwrap();
        tx.put_state("next_window", &end.millis()).unwrap();
        tx.commit().unwrap();
    }

    fn counts(&mut self, leaf: usize, window: Timestamp) -> Counts {
        Counts { tickets: self.tickets(leaf, window), ..Counts::default() }
    }

    /// Alarms of one hour, each cleared after fifty minutes.
    fn alarms(&mut self, at: Timestamp) -> Vec<(Position, AlarmEvent)> {
        let scopes = self.scopes();
        let mut events = Vec::new();
        for _ in 0..(scopes.len() / 50).max(2) {
            let scope = scopes[self.rng.random_range(0..scopes.len())].clone();
            for (action, minutes) in [(AlarmAction::Raise, 1), (AlarmAction::Clear, 50)] {
                self.offset += 1;
                let alarm = AlarmEvent {
                    event_id: format!("{}", self.offset).into(),
                    alarm_id: format!("{}-{}", scope, at.millis()).into(),
                    action,
                    ts: at + Duration::from_secs(60 * minutes),
                    severity: Severity::Major,
                    scope: scope.clone(),
                    device: Some("olt-1".into()),
                    alarm_type: Some("linkDown".into()),
                    text: None,
                    aliases: Box::default(),
                };
                let source = SourceId::new("alarms", 0);
                events.push((Position { source, offset: self.offset }, alarm));
            }
        }
        events
    }

    /// Two reports of the only source: the counts of a window, and the watermark past its end.
    pub fn reports(&mut self, window: Timestamp, now: Timestamp) -> [Report; 2] {
        let end = WIDTH.end(window);
        let mut counted = Report::new(LocalFeed::source_id());
        for leaf in 0..self.leaves.len() {
            let counts = self.counts(leaf, window);
            if counts.tickets > 0 {
                self.offset += 1;
                let cell = AggregationKey::Tickets(self.leaves[leaf].clone());
                counted.partials.push(Partial { window, key: cell, counts, upto: self.offset });
            }
        }
        counted.alarms =
            if window.millis() % 3_600_000 == 0 { self.alarms(window) } else { vec![] };
        let progress = |closed, caught_up_at| {
            let commit = CommitPoint { resume_at: self.offset, closed, decided_upto: self.offset };
            Some((Frontier { closed, caught_up_at }, commit))
        };
        counted.progress = progress(window, None);
        let mut closed = Report::new(LocalFeed::source_id());
        closed.progress = progress(end, Some(now));
        [counted, closed]
    }
}
