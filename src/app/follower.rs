//! Follows the store's journal for one sink. What cannot be written waits in the store; nothing else waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::engine::Input;
use super::leadership::Leadership;
use crate::api::Leads as _;
use crate::sink::influx::Written;
use crate::store::{Change, Reader, StoreError};
use crate::telemetry::{Health, Metrics};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that are read together: a day of windows.
const CHANGES_MAX: usize = 96;
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
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
pub struct Follower<S> {
    pub sink: S,
    pub reader: Reader,
    pub leader: SyncSender<Input>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub leadership: Arc<Leadership>,
    pub stop: Arc<AtomicBool>,
}

/// What a round came to.
enum Round {
    /// Everything is written.
    Idle,
    /// There is more.
    More,
    Wait(Duration),
    /// The leader is gone.
    Over,
}

impl<S: Sink> Follower<S> {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(mut self) {
        let mut cursor = 0;
        let mut back_off = BACK_OFF.0;
        // For jitter only: several services do not come back at the same moment.
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            }
            match self.round(&mut cursor, back_off) {
                Round::Idle => {
                    back_off = BACK_OFF.0;
                    std::thread::park_timeout(LOOK_EVERY);
                }
                Round::More => back_off = BACK_OFF.0,
                Round::Wait(wait) => {
                    std::thread::park_timeout(wait.mul_f64(rng.random_range(0.75..1.25)));
                    back_off = (back_off * 2).min(BACK_OFF.1);
                }
                Round::Over => return,
            }
        }
    }

    fn round(&mut self, cursor: &mut i64, back_off: Duration) -> Round {
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
                return Round::Wait(back_off);
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
                if self.leader.send(Input::Cursor(S::NAME, last)).is_err() {
                    return Round::Over;
                }
                if over { Round::Idle } else { Round::More }
            }
            Written::Later(why) => {
                self.say(&why);
                Round::Wait(back_off)
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
