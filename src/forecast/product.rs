//! The product's model: the ensemble on histories without past effects of alarms, plus the expected effects of active
//! alarms and planned work.

use std::collections::BTreeMap;

use super::reconcile::reconcile;
use super::response::{Learned, Prior, Reading};
use super::surge::{self, Surges};
use super::{Cause, Ensemble, History, Model, Part, Past, Vintage, rounded};
use crate::domain::{SeriesKey, WindowWidth};

/// The product's own model.
#[derive(Debug)]
pub struct Product {
    prior: Prior,
    ensemble: Ensemble,
    learned: Option<Learned>,
}

impl Default for Product {
    fn default() -> Self {
        Self::new(Prior::shipped())
    }
}

impl Product {
    /// A model without a fit.
    pub fn new(prior: Prior) -> Self {
        Self { prior, ensemble: Ensemble::default(), learned: None }
    }

    /// Combines an `ensemble` and the result of [`Self::learned`], both fitted to the same past.
    ///
    /// The ensemble is fitted to actual counts including outages, because outages show how much of a rise persists, and a rise
    /// without alarms must be forecast too. When it forecasts, it reads counts without the effects of alarms.
    pub const fn fitted(prior: Prior, ensemble: Ensemble, learned: Option<Learned>) -> Self {
        Self { prior, ensemble, learned }
    }

    /// The alarm response learned before `origin`; `None` without alarms and work. Independent of the ensemble.
    pub fn learned(prior: &Prior, past: &Past<'_>, origin: i64) -> Option<Learned> {
        if past.alarms.is_empty() && past.work.is_empty() {
            return None;
        }
        Some(Learned::fit(prior, past, origin))
    }

    /// Number of series with a fit.
    pub fn len(&self) -> usize {
        self.ensemble.len()
    }

    /// Whether no series has a fit.
    pub fn is_empty(&self) -> bool {
        self.ensemble.is_empty()
    }

    /// One vintage per series, in order, reconciled with roll-ups. `issue` issues the ensemble's vintages.
    pub fn vintages(
        &self,
        past: &Past<'_>,
        origin: i64,
        issue: impl Fn(&Ensemble, &Past<'_>, i64) -> Vec<Vintage>,
    ) -> Vec<Vintage> {
        let mut vintages = self.each(past, origin, issue);
        reconcile(&mut vintages, past.series, origin);
        vintages
    }

    /// Vintages before reconciliation.
    fn each(
        &self,
        past: &Past<'_>,
        origin: i64,
        issue: impl Fn(&Ensemble, &Past<'_>, i64) -> Vec<Vintage>,
    ) -> Vec<Vintage> {
        let mut vintages = issue(&self.ensemble, past, origin);
        if past.alarms.is_empty() && past.work.is_empty() {
            return vintages;
        }
        let Some(learned) = &self.learned else { return vintages };
        let reading = learned.read(past, origin);
        let touched = reading.touched().map(|(key, _)| key).chain(reading.explained());
        let mut cleaned = BTreeMap::new();
        for key in touched.filter(|key| !key.is_roll_up()) {
            let Some(history) = past.series.get(key) else { continue };
            cleaned.insert(key.clone(), learned.cleaned(&reading, key, history).into_owned());
        }
        if cleaned.is_empty() {
            return vintages;
        }
        let cleaned = with_roll_ups(past.series, cleaned, origin);
        let again = issue(&self.ensemble, &Past { series: &cleaned, ..*past }, origin);
        let mut again: BTreeMap<SeriesKey, Vintage> =
            again.into_iter().map(|vintage| (vintage.series.clone(), vintage)).collect();
        for vintage in &mut vintages {
            let high: Vec<f64> =
                vintage.targets.iter().map(|target| surge::high(&target.quantiles)).collect();
            let other = again.remove(&vintage.series);
            let from_counts = other.map(|other| std::mem::replace(vintage, other));
            let base: Vec<[f64; 7]> = vintage.targets.iter().map(|t| t.quantiles).collect();
            if add_effects(vintage, &reading) {
                if let Some(from_counts) = from_counts {
                    blend(vintage, &from_counts, &reading, past.width);
                }
                let of = |span| surge_probabilities(vintage, &reading, &base, &high, span);
                let any = of(vintage.targets.len()).first().copied().unwrap_or(0.0);
                let surges = Surges::new(&high, &of(surge::span(past.width)), any);
                vintage.surges = Some(surges);
            }
        }
        vintages
    }
}

/// The leaves without effects of alarms, and their roll-ups, reduced by the same tickets.
fn with_roll_ups(
    series: &BTreeMap<SeriesKey, History>,
    leaves: BTreeMap<SeriesKey, History>,
    origin: i64,
) -> BTreeMap<SeriesKey, History> {
    let mut sums: BTreeMap<SeriesKey, History> = BTreeMap::new();
    for (key, clean) in &leaves {
        let Some(history) = series.get(key) else { continue };
        let removed: Vec<(i64, f32)> = (history.first..history.end().min(origin))
            .map(|index| (index, history.get(index) - clean.get(index)))
            .filter(|(_, removed)| *removed != 0.0 && !removed.is_nan())
            .collect();
        for roll_up in key.roll_ups() {
            let Some(whole) = series.get(&roll_up) else { continue };
            let sum = sums.entry(roll_up).or_insert_with(|| whole.clone());
            for (index, removed) in &removed {
                let count = sum.get(*index);
                if !count.is_nan() {
                    sum.set(*index, (count - removed).max(0.0));
                }
            }
        }
    }
    sums.extend(leaves);
    sums
}

/// Probabilities of a surge by the first forecast point of a span. For a service in a region they are computed from the
/// possible courses of its episodes, for other series from the quantiles.
fn surge_probabilities(
    vintage: &Vintage,
    reading: &Reading,
    base: &[[f64; 7]],
    high: &[f64],
    span: usize,
) -> Vec<f64> {
    if vintage.series.is_scope() {
        return reading.surge_probabilities(&vintage.series.scope(), base, high, span);
    }
    let whole: Vec<[f64; 7]> = vintage.targets.iter().map(|target| target.quantiles).collect();
    surge::probabilities(&whole, high, span)
}

/// Adds the effects of alarms and work; returns whether there were any.
fn add_effects(vintage: &mut Vintage, reading: &Reading) -> bool {
    let Some(effects) = reading.effects(&vintage.series) else { return false };
    let mut causes: BTreeMap<&str, f64> = BTreeMap::new();
    for (target, effect) in vintage.targets.iter_mut().zip(effects) {
        if effect.is_none() {
            continue;
        }
        let tickets = effect.mean();
        target.alarm_effect = rounded(tickets);
        target.mean = rounded((target.mean + tickets).max(0.0));
        target.quantiles = effect.widen(&target.quantiles);
        for (what, tickets) in &effect.drivers {
            *causes.entry(what).or_default() += tickets;
        }
    }
    vintage.causes = Cause::few(causes.into_iter().map(|(what, n)| (what.to_owned(), n)));
    true
}

/// At short leads, combines the forecast with one that is made from counts alone (`from_counts`), if alarms keep tickets away.
fn blend(vintage: &mut Vintage, from_counts: &Vintage, reading: &Reading, width: WindowWidth) {
    for (step, (target, from_counts)) in
        (0u32..).zip(vintage.targets.iter_mut().zip(&from_counts.targets))
    {
        let lead = (f64::from(step) + 0.5) * f64::from(width.secs()) / 60.0;
        let share = reading.count_weight(&vintage.series, lead);
        if share <= 0.0 {
            continue;
        }
        let between = |a: f64, b: f64| a + share * (b - a);
        target.mean = rounded(between(target.mean, from_counts.mean));
        target.alarm_effect = rounded(between(target.alarm_effect, 0.0));
        for (quantile, from_counts) in target.quantiles.iter_mut().zip(from_counts.quantiles) {
            *quantile = between(*quantile, from_counts).round();
        }
    }
}

impl Model for Product {
    fn name(&self) -> &'static str {
        "surgecast"
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        let learned = Self::learned(&self.prior, past, origin);
        let ensemble = Ensemble::fitted(past, origin, Part::WHOLE);
        *self = Self::fitted(self.prior.clone(), ensemble, learned);
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        self.vintages(past, origin, |model, past, origin| model.vintages(past, origin, Part::WHOLE))
    }
}
