//! Warm start: reads the history of forecasts back from InfluxDB, if the store is empty.
//!
//! Everything is stored in one transaction. So after a crash in the middle, the next start begins anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;

use super::setup::{Role, Setup};
use crate::clock::Stopwatch;
use crate::domain::{DAY, SeriesKey, Timestamp, WindowWidth};
use crate::engine::HISTORY_REACH;
use crate::output::influxdb::{HistoryProblem, InfluxHistory, SetupProblem, Tickets};
use crate::store::{RestoredWindows, Store, StoreError, WARM_START, WarmStart};
use crate::telemetry::Metrics;
use crate::window::AggregationKey;

/// How often a query is sent again if InfluxDB does not answer it.
const TRIES_MAX: usize = 5;
/// Time after which the start goes on if InfluxDB has not answered at all.
const ANSWERS_WITHIN_S: f64 = 10.0;
/// Wait before a query is sent again.
const RETRY: Duration = Duration::from_secs(1);
/// Time after which the start goes on without the history. Kubernetes allows a start ten minutes.
const READ_WITHIN_S: f64 = 300.0;

/// Why nothing was restored.
#[derive(Debug, Error)]
enum Problem {
    #[error(transparent)]
    Setup(#[from] SetupProblem),
    #[error(transparent)]
    History(#[from] HistoryProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its windows are not those of {0} minutes, see windows.width")]
    Width(u32),
    #[error("it took longer than {READ_WITHIN_S} s")]
    Slow,
}

/// Where windows are read from. Tests have another one.
trait History {
    fn starts(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, bool>, HistoryProblem>;

    fn series(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Timestamp>, HistoryProblem>;

    fn tickets(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Tickets>, HistoryProblem>;
}

impl History for InfluxHistory {
    fn starts(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, bool>, HistoryProblem> {
        Self::starts(self, span)
    }

    fn series(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Timestamp>, HistoryProblem> {
        Self::series(self, span)
    }

    fn tickets(
        &self,
        span: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Tickets>, HistoryProblem> {
        Self::tickets(self, span)
    }
}

/// Restores the history if the store has no windows, or if earlier attempts have failed. A failure is logged, and the service starts
/// with what the store has.
pub(super) fn warm_start(setup: &Setup, store: &mut Store, metrics: &Metrics) {
    let Some(settings) = &setup.influxdb else { return };
    let Some(token) = settings.warm_start.clone().filter(|_| setup.role != Role::Count) else {
        return;
    };
    let now = setup.clock.now();
    let begun = match attempt(store, now) {
        Ok(Attempt::None(restored)) => return metrics.restored(restored),
        Ok(Attempt::First) => None,
        Ok(Attempt::Again(begun_at)) => Some(begun_at),
        Err(error) => {
            tracing::warn!(%error, "influxdb: history not restored, because the store cannot be read");
            return;
        }
    };
    let restoring = Restoring {
        width: setup.forecaster.width,
        series_max: setup.forecaster.series_max,
        begun_at: begun.unwrap_or(now),
        now,
        watch: Stopwatch::start(),
    };
    let restored = InfluxHistory::new(settings.clone(), token)
        .map_err(Problem::from)
        .and_then(|history| restoring.run(&history, store));
    match restored {
        Ok(restored) => {
            metrics.restored(restored.windows);
            report(&restored);
        }
        Err(problem) => {
            failed(&problem, begun.is_none());
            if let Err(error) =
                put(store, WarmStart { begun_at: restoring.begun_at, restored: None })
            {
                tracing::warn!(%error, "influxdb: the next start will not try to restore the history again");
            }
        }
    }
}

/// Whether a start restores the history.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    /// No. So many windows were restored before.
    None(u64),
    First,
    /// Earlier ones have failed. The first one was at this time.
    Again(Timestamp),
}

fn attempt(store: &Store, now: Timestamp) -> Result<Attempt, StoreError> {
    let reader = store.reader()?;
    let known: Option<WarmStart> = reader.state(WARM_START)?;
    Ok(match known {
        Some(WarmStart { restored: Some(restored), .. }) => Attempt::None(restored.windows),
        // By now the store has a history of its own.
        Some(known) if now.since(known.begun_at) > HISTORY_REACH => Attempt::None(0),
        Some(known) => Attempt::Again(known.begun_at),
        None if reader.has_windows()? => Attempt::None(0),
        None => Attempt::First,
    })
}

fn put(store: &mut Store, warm_start: WarmStart) -> Result<(), StoreError> {
    let mut tx = store.begin()?;
    tx.put_state(WARM_START, &warm_start)?;
    tx.commit()
}

fn report(restored: &RestoredWindows) {
    let RestoredWindows { windows, series, span } = restored;
    match span {
        Some((since, upto)) => {
            tracing::info!(windows, series, %since, %upto, "influxdb: windows were restored into the empty store, as history for forecasts");
        }
        None => tracing::info!(
            "influxdb: the store is empty, and the bucket has no windows of the last nine weeks: nothing to restore"
        ),
    }
}

fn failed(problem: &Problem, is_first: bool) {
    match problem {
        Problem::History(HistoryProblem::Refused(why)) if is_first => tracing::warn!(
            "influxdb: the store is empty, and its history was not restored: {why}; for a warm start, name a token that may read the \
             bucket in influxdb.read_token_file and start again, or set influxdb.warm_start = false"
        ),
        Problem::History(HistoryProblem::Refused(why)) => {
            tracing::debug!("influxdb: history not restored: {why}");
        }
        other => tracing::warn!(
            "influxdb: the history was not restored: {other}; starting without it, the next start tries again"
        ),
    }
}

/// One attempt.
struct Restoring {
    width: WindowWidth,
    /// Maximum number of series, as for those that are counted.
    series_max: usize,
    begun_at: Timestamp,
    now: Timestamp,
    watch: Stopwatch,
}

impl Restoring {
    /// Reads everything and stores it. On an error nothing is stored.
    fn run(&self, history: &dyn History, store: &mut Store) -> Result<RestoredWindows, Problem> {
        let to = self.width.floor(self.now);
        let from = to - HISTORY_REACH;
        let starts = self.patiently(ANSWERS_WITHIN_S, || history.starts((from, to)))?;
        self.check_width(&starts)?;
        let series = self.patiently(READ_WITHIN_S, || history.series((from, to)))?;
        let admitted = self.admitted(series);
        let mut restored = RestoredWindows { windows: 0, series: 0, span: None };
        let mut first: BTreeMap<SeriesKey, Timestamp> = BTreeMap::new();
        let mut tx = store.begin()?;
        let mut day = from;
        while day < to && !admitted.is_empty() {
            if self.watch.seconds() > READ_WITHIN_S {
                return Err(Problem::Slow);
            }
            let end = (day.utc_midnight() + DAY).min(to);
            let mut tickets = self.patiently(READ_WITHIN_S, || history.tickets((day, end)))?;
            tickets.retain(|series, windows| {
                windows.retain(|start, _| starts.get(start) != Some(&true));
                admitted.contains(series) && !windows.is_empty()
            });
            let found: BTreeSet<Timestamp> =
                tickets.values().flat_map(BTreeMap::keys).copied().collect();
            if found.iter().any(|start| self.width.floor(*start) != *start) {
                return Err(Problem::Width(self.width.secs() / 60));
            }
            for (series, windows) in &tickets {
                tx.put_restored(series, windows)?;
                restored.windows += windows.len() as u64;
                if let Some((start, _)) = windows.first_key_value() {
                    first.entry(series.clone()).or_insert(*start);
                }
            }
            for (series, since) in &first {
                let own = tickets.get(series);
                let missing = found.range(*since..).copied();
                let missing = missing.filter(|at| own.is_none_or(|own| !own.contains_key(at)));
                tx.put_missing(series, missing)?;
            }
            if let (Some(oldest), Some(newest)) = (found.first(), found.last()) {
                let (since, _) = restored.span.unwrap_or((*oldest, *oldest));
                restored.span = Some((since, self.width.end(*newest)));
            }
            day = end;
        }
        restored.series = first.len() as u64;
        let done = WarmStart { begun_at: self.begun_at, restored: Some(restored) };
        tx.put_state(WARM_START, &done)?;
        tx.commit()?;
        Ok(restored)
    }

    /// Windows of another width would be taken for those of this one.
    fn check_width(&self, starts: &BTreeMap<Timestamp, bool>) -> Result<(), Problem> {
        let is_start = |at: &Timestamp| self.width.floor(*at) == *at;
        let gaps = starts.keys().zip(starts.keys().skip(1)).map(|(one, next)| next.since(*one));
        let is_wider = gaps.min().is_some_and(|gap| gap > self.width.length());
        match is_wider || !starts.keys().all(is_start) {
            true => Err(Problem::Width(self.width.secs() / 60)),
            false => Ok(()),
        }
    }

    /// The series that are restored. If there are more than the limit allows, those with the newest windows.
    fn admitted(&self, found: BTreeMap<SeriesKey, Timestamp>) -> BTreeSet<SeriesKey> {
        let is_other = |series: &SeriesKey| AggregationKey::Tickets(series.clone()).is_other();
        let (others, mut own): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(series, _)| is_other(series));
        own.sort_by_key(|(_, last)| std::cmp::Reverse(*last));
        let left_out = own.len().saturating_sub(self.series_max);
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "influxdb: the bucket has more series than limits.series allows: those with the oldest windows are not restored"
            );
        }
        own.truncate(self.series_max);
        own.into_iter().chain(others).map(|(series, _)| series).collect()
    }

    /// Asks again while there is no answer, until the start has taken this long.
    fn patiently<T>(
        &self,
        limit_s: f64,
        ask: impl Fn() -> Result<T, HistoryProblem>,
    ) -> Result<T, HistoryProblem> {
        for _ in 1..TRIES_MAX {
            match ask() {
                Err(HistoryProblem::Unavailable(_)) if self.watch.seconds() < limit_s => {
                    std::thread::park_timeout(RETRY);
                }
                answer => return answer,
            }
        }
        ask()
    }
}

#[cfg(test)]
#[path = "warm_start_tests.rs"]
mod tests;
