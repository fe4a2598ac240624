//! Follows the store's journal for one sink. What cannot be written waits in the store; nothing else waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::domain::{Backoff, with_jitter};
use crate::engine::{Leads, Message};
use crate::output::influxdb::Written;
use crate::store::{Change, Reader, StoreError};
use crate::telemetry::{Health, Metrics};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that are read together: a day of windows.
const CHANGES_MAX: usize = 96;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
/// Until somebody has put something right.
const MISCONFIGURED_WAIT: Duration = Duration::from_secs(10);

/// Where changes go.
pub trait Sink: Send {
    /// Its name in the store, in health and in metrics.
    const NAME: &'static str;

    /// Writes what changed, oldest first, as it is now. Returns how many points or records that were.
    ///
    /// # Errors
    /// What the store says.
    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError>;
}

/// The thread's parts.
pub struct SinkWriter<S> {
    pub sink: S,
    pub reader: Reader,
    pub leader: SyncSender<Message>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub leadership: Arc<dyn Leads>,
    pub stop: Arc<AtomicBool>,
}

/// What a round came to.
enum Round {
    /// Everything is written.
    Idle,
    /// There is more.
    More,
    /// Try again after the back-off, and not before this.
    Wait(Duration),
    /// The leader is gone.
    Over,
}

impl<S: Sink> SinkWriter<S> {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let mut cursor = 0;
        let mut backoff = BACKOFF;
        // For jitter only: several services do not come back at the same moment.
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            }
            match self.round(&mut cursor) {
                Round::Idle => {
                    backoff.reset();
                    std::thread::park_timeout(LOOK_EVERY);
                }
                Round::More => backoff.reset(),
                Round::Wait(at_least) => {
                    let wait = backoff.next_wait().max(at_least);
                    std::thread::park_timeout(with_jitter(wait, rng.random()));
                }
                Round::Over => return,
            }
        }
    }

    fn round(&mut self, cursor: &mut i64) -> Round {
        // The store knows what was written before, by this instance or by the one that led before it.
        let found = self.reader.cursor(S::NAME).and_then(|stored| {
            *cursor = stored.max(*cursor);
            self.reader.changes(*cursor, CHANGES_MAX)
        });
        let written = found.and_then(|found| {
            let last = found.last().map(|(seq, _)| *seq);
            let changes: Vec<Change> = found.into_iter().map(|(_, change)| change).collect();
            let Some(last) = last else { return Ok(None) };
            let (count, written) = self.sink.write(&self.reader, &changes)?;
            Ok(Some((last, changes.len() < CHANGES_MAX, count, written)))
        });
        let (last, over, count, written) = match written {
            Ok(Some(found)) => found,
            Ok(None) => return Round::Idle,
            Err(error) => {
                tracing::warn!(%error, sink = S::NAME, "cannot read what a sink has to be told");
                return Round::Wait(Duration::ZERO);
            }
        };
        match written {
            Written::Done { refused } => {
                for refused in refused {
                    self.metrics.sink_refused(S::NAME, refused.lines.max(1));
                    let lines = refused.lines;
                    tracing::error!(lines, "{} refuses points: {}", S::NAME, refused.why);
                }
                if self.health.ready(S::NAME) {
                    tracing::info!("{} takes what it is told", S::NAME);
                }
                self.metrics.sink_written(S::NAME, count);
                *cursor = last;
                if self.leader.send(Message::Cursor(S::NAME, last)).is_err() {
                    return Round::Over;
                }
                if over { Round::Idle } else { Round::More }
            }
            Written::Later(why) => {
                self.say(&why);
                Round::Wait(Duration::ZERO)
            }
            Written::Misconfigured(why) => {
                self.say(&why);
                Round::Wait(MISCONFIGURED_WAIT)
            }
        }
    }

    fn say(&self, why: &str) {
        if self.health.degraded(S::NAME, why) {
            tracing::warn!("{why}; points wait in the store, everything else goes on");
        }
    }
}
