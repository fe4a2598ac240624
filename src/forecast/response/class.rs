//! Alarm classes (type and severity): which ones are followed by tickets. Customers notice less than half of all severe alarms.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::context::SiteContext;
use super::prior::ClassPrior;
use crate::domain::{Severity, Timestamp};
use crate::forecast::AlarmSpell;

/// Role of an alarm class in episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Begins or joins an episode.
    Opens,
    /// Joins an episode that another alarm or many devices have begun.
    Joins,
    /// Chatter: is not part of episodes.
    Ignored,
}

/// Maximum number of types with their own number; the others share 0.
const TYPES_MAX: usize = 255;
/// Minimum number of occasions before a class is required to be followed by a significant excess of tickets, and the required
/// excess in standard errors.
const OCCASIONS: u32 = 20;
const SIGNIFICANT: f64 = 1.5;
/// Maximum number of occasions of a class.
const OCCASIONS_MAX: u32 = 600;
/// Excess that counts as a full response, in multiples of the usual deviation.
const FULL_RESPONSE: f64 = 3.0;
/// Raises of one class and site within this span are one occasion, ms.
const OCCASION_MS: i64 = 2 * 3_600_000;

/// Alarm types by number, and their role by severity.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    numbers: HashMap<Arc<str>, u16>,
    pub(super) names: Vec<Arc<str>>,
    gates: Vec<[Gate; 5]>,
}

fn rank(severity: Severity) -> usize {
    match severity {
        Severity::Critical => 0,
        Severity::Major => 1,
        Severity::Minor => 2,
        Severity::Warning => 3,
        Severity::Indeterminate => 4,
    }
}

impl Classes {
    /// Classes without history: only the severity decides.
    pub(super) fn of_prior(prior: &ClassPrior) -> Self {
        let gates = vec![Severity::EVERY.map(|s| gate(prior.of(s), 0, true))];
        Self { numbers: HashMap::new(), names: vec!["other".into()], gates }
    }

    /// Learns from tickets after the alarms of each class.
    pub(super) fn learn(
        context: &SiteContext<'_>,
        alarms: &[Vec<&AlarmSpell>],
        from: i64,
        prior: &ClassPrior,
    ) -> Self {
        let mut frequency: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for spell in alarms.iter().flatten() {
            if let Some(kind) = &spell.alarm_type {
                *frequency.entry(kind).or_default() += 1;
            }
        }
        let mut frequent: Vec<_> = frequency.into_iter().collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let mut classes = Self::of_prior(prior);
        for (kind, _) in frequent.into_iter().take(TYPES_MAX) {
            classes.numbers.insert(kind.clone(), classes.names.len() as u16);
            classes.names.push(kind.clone());
        }
        let mut seen = vec![[(0u32, 0.0); 5]; classes.names.len()];
        let mut usual = [0.0; 3];
        for (number, spells) in alarms.iter().enumerate() {
            let follow = Follow::new(context, number, from);
            for index in follow.any_time() {
                let response = follow.response(context.width.start(index));
                usual
                    .iter_mut()
                    .zip([1.0, response, response * response])
                    .for_each(|(sum, x)| *sum += x);
            }
            let mut last: HashMap<(u16, usize), i64> = HashMap::new();
            for spell in spells {
                let key = (classes.number(spell), rank(spell.severity));
                let block = spell.raised_at.millis().div_euclid(OCCASION_MS);
                let sum = &mut seen[usize::from(key.0)][key.1];
                if sum.0 < OCCASIONS_MAX && last.insert(key, block) != Some(block) {
                    *sum = (sum.0 + 1, sum.1 + follow.response(spell.raised_at));
                }
            }
        }
        let [usual, squares] = [usual[1], usual[2]].map(|sum| sum / f64::max(usual[0], 1.0));
        let spread = (squares - usual * usual).max(0.0).sqrt();
        let gates = seen.iter().map(|by_severity| {
            std::array::from_fn(|i| {
                let ((occasions, response), expected) =
                    (by_severity[i], prior.of(Severity::EVERY[i]));
                let n = f64::from(occasions);
                let more = response - n * usual;
                let is_significant =
                    occasions < OCCASIONS || more > SIGNIFICANT * spread * n.sqrt();
                gate(
                    (more + prior.weight * expected) / (n + prior.weight),
                    occasions,
                    is_significant,
                )
            })
        });
        classes.gates = gates.collect();
        classes
    }

    /// Number of an alarm's type.
    pub(super) fn number(&self, spell: &AlarmSpell) -> u16 {
        let found = spell.alarm_type.as_ref().and_then(|kind| self.numbers.get(kind));
        found.copied().unwrap_or(0)
    }

    pub(super) fn gate(&self, spell: &AlarmSpell) -> Gate {
        self.gates[usize::from(self.number(spell))][rank(spell.severity)]
    }
}

/// The role of a class. `noticed` is the estimated share of its alarms that customers notice.
fn gate(noticed: f64, occasions: u32, is_significant: bool) -> Gate {
    if is_significant && noticed >= 0.06 {
        Gate::Opens
    } else if occasions >= OCCASIONS && noticed < 0.02 {
        Gate::Ignored
    } else {
        Gate::Joins
    }
}

/// Excess of tickets after an instant, from running sums.
struct Follow<'g, 'a> {
    context: &'g SiteContext<'a>,
    site: usize,
    from: i64,
    /// Σ (count − expected), Σ variance, Σ expected up to each window.
    sums: Vec<[f64; 3]>,
    /// Root mean square of the site's deviations at any time, at least 1.
    spread: f64,
}

impl<'g, 'a> Follow<'g, 'a> {
    fn new(context: &'g SiteContext<'a>, site: usize, from: i64) -> Self {
        let leaves = &context.sites[site].leaves;
        let mut sums = Vec::with_capacity((context.origin - from).max(0) as usize + 1);
        let mut sum = [0.0; 3];
        sums.push(sum);
        for index in from..context.origin {
            for leaf in leaves {
                let Some(count) = leaf.count(index, context.origin) else { continue };
                let b = leaf.expected(index);
                sum[0] += count - b;
                sum[1] += leaf.variance(b);
                sum[2] += b;
            }
            sums.push(sum);
        }
        let mut follow = Self { context, site, from, sums, spread: 1.0 };
        let squares = follow.any_time().map(|index| follow.deviation(context.width.start(index)));
        let (n, sum) = squares.fold((0.0, 0.0), |(n, sum), z| (n + 1.0, sum + z.powi(2).min(64.0)));
        follow.spread = (sum / f64::max(n, 1.0)).sqrt().max(1.0);
        follow
    }

    /// Windows for comparison, chosen independently of alarms.
    fn any_time(&self) -> impl Iterator<Item = i64> + use<> {
        (self.from..self.context.origin).step_by(29)
    }

    /// Response after an instant: 1 for a clear incident, 0 for no excess, negative for fewer tickets. Many weak responses have
    /// the same weight as a few strong ones.
    fn response(&self, at: Timestamp) -> f64 {
        (self.deviation(at) / self.spread / FULL_RESPONSE).clamp(-1.0, 1.0)
    }

    /// Excess of tickets in standard deviations, over four hours; at night it is measured until ten in the morning.
    fn deviation(&self, at: Timestamp) -> f64 {
        let zone = self.context.sites[self.site].zone;
        let minute = zone.minute_of_week(at) % 1440;
        let span = if minute < 360 { 600 - minute } else { 240 };
        let length = i64::from(span * 60 / self.context.width.secs());
        let last = self.sums.len() as i64 - 1;
        let from = (self.context.width.index(at) - self.from).clamp(0, last);
        let to = (from + length).min(last);
        let (a, b) = (self.sums[from as usize], self.sums[to as usize]);
        let [excess, variance, expected] = std::array::from_fn(|i| b[i] - a[i]);
        // The variance includes a deviation of the level by a tenth.
        excess / (variance + (0.1 * expected).powi(2) + 1.0).sqrt()
    }
}
