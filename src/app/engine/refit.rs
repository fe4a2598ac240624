//! The slow member, refitted in the background at fixed instants of event time.
//!
//! A fit of instant `e` serves the vintages issued from `e + DELAY` until the next one does. Which fit a
//! vintage uses thus depends on event time alone, and a restart forecasts what it would have.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::histories::Histories;
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{History, MemberPath, fit_mstl};

/// Time that a fit is given before a vintage asks for it.
const DELAY: Duration = Duration::from_secs(3600);
/// What a fit reads.
const READS: Duration = Duration::from_secs(28 * 86_400);

/// Which instants are fitted and how long a vintage waits for its fit.
#[derive(Clone, Copy, Debug)]
pub struct RefitConfig {
    pub width: WindowWidth,
    pub every: Duration,
    /// One of the instants; the others lie before and after it.
    pub from: Timestamp,
    /// Vintages issued before this do without: history is caught up with quickly, and the same each time.
    pub used_from: Timestamp,
    /// A vintage goes out without the member after waiting this long.
    pub patience: Duration,
}

type Paths = BTreeMap<SeriesKey, MemberPath>;
type Job = (Timestamp, Vec<(SeriesKey, History)>);

/// Fits of the recent instants, and the thread that makes them.
pub struct Refits {
    config: RefitConfig,
    jobs: Sender<Job>,
    done: Receiver<(Timestamp, Paths)>,
    asked: Option<Timestamp>,
    ready: BTreeMap<Timestamp, Paths>,
}

impl Refits {
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(config: RefitConfig) -> std::io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        std::thread::Builder::new().name("refit".into()).spawn(move || {
            for (at, histories) in inbox {
                let origin = config.width.index(at);
                let paths = histories
                    .into_iter()
                    .filter_map(|(series, history)| Some((series, fit_mstl(&history, origin)?)))
                    .collect();
                if outbox.send((at, paths)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { config, jobs, done, asked: None, ready: BTreeMap::new() })
    }

    /// The instant whose fit a vintage issued at `at` uses.
    fn wanted(&self, at: Timestamp) -> Option<Timestamp> {
        if at < self.config.used_from {
            return None;
        }
        let every = self.config.every.as_millis() as i64;
        let since = (at - DELAY).millis() - self.config.from.millis();
        let instant = self.config.from.millis() + since.div_euclid(every) * every;
        Some(Timestamp::from_millis(instant))
    }

    /// Starts the fits that vintages from `at` on will need, once each.
    pub fn ask(&mut self, at: Timestamp, histories: &Histories) {
        // The one in use (after a restart it is not there yet), then the one being prepared.
        let next = self.wanted(at + DELAY);
        for instant in [self.wanted(at), next].into_iter().flatten() {
            if self.asked.is_some_and(|asked| asked >= instant) {
                continue;
            }
            self.asked = Some(instant);
            let origin = self.config.width.index(instant);
            let reads = self.config.width.per(READS) as i64;
            let slice = histories.iter().map(|(s, h)| (s.clone(), cut(h, origin - reads, origin)));
            // The thread ends only with this sender.
            let _ = self.jobs.send((instant, slice.collect()));
        }
    }

    /// Paths for a vintage issued at `at`; waits for them, but not for ever.
    pub fn paths(&mut self, at: Timestamp) -> Option<&Paths> {
        let instant = self.wanted(at)?;
        while !self.ready.contains_key(&instant) {
            match self.done.recv_timeout(self.config.patience) {
                Ok((at, paths)) => {
                    self.ready.insert(at, paths);
                }
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!(%instant, "refit is not ready; issuing without it");
                    return None;
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.ready = self.ready.split_off(&instant);
        self.ready.get(&instant)
    }
}

/// The windows `from..to` of a history.
fn cut(history: &History, from: i64, to: i64) -> History {
    let first = history.first.max(from);
    let mut part = History::new(history.width, first);
    part.counts = (first..to).map(|index| history.get(index)).collect();
    part
}
