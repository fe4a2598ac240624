//! Sends lines in batches, at the right time, with retries.

use std::str::FromStr;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::merge::{Line, Merge};
use crate::clock::WallClock;
use crate::domain::{Backoff, Clock as _, Timestamp, with_jitter};

const BATCH_EVENTS_MAX: usize = 5000;
const BATCH_BYTES_MAX: usize = 2 << 20;
/// Events that are due within this time are sent together.
const TICK: Duration = Duration::from_millis(200);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// The speed of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speed {
    /// As fast as the target accepts events.
    Max,
    /// Past events at once, later events when they are due.
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
            _ => Err("use a factor above 0, such as 60x, or max or due".into()),
        }
    }
}

/// The target's answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The batch was accepted, except for these events: index in the batch, and reason.
    Accepted { rejected: Vec<(usize, String)> },
    /// The target is not available now. Retry after `after`, if the target gave a time.
    Later { after: Option<Duration>, why: String },
    /// The body is too large.
    TooLarge,
    /// The target refuses the batch, and a retry would not help. The reason.
    Refused(String),
}

/// Receives batches: the HTTP client, Kafka, or a test.
pub trait Target {
    /// Sends a batch: events as lines.
    fn post(&mut self, body: &[u8]) -> Answer;
}

/// Provides the time during a replay: real time, or that of a test.
pub(super) trait Pace {
    /// Time since the replay began.
    fn elapsed(&self) -> Duration;
    /// The present instant.
    fn now(&self) -> Timestamp;
    fn wait(&mut self, length: Duration);
}

/// Shows progress to a person.
pub(super) trait Notes {
    fn sent(&mut self, bytes: u64, summary: &Summary);
    fn line(&mut self, text: &str);
}

/// Real time.
#[derive(Debug, Default)]
pub(super) struct WallPace(Option<Instant>);

#[allow(clippy::disallowed_methods, reason = "a replay runs in real time, on its own thread")]
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

/// The result of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub events: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub retries: u64,
    /// First and last event time of the sent events.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// Sends lines to a target.
pub(super) struct Player<'a, T: ?Sized, P, N> {
    speed: Speed,
    target: &'a mut T,
    pace: &'a mut P,
    notes: &'a mut N,
    summary: Summary,
    /// Random numbers for jitter.
    rng: ChaCha8Rng,
}

impl<'a, T: Target + ?Sized, P: Pace, N: Notes> Player<'a, T, P, N> {
    pub(super) fn new(speed: Speed, target: &'a mut T, pace: &'a mut P, notes: &'a mut N) -> Self {
        // Seeded by the process id, so that several replays do not retry at the same moment.
        let rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        Self { speed, target, pace, notes, summary: Summary::default(), rng }
    }

    /// Sends all lines.
    ///
    /// # Errors
    /// If a file cannot be read, or the target refuses a batch.
    pub(super) fn play(mut self, mut lines: Merge) -> anyhow::Result<Summary> {
        // Starts the time.
        self.pace.wait(Duration::ZERO);
        let mut batch: Vec<Line> = Vec::new();
        let mut bytes = 0;
        while let Some(line) = lines.next()? {
            if let Some(why) = &line.error {
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
            // Sending took time, so that the wait is shorter now.
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

    /// Time until an event is due.
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
                Answer::Accepted { rejected } => {
                    self.accepted(batch, &rejected);
                    return Ok(());
                }
                Answer::Later { after, why } => {
                    self.summary.retries += 1;
                    let backed_off = with_jitter(backoff.next_wait(), self.rng.random());
                    let wait = after.unwrap_or(backed_off).min(backoff.longest());
                    self.notes.line(&format!("{why}, retrying in {:.1} s", wait.as_secs_f64()));
                    self.pace.wait(wait);
                }
                Answer::TooLarge => return self.send_halves(batch),
                Answer::Refused(why) => anyhow::bail!(
                    "{why}: stopped at {}:{}, {} events had been accepted",
                    batch[0].file,
                    batch[0].number,
                    self.summary.accepted
                ),
            }
        }
    }

    fn send_halves(&mut self, batch: &[Line]) -> anyhow::Result<()> {
        if batch.len() == 1 {
            self.accepted(batch, &[(0, "too large for the server".into())]);
            return Ok(());
        }
        let (front, back) = batch.split_at(batch.len() / 2);
        self.send(front)?;
        self.send(back)
    }

    fn accepted(&mut self, batch: &[Line], rejected: &[(usize, String)]) {
        let mut count = 0;
        for (index, why) in rejected {
            if let Some(line) = batch.get(*index) {
                count += 1;
                self.reject(line, why);
            }
        }
        let times = || batch.iter().map(|line| line.ts).filter(|ts| *ts > Timestamp::MIN);
        self.summary.events += batch.len() as u64;
        self.summary.accepted += (batch.len() as u64).saturating_sub(count);
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
