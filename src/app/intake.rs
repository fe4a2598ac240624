//! Kafka's partitions, counted on the thread that polls them, and written to the log that forecasters read.
//!
//! A session lasts until something cannot be written: then nothing later is written either, and all starts over from
//! what was committed. What is written twice is harmless, for it is cumulative.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock::Stopwatch;
use super::engine::{Counter, RecordRef, Report};
use super::sessions;
use crate::api::Decoders;
use crate::domain::{Clock, EventKind, Offset, SourceId, Timestamp};
use crate::ingest::Headers;
use crate::kafka::{self, Change, Consumer, KafkaProblem, LogWriter, Received, Settings, Wire};
use crate::telemetry::{Health, Metrics};
use crate::window::{CommitPoint, FoldConfig};

const REPORT_EVERY_S: f64 = 1.0;
const REPORT_IDLE_S: f64 = 0.25;
const POLL: Duration = Duration::from_millis(100);
/// Between two tries to reach the cluster.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// A partition whose end nobody has told us for longer is silent: its source times out.
const SILENT_AFTER: Duration = Duration::from_secs(30);

/// What the thread works with.
pub struct Intake {
    pub settings: Settings,
    pub fold: FoldConfig,
    /// Alarms, planned work and rejects held before the log hears of them, in about 512 bytes each. Counts take no more
    /// room for more records.
    pub held_max: usize,
    pub decoders: Arc<Decoders>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
}

/// One partition that this instance counts.
struct Partition {
    source: SourceId,
    counter: Counter,
    /// What the topic's events are where they do not say it.
    hint: Option<EventKind>,
    /// Offset of the next record.
    next: Offset,
    committed: Option<CommitPoint>,
}

impl Intake {
    /// Runs until `stop` is set.
    pub fn run(self) {
        sessions::run(&self.stop, &self.health, BACK_OFF, || self.session());
    }

    /// Counts until `stop` is set, or until something cannot be written.
    fn session(&self) -> Result<(), KafkaProblem> {
        kafka::prepare(&self.settings, self.health.clone())?;
        let log = LogWriter::open(&self.settings, self.health.clone())?;
        let consumer = Consumer::open(&self.settings, self.health.clone(), self.clock.clone())?;
        let mut partitions: Vec<Partition> = Vec::new();
        let mut since = Stopwatch::start();
        // Whether records came since the last report.
        let (mut fresh, mut held) = (false, 0);
        while !self.stop.load(Ordering::Relaxed) {
            let records = consumer.batch(POLL);
            self.change(&consumer, &mut partitions)?;
            let is_idle = records.is_empty();
            fresh |= !is_idle;
            let mut before: Option<(Received<'_>, usize)> = None;
            for record in records {
                let beside = before.filter(|(other, _)| record.is_beside(other));
                let found = beside.map(|(_, at)| at).or_else(|| place(&partitions, &record));
                // Else it came before its partition was given back.
                if let Some(at) = found {
                    held += take(&mut partitions[at], &record, &*self.clock);
                }
                before = found.map(|at| (record, at));
                if held >= self.held_max {
                    self.report(&consumer, &log, &mut partitions)?;
                    (held, since) = (0, Stopwatch::start());
                }
            }
            // Where nothing follows, what came is not kept waiting.
            let wait = if is_idle && fresh { REPORT_IDLE_S } else { REPORT_EVERY_S };
            if since.seconds() >= wait {
                self.report(&consumer, &log, &mut partitions)?;
                (fresh, held, since) = (false, 0, Stopwatch::start());
            }
        }
        Ok(())
    }

    /// Takes up and lets go of partitions.
    fn change(
        &self,
        consumer: &Consumer,
        partitions: &mut Vec<Partition>,
    ) -> Result<(), KafkaProblem> {
        for change in consumer.changes() {
            match change {
                Change::Assigned(source, next, committed) => {
                    tracing::info!(%source, offset = next, "counting a partition");
                    let (decoders, metrics) = (self.decoders.clone(), self.metrics.clone());
                    let counter =
                        Counter::new(source.clone(), committed, self.fold, decoders, metrics);
                    let hint = self.settings.topics.kind_of(&source.topic);
                    partitions.retain(|partition| partition.source != source);
                    partitions.push(Partition { source, counter, hint, next, committed });
                }
                Change::Revoked(source) => {
                    tracing::info!(%source, "giving a partition back");
                    self.metrics.no_partition(&source);
                    partitions.retain(|partition| partition.source != source);
                }
                Change::Failed(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Writes what happened, then commits up to where it is written.
    fn report(
        &self,
        consumer: &Consumer,
        log: &LogWriter,
        partitions: &mut [Partition],
    ) -> Result<(), KafkaProblem> {
        let (ends, now) = (consumer.ends(), self.clock.now());
        let mut messages = Vec::new();
        let (mut points, mut letters) = (Vec::new(), Vec::new());
        for Partition { source, counter, next, committed, .. } in partitions {
            let end = ends.get(source).copied();
            let heard = end.is_some_and(|(_, at)| now.since(at) < SILENT_AFTER);
            // A cluster that does not answer says nothing, not even that its partitions live.
            if counter.taken() == 0 && !heard {
                continue;
            }
            let (windows, closed) = counter.frontier();
            // A transaction ends with what is no record.
            let read = consumer.read_upto(source).map_or(*next, |upto| upto.max(*next));
            let lag = end.map(|(end, _)| (end - read).max(0));
            // Before the first event nothing is closed, which is no age.
            let age = if closed > Timestamp::MIN { now.since(closed).as_secs_f64() } else { 0.0 };
            self.metrics.partition(source, lag, age, windows);
            let caught_up_at = end.filter(|(end, _)| read >= *end).map(|(_, at)| at);
            let report = counter.report(caught_up_at);
            if let Some((_, point)) = report.progress
                && committed.replace(point) != Some(point)
            {
                points.push((source.clone(), point));
            }
            letters.extend(report.dead.iter().map(|(letter, _)| letter.clone()));
            spell_out(report, now, &mut messages);
        }
        log.write_dead(&letters)?;
        log.write(messages)?;
        if !points.is_empty()
            && let Err(problem) = consumer.commit(&points)
        {
            tracing::warn!(%problem, "cannot commit offsets; the next commit makes up for it");
        }
        Ok(())
    }
}

/// A report as messages: how far the source is comes last.
fn spell_out(report: Report, now: Timestamp, messages: &mut Vec<Wire>) {
    let Report { source, partials, progress, alarms, rebuilt, maintenance, dead } = report;
    let partial = |partial| Wire::Partial { source: source.clone(), partial };
    messages.extend(partials.into_iter().map(partial));
    messages.extend(alarms.into_iter().map(|(position, event)| Wire::Alarm { position, event }));
    messages.extend(rebuilt.into_iter().map(|(position, list)| Wire::Rebuilt { position, list }));
    let work = |(position, event)| Wire::Maintenance { position, event };
    messages.extend(maintenance.into_iter().map(work));
    messages.extend(dead.into_iter().map(|(letter, place)| Wire::Dead { letter, place }));
    if let Some((frontier, point)) = progress {
        let upto = (point.decided_upto >= 0).then_some(point.decided_upto);
        messages.push(Wire::Frontier { source, frontier, upto, reported_at: now });
    }
}

/// Which of the partitions that are ours a record is of.
fn place(partitions: &[Partition], record: &Received<'_>) -> Option<usize> {
    let (topic, number) = (record.topic(), record.partition());
    partitions.iter().position(|p| p.source.partition == number && *p.source.topic == *topic)
}

/// Counts a record; returns how much of it is held for the log.
fn take(partition: &mut Partition, record: &Received<'_>, clock: &dyn Clock) -> usize {
    let (headers, offset) = (record.headers(), record.offset());
    partition.next = offset + 1;
    let before = partition.counter.held();
    partition.counter.take(&RecordRef {
        headers: Headers(&headers),
        offset,
        appended_at: record.appended_at().unwrap_or_else(|| clock.now()),
        hint: partition.hint,
        bytes: record.payload(),
    });
    partition.counter.held() - before
}
