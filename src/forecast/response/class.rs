//! Which classes of alarms say anything: more than half of all severe ones cause nothing that anyone notices.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::context::SiteContext;
use super::prior::ClassPrior;
use crate::domain::{Severity, Timestamp};
use crate::forecast::AlarmSpell;

/// What an alarm of a class may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Begins an episode.
    Opens,
    /// Counts towards an episode that another alarm, or that many devices, have begun.
    Joins,
    /// Chatter.
    Ignored,
}

/// Types with numbers of their own; the others share 0.
const TYPES_MAX: usize = 255;
/// Occasions after which a class has to show that it says anything, by so many standard errors.
const OCCASIONS: u32 = 20;
const SURE: f64 = 1.5;
/// Occasions of a class that are looked at.
const OCCASIONS_MAX: u32 = 600;
/// An excess that stands out, in multiples of the usual surprise.
const STANDS_OUT: f64 = 3.0;
/// Raises of one class, site and span are one occasion.
const OCCASION_MS: i64 = 2 * 3_600_000;

/// Alarm types by number, and what their alarms may do by severity.
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
    /// Before any history: severity alone decides.
    pub(super) fn untaught(prior: &ClassPrior) -> Self {
        let gates = vec![Severity::EVERY.map(|s| gate(prior.of(s), 0, true))];
        Self { numbers: HashMap::new(), names: vec!["other".into()], gates }
    }

    /// Looks at what followed the alarms of each class.
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
        let mut classes = Self::untaught(prior);
        for (kind, _) in frequent.into_iter().take(TYPES_MAX) {
            classes.numbers.insert(kind.clone(), classes.names.len() as u16);
            classes.names.push(kind.clone());
        }
        let mut seen = vec![[(0u32, 0.0); 5]; classes.names.len()];
        let mut usual = [0.0; 3];
        for (number, spells) in alarms.iter().enumerate() {
            let follow = Follow::new(context, number, from);
            for index in follow.any_time() {
                let felt = follow.felt(context.width.start(index));
                usual.iter_mut().zip([1.0, felt, felt * felt]).for_each(|(sum, x)| *sum += x);
            }
            let mut last: HashMap<(u16, usize), i64> = HashMap::new();
            for spell in spells {
                let key = (classes.number(spell), rank(spell.severity));
                let block = spell.raised_at.millis().div_euclid(OCCASION_MS);
                let cell = &mut seen[usize::from(key.0)][key.1];
                if cell.0 < OCCASIONS_MAX && last.insert(key, block) != Some(block) {
                    *cell = (cell.0 + 1, cell.1 + follow.felt(spell.raised_at));
                }
            }
        }
        let [usual, squares] = [usual[1], usual[2]].map(|sum| sum / f64::max(usual[0], 1.0));
        let spread = (squares - usual * usual).max(0.0).sqrt();
        let gates = seen.iter().map(|by_severity| {
            std::array::from_fn(|i| {
                let ((occasions, felt), expected) = (by_severity[i], prior.of(Severity::EVERY[i]));
                let n = f64::from(occasions);
                let more = felt - n * usual;
                let shown = occasions < OCCASIONS || more > SURE * spread * n.sqrt();
                gate((more + prior.weight * expected) / (n + prior.weight), occasions, shown)
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

/// `worth`: the share of a class's alarms that customers notice, as far as tickets tell; whether they have shown it.
fn gate(worth: f64, occasions: u32, shown: bool) -> Gate {
    if shown && worth >= 0.06 {
        Gate::Opens
    } else if occasions >= OCCASIONS && worth < 0.02 {
        Gate::Ignored
    } else {
        Gate::Joins
    }
}

/// How far tickets rose after an instant, from running sums.
struct Follow<'g, 'a> {
    context: &'g SiteContext<'a>,
    site: usize,
    from: i64,
    /// Σ (count − expected), Σ variance, Σ expected up to each window.
    sums: Vec<[f64; 3]>,
    /// Root mean square of the site's surprises at any time: 1 or more.
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
        let squares = follow.any_time().map(|index| follow.surprise(context.width.start(index)));
        let (n, sum) = squares.fold((0.0, 0.0), |(n, sum), z| (n + 1.0, sum + z.powi(2).min(64.0)));
        follow.spread = (sum / f64::max(n, 1.0)).sqrt().max(1.0);
        follow
    }

    /// Windows that have nothing to do with alarms, but by chance.
    fn any_time(&self) -> impl Iterator<Item = i64> + use<> {
        (self.from..self.context.origin).step_by(29)
    }

    /// 1 for an incident that stands out, 0 for what is expected, less where fewer came. Many faint ones add up to as
    /// much as a few that nobody can miss.
    fn felt(&self, at: Timestamp) -> f64 {
        (self.surprise(at) / self.spread / STANDS_OUT).clamp(-1.0, 1.0)
    }

    /// Standard deviations by which more came than expected, over four hours, or at night until ten in the morning.
    fn surprise(&self, at: Timestamp) -> f64 {
        let zone = self.context.sites[self.site].zone;
        let minute = zone.minute_of_week(at) % 1440;
        let span = if minute < 360 { 600 - minute } else { 240 };
        let length = i64::from(span * 60 / self.context.width.secs());
        let last = self.sums.len() as i64 - 1;
        let from = (self.context.width.index(at) - self.from).clamp(0, last);
        let to = (from + length).min(last);
        let (a, b) = (self.sums[from as usize], self.sums[to as usize]);
        let [excess, variance, expected] = std::array::from_fn(|i| b[i] - a[i]);
        // A day that is busier by a tenth is no incident.
        excess / (variance + (0.1 * expected).powi(2) + 1.0).sqrt()
    }
}
