//! Counts Kafka's partitions in threads beside the polling thread, and writes the results to the replicated log.
//!
//! A session lasts until a write fails. Then nothing else is written, and counting resumes at the commits. Writing partials
//! twice is harmless, because they are cumulative.

mod lane;
mod parts;
mod writing;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use self::lane::Lanes;
pub use self::parts::Intake;
use self::parts::{Lost, Partition, ReportBatch, ReportRequest, Unfinished};
use self::writing::Writing;
use crate::clock::Stopwatch;
use crate::domain::{Backoff, Offset, SourceId, Timestamp};
use crate::engine::Report;
use crate::input::SourceProcessor;
use crate::kafka::{
    self, Change, Consumer, End, Fault, KafkaProblem, LogWriter, Replaced, Resume, Wire, sessions,
};
use crate::telemetry::{count, fail, span};

const REPORT_EVERY_S: f64 = 1.0;
const REPORT_IDLE_S: f64 = 0.25;
const POLL: Duration = Duration::from_millis(100);
/// Wait after a failed session.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));
/// If the end offset of a partition is unknown for longer than this, its source is silent, and times out.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// Clocks are considered equal if they differ by less than this.
const CLOCKS_AGREE_S: i64 = 60;
/// A partition has a fault if records have been waiting for longer than this and none was read.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// A transaction that is open for longer than this is reported. Producers usually end transactions within seconds.
const OPEN_AFTER: Duration = Duration::from_secs(60);
/// Maximum number of bytes of a dead letter that are kept. In the replicated log they are in Base64, and the client refuses to
/// write a message of more than 1,000,000 bytes.
const LETTER_BYTES_MAX: usize = 512 << 10;

/// The reason for a report.
struct Ask {
    /// Whether there may be records since the last report.
    is_fresh: bool,
    /// A topic that was deleted.
    deleted: Option<String>,
}

impl Intake {
    /// Runs until `stop` is set.
    pub fn run(self) {
        sessions::run(&self.stop, &self.health, BACKOFF, || self.session());
    }

    /// Counts until `stop` is set or a write fails.
    fn session(&self) -> Result<(), KafkaProblem> {
        kafka::prepare(&self.settings, self.health.clone())?;
        let log = LogWriter::open(&self.settings, self.health.clone())?;
        let (health, faults) = (self.health.clone(), self.faults.clone());
        let (counted, clock) = (self.counted.clone(), self.clock.clone());
        let consumer = Consumer::open(&self.settings, health, faults, counted, clock)?;
        // The scope joins all lanes, and they release their records, before the consumer is dropped.
        std::thread::scope(|scope| self.count(&consumer, &log, Lanes::start(scope, self)?))
    }

    fn count<'q>(
        &self,
        consumer: &'q Consumer,
        log: &LogWriter,
        mut lanes: Lanes<'q>,
    ) -> Result<(), KafkaProblem> {
        let mut since = Stopwatch::start();
        // Whether there were records since the last report.
        let mut fresh = false;
        let mut writing = Writing::default();
        while !self.stop.load(Ordering::Relaxed) {
            let records = consumer.batch(POLL);
            for change in consumer.changes() {
                self.change(consumer, log, &mut lanes, &mut writing, change)?;
            }
            let is_idle = records.is_empty();
            fresh |= !is_idle;
            let held = lanes.count(records)?;
            if is_idle || writing.is_done() {
                writing.finish(consumer)?;
            }
            // Report earlier if no further records follow.
            let wait = if is_idle && fresh { REPORT_IDLE_S } else { REPORT_EVERY_S };
            if held >= self.held_max || since.seconds() >= wait {
                let ask = Ask { is_fresh: fresh, deleted: None };
                self.report(consumer, log, &lanes, &mut writing, &ask)?;
                (fresh, since) = (false, Stopwatch::start());
                // Only a full report takes long to write. Offsets of a small one are committed at once.
                if held < self.held_max {
                    writing.finish(consumer)?;
                }
            }
        }
        writing.finish(consumer)
    }

    /// Applies a change of the assignment.
    fn change(
        &self,
        consumer: &Consumer,
        log: &LogWriter,
        lanes: &mut Lanes<'_>,
        writing: &mut Writing,
        change: Change,
    ) -> Result<(), KafkaProblem> {
        match change {
            Change::Assigned(source, resume) => self.take(consumer, lanes, source, resume),
            Change::Revoked(source) => {
                tracing::info!(%source, "kafka: partition revoked");
                writing.leave_out(&source);
                lanes.leave(&source)?;
                self.metrics.remove_partition(&source);
                Ok(())
            }
            Change::Deleted(topic) => {
                let ask = Ask { is_fresh: true, deleted: Some(topic) };
                self.report(consumer, log, lanes, writing, &ask)
            }
            // The report asks again, and ends the session.
            Change::Recreated(_) => {
                let ask = Ask { is_fresh: true, deleted: None };
                self.report(consumer, log, lanes, writing, &ask)
            }
            Change::Failed(problem) => Err(problem),
        }
    }

    /// Begins to count a partition.
    fn take(
        &self,
        consumer: &Consumer,
        lanes: &mut Lanes<'_>,
        source: SourceId,
        resume: Resume,
    ) -> Result<(), KafkaProblem> {
        let Resume { at, point, generation, gone, commits_first, replaced, lost_commit } = resume;
        tracing::info!(%source, offset = at, "kafka: counting a partition");
        if lost_commit {
            tracing::warn!(
                %source, offset = at,
                "kafka: the broker no longer has the group's offset of this partition; no window loses counts, and counting \
                 goes on here. Brokers delete offsets of a group that was away for offsets.retention.minutes (default: 7 days)"
            );
        }
        let counted = source.in_generation(generation.as_deref());
        if let Some(point) = point.as_ref().filter(|_| commits_first) {
            // A second attempt must not begin at another offset.
            consumer.commit(&[(counted.clone(), point.clone())])?;
        }
        self.metrics.begin_gone(&source);
        self.gone(consumer, &source, gone);
        if let Some(replaced) = replaced {
            self.replaced(consumer, &source, at, &replaced);
        }
        let processor = SourceProcessor::new(
            counted,
            point.clone(),
            self.aggregator,
            self.decoders.clone(),
            self.metrics.clone(),
        );
        let hint = self.settings.topics.kind_of(&source.topic);
        let moved = (at, self.clock.now());
        lanes.take(Partition {
            source,
            processor,
            hint,
            next: at,
            committed: point,
            reported: at,
            moved,
            seen_end: None,
            held_up: None,
            ahead_s: None,
        })
    }

    /// Reports records that the broker deleted before they were counted.
    fn gone(&self, consumer: &Consumer, source: &SourceId, gone: i64) {
        if gone <= 0 {
            return;
        }
        self.metrics.gone(source, gone);
        let why = format!(
            "{source}: {gone} records were deleted before they were counted (at {}); they are in no count: send their \
             events again, and lengthen the topic's retention",
            self.clock.now()
        );
        consumer.context().fault(source, Fault::Gone, Some(&why));
    }

    /// Reports a topic that was deleted and created again. How many of its records were never read is known only if that
    /// happened while they were read.
    fn replaced(&self, consumer: &Consumer, source: &SourceId, at: Offset, replaced: &Replaced) {
        tracing::warn!(
            %source, offset = at,
            "kafka: the topic was deleted and created again; counting goes on at the beginning of the new one"
        );
        let Replaced { id, counted_upto, caught_up_at } = replaced;
        let known = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        if id.as_ref().is_some_and(|id| known.contains(id)) {
            return;
        }
        self.metrics.gone_unknown(source);
        let read = match caught_up_at {
            Some(at) => format!(" (that was all at {at})"),
            None => String::new(),
        };
        let why = format!(
            "{source}: the topic was deleted and created again while it was not read; of the old topic, the records before \
             offset {counted_upto} were counted{read}. It is not known how many more it had: they are in no count; send their \
             events again"
        );
        consumer.context().fault(source, Fault::Unknown, Some(&why));
    }

    /// Begins to write reports to the log, once the report before is written and its offsets are committed. Counting goes on
    /// meanwhile. What was not read of a deleted topic is gone.
    ///
    /// Before it writes, it checks whether the topics are still those of the assignment, because the client would continue to
    /// read a new topic with the same name at the offset of the old one.
    fn report(
        &self,
        consumer: &Consumer,
        log: &LogWriter,
        lanes: &Lanes<'_>,
        writing: &mut Writing,
        ask: &Ask,
    ) -> Result<(), KafkaProblem> {
        writing.finish(consumer)?;
        // Without new records there is nothing that could be of another topic.
        let recreated = if ask.is_fresh { consumer.recreated()? } else { None };
        let lost = match recreated {
            Some(topic) => Some(Lost { topic, is_replaced: true }),
            None => ask.deleted.clone().map(|topic| Lost { topic, is_replaced: false }),
        };
        let replaced = lost.as_ref().filter(|lost| lost.is_replaced).map(|lost| {
            KafkaProblem(format!(
                "topic {} was deleted and created again: counting goes on at the beginning of the new topic; what was \
                 counted before stays",
                lost.topic
            ))
        });
        let (ends, read, now) = (consumer.ends(), consumer.read(), self.clock.now());
        let mut all = ReportBatch::default();
        if let Some(lost) = lost.as_ref().filter(|lost| lost.is_replaced) {
            let id = consumer.context().assigned_ids().remove(&lost.topic).flatten();
            self.replaced.lock().unwrap_or_else(PoisonError::into_inner).extend(id);
        }
        for reports in lanes.report(ReportRequest { ends, read, now, lost })? {
            all.append(reports);
        }
        for (source, gone) in std::mem::take(&mut all.gone) {
            self.gone(consumer, &source, gone);
        }
        match replaced {
            None => {
                writing.unfinished = Some(self.write(consumer, log, all)?);
                Ok(())
            }
            Some(problem) => Err(problem),
        }
    }

    fn write(
        &self,
        consumer: &Consumer,
        log: &LogWriter,
        all: ReportBatch,
    ) -> Result<Unfinished, KafkaProblem> {
        let span = span!(
            "intake.commit",
            otel.kind = "producer",
            messages = count(all.messages.len()),
            dead_letters = count(all.letters.len()),
            partitions = count(all.points.len()),
            // Partitions without new records only say that they are there.
            quiet = all.points.is_empty() && all.letters.is_empty(),
        );
        let in_flight = span.in_scope(|| {
            log.write_dead(&all.letters).inspect_err(|_| fail(&span, "log"))?;
            Ok(log.send(all.messages.into_iter()))
        })?;
        for (source, waiting) in all.moving {
            let why = waiting.map(|waiting| {
                format!("{source}: {waiting} records wait, and none was read for a minute; restart this instance if that lasts")
            });
            consumer.context().fault(&source, Fault::Stuck, why.as_deref());
        }
        for (source, since) in all.held_up {
            let why = since.map(|since| {
                format!(
                    "{source}: records wait behind a transaction that has been open since {since}; they are counted when its \
                     producer ends it, or when its transaction.timeout.ms is over. If it stays open, find it with \
                     `kafka-transactions.sh find-hanging`, and abort it"
                )
            });
            consumer.context().fault(&source, Fault::Open, why.as_deref());
        }
        for (source, ahead) in all.ahead_s {
            let why = (ahead.abs() > CLOCKS_AGREE_S).then(|| {
                let side = if ahead > 0 { "ahead of" } else { "behind" };
                format!(
                    "{source}: the times of its records are {} s {side} this machine's clock: set the clocks of brokers (with \
                     CreateTime: of producers) and of this machine; until then events may be rejected as too far in the future",
                    ahead.abs()
                )
            });
            consumer.context().fault(&source, Fault::Clock, why.as_deref());
        }
        Ok(Unfinished { in_flight, points: all.points, tallies: all.tallies, span })
    }

    /// Reports of some partitions.
    fn reports_of(&self, partitions: &mut [Partition], request: &ReportRequest) -> ReportBatch {
        let mut reports = ReportBatch::default();
        for partition in partitions {
            self.report_of(partition, request, &mut reports);
        }
        reports
    }

    fn report_of(
        &self,
        partition: &mut Partition,
        request: &ReportRequest,
        reports: &mut ReportBatch,
    ) {
        let now = request.now;
        let end = request.ends.get(&partition.source).copied();
        let held_up = partition.waits_behind(end, now, OPEN_AFTER);
        reports.held_up.push((partition.source.clone(), held_up));
        // The end of a transaction has an offset but is not a record.
        let read = request.read.get(&partition.source);
        let read = read.map_or(partition.next, |upto| *upto.max(&partition.next));
        let waiting = end.map(|end| (end.readable - read).max(0));
        let is_stuck = partition.is_stuck(read, waiting, now, STUCK_AFTER);
        let Partition { source, processor, next, committed, reported, seen_end, ahead_s, .. } =
            partition;
        reports.ahead_s.extend(ahead_s.take().map(|ahead| (source.clone(), ahead)));
        // While a record after the first end is on its way, that end stays: a later one would let it go unseen.
        if seen_end.is_none_or(|(seen, _)| end.is_some_and(|end| end.high == seen)) {
            *seen_end = end.map(|end| (end.high, end.at));
        }
        let is_alive = end.is_some_and(|end| now.since(end.at) < SILENT_AFTER);
        let lost = request.lost.as_ref().filter(|lost| lost.topic == *source.topic);
        if let Some((lost, End { readable, .. })) = lost.zip(end) {
            let counted = if lost.is_replaced { *reported } else { read };
            reports.gone.push((source.clone(), readable - counted));
            // Once.
            *next = readable.max(*next);
        }
        *reported = read.max(*next);
        reports.moving.push((source.clone(), waiting.filter(|_| is_stuck)));
        // Records of open transactions are not read yet either.
        let lag = end.map(|end| (end.high - read).max(0));
        // Send no heartbeat for a partition while the cluster does not answer, or gives none of the records that wait. The other
        // sources then wait for it only until its time-out.
        if processor.taken() == 0 && (is_stuck || !is_alive) {
            return;
        }
        let (windows, closed) = processor.frontier();
        // Before the first event no window is closed, so there is no age.
        let age = if closed > Timestamp::MIN { now.since(closed).as_secs_f64() } else { 0.0 };
        self.metrics.partition(source, lag, age, windows);
        let caught_up_at = end.filter(|end| read >= end.readable).map(|end| end.at);
        let mut report = processor.report(caught_up_at);
        report.dead.iter_mut().for_each(|(letter, _)| letter.cut(LETTER_BYTES_MAX));
        let counted = report.source.clone();
        reports.tallies.push((counted.clone(), processor.take_tally()));
        if let Some((_, point)) = &report.progress
            && committed.replace(point.clone()).as_ref() != Some(point)
        {
            reports.points.push((counted, point.clone()));
        }
        reports.letters.extend(report.dead.iter().map(|(letter, _)| letter.clone()));
        push_messages(report, now, &mut |message| reports.messages.push(message.encode()));
    }
}

/// The messages of a report. The frontier is the last one.
fn push_messages(report: Report, now: Timestamp, push: &mut impl FnMut(Wire)) {
    let Report { source, partials, progress, alarms, rebuilt, maintenance, tickets, dead } = report;
    let partial = |partial| Wire::Partial { source: source.clone(), partial };
    partials.into_iter().map(partial).for_each(&mut *push);
    alarms.into_iter().for_each(|(position, event)| push(Wire::Alarm { position, event }));
    rebuilt.into_iter().for_each(|(position, list)| push(Wire::Rebuilt { position, list }));
    let work = |(position, event)| Wire::Maintenance { position, event };
    maintenance.into_iter().map(work).for_each(&mut *push);
    let tickets = tickets.into_iter().map(|batch| Wire::Tickets { source: source.clone(), batch });
    tickets.for_each(&mut *push);
    dead.into_iter().for_each(|(letter, place)| push(Wire::Dead { letter, place }));
    if let Some((frontier, point)) = progress {
        let upto = (point.decided_upto >= 0).then_some(point.decided_upto);
        push(Wire::Frontier { source, frontier, upto, reported_at: now });
    }
}
