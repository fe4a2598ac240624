//! Writes the journal of the store to one sink. Changes that cannot be written wait in the store; nothing else waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tracing::field;

use super::refused::RefusedPoints;
use super::sink::{Refused, Sink, SinkError, Written};
use crate::domain::{Backoff, with_jitter};
use crate::engine::{Leads, Message};
use crate::store::{Change, Reader, StoreError};
use crate::telemetry::{self, Health, Metrics, fail, span};

/// Maximum number of changes that are read at once: a day of windows.
const CHANGES_MAX: usize = 96;
/// The same for the first batch: about one window.
const CHANGES_FIRST: usize = 4;
/// Batches with more points get smaller, so that a backlog of days takes little memory: about 15 MB.
const POINTS_MAX: usize = 50_000;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
/// Wait after an error that a person has to correct.
const MISCONFIGURED_WAIT: Duration = Duration::from_secs(10);

/// Interval between two rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Interval of checks for new changes.
    pub look_every: Duration,
    /// After this time without a write, the sink is probed.
    pub probe_every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { look_every: Duration::from_secs(1), probe_every: Duration::from_secs(60) }
    }
}

/// The parts of the thread.
pub struct SinkWriter<S> {
    pub sink: S,
    pub refused: RefusedPoints,
    pub reader: Reader,
    pub leader: SyncSender<Message>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub leadership: Arc<dyn Leads>,
    pub stop: Arc<AtomicBool>,
    pub pace: Pace,
}

/// Progress of the thread.
struct Progress {
    /// Number of the newest change that is written.
    cursor: i64,
    /// Time since the sink last accepted a write or a probe.
    quiet: Duration,
    /// Maximum number of changes of the next batch.
    most: usize,
}

impl Progress {
    /// Sizes the next batch by the number of points of this one.
    fn resize(&mut self, points: usize) {
        if points > POINTS_MAX {
            self.most = (self.most / 2).max(1);
        } else if points < POINTS_MAX / 2 {
            self.most = (self.most * 2).min(CHANGES_MAX);
        }
    }
}

/// Result of a round.
#[derive(Debug, PartialEq, Eq)]
enum Round {
    /// Everything is written.
    Idle,
    /// There is more.
    More,
    /// Try again after this time, or else after the back-off.
    Wait(Option<Duration>),
    /// The forecaster has ended.
    Over,
}

/// Changes that were sent to the sink.
struct Batch {
    /// Number of the newest of them.
    last: i64,
    /// Whether there may be more after it.
    is_full: bool,
    /// Points or records.
    count: usize,
    written: Written,
}

impl<S: Sink> SinkWriter<S> {
    /// Runs until `stop` is set or the forecaster has ended.
    pub fn run(mut self) {
        let mut progress =
            Progress { cursor: 0, quiet: self.pace.probe_every, most: CHANGES_FIRST };
        let mut backoff = BACKOFF;
        // For jitter only: several services do not come back at the same moment.
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                progress.quiet = self.pace.probe_every;
                std::thread::park_timeout(self.pace.look_every);
                continue;
            }
            match self.round(&mut progress) {
                Round::Idle => {
                    backoff.reset();
                    std::thread::park_timeout(self.pace.look_every);
                    progress.quiet = progress.quiet.saturating_add(self.pace.look_every);
                }
                Round::More => backoff.reset(),
                Round::Wait(fixed) => {
                    let backed_off = backoff.next_wait();
                    let wait = fixed.unwrap_or(backed_off);
                    std::thread::park_timeout(with_jitter(wait, rng.random()));
                }
                Round::Over => return,
            }
        }
    }

    /// Writes changes. If there are none and nothing was written for a while, probes the sink.
    fn round(&mut self, progress: &mut Progress) -> Round {
        self.refused.look();
        match self.sink.pulse(&self.reader) {
            Ok((count, written)) => {
                if let Err(sink_error) = self.took(count, written, progress) {
                    return self.failed(&sink_error);
                }
            }
            Err(error) => return unreadable::<S>(&error),
        }
        match self.next_batch(progress) {
            Ok(Some(batch)) => self.conclude(batch, progress),
            Ok(None) if progress.quiet < self.pace.probe_every => Round::Idle,
            Ok(None) => match self.sink.probe() {
                Ok(()) => {
                    self.accepted(progress);
                    Round::Idle
                }
                Err(sink_error) => self.failed(&sink_error),
            },
            Err(error) => unreadable::<S>(&error),
        }
    }

    /// Counts what the sink accepted, and reports what it refused.
    fn took(
        &mut self,
        count: usize,
        written: Written,
        progress: &mut Progress,
    ) -> Result<(), SinkError> {
        let refused = written?;
        self.metrics.sink_refused(S::NAME, lines(&refused));
        self.refused.take(&refused);
        // Changes without a point are not sent, so they do not show whether the sink works.
        if count > 0 {
            self.accepted(progress);
        }
        self.metrics.sink_written(S::NAME, count);
        Ok(())
    }

    /// Sends the oldest changes that are not written yet; `None` if there are none.
    fn next_batch(&mut self, progress: &mut Progress) -> Result<Option<Batch>, StoreError> {
        // The store knows what was written before, by this instance or by the one that led before it.
        progress.cursor = self.reader.cursor(S::NAME)?.max(progress.cursor);
        let found = self.reader.changes(progress.cursor, progress.most)?;
        let Some((last, _)) = found.last() else { return Ok(None) };
        let (last, is_full) = (*last, found.len() >= progress.most);
        let changes: Vec<Change> = found.into_iter().map(|(_, change)| change).collect();
        let span = span!(
            "sink.write",
            otel.kind = "client",
            sink = S::NAME,
            changes = telemetry::count(changes.len()),
            points = field::Empty,
            refused = field::Empty,
        );
        let result = span.in_scope(|| self.sink.write(&self.reader, &changes));
        match &result {
            Ok((count, written)) => {
                span.record("points", telemetry::count(*count));
                match written {
                    Ok(refused) => _ = span.record("refused", telemetry::count(lines(refused))),
                    Err(SinkError::Temporary(_)) => fail(&span, "temporary"),
                    Err(SinkError::Misconfigured(_)) => fail(&span, "misconfigured"),
                }
            }
            Err(_) => fail(&span, "store"),
        }
        let (count, written) = result?;
        progress.resize(count);
        Ok(Some(Batch { last, is_full, count, written }))
    }

    fn conclude(&mut self, batch: Batch, progress: &mut Progress) -> Round {
        if let Err(sink_error) = self.took(batch.count, batch.written, progress) {
            return self.failed(&sink_error);
        }
        progress.cursor = batch.last;
        if self.leader.send(Message::Cursor(S::NAME, batch.last)).is_err() {
            return Round::Over;
        }
        if batch.is_full { Round::More } else { Round::Idle }
    }

    fn accepted(&self, progress: &mut Progress) {
        progress.quiet = Duration::ZERO;
        if self.health.ready(S::NAME) {
            tracing::info!("{}: connected, writing", S::NAME);
        }
    }

    fn failed(&self, sink_error: &SinkError) -> Round {
        let (why, fixed) = match sink_error {
            SinkError::Temporary(why) => (why, None),
            SinkError::Misconfigured(why) => (why, Some(MISCONFIGURED_WAIT)),
        };
        if self.health.degraded(S::NAME, why) {
            tracing::warn!("{why}; points wait in the store, everything else goes on");
        }
        Round::Wait(fixed)
    }
}

/// Number of points in a list of refused ones.
fn lines(refused: &[Refused]) -> usize {
    refused.iter().map(|refused| refused.lines.max(1)).sum()
}

fn unreadable<S: Sink>(error: &StoreError) -> Round {
    tracing::warn!(%error, sink = S::NAME, "store: cannot read what to write to a sink, trying again");
    Round::Wait(None)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::mpsc::{Receiver, sync_channel};

    use tempfile::TempDir;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::{SeriesKey, Timestamp, WindowWidth};
    use crate::engine::Leading;
    use crate::store::{Store, WindowRecord};
    use crate::telemetry::State;
    use crate::window::AggregationKey;

    /// A sink that gives the prepared answers, then accepts everything.
    #[derive(Default)]
    struct Fake {
        probes: VecDeque<Result<(), SinkError>>,
        writes: VecDeque<(usize, Written)>,
        probed: usize,
        pulses: VecDeque<(usize, Written)>,
        /// Numbers of changes of the writes.
        sizes: Vec<usize>,
        /// Set at the last probe that was prepared.
        stop: Option<Arc<AtomicBool>>,
    }

    impl Sink for Fake {
        const NAME: &'static str = "fake";

        fn probe(&mut self) -> Result<(), SinkError> {
            self.probed += 1;
            let answer = self.probes.pop_front().unwrap_or(Ok(()));
            if let Some(stop) = self.stop.as_ref().filter(|_| self.probes.is_empty()) {
                stop.store(true, Ordering::Relaxed);
            }
            answer
        }

        fn pulse(&mut self, _: &Reader) -> Result<(usize, Written), StoreError> {
            Ok(self.pulses.pop_front().unwrap_or((0, Ok(Vec::new()))))
        }

        fn write(&mut self, _: &Reader, all: &[Change]) -> Result<(usize, Written), StoreError> {
            self.sizes.push(all.len());
            Ok(self.writes.pop_front().unwrap_or((1, Ok(Vec::new()))))
        }
    }

    /// A writer with a store. The last element is the receiver of the forecaster's messages.
    fn writer(sink: Fake) -> (SinkWriter<Fake>, Store, TempDir, Receiver<Message>) {
        let dir = TempDir::new().expect("a directory");
        let store = Store::open(dir.path(), WindowWidth::QUARTER).expect("a store");
        let (leader, inbox) = sync_channel(9);
        let health: Arc<Health> = Arc::default();
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(0)));
        let writer = SinkWriter {
            sink,
            refused: RefusedPoints::new(Fake::NAME, dir.path(), clock, health.clone()),
            reader: store.reader().expect("a reader"),
            leader,
            health,
            metrics: Arc::default(),
            leadership: Arc::new(Leading),
            stop: Arc::default(),
            pace: Pace::default(),
        };
        (writer, store, dir, inbox)
    }

    fn change_something(store: &mut Store) {
        change_windows(store, 1);
    }

    fn change_windows(store: &mut Store, windows: i64) {
        let series = SeriesKey::parse("north/tv/phone").expect("a series");
        let row = |n: i64| {
            let start = Timestamp::from_secs(1_767_232_800 + 900 * n);
            (AggregationKey::Tickets(series.clone()), start, WindowRecord::default())
        };
        let rows: Vec<_> = (0..windows).map(row).collect();
        let mut tx = store.begin().expect("begins");
        tx.put_windows(&rows).expect("puts");
        tx.commit().expect("commits");
    }

    fn state(writer: &SinkWriter<Fake>) -> Option<State> {
        writer.health.report().components.get(Fake::NAME).cloned()
    }

    fn at_the_start() -> Progress {
        Progress { cursor: 0, quiet: Pace::default().probe_every, most: CHANGES_FIRST }
    }

    #[test]
    fn a_sink_is_probed_at_the_start_and_whenever_it_was_quiet_for_a_while() {
        let why = "InfluxDB refuses the token";
        let probes = [Err(SinkError::Misconfigured(why.into()))].into();
        let (mut writer, _store, _dir, _inbox) = writer(Fake { probes, ..Fake::default() });
        let mut progress = at_the_start();
        assert_eq!(writer.round(&mut progress), Round::Wait(Some(MISCONFIGURED_WAIT)));
        assert_eq!(state(&writer), Some(State::Degraded(why.into())));
        assert_eq!(writer.round(&mut progress), Round::Idle);
        assert_eq!(state(&writer), Some(State::Ready));
        assert_eq!(writer.round(&mut progress), Round::Idle);
        assert_eq!(writer.sink.probed, 2, "one that has just answered is left alone");
        progress.quiet = writer.pace.probe_every;
        writer.sink.probes.push_back(Err(SinkError::Temporary("no answer".into())));
        assert_eq!(writer.round(&mut progress), Round::Wait(None));
        assert_eq!(state(&writer), Some(State::Degraded("no answer".into())));
    }

    #[test]
    fn a_write_says_as_much_as_a_probe_unless_it_was_empty() {
        let writes = [(2, Err(SinkError::Temporary("no answer".into()))), (0, Ok(Vec::new()))];
        let fake = Fake { writes: writes.into(), ..Fake::default() };
        let (mut writer, mut store, _dir, inbox) = writer(fake);
        let mut progress = at_the_start();
        change_something(&mut store);
        assert_eq!(writer.round(&mut progress), Round::Wait(None));
        assert_eq!(state(&writer), Some(State::Degraded("no answer".into())));
        assert_eq!(writer.round(&mut progress), Round::Idle);
        assert!(matches!(inbox.try_recv(), Ok(Message::Cursor("fake", 1))));
        assert_eq!(state(&writer), Some(State::Degraded("no answer".into())));
        change_something(&mut store);
        assert_eq!(writer.round(&mut progress), Round::Idle);
        assert_eq!(state(&writer), Some(State::Ready));
        assert_eq!((writer.sink.probed, progress.quiet), (0, Duration::ZERO));
    }

    #[test]
    fn what_changes_by_time_alone_is_written_without_a_change_in_the_store() {
        let sink_error = SinkError::Temporary("no answer".into());
        let nothing = (0, Err(sink_error.clone()));
        let pulses = [nothing, (1, Err(sink_error)), (3, Ok(Vec::new()))].into();
        let (mut writer, _store, _dir, _inbox) = writer(Fake { pulses, ..Fake::default() });
        let mut progress = at_the_start();
        assert_eq!(writer.round(&mut progress), Round::Wait(None), "one that got nothing across");
        assert_eq!(writer.round(&mut progress), Round::Wait(None));
        assert_eq!(state(&writer), Some(State::Degraded("no answer".into())));
        assert_eq!(writer.round(&mut progress), Round::Idle);
        assert_eq!((state(&writer), writer.sink.probed), (Some(State::Ready), 0));
    }

    /// A window of 10,000 series has tens of thousands of points.
    #[test]
    fn a_backlog_is_written_in_batches_of_bounded_size() {
        let writes = [(POINTS_MAX + 1, Ok(Vec::new())), (POINTS_MAX, Ok(Vec::new()))];
        let fake = Fake { writes: writes.into(), ..Fake::default() };
        let (mut writer, mut store, _dir, _inbox) = writer(fake);
        change_windows(&mut store, 200);
        let mut progress = at_the_start();
        while writer.round(&mut progress) == Round::More {}
        assert_eq!(writer.sink.sizes, [4, 2, 2, 4, 8, 16, 32, 64, 68]);
        progress.most = 1;
        progress.resize(usize::MAX);
        assert_eq!(progress.most, 1);
    }

    #[test]
    fn an_idle_thread_goes_on_probing() {
        let probes = VecDeque::from([Ok(()), Ok(()), Ok(())]);
        let (mut writer, _store, _dir, _inbox) = writer(Fake { probes, ..Fake::default() });
        let every = Duration::from_millis(1);
        writer.pace = Pace { look_every: every, probe_every: every * 2 };
        writer.sink.stop = Some(writer.stop.clone());
        let health = writer.health.clone();
        // Ends with the third probe.
        writer.run();
        assert_eq!(health.report().status, "ready");
    }
}
