//! Surges: what counts as one, when it was called, and which calls were false.
//!
//! As `surgecast::forecast::surge` has them, of a region and service, all channels together. Besides:
//!
//! - It **had alarms by then** if an incident that lifts it by a fifth or more had raised an alarm by the origin. Chance
//!   does the rest of many of them: those were **foretold** by alarms that are called by someone who knows the true response, and
//!   those are **due** to alarms whose incidents bring at least half of what lies above the true rate of ordinary days.
//! - Calls are counted at the chances from which on everyone's false calls would have kept to their budget so far
//!   (`surge::Threshold`), from the first week on; and at fixed ones.

use std::collections::{BTreeMap, BTreeSet};

use surgecast::domain::Scope;
use surgecast::forecast::surge::{self, Threshold};
use surgecast::forecast::{Reading, Vintage};

use crate::score::{Called, Totals, WHO};
use crate::world::{HOUR, WIDTH, World};

/// Fixed chances from which on a surge is called: they show what other choices would bring.
pub const CHANCES: [f64; 5] = [0.05, 0.1, 0.15, surge::CHANCE, 0.3];
/// Ways to call: by the threshold that follows false calls, which is the product's, and at each fixed chance.
pub const WAYS: usize = 1 + CHANCES.len();
/// Windows of a span, and between surges or calls that are two.
const SPAN: usize = surge::span(WIDTH);
const APART: i64 = WIDTH.per(surge::APART) as i64;
/// Windows of the horizon.
pub const HORIZON: usize = 24;

/// One vintage of a region and service.
pub struct Issued {
    /// 99 % quantile without alarms, by target.
    pub high: Vec<f64>,
    /// By the target that a span begins with: the chance that each of those who call give it.
    pub chances: [Vec<f64>; WHO],
    /// The same for the whole horizon.
    pub any: [f64; WHO],
}

impl Issued {
    /// `all`: vintages of all channels of a scope without what comes on top, and readings of what does.
    pub fn new(without: &Vintage, all: [(&Vintage, &Reading); WHO]) -> Self {
        let scope = without.series.scope();
        let high: Vec<f64> = without.targets.iter().map(|t| surge::high(&t.quantiles)).collect();
        let chances = |windows: usize| {
            all.map(|(vintage, reading)| {
                let base: Vec<[f64; 7]> = vintage.targets.iter().map(|t| t.quantiles).collect();
                reading.surge_chances(&scope, &base, &high, windows)
            })
        };
        let any = chances(HORIZON).map(|chances| chances.first().copied().unwrap_or(0.0));
        Self { chances: chances(SPAN), any, high }
    }

    /// Whether a call would be for the span whose middle is target `step`.
    fn is_likely(&self, who: usize, step: usize) -> bool {
        let most = self.chances[who].iter().copied().fold(0.0, f64::max);
        let here = self.chances[who].get(step.saturating_sub(SPAN / 2));
        here.is_some_and(|chance| *chance > 0.0 && *chance >= surge::LIKELY * most)
    }
}

#[derive(Default)]
pub struct Surges {
    /// By origin, every hour.
    pub issued: BTreeMap<i64, BTreeMap<Scope, Issued>>,
    /// Of origins between, where a surge may lie at one of the leads. Calls are counted every hour only.
    pub between: BTreeMap<i64, BTreeMap<Scope, Issued>>,
}

/// Calls of one scope.
#[derive(Clone, Default)]
struct Calls {
    /// Hourly origins at which a call is out.
    out: BTreeSet<i64>,
    /// The chance from which on one is, since an origin.
    least: BTreeMap<i64, f64>,
}

impl Calls {
    fn add(&mut self, origin: i64, any: f64, least: f64) {
        self.least.insert(origin, least);
        if self.is_out(origin, any) {
            self.out.insert(origin);
        }
    }

    /// Whether a call is out at an origin that gives a chance of `any`.
    fn is_out(&self, origin: i64, any: f64) -> bool {
        let last = self.out.range(..origin).next_back();
        let least = self.least.range(..=origin).next_back();
        let holds = last.is_some_and(|last| origin - last <= APART);
        least.is_some_and(|(_, least)| surge::is_out(any, *least, holds))
    }
}

impl Surges {
    pub fn count(&self, world: &mut World, from: i64, totals: &mut Totals) {
        let scopes: Vec<Scope> =
            world.series.keys().filter(|k| k.is_roll_up()).map(|k| k.scope()).collect();
        let budgeted = [0, 1, 2, 3].map(|who| self.budgeted(world, &scopes, who));
        for scope in &scopes {
            let calls: [_; WAYS] = std::array::from_fn(|way| {
                [0, 1, 2, 3].map(|who| match way.checked_sub(1) {
                    None => budgeted[who].get(scope).cloned().unwrap_or_default(),
                    Some(fixed) => self.calls(scope, who, CHANCES[fixed]),
                })
            });
            for (lead, hours) in surge::SURGE_LEADS.into_iter().enumerate() {
                self.found(world, scope, from, hours, &calls, &mut totals.surges[lead]);
            }
            for (sums, lead) in totals.false_calls.iter_mut().zip([None, Some(3 * HOUR)]) {
                for (sums, calls) in sums.iter_mut().zip(&calls) {
                    for (who, (sum, Calls { out, .. })) in sums.iter_mut().zip(calls).enumerate() {
                        let at_lead = |origin: &&i64| {
                            let issued = &self.issued[origin][scope];
                            lead.is_none_or(|step| issued.is_likely(who, step as usize))
                        };
                        *sum += self.false_calls(world, scope, out.iter().filter(at_lead));
                    }
                }
            }
            for (origin, issued) in &self.issued {
                let chance = issued[scope].any[0];
                let sums = &mut totals.said[((chance * 10.0) as usize).min(9)];
                let came = f64::from(u8::from(Self::came(world, scope, *origin, &issued[scope])));
                sums.iter_mut().zip([1.0, chance, came]).for_each(|(sum, x)| *sum += x);
            }
        }
    }

    /// Whether two windows in a row of the horizon lie above the quantile.
    fn came(world: &World, scope: &Scope, origin: i64, issued: &Issued) -> bool {
        let above = |i: usize| Self::arrivals(world, scope, origin + i as i64) > issued.high[i];
        (0..HORIZON - 1).any(|i| above(i) && above(i + 1))
    }

    /// Calls by scope, if the chance that one takes follows false calls.
    fn budgeted(&self, world: &World, scopes: &[Scope], who: usize) -> BTreeMap<Scope, Calls> {
        let mut calls: BTreeMap<Scope, Calls> = BTreeMap::new();
        let (mut threshold, mut known) = (Threshold::default(), self.issued.iter().peekable());
        for (origin, issued) in &self.issued {
            while let Some((at, then)) = known.next_if(|(at, _)| *at + HORIZON as i64 <= *origin) {
                for scope in scopes {
                    let any = then[scope].any[who];
                    if any > 0.0 {
                        let series = scope.all_channels();
                        let came = || Self::came(world, scope, *at, &then[scope]);
                        threshold.judge(&series, WIDTH.start(*at), any, came);
                    }
                }
            }
            let least = threshold.least();
            for scope in scopes {
                let calls = calls.entry(scope.clone()).or_default();
                calls.add(*origin, issued[scope].any[who], least);
            }
        }
        calls
    }

    /// Calls from a chance on.
    fn calls(&self, scope: &Scope, who: usize, chance: f64) -> Calls {
        let mut calls = Calls::default();
        for (origin, issued) in &self.issued {
            calls.add(*origin, issued[scope].any[who], chance);
        }
        calls
    }

    fn arrivals(world: &World, scope: &Scope, index: i64) -> f64 {
        world.series.get(&scope.all_channels()).map_or(0.0, |history| f64::from(history.get(index)))
    }

    fn found(
        &self,
        world: &mut World,
        scope: &Scope,
        from: i64,
        hours: u32,
        calls: &[[Calls; WHO]; WAYS],
        sums: &mut Called,
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
            let is_due = alarmed >= 0.5 * (Self::arrivals(world, scope, index) - ordinary);
            sums.surges += 1.0;
            sums.due += f64::from(u8::from(is_due));
            for (i, calls) in calls.iter().enumerate() {
                let is_called = |who: usize| {
                    calls[who].is_out(at, issued.any[who]) && issued.is_likely(who, step)
                };
                let called = std::array::from_fn::<bool, WHO, _>(is_called);
                for (who, called) in called.into_iter().enumerate() {
                    sums.called[i][who] += f64::from(u8::from(called));
                    sums.due_called[i][who] += f64::from(u8::from(is_due && called));
                }
                sums.foretold[i] += f64::from(u8::from(called[0] && called[2]));
            }
        }
    }

    fn false_calls<'c>(
        &self,
        world: &World,
        scope: &Scope,
        calls: impl Iterator<Item = &'c i64>,
    ) -> f64 {
        let (mut count, mut last, mut good) = (0.0, i64::MIN / 2, true);
        for origin in calls {
            let issued = &self.issued[origin][scope];
            if origin - last > APART {
                count += f64::from(u8::from(!good));
                good = false;
            }
            last = *origin;
            good |= Self::came(world, scope, *origin, issued);
        }
        count + f64::from(u8::from(!good))
    }
}

/// Tickets that incidents with alarms before the origin bring in a window, and those of ordinary days, by their true rates.
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
