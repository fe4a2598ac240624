//! Threads that count, each some partitions of its own, in the order in which their records were taken.
//!
//! Counting is a matter of one partition, so that lanes share nothing. What a lane is given waits in a queue that is
//! short: whoever takes records from the client waits too, and the client then fetches no more.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, available_parallelism};

use super::parts::{Intake, Partition, ReportBatch, ReportRequest};
use crate::domain::{Clock, SourceId};
use crate::ingest::Headers;
use crate::input::RecordRef;
use crate::kafka::{KafkaProblem, Received};

/// Most lanes; more than the client's own thread can feed are idle.
const LANES_MAX: usize = 4;
/// Batches that wait for a lane.
const WAITING_MAX: usize = 16;
/// Bytes of records with which a batch is handed over.
const BATCH_BYTES: usize = 512 << 10;

/// What a lane is asked to do.
enum Job<'q> {
    Take(Box<Partition>),
    Leave(SourceId),
    Count(Vec<Received<'q>>),
    Report(Arc<ReportRequest>, Sender<ReportBatch>),
}

/// One lane, as seen by who feeds it.
struct Lane<'q> {
    jobs: SyncSender<Job<'q>>,
    batch: Vec<Received<'q>>,
    bytes: usize,
}

/// All lanes, and whose partitions are whose.
pub(super) struct Lanes<'q> {
    lanes: Vec<Lane<'q>>,
    /// With the number of the lane.
    partitions: Vec<(SourceId, usize)>,
    /// Room that alarms, planned work and rejects since the last report take.
    held: Arc<AtomicUsize>,
}

/// A lane ends early only by a panic, which ends the session where threads are joined.
fn gone<T>(_: T) -> KafkaProblem {
    KafkaProblem("a thread that counts ended".into())
}

impl<'q> Lanes<'q> {
    /// As many as the machine has cores, within reason.
    pub(super) fn start<'s, 'e>(
        scope: &'s Scope<'s, 'e>,
        intake: &'e Intake,
    ) -> Result<Self, KafkaProblem>
    where
        'q: 's,
    {
        let held = Arc::new(AtomicUsize::new(0));
        let mut lanes = Vec::new();
        for number in 0..available_parallelism().map_or(1, NonZero::get).min(LANES_MAX) {
            let (jobs, given) = sync_channel(WAITING_MAX);
            let held = held.clone();
            let thread = Builder::new().name(format!("kafka count {number}"));
            thread
                .spawn_scoped(scope, move || run(intake, &given, &held))
                .map_err(|error| KafkaProblem(format!("no thread left: {error}")))?;
            lanes.push(Lane { jobs, batch: Vec::new(), bytes: 0 });
        }
        Ok(Self { lanes, partitions: Vec::new(), held })
    }

    /// Gives a partition to the lane that has fewest.
    pub(super) fn take(&mut self, partition: Partition) -> Result<(), KafkaProblem> {
        self.leave(&partition.source)?;
        let of = |lane: &usize| self.partitions.iter().filter(|(_, at)| at == lane).count();
        let lane = (0..self.lanes.len()).min_by_key(of).unwrap_or(0);
        self.partitions.push((partition.source.clone(), lane));
        self.lanes[lane].jobs.send(Job::Take(Box::new(partition))).map_err(gone)
    }

    /// Forgets a partition, if it is here.
    pub(super) fn leave(&mut self, source: &SourceId) -> Result<(), KafkaProblem> {
        let Some(at) = self.partitions.iter().position(|(known, _)| known == source) else {
            return Ok(());
        };
        let (source, lane) = self.partitions.swap_remove(at);
        self.lanes[lane].jobs.send(Job::Leave(source)).map_err(gone)
    }

    /// Hands records to their lanes. Returns how much is held for the log of what has been counted so far.
    pub(super) fn count(&mut self, records: Vec<Received<'q>>) -> Result<usize, KafkaProblem> {
        let mut before: Option<usize> = None;
        for record in records {
            let lane = match before.and_then(|lane| Some((lane, self.lanes[lane].batch.last()?))) {
                Some((lane, last)) if record.is_beside(last) => Some(lane),
                _ => self.lane(&record),
            };
            before = lane;
            // Else it came before its partition was given back.
            let Some(lane) = lane.map(|lane| &mut self.lanes[lane]) else { continue };
            lane.bytes += record.payload().len();
            lane.batch.push(record);
            if lane.bytes >= BATCH_BYTES {
                lane.hand_over()?;
            }
        }
        for lane in &mut self.lanes {
            lane.hand_over()?;
        }
        Ok(self.held.load(Ordering::Relaxed))
    }

    /// The lane of a record's partition, if that is ours.
    fn lane(&self, record: &Received<'_>) -> Option<usize> {
        self.partitions.iter().find(|(source, _)| is_of(record, source)).map(|(_, lane)| *lane)
    }

    /// What happened in all partitions since the last report, once everything that was handed over is counted.
    pub(super) fn report(&self, request: ReportRequest) -> Result<Vec<ReportBatch>, KafkaProblem> {
        let (request, (answer, answers)) = (Arc::new(request), channel());
        for lane in &self.lanes {
            lane.jobs.send(Job::Report(request.clone(), answer.clone())).map_err(gone)?;
        }
        drop(answer);
        let reports: Vec<ReportBatch> = answers.iter().collect();
        // All lanes wait: nothing has come since.
        self.held.store(0, Ordering::Relaxed);
        if reports.len() == self.lanes.len() { Ok(reports) } else { Err(gone(())) }
    }
}

impl Lane<'_> {
    fn hand_over(&mut self) -> Result<(), KafkaProblem> {
        self.bytes = 0;
        if self.batch.is_empty() {
            return Ok(());
        }
        let room = Vec::with_capacity(self.batch.len());
        self.jobs.send(Job::Count(std::mem::replace(&mut self.batch, room))).map_err(gone)
    }
}

/// Works until nobody gives more.
fn run(intake: &Intake, jobs: &Receiver<Job<'_>>, held: &AtomicUsize) {
    let mut partitions: Vec<Partition> = Vec::new();
    for job in jobs {
        match job {
            Job::Take(partition) => partitions.push(*partition),
            Job::Leave(source) => partitions.retain(|partition| partition.source != source),
            Job::Count(records) => {
                let more = count(&mut partitions, records, &*intake.clock);
                held.fetch_add(more, Ordering::Relaxed);
            }
            Job::Report(request, answer) => {
                let reports = intake.reports_of(&mut partitions, &request);
                // Who asked waits for it, unless the session ends.
                let _ = answer.send(reports);
            }
        }
    }
}

fn is_of(record: &Received<'_>, source: &SourceId) -> bool {
    source.partition == record.partition() && *source.topic == *record.topic()
}

/// Counts records; returns how much of them is held for the log.
fn count(partitions: &mut [Partition], records: Vec<Received<'_>>, clock: &dyn Clock) -> usize {
    let mut held = 0;
    let mut before: Option<(Received<'_>, usize)> = None;
    for record in records {
        let beside = before.filter(|(other, _)| record.is_beside(other));
        let at = beside.map(|(_, at)| at);
        let at = at.or_else(|| partitions.iter().position(|p| is_of(&record, &p.source)));
        if let Some(at) = at {
            held += take(&mut partitions[at], &record, clock);
        }
        before = at.map(|at| (record, at));
    }
    held
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
