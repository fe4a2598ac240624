//! A series that usually has tickets and has had none for so long that this is improbable, while other series still have tickets.

use super::shift::minutes;
use super::{OFF_BY_MIN, SCORE_MIN, SeriesCase, SeriesRule};
use crate::anomaly::run::{Outcome, reach};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};

/// Minimum usual number of tickets in the span without tickets.
const USUAL_MIN: f64 = 2.0 * OFF_BY_MIN;
/// Minimum number of windows without a ticket: a single one is an anomaly `low`.
const WINDOWS_MIN: usize = 2;
/// Limits of the dispersion of the count of the whole span. It allows for a whole day below usual, and for a usual number that
/// is learned from few weeks.
const DISPERSION_MIN: f64 = 0.2;
const DISPERSION_MAX: f64 = 1.0;
/// Minimum number of tickets of the other series since then (in the last hour at most), and minimum share of their forecast.
const OTHERS_MIN: f64 = 2.0 * OFF_BY_MIN;
const OTHERS_SHARE: f64 = 0.5;

/// Compares a span without tickets with the usual number. It is not compared with the last forecasts, because these soon expect
/// no tickets.
pub(super) struct Vanished;

impl SeriesRule for Vanished {
    fn tests(&self) -> usize {
        1
    }

    fn off_by(&self, case: &SeriesCase<'_>) -> f64 {
        let windows = case.run.empty_windows().max(1);
        -case.run.last(windows).map(Outcome::usual).sum::<f64>() / windows as f64
    }

    fn explained_by(&self, _: bool) -> &'static [AnomalyKind] {
        &[AnomalyKind::Vanished]
    }

    /// The score is −log10 of the probability of no ticket at all, under a negative binomial distribution with the usual number as mean.
    /// The dispersion is that of the band before the forecast fell.
    fn check(&self, case: &SeriesCase<'_>) -> Option<Anomaly> {
        let windows = case.run.empty_windows();
        if windows < WINDOWS_MIN {
            return None;
        }
        let known = known_windows(case, windows);
        let usual = level(known.clone()) * known.clone().map(Outcome::usual).sum::<f64>();
        if usual < USUAL_MIN || !others_send(case) {
            return None;
        }
        let before = known.max_by(|a, b| a.mean().total_cmp(&b.mean()))?;
        let dispersion = before.dispersion().clamp(DISPERSION_MIN, DISPERSION_MAX);
        let score =
            ((dispersion * usual).ln_1p() / dispersion / std::f64::consts::LN_10).min(SCORE_MAX);
        (score >= SCORE_MIN).then(|| Anomaly {
            series: case.window.series.clone(),
            window: case.window.target.start,
            kind: AnomalyKind::Vanished,
            score: hundredths(score),
            actual: 0.0,
            expected: hundredths(usual),
            detail: Detail::Vanished { minutes: minutes(case.width, windows) }.into(),
        })
    }
}

/// The level of the day, from the first forecast of the span, which still expects tickets as before. At most 1.
fn level<'o>(mut known: impl Iterator<Item = &'o Outcome>) -> f64 {
    let first = known.find(|outcome| outcome.usual() > 0.0);
    first.map_or(0.0, |first| (first.mean() / first.usual()).min(1.0))
}

/// The windows without a ticket, up to the time at which a source became silent: what that source would have sent is unknown. A source that became silent before the last ticket of the series does not belong to the series.
fn known_windows<'a>(
    case: &SeriesCase<'a>,
    windows: usize,
) -> impl Iterator<Item = &'a Outcome> + Clone + use<'a> {
    let outcomes = case.run.last(windows);
    let width = case.width;
    let first = outcomes.clone().next().map(|outcome| width.start(outcome.index));
    let is_cut = windows >= reach(width);
    let concerns =
        |since: &&crate::domain::Timestamp| is_cut || first.is_none_or(|first| **since >= first);
    let until = case.quiet.iter().filter(concerns).min().copied();
    outcomes.filter(move |outcome| until.is_none_or(|until| width.start(outcome.index) < until))
}

/// Whether all other leaves together have about as many tickets as forecast since the series has had none (in the last hour at
/// most).
fn others_send(case: &SeriesCase<'_>) -> bool {
    let windows = case.run.empty_windows().min(case.totals.len());
    let (own, all) = (case.run.last(windows), case.totals.iter().rev().take(windows));
    let actual = all.clone().map(|total| total.actual).sum::<f64>();
    let mean = all.map(|total| total.mean).sum::<f64>() - own.map(Outcome::mean).sum::<f64>();
    actual >= OTHERS_MIN && actual >= OTHERS_SHARE * mean
}
