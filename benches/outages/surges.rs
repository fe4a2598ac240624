//! Surges, warnings and false alarms, for a service in a region with all channels together.
//!
//! The definitions are those of `surgecast::forecast::surge`. In addition:
//!
//! - A surge has **alarms by the origin** if an incident with an earlier alarm raises its rate by a fifth or more. Many of these
//!   surges still depend on chance. A surge is **caused by** the alarms if their incidents have at least half of the excess over
//!   the true rate of ordinary days.
//! - Warnings are counted at each forecaster's adaptive threshold (`surge::Threshold`) from the first week on, and at fixed
//!   thresholds.

use std::collections::{BTreeMap, BTreeSet};

use surgecast::domain::Scope;
use surgecast::forecast::surge::{self, Threshold};
use surgecast::forecast::{Reading, Vintage};

use crate::score::{FORECASTERS, Hits, Totals};
use crate::world::{HOUR, WIDTH, World};

/// Fixed thresholds, for comparison.
pub const PROBABILITIES: [f64; 5] = [0.05, 0.1, 0.15, surge::PROBABILITY, 0.3];
/// Number of thresholds: the product's adaptive one, and the fixed ones.
pub const THRESHOLDS: usize = 1 + PROBABILITIES.len();
/// Windows of a span, and largest distance of windows of one surge or warning.
const SPAN: usize = surge::span(WIDTH);
const APART: i64 = WIDTH.per(surge::APART) as i64;
/// Windows of the horizon.
pub const HORIZON: usize = 24;

/// One vintage of a region and service.
pub struct Issued {
    /// 99 % quantile without alarms, by forecast point.
    pub high: Vec<f64>,
    /// Surge probability of each forecaster, by the first forecast point of a span.
    pub probabilities: [Vec<f64>; FORECASTERS],
    /// Surge probability of each forecaster for the whole horizon.
    pub any: [f64; FORECASTERS],
}

impl Issued {
    /// `all`: by forecaster, the vintage of a scope without effects, and the reading with the effects.
    pub fn new(without: &Vintage, all: [(&Vintage, &Reading); FORECASTERS]) -> Self {
        let scope = without.series.scope();
        let high: Vec<f64> = without.targets.iter().map(|t| surge::high(&t.quantiles)).collect();
        let probabilities = |windows: usize| {
            all.map(|(vintage, reading)| {
                let base: Vec<[f64; 7]> = vintage.targets.iter().map(|t| t.quantiles).collect();
                reading.surge_probabilities(&scope, &base, &high, windows)
            })
        };
        let any = probabilities(HORIZON).map(|found| found.first().copied().unwrap_or(0.0));
        Self { probabilities: probabilities(SPAN), any, high }
    }

    /// Whether a warning would apply to the span with forecast point `step` in its middle.
    fn is_likely(&self, who: usize, step: usize) -> bool {
        let most = self.probabilities[who].iter().copied().fold(0.0, f64::max);
        let here = self.probabilities[who].get(step.saturating_sub(SPAN / 2));
        here.is_some_and(|p| *p > 0.0 && *p >= surge::LIKELY * most)
    }
}

#[derive(Default)]
pub struct Surges {
    /// By origin, every hour.
    pub issued: BTreeMap<i64, BTreeMap<Scope, Issued>>,
    /// By origin between these, where a surge may lie at one of the leads. Warnings are counted every hour only.
    pub between: BTreeMap<i64, BTreeMap<Scope, Issued>>,
}

/// Warnings of one scope.
#[derive(Clone, Default)]
struct Warnings {
    /// Hourly origins with a warning.
    origins: BTreeSet<i64>,
    /// Threshold by the first origin to which it applies.
    least: BTreeMap<i64, f64>,
}

impl Warnings {
    fn add(&mut self, origin: i64, any: f64, least: f64) {
        self.least.insert(origin, least);
        if self.warns(origin, any) {
            self.origins.insert(origin);
        }
    }

    /// Whether there is a warning at an origin with a surge probability of `any`.
    fn warns(&self, origin: i64, any: f64) -> bool {
        let last = self.origins.range(..origin).next_back();
        let least = self.least.range(..=origin).next_back();
        let is_active = last.is_some_and(|last| origin - last <= APART);
        least.is_some_and(|(_, least)| surge::warns(any, *least, is_active))
    }
}

impl Surges {
    pub fn count(&self, world: &mut World, from: i64, totals: &mut Totals) {
        let scopes: Vec<Scope> =
            world.series.keys().filter(|k| k.is_roll_up()).map(|k| k.scope()).collect();
        let budgeted = [0, 1, 2, 3].map(|who| self.budgeted(world, &scopes, who));
        for scope in &scopes {
            let warnings: [_; THRESHOLDS] = std::array::from_fn(|threshold| {
                [0, 1, 2, 3].map(|who| match threshold.checked_sub(1) {
                    None => budgeted[who].get(scope).cloned().unwrap_or_default(),
                    Some(fixed) => self.warnings(scope, who, PROBABILITIES[fixed]),
                })
            });
            for (lead, hours) in surge::SURGE_LEADS.into_iter().enumerate() {
                self.judge(world, scope, from, hours, &warnings, &mut totals.surges[lead]);
            }
            for (sums, lead) in totals.false_alarms.iter_mut().zip([None, Some(3 * HOUR)]) {
                for (sums, warnings) in sums.iter_mut().zip(&warnings) {
                    for (who, (sum, own)) in sums.iter_mut().zip(warnings).enumerate() {
                        let at_lead = |origin: &&i64| {
                            let issued = &self.issued[origin][scope];
                            lead.is_none_or(|step| issued.is_likely(who, step as usize))
                        };
                        *sum += self.false_alarms(world, scope, own.origins.iter().filter(at_lead));
                    }
                }
            }
            for (origin, issued) in &self.issued {
                let probability = issued[scope].any[0];
                let sums = &mut totals.reliability[((probability * 10.0) as usize).min(9)];
                let surged =
                    f64::from(u8::from(Self::surged(world, scope, *origin, &issued[scope])));
                sums.iter_mut().zip([1.0, probability, surged]).for_each(|(sum, x)| *sum += x);
            }
        }
    }

    /// Whether two windows in a row of the horizon lie above the quantile.
    fn surged(world: &World, scope: &Scope, origin: i64, issued: &Issued) -> bool {
        let above = |i: usize| Self::arrivals(world, scope, origin + i as i64) > issued.high[i];
        (0..HORIZON - 1).any(|i| above(i) && above(i + 1))
    }

    /// Warnings by scope at the adaptive threshold.
    fn budgeted(&self, world: &World, scopes: &[Scope], who: usize) -> BTreeMap<Scope, Warnings> {
        let mut warnings: BTreeMap<Scope, Warnings> = BTreeMap::new();
        let (mut threshold, mut known) = (Threshold::default(), self.issued.iter().peekable());
        for (origin, issued) in &self.issued {
            while let Some((at, then)) = known.next_if(|(at, _)| *at + HORIZON as i64 <= *origin) {
                for scope in scopes {
                    let any = then[scope].any[who];
                    if any > 0.0 {
                        let series = scope.all_channels();
                        let surged = || Self::surged(world, scope, *at, &then[scope]);
                        threshold.judge(&series, WIDTH.start(*at), any, surged);
                    }
                }
            }
            let least = threshold.least();
            for scope in scopes {
                let own = warnings.entry(scope.clone()).or_default();
                own.add(*origin, issued[scope].any[who], least);
            }
        }
        warnings
    }

    /// Warnings at a fixed threshold.
    fn warnings(&self, scope: &Scope, who: usize, least: f64) -> Warnings {
        let mut warnings = Warnings::default();
        for (origin, issued) in &self.issued {
            warnings.add(*origin, issued[scope].any[who], least);
        }
        warnings
    }

    fn arrivals(world: &World, scope: &Scope, index: i64) -> f64 {
        world.series.get(&scope.all_channels()).map_or(0.0, |history| f64::from(history.get(index)))
    }

    /// Adds the surges at a lead, and the hits among them.
    fn judge(
        &self,
        world: &mut World,
        scope: &Scope,
        from: i64,
        hours: u32,
        warnings: &[[Warnings; FORECASTERS]; THRESHOLDS],
        sums: &mut Hits,
    ) {
        let step = surge::step(hours, WIDTH, HORIZON);
        let mut last = i64::MIN / 2;
        for index in from + HORIZON as i64..world.end - 26 {
            let at = index - step as i64;
            let issued = self.issued.get(&at).or_else(|| self.between.get(&at));
            let Some(issued) = issued.and_then(|all| all.get(scope)) else { continue };
            let above = |i: usize| Self::arrivals(world, scope, at + i as i64) > issued.high[i];
            if !(above(step) && above(step + 1)) {
                continue;
            }
            let begins = index - last > APART;
            last = index;
            if !begins {
                continue;
            }
            let (alarmed, ordinary) = expected(world, scope, index, at);
            if alarmed < 0.2 * ordinary {
                continue;
            }
            let is_caused = alarmed >= 0.5 * (Self::arrivals(world, scope, index) - ordinary);
            sums.surges += 1.0;
            sums.caused += f64::from(u8::from(is_caused));
            for (i, warnings) in warnings.iter().enumerate() {
                let is_hit = |who: usize| {
                    warnings[who].warns(at, issued.any[who]) && issued.is_likely(who, step)
                };
                let hits = std::array::from_fn::<bool, FORECASTERS, _>(is_hit);
                for (who, hit) in hits.into_iter().enumerate() {
                    sums.hits[i][who] += f64::from(u8::from(hit));
                    sums.caused_hits[i][who] += f64::from(u8::from(is_caused && hit));
                }
                sums.shared[i] += f64::from(u8::from(hits[0] && hits[2]));
            }
        }
    }

    fn false_alarms<'c>(
        &self,
        world: &World,
        scope: &Scope,
        warnings: impl Iterator<Item = &'c i64>,
    ) -> f64 {
        let (mut count, mut last, mut good) = (0.0, i64::MIN / 2, true);
        for origin in warnings {
            let issued = &self.issued[origin][scope];
            if origin - last > APART {
                count += f64::from(u8::from(!good));
                good = false;
            }
            last = *origin;
            good |= Self::surged(world, scope, *origin, issued);
        }
        count + f64::from(u8::from(!good))
    }
}

/// True rates in a window: of incidents with alarms before the origin, and of ordinary days.
fn expected(world: &mut World, scope: &Scope, index: i64, origin: i64) -> (f64, f64) {
    let (mut alarmed, mut ordinary) = (0.0, 0.0);
    for (key, place, _) in &world.leaves {
        if key.scope() == *scope {
            let rate = world.operator.rate_known(*place, WIDTH.start(index), WIDTH.start(origin));
            alarmed += rate.rate - rate.without_incidents;
            ordinary += rate.without_incidents;
        }
    }
    (alarmed, ordinary)
}
