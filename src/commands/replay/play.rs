//! Paces, batches and retries: what is sent when.

use std::str::FromStr;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::merge::{Line, Merge};
use crate::clock::WallClock;
use crate::domain::{Backoff, Clock as _, Timestamp, with_jitter};

const BATCH_EVENTS_MAX: usize = 5000;
const BATCH_BYTES_MAX: usize = 2 << 20;
/// Events due within this are sent together.
const TICK: Duration = Duration::from_millis(200);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// How fast event time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speed {
    Max,
    /// What is past at once, the rest when its time comes.
    Due,
    /// Event seconds per second.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "max" => return Ok(Self::Max),
            "due" => return Ok(Self::Due),
            _ => {}
        }
        match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
            Ok(factor) if factor > 0.0 && factor <= 1e6 => Ok(Self::Times(factor)),
            _ => Err("use a factor above 0 such as 60x, max or due".into()),
        }
    }
}

/// What the target said to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Index within the batch and reason of each that it did not take.
    Taken { rejected: Vec<(usize, String)> },
    /// Not now: say it again, after so long if the target named a time.
    Later { after: Option<Duration>, why: String },
    /// The body is too large for it.
    TooLarge,
    /// It will not take this however often it is said.
    Refused(String),
}

/// Takes batches; the HTTP client, or a test.
pub trait Target {
    fn post(&mut self, body: &[u8]) -> Answer;
}

/// Time that passes and can be waited for.
pub(super) trait Pace {
    /// Since the replay began.
    fn elapsed(&self) -> Duration;
    /// The clock's time.
    fn now(&self) -> Timestamp;
    fn wait(&mut self, length: Duration);
}

/// What a person sees meanwhile.
pub(super) trait Notes {
    fn sent(&mut self, bytes: u64, summary: &Summary);
    fn line(&mut self, text: &str);
}

/// The wall's time.
#[derive(Debug, Default)]
pub(super) struct WallPace(Option<Instant>);

#[allow(clippy::disallowed_methods, reason = "a replay plays in real time, on its own thread")]
impl Pace for WallPace {
    fn elapsed(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |start| start.elapsed())
    }

    fn now(&self) -> Timestamp {
        WallClock.now()
    }

    fn wait(&mut self, length: Duration) {
        self.0.get_or_insert_with(Instant::now);
        std::thread::sleep(length);
    }
}

/// What became of the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub events: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub retries: u64,
    /// Event times as they were sent.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// Plays lines into a target.
pub(super) struct Player<'a, T: ?Sized, P, N> {
    speed: Speed,
    target: &'a mut T,
    pace: &'a mut P,
    notes: &'a mut N,
    summary: Summary,
    /// For jitter only.
    rng: ChaCha8Rng,
}

impl<'a, T: Target + ?Sized, P: Pace, N: Notes> Player<'a, T, P, N> {
    pub(super) fn new(speed: Speed, target: &'a mut T, pace: &'a mut P, notes: &'a mut N) -> Self {
        // Another process has another id: several replays do not come back at the same moment.
        let rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        Self { speed, target, pace, notes, summary: Summary::default(), rng }
    }

    /// Plays all lines.
    ///
    /// # Errors
    /// When a file cannot be read, or the target refuses for good.
    pub(super) fn play(mut self, mut lines: Merge) -> anyhow::Result<Summary> {
        // Starts the pace's time.
        self.pace.wait(Duration::ZERO);
        let mut batch: Vec<Line> = Vec::new();
        let mut bytes = 0;
        while let Some(line) = lines.next()? {
            if let Some(why) = &line.bad {
                self.summary.events += 1;
                self.reject(&line, why);
                continue;
            }
            let wait = self.until(line.ts);
            let full =
                batch.len() >= BATCH_EVENTS_MAX || bytes + line.text.len() + 1 > BATCH_BYTES_MAX;
            if full || (wait > Duration::ZERO && !batch.is_empty()) {
                self.send(&batch)?;
                batch.clear();
                bytes = 0;
            }
            // Sending took time too.
            let wait = self.until(line.ts);
            if wait > Duration::ZERO {
                self.pace.wait(wait.max(TICK));
            }
            bytes += line.text.len() + 1;
            batch.push(line);
        }
        self.send(&batch)?;
        Ok(self.summary)
    }

    /// How long until an event is due.
    fn until(&mut self, ts: Timestamp) -> Duration {
        let factor = match self.speed {
            Speed::Max => return Duration::ZERO,
            Speed::Due => return ts.since(self.pace.now()),
            Speed::Times(factor) => factor,
        };
        let Some(first) = self.summary.first.or(Some(ts)).filter(|first| *first > Timestamp::MIN)
        else {
            return Duration::ZERO;
        };
        self.summary.first = Some(first);
        let due = ts.since(first).as_secs_f64() / factor;
        Duration::try_from_secs_f64(due)
            .unwrap_or(Duration::MAX)
            .saturating_sub(self.pace.elapsed())
    }

    fn send(&mut self, batch: &[Line]) -> anyhow::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let body: Vec<&str> = batch.iter().map(|line| line.text.as_str()).collect();
        let body = body.join("\n");
        let mut backoff = BACKOFF;
        loop {
            match self.target.post(body.as_bytes()) {
                Answer::Taken { rejected } => {
                    self.taken(batch, &rejected);
                    return Ok(());
                }
                Answer::Later { after, why } => {
                    self.summary.retries += 1;
                    let backed_off = with_jitter(backoff.next_wait(), self.rng.random());
                    let wait = after.unwrap_or(backed_off).min(backoff.longest());
                    self.notes.line(&format!("{why}; trying again in {:.1} s", wait.as_secs_f64()));
                    self.pace.wait(wait);
                }
                Answer::TooLarge => return self.halves(batch),
                Answer::Refused(why) => anyhow::bail!(
                    "{why}: stopped at {}:{}, {} events had been accepted",
                    batch[0].file,
                    batch[0].number,
                    self.summary.accepted
                ),
            }
        }
    }

    fn halves(&mut self, batch: &[Line]) -> anyhow::Result<()> {
        if batch.len() == 1 {
            self.taken(batch, &[(0, "too large for the server".into())]);
            return Ok(());
        }
        let (front, back) = batch.split_at(batch.len() / 2);
        self.send(front)?;
        self.send(back)
    }

    fn taken(&mut self, batch: &[Line], rejected: &[(usize, String)]) {
        let mut refused = 0;
        for (index, why) in rejected {
            if let Some(line) = batch.get(*index) {
                refused += 1;
                self.reject(line, why);
            }
        }
        let times = || batch.iter().map(|line| line.ts).filter(|ts| *ts > Timestamp::MIN);
        self.summary.events += batch.len() as u64;
        self.summary.accepted += (batch.len() as u64).saturating_sub(refused);
        self.summary.first = self.summary.first.or_else(|| times().min());
        self.summary.last = self.summary.last.max(times().max());
        self.notes.sent(batch.iter().map(|line| line.bytes).sum(), &self.summary);
    }

    fn reject(&mut self, line: &Line, why: &str) {
        self.summary.rejected += 1;
        self.notes.line(&format!("{}:{}: rejected: {why}", line.file, line.number));
    }
}

#[cfg(test)]
mod tests;
