//! Counts Kafka's partitions in threads beside the polling one, and writes the results to the replicated log.
//!
//! A session lasts until a write fails. Then nothing later is written, and counting resumes at the commits. Writing
//! partials twice is harmless, because they are cumulative.

mod lane;
mod parts;

use std::sync::atomic::Ordering;
use std::time::Duration;

use self::lane::Lanes;
pub use self::parts::Intake;
use self::parts::{Partition, ReportBatch, ReportRequest};
use crate::clock::Stopwatch;
use crate::domain::{Backoff, Timestamp};
use crate::engine::Report;
use crate::input::SourceProcessor;
use crate::kafka::{self, Change, Consumer, KafkaProblem, LogWriter, Wire, sessions};

const REPORT_EVERY_S: f64 = 1.0;
const REPORT_IDLE_S: f64 = 0.25;
const POLL: Duration = Duration::from_millis(100);
/// Wait after a failed session.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));
/// A partition whose end offset is unknown for longer is silent: its source times out.
const SILENT_AFTER: Duration = Duration::from_secs(30);

impl Intake {
    /// Runs until `stop` is set.
    pub fn run(self) {
        sessions::run(&self.stop, &self.health, BACKOFF, || self.session());
    }

    /// Counts until `stop` is set or a write fails.
    fn session(&self) -> Result<(), KafkaProblem> {
        kafka::prepare(&self.settings, self.health.clone())?;
        let log = LogWriter::open(&self.settings, self.health.clone())?;
        let consumer = Consumer::open(&self.settings, self.health.clone(), self.clock.clone())?;
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
        while !self.stop.load(Ordering::Relaxed) {
            let records = consumer.batch(POLL);
            self.change(consumer, &mut lanes)?;
            let is_idle = records.is_empty();
            fresh |= !is_idle;
            let held = lanes.count(records)?;
            // Report earlier if no further records follow.
            let wait = if is_idle && fresh { REPORT_IDLE_S } else { REPORT_EVERY_S };
            if held >= self.held_max || since.seconds() >= wait {
                self.report(consumer, log, &lanes)?;
                (fresh, since) = (false, Stopwatch::start());
            }
        }
        Ok(())
    }

    /// Applies changes of the assignment.
    fn change(&self, consumer: &Consumer, lanes: &mut Lanes<'_>) -> Result<(), KafkaProblem> {
        for change in consumer.changes() {
            match change {
                Change::Assigned(source, next, committed) => {
                    tracing::info!(%source, offset = next, "kafka: counting a partition");
                    let (decoders, metrics) = (self.decoders.clone(), self.metrics.clone());
                    let processor = SourceProcessor::new(
                        source.clone(),
                        committed.clone(),
                        self.aggregator,
                        decoders,
                        metrics,
                    );
                    let hint = self.settings.topics.kind_of(&source.topic);
                    lanes.take(Partition { source, processor, hint, next, committed })?;
                }
                Change::Revoked(source) => {
                    tracing::info!(%source, "kafka: partition revoked");
                    lanes.leave(&source)?;
                    self.metrics.remove_partition(&source);
                }
                Change::Failed(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Writes reports to the log, then commits offsets.
    fn report(
        &self,
        consumer: &Consumer,
        log: &LogWriter,
        lanes: &Lanes<'_>,
    ) -> Result<(), KafkaProblem> {
        let (ends, read, now) = (consumer.ends(), consumer.read(), self.clock.now());
        let mut all = ReportBatch::default();
        for reports in lanes.report(ReportRequest { ends, read, now })? {
            all.messages.extend(reports.messages);
            all.letters.extend(reports.letters);
            all.points.extend(reports.points);
        }
        log.write_dead(&all.letters)?;
        log.write(all.messages)?;
        if !all.points.is_empty()
            && let Err(problem) = consumer.commit(&all.points)
        {
            tracing::warn!(%problem, "kafka: commit of offsets failed, the next commit includes them");
        }
        Ok(())
    }

    /// Reports of some partitions.
    fn reports_of(&self, partitions: &mut [Partition], request: &ReportRequest) -> ReportBatch {
        let (mut reports, now) = (ReportBatch::default(), request.now);
        for Partition { source, processor, next, committed, .. } in partitions {
            let end = request.ends.get(source).copied();
            let is_alive = end.is_some_and(|(_, at)| now.since(at) < SILENT_AFTER);
            // Send no heartbeat for a partition while the cluster does not answer.
            if processor.taken() == 0 && !is_alive {
                continue;
            }
            let (windows, closed) = processor.frontier();
            // The end of a transaction has an offset but is not a record.
            let read = request.read.get(source).map_or(*next, |upto| *upto.max(next));
            let lag = end.map(|(end, _)| (end - read).max(0));
            // Before the first event no window is closed, so there is no age.
            let age = if closed > Timestamp::MIN { now.since(closed).as_secs_f64() } else { 0.0 };
            self.metrics.partition(source, lag, age, windows);
            let caught_up_at = end.filter(|(end, _)| read >= *end).map(|(_, at)| at);
            let report = processor.report(caught_up_at);
            if let Some((_, point)) = &report.progress
                && committed.replace(point.clone()).as_ref() != Some(point)
            {
                reports.points.push((source.clone(), point.clone()));
            }
            reports.letters.extend(report.dead.iter().map(|(letter, _)| letter.clone()));
            push_messages(report, now, &mut reports.messages);
        }
        reports
    }
}

/// The messages of a report. The frontier is the last one.
fn push_messages(report: Report, now: Timestamp, messages: &mut Vec<Wire>) {
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
