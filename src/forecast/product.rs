//! What the service forecasts with: the ensemble over histories without what alarms brought, and on top what
//! alarms and planned work will bring.

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
    /// Without a fit yet.
    pub fn new(prior: Prior) -> Self {
        Self { prior, ensemble: Ensemble::default(), learned: None }
    }

    /// Of an `ensemble` fitted to a past, and what was [`Self::learned`] from the same.
    ///
    /// The ensemble is fitted to all that came, outages too, and shown what remains without what alarms account for: how much
    /// of a rise carries on is a thing that outages teach, and where no alarm accounts for one it has to be known.
    pub const fn fitted(prior: Prior, ensemble: Ensemble, learned: Option<Learned>) -> Self {
        Self { prior, ensemble, learned }
    }

    /// What alarms and work before `origin` mean, where there were any. Needs no ensemble.
    pub fn learned(prior: &Prior, past: &Past<'_>, origin: i64) -> Option<Learned> {
        if past.alarms.is_empty() && past.work.is_empty() {
            return None;
        }
        Some(Learned::fit(prior, past, origin))
    }

    /// Series that have a fit.
    pub fn len(&self) -> usize {
        self.ensemble.len()
    }

    /// Whether no series has a fit.
    pub fn is_empty(&self) -> bool {
        self.ensemble.is_empty()
    }

    /// One vintage a series, in order; roll-ups agree with their parts. `issue` issues an ensemble's vintages.
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

    /// Vintages of which each was made for itself.
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
            let seen = other.map(|other| std::mem::replace(vintage, other));
            let base: Vec<[f64; 7]> = vintage.targets.iter().map(|t| t.quantiles).collect();
            if add_effects(vintage, &reading) {
                if let Some(seen) = seen {
                    blend(vintage, &seen, &reading, past.width);
                }
                let of = |span| chances(vintage, &reading, &base, &high, span);
                let any = of(vintage.targets.len()).first().copied().unwrap_or(0.0);
                let surges = Surges::new(&high, &of(surge::span(past.width)), any);
                vintage.surges = Some(surges);
            }
        }
        vintages
    }
}

/// Leaves that were cleaned, with their roll-ups less what was taken out of the leaves.
fn with_roll_ups(
    series: &BTreeMap<SeriesKey, History>,
    leaves: BTreeMap<SeriesKey, History>,
    origin: i64,
) -> BTreeMap<SeriesKey, History> {
    let mut sums: BTreeMap<SeriesKey, History> = BTreeMap::new();
    for (key, clean) in &leaves {
        let Some(history) = series.get(key) else { continue };
        let taken: Vec<(i64, f32)> = (history.first..history.end().min(origin))
            .map(|index| (index, history.get(index) - clean.get(index)))
            .filter(|(_, taken)| *taken != 0.0 && !taken.is_nan())
            .collect();
        for roll_up in key.roll_ups() {
            let Some(whole) = series.get(&roll_up) else { continue };
            let sum = sums.entry(roll_up).or_insert_with(|| whole.clone());
            for (index, taken) in &taken {
                let count = sum.get(*index);
                if !count.is_nan() {
                    sum.set(*index, (count - taken).max(0.0));
                }
            }
        }
    }
    sums.extend(leaves);
    sums
}

/// Chances of a surge by the target that a span begins with: where a region's service is asked for, from the courses
/// that its episodes may take; else from the quantiles.
fn chances(
    vintage: &Vintage,
    reading: &Reading,
    base: &[[f64; 7]],
    high: &[f64],
    span: usize,
) -> Vec<f64> {
    if vintage.series.is_scope() {
        return reading.surge_chances(&vintage.series.scope(), base, high, span);
    }
    let whole: Vec<[f64; 7]> = vintage.targets.iter().map(|target| target.quantiles).collect();
    surge::chances(&whole, high, span)
}

/// Adds what alarms and work bring; whether there was anything to add.
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

/// Where alarms keep tickets away, takes near targets partly from what the counts alone say.
fn blend(vintage: &mut Vintage, seen: &Vintage, reading: &Reading, width: WindowWidth) {
    for (step, (target, seen)) in (0u32..).zip(vintage.targets.iter_mut().zip(&seen.targets)) {
        let lead = (f64::from(step) + 0.5) * f64::from(width.secs()) / 60.0;
        let share = reading.seen(&vintage.series, lead);
        if share <= 0.0 {
            continue;
        }
        let between = |a: f64, b: f64| a + share * (b - a);
        target.mean = rounded(between(target.mean, seen.mean));
        target.alarm_effect = rounded(between(target.alarm_effect, 0.0));
        for (quantile, seen) in target.quantiles.iter_mut().zip(seen.quantiles) {
            *quantile = between(*quantile, seen).round();
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
