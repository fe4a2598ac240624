//! Kafka's partitions, counted on the thread that polls them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Stopwatch;
use super::engine::{Counter, Gone, Handover, RecordRef, Report};
use crate::domain::{Clock, EventKind, Offset, SourceId, Timestamp};
use crate::ingest;
use crate::kafka::{self, Change, Consumer, KafkaProblem, Received, Settings};
use crate::telemetry::{Health, Metrics};
use crate::window::{CommitPoint, FoldConfig};

/// Records taken before the leader hears of them, at most.
const RECORDS_PER_REPORT: usize = 50_000;
const REPORT_EVERY_S: f64 = 1.0;
const POLL: Duration = Duration::from_millis(100);
/// Between two tries to reach the cluster at the start.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// A partition whose end nobody has told us for longer is silent: its source times out.
const SILENT_AFTER: Duration = Duration::from_secs(30);

type Points = Arc<Mutex<BTreeMap<SourceId, CommitPoint>>>;

/// What the thread works with.
pub struct Intake {
    pub settings: Settings,
    /// Where the store says that partitions go on.
    pub points: BTreeMap<SourceId, CommitPoint>,
    pub fold: FoldConfig,
    pub limits: ingest::Limits,
    pub leader: Handover,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
}

/// Why a round ended.
enum End {
    Stopped,
    Problem(KafkaProblem),
}

impl From<KafkaProblem> for End {
    fn from(problem: KafkaProblem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Stopped
    }
}

/// One partition that this instance counts.
struct Partition {
    source: SourceId,
    counter: Counter,
    /// What the topic's events are where they do not say it.
    hint: Option<EventKind>,
    /// Offset of the next record.
    next: Offset,
}

impl Intake {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let points: Points = Arc::new(Mutex::new(std::mem::take(&mut self.points)));
        let mut wait = BACK_OFF.0;
        while !self.stop.load(Ordering::Relaxed) {
            let problem = match self.open(&points) {
                Ok(consumer) => {
                    wait = BACK_OFF.0;
                    match self.count(&consumer, &points) {
                        End::Stopped => return,
                        End::Problem(problem) => problem,
                    }
                }
                Err(End::Stopped) => return,
                Err(End::Problem(problem)) => problem,
            };
            kafka::report(&self.health, &problem.0);
            std::thread::park_timeout(wait);
            wait = (wait * 2).min(BACK_OFF.1);
        }
    }

    fn open(&self, points: &Points) -> Result<Consumer, End> {
        let sources = kafka::prepare(&self.settings, self.health.clone())?;
        self.leader.expect(sources)?;
        let known = points.clone();
        let start_at = move |source: &SourceId| lock(&known).get(source).map(|p| p.resume_at);
        let (health, clock) = (self.health.clone(), self.clock.clone());
        Ok(Consumer::open(&self.settings, health, clock, Box::new(start_at))?)
    }

    fn count(&mut self, consumer: &Consumer, points: &Points) -> End {
        let mut partitions: Vec<Partition> = Vec::new();
        let mut since = Stopwatch::start();
        let (mut taken, mut paused) = (0, false);
        while !self.stop.load(Ordering::Relaxed) {
            match consumer.poll(POLL) {
                Ok(Some(record)) => {
                    self.change(consumer, points, &mut partitions);
                    taken += usize::from(take(&mut partitions, &record, self.clock.now()));
                }
                Ok(None) => self.change(consumer, points, &mut partitions),
                Err(problem) => consumer.context().ill(&problem.0),
            }
            if taken < RECORDS_PER_REPORT && since.seconds() < REPORT_EVERY_S {
                continue;
            }
            let room = match self.leader.retry() {
                Ok(room) => room,
                Err(Gone) => return End::Stopped,
            };
            if room == paused {
                // The leader cannot store: polling goes on, and with it the membership.
                paused = !room;
                consumer.pause(paused);
            }
            if room {
                let reports = self.reports(consumer, &mut partitions);
                if self.leader.offer(reports).is_err() {
                    return End::Stopped;
                }
                self.commit(consumer, points);
                (taken, since) = (0, Stopwatch::start());
            }
        }
        End::Stopped
    }

    /// Takes up and lets go of partitions.
    fn change(&self, consumer: &Consumer, points: &Points, partitions: &mut Vec<Partition>) {
        for change in consumer.changes() {
            match change {
                Change::Assigned(source, next) => {
                    let from = lock(points).get(&source).copied();
                    tracing::info!(%source, offset = next, "counting a partition");
                    let (limits, metrics) = (self.limits, self.metrics.clone());
                    let counter = Counter::new(source.clone(), from, self.fold, limits, metrics);
                    partitions.retain(|partition| partition.source != source);
                    let hint = self.settings.topics.kind_of(&source.topic);
                    partitions.push(Partition { source, counter, hint, next });
                }
                Change::Revoked(source) => {
                    tracing::info!(%source, "giving a partition back");
                    partitions.retain(|partition| partition.source != source);
                }
            }
        }
    }

    /// One report a partition. Those of a cluster that does not answer say nothing, not even that they live.
    fn reports(&self, consumer: &Consumer, partitions: &mut [Partition]) -> Vec<Report> {
        let (ends, now) = (consumer.ends(), self.clock.now());
        let mut reports = Vec::with_capacity(partitions.len());
        for Partition { source, counter, next, .. } in partitions {
            let end = ends.get(source).copied();
            let heard = end.is_some_and(|(_, at)| now.since(at) < SILENT_AFTER);
            if counter.taken() == 0 && !heard {
                continue;
            }
            let caught_up_at = end.filter(|(end, _)| *next >= *end).map(|(_, at)| at);
            reports.push(counter.report(caught_up_at));
        }
        reports
    }

    /// Tells the broker what the store has. The store alone decides where counting goes on.
    fn commit(&mut self, consumer: &Consumer, points: &Points) {
        let durable = self.leader.durable();
        let changed: Vec<_> = {
            let mut known = lock(points);
            let is_new = |(source, point): &(SourceId, CommitPoint)| {
                known.insert(source.clone(), *point) != Some(*point)
            };
            durable.into_iter().filter(is_new).collect()
        };
        if changed.is_empty() {
            return;
        }
        if let Err(problem) = consumer.commit(&changed) {
            tracing::warn!(%problem, "cannot commit offsets; the next commit makes up for it");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a record of a partition that is ours.
fn take(partitions: &mut [Partition], record: &Received<'_>, now: Timestamp) -> bool {
    let (topic, number, offset) = (record.topic(), record.partition(), record.offset());
    let ours = |p: &&mut Partition| p.source.partition == number && *p.source.topic == *topic;
    let Some(partition) = partitions.iter_mut().find(ours) else { return false };
    partition.next = offset + 1;
    partition.counter.take(&RecordRef {
        offset,
        appended_at: record.appended_at().unwrap_or(now),
        hint: partition.hint,
        bytes: record.payload(),
    });
    true
}
