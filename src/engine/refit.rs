//! Refits the model in the background, at fixed instants of event time.
//!
//! The fit of instant `e` is used for vintages issued from `e + DELAY` on, until the next fit replaces it. So the fit of a
//! vintage depends on event time alone, and a restart forecasts the same. If a fit is late, the first vintages wait for it for
//! a while; then the previous fit serves until it is ready.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::alarm_spells::AlarmSpells;
use super::histories::Histories;
use super::model::{self, Gate};
use crate::clock::Stopwatch;
use crate::domain::{Name, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{AlarmSpell, History, Past, Place, PlannedWork, Product};
use crate::telemetry::Metrics;

/// Time between the instant of a fit and the first vintage that uses it.
const DELAY: Duration = Duration::from_secs(3600);
/// Length of the history that a fit reads. It is a week shorter than the restored history, because the fit in use may be a week
/// old.
const READS: Duration = Duration::from_secs(8 * 7 * 86_400);

/// Zones and calendars by region, and for all other regions.
#[derive(Debug)]
pub struct Places {
    pub by_region: BTreeMap<Name, Place>,
    pub other: Place,
}

impl Places {
    /// The input of a model.
    pub fn past<'a>(
        &'a self,
        width: WindowWidth,
        series: &'a BTreeMap<SeriesKey, History>,
        alarms: &'a [AlarmSpell],
        work: &'a [PlannedWork],
    ) -> Past<'a> {
        let (places, place) = (&self.by_region, &self.other);
        Past { width, series, alarms, work, places, place }
    }
}

/// Rules for refits: their instants, and how long a vintage waits for its fit.
#[derive(Clone, Copy, Debug)]
pub struct RefitConfig {
    pub width: WindowWidth,
    pub every: Duration,
    /// One of the instants. The others are `every` apart, before and after it.
    pub from: Timestamp,
    /// Vintages issued before this time use no fit, so that history is processed quickly and always with the same result.
    pub used_from: Timestamp,
    /// How long vintages wait for a late fit. They wait once for each fit.
    pub patience: Duration,
}

/// The data from which a fit is made.
pub struct Known<'a> {
    pub histories: &'a Histories,
    pub spells: &'a AlarmSpells,
    pub work: &'a [PlannedWork],
}

/// A fit to make, with owned data.
struct Job {
    at: Timestamp,
    series: BTreeMap<SeriesKey, History>,
    alarms: Vec<AlarmSpell>,
    work: Vec<PlannedWork>,
}

/// Recent fits, and the thread that makes them.
pub struct Refits {
    config: RefitConfig,
    jobs: Sender<Job>,
    done: Receiver<(Timestamp, Product)>,
    started: Option<Timestamp>,
    /// The newest instant whose fit was late.
    late: Option<Timestamp>,
    ready: BTreeMap<Timestamp, Product>,
}

impl Refits {
    /// Starts the refit thread.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        config: RefitConfig,
        places: Arc<Places>,
        metrics: Arc<Metrics>,
        gate: Arc<Gate>,
    ) -> std::io::Result<Self> {
        let (jobs, inbox) = channel::<Job>();
        let (outbox, done) = channel();
        std::thread::Builder::new().name("refit".into()).spawn(move || {
            for Job { at, series, alarms, work } in inbox {
                let watch = Stopwatch::start();
                let past = places.past(config.width, &series, &alarms, &work);
                let model = model::fit(&past, config.width.index(at), &gate);
                metrics.refitted(watch.seconds());
                if outbox.send((at, model)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { config, jobs, done, started: None, late: None, ready: BTreeMap::new() })
    }

    /// The instant whose fit a vintage issued at `at` uses.
    fn instant_for(&self, at: Timestamp) -> Option<Timestamp> {
        if at < self.config.used_from {
            return None;
        }
        let every = self.config.every.as_millis() as i64;
        let since = (at - DELAY).millis() - self.config.from.millis();
        let instant = self.config.from.millis() + since.div_euclid(every) * every;
        Some(Timestamp::from_millis(instant))
    }

    /// Starts the fits for vintages from `at` on, each once.
    pub fn start_fits(&mut self, at: Timestamp, known: &Known<'_>) {
        // The fit in use, which is missing after a restart, and the next one.
        let next = self.instant_for(at + DELAY);
        for instant in [self.instant_for(at), next].into_iter().flatten() {
            self.start_fit(instant, known);
        }
    }

    /// Starts the fit for the first vintages after a restart. Windows before `finalized_upto` are final.
    pub fn prepare(&mut self, finalized_upto: Timestamp, known: &Known<'_>) {
        let first = (finalized_upto + self.config.width.length()).max(self.config.used_from);
        if let Some(instant) = self.instant_for(first).filter(|instant| *instant <= finalized_upto)
        {
            self.start_fit(instant, known);
        }
    }

    fn start_fit(&mut self, instant: Timestamp, known: &Known<'_>) {
        if self.started.is_some_and(|started| started >= instant) {
            return;
        }
        self.started = Some(instant);
        let origin = self.config.width.index(instant);
        let reads = self.config.width.per(READS) as i64;
        let series = known.histories.by_series().iter();
        let series = series.map(|(s, h)| (s.clone(), cut(h, origin - reads, origin))).collect();
        let alarms = known.spells.since(instant - READS);
        // The thread ends only when this sender is dropped.
        let _ = self.jobs.send(Job { at: instant, series, alarms, work: known.work.to_vec() });
    }

    /// The fit for a vintage issued at `at`, or the previous fit if it is late.
    pub fn model(&mut self, at: Timestamp) -> Option<&Product> {
        let instant = self.instant_for(at)?;
        while !self.ready.contains_key(&instant) {
            let is_late = self.late.is_some_and(|late| late >= instant);
            let patience = if is_late { Duration::ZERO } else { self.config.patience };
            match self.done.recv_timeout(patience) {
                Ok((at, model)) => {
                    tracing::debug!(%at, fitted = model.len(), "refitted");
                    self.ready.insert(at, model);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if !is_late {
                        tracing::warn!(%instant, "refit: late, forecasting with the previous fit until it is ready");
                    }
                    self.late = self.late.max(Some(instant));
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let serves = *self.ready.range(..=instant).next_back()?.0;
        self.ready = self.ready.split_off(&serves);
        self.ready.get(&serves)
    }
}

/// The windows `from..to` of a history.
fn cut(history: &History, from: i64, to: i64) -> History {
    let first = history.first.max(from);
    let mut part = History::new(history.width, first);
    part.counts = (first..to).map(|index| history.get(index)).collect();
    part
}
