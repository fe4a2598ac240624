//! Lanes: threads that count. Each lane counts some partitions, in order of their records.
//!
//! Partitions are independent, so lanes share no state. The queue before a lane is short. When it is full, the polling
//! thread waits, and the client stops fetching.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, available_parallelism};

use super::parts::{Intake, Partition, ReportBatch, ReportRequest};
use crate::domain::{Clock, SourceId, Timestamp};
use crate::ingest::Headers;
use crate::input::RecordRef;
use crate::kafka::{KafkaProblem, Received};

/// Maximum number of lanes. The client's own thread cannot feed more.
const LANES_MAX: usize = 4;
/// Maximum number of batches that wait for a lane.
const WAITING_MAX: usize = 16;
/// A batch is sent to its lane once its records have this many bytes.
const BATCH_BYTES: usize = 512 << 10;

/// A job for a lane.
enum Job<'q> {
    Take(Box<Partition>),
    Leave(SourceId),
    Count(Vec<Received<'q>>),
    Report(Arc<ReportRequest>, Sender<ReportBatch>),
}

/// One lane, as the polling thread sees it.
struct Lane<'q> {
    jobs: SyncSender<Job<'q>>,
    batch: Vec<Received<'q>>,
    bytes: usize,
}

/// All lanes, and the assignment of partitions to them.
pub(super) struct Lanes<'q> {
    lanes: Vec<Lane<'q>>,
    /// Partitions with the numbers of their lanes.
    partitions: Vec<(SourceId, usize)>,
    /// Memory of events that wait for the next report, see [`SourceProcessor::held`](crate::input::SourceProcessor::held).
    held: Arc<AtomicUsize>,
}

/// The error for a lane that has ended early, which only happens after a panic. It ends the session when its thread is joined.
fn ended<T>(_: T) -> KafkaProblem {
    KafkaProblem("a counting thread has ended".into())
}

impl<'q> Lanes<'q> {
    /// Starts a lane for each core, at most [`LANES_MAX`].
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

    /// Assigns a partition to the lane with the fewest.
    pub(super) fn take(&mut self, partition: Partition) -> Result<(), KafkaProblem> {
        self.leave(&partition.source)?;
        let of = |lane: &usize| self.partitions.iter().filter(|(_, at)| at == lane).count();
        let lane = (0..self.lanes.len()).min_by_key(of).unwrap_or(0);
        self.partitions.push((partition.source.clone(), lane));
        self.lanes[lane].jobs.send(Job::Take(Box::new(partition))).map_err(ended)
    }

    /// Removes a partition, if it is assigned.
    pub(super) fn leave(&mut self, source: &SourceId) -> Result<(), KafkaProblem> {
        let Some(at) = self.partitions.iter().position(|(known, _)| known == source) else {
            return Ok(());
        };
        let (source, lane) = self.partitions.swap_remove(at);
        self.lanes[lane].jobs.send(Job::Leave(source)).map_err(ended)
    }

    /// Sends records to their lanes. Returns the memory of counted events that wait for the next report.
    pub(super) fn count(&mut self, records: Vec<Received<'q>>) -> Result<usize, KafkaProblem> {
        let mut before: Option<usize> = None;
        for record in records {
            let lane = match before.and_then(|lane| Some((lane, self.lanes[lane].batch.last()?))) {
                Some((lane, last)) if record.is_of_same_partition(last) => Some(lane),
                _ => self.lane(&record),
            };
            before = lane;
            // A record without a lane was fetched before its partition was revoked.
            let Some(lane) = lane.map(|lane| &mut self.lanes[lane]) else { continue };
            lane.bytes += record.payload().len();
            lane.batch.push(record);
            if lane.bytes >= BATCH_BYTES {
                lane.send_batch()?;
            }
        }
        for lane in &mut self.lanes {
            lane.send_batch()?;
        }
        Ok(self.held.load(Ordering::Relaxed))
    }

    /// The lane of a record's partition, if it is assigned.
    fn lane(&self, record: &Received<'_>) -> Option<usize> {
        self.partitions.iter().find(|(source, _)| is_of(record, source)).map(|(_, lane)| *lane)
    }

    /// Reports of all partitions, once all records that were sent to lanes are counted.
    pub(super) fn report(&self, request: ReportRequest) -> Result<Vec<ReportBatch>, KafkaProblem> {
        let (request, (answer, answers)) = (Arc::new(request), channel());
        for lane in &self.lanes {
            lane.jobs.send(Job::Report(request.clone(), answer.clone())).map_err(ended)?;
        }
        drop(answer);
        let reports: Vec<ReportBatch> = answers.iter().collect();
        // All lanes are idle, so nothing was counted since.
        self.held.store(0, Ordering::Relaxed);
        if reports.len() == self.lanes.len() { Ok(reports) } else { Err(ended(())) }
    }
}

impl Lane<'_> {
    fn send_batch(&mut self) -> Result<(), KafkaProblem> {
        self.bytes = 0;
        if self.batch.is_empty() {
            return Ok(());
        }
        let room = Vec::with_capacity(self.batch.len());
        self.jobs.send(Job::Count(std::mem::replace(&mut self.batch, room))).map_err(ended)
    }
}

/// Runs jobs until their sender is dropped.
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
                // The requester has gone only if the session ends.
                let _ = answer.send(reports);
            }
        }
    }
}

fn is_of(record: &Received<'_>, source: &SourceId) -> bool {
    source.partition == record.partition() && *source.topic == *record.topic()
}

/// Counts records. Returns the memory of events that wait for the next report.
fn count(partitions: &mut [Partition], records: Vec<Received<'_>>, clock: &dyn Clock) -> usize {
    let now = clock.now();
    let mut held = 0;
    let mut before: Option<(Received<'_>, usize)> = None;
    for record in records {
        let same = before.filter(|(other, _)| record.is_of_same_partition(other));
        let at = same.map(|(_, at)| at);
        let at = at.or_else(|| partitions.iter().position(|p| is_of(&record, &p.source)));
        if let Some(at) = at {
            held += take(&mut partitions[at], &record, now);
        }
        before = at.map(|at| (record, at));
    }
    held
}

/// Counts a record. Returns the memory of its events that wait for the next report.
fn take(partition: &mut Partition, record: &Received<'_>, now: Timestamp) -> usize {
    let (headers, offset) = (record.headers(), record.offset());
    partition.next = offset + 1;
    if record.is_null() {
        partition.processor.take_null(offset);
        return 0;
    }
    let before = partition.processor.held();
    let appended_at = record.appended_at();
    if let Some(appended_at) = appended_at.filter(|_| partition.seen_end.is_some()) {
        partition.compare_clocks(offset, appended_at, now);
    }
    partition.processor.take(&RecordRef {
        headers: Headers(&headers),
        offset,
        appended_at: appended_at.unwrap_or(now),
        hint: partition.hint,
        bytes: record.payload(),
    });
    partition.processor.held() - before
}
