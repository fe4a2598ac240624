//! Damping: alarms that keep tickets away, such as orders while the order system is down. Some of these tickets arrive later.
//!
//! An alarm type damps a service if the service had fewer tickets than expected during most spells of the type. This takes
//! a minimum number of spells.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::{Leaf, SiteContext};
use super::onset::minutes_between;
use crate::domain::{Scope, Timestamp};
use crate::forecast::AlarmSpell;

/// Minimum number of spells, and minimum share of spells with fewer tickets than expected.
const SPELLS: usize = 3;
const AGREE: f64 = 0.6;
/// Largest ratio of actual to expected tickets that counts as damping.
const RATIO: f64 = 0.85;
/// Minimum deficit of tickets in standard deviations: of counts, and of errors of the level.
const SIGNIFICANT: f64 = 3.0;
/// Weight of the prior ratio of 1, tickets.
const WEIGHT: f64 = 20.0;
/// Upper ends of the age bins, minutes. At first, work in progress is still finished.
const AGES: [f64; 6] = [60.0, 120.0, 240.0, 480.0, 720.0, f64::INFINITY];
/// Number of hours after the end in which delayed tickets may arrive.
const AFTER: usize = 3;
/// Number of minutes after the end during which the alarm still affects forecasts.
const MATTERS: f64 = 720.0;
/// Shortest spell to learn from, minutes.
const SHORTEST: f64 = 20.0;

/// (probability, factor on the tickets) of two outcomes.
pub(super) type Outcomes = [(f64, f64); 2];

/// Damping of one scope by one alarm type.
#[derive(Clone, Debug)]
struct Damped {
    /// By age while the alarm is active: factor on the tickets.
    during: [f64; AGES.len()],
    /// By hour after the clear: factor on the tickets.
    after: [f64; AFTER],
    /// Lengths of spells, minutes, ascending.
    lengths: Vec<f64>,
}

/// Damping by scope and alarm type.
#[derive(Clone, Debug, Default)]
pub(super) struct DampingModel(BTreeMap<(Scope, Arc<str>), Damped>);

/// By alarm type: periods of active alarms, overlapping ones joined.
type Periods<'a> = BTreeMap<&'a Arc<str>, Vec<Period>>;
type Period = (Timestamp, Option<Timestamp>);

fn periods<'a>(spells: &[&'a AlarmSpell], now: Timestamp) -> Periods<'a> {
    let mut found: Periods<'a> = BTreeMap::new();
    for spell in spells {
        let Some(kind) = &spell.alarm_type else { continue };
        let cleared = spell.cleared_at.filter(|at| *at < now);
        let known = found.entry(kind).or_default();
        match known.last_mut() {
            Some(last) if last.1.is_none_or(|end| spell.raised_at <= end) => {
                last.1 = last.1.zip(cleared).map(|(a, b)| a.max(b));
            }
            _ => known.push((spell.raised_at, cleared)),
        }
    }
    found
}

impl DampingModel {
    pub(super) fn learn(context: &SiteContext<'_>, alarms: &[Vec<&AlarmSpell>]) -> Self {
        let mut model = BTreeMap::new();
        for (site, spells) in context.sites.iter().zip(alarms) {
            for (kind, periods) in periods(spells, context.now()) {
                if periods.len() >= SPELLS
                    && let Some(damped) = Damped::learn(context, &site.leaves, &periods)
                {
                    model.insert((site.scope.clone(), kind.clone()), damped);
                }
            }
        }
        Self(model)
    }

    /// The alarms of a site that do not damp. Damping alarms do not belong to episodes.
    pub(super) fn others<'a>(
        &self,
        scope: &Scope,
        spells: &[&'a AlarmSpell],
    ) -> Vec<&'a AlarmSpell> {
        let damps = |spell: &AlarmSpell| {
            let kind = spell.alarm_type.as_ref();
            kind.is_some_and(|kind| self.0.contains_key(&(scope.clone(), kind.clone())))
        };
        let others = spells.iter().filter(|spell| self.0.is_empty() || !damps(spell));
        others.copied().collect()
    }

    /// Damping alarms of a site, as known at `now`.
    pub(super) fn of<'l>(
        &'l self,
        scope: &Scope,
        spells: &[&AlarmSpell],
        now: Timestamp,
    ) -> Damping<'l> {
        let mut found = Vec::new();
        if !self.0.is_empty() && !spells.is_empty() {
            for (kind, periods) in periods(spells, now) {
                if let Some(damped) = self.0.get(&(scope.clone(), kind.clone())) {
                    found.push((kind.clone(), damped, periods));
                }
            }
        }
        Damping { now, found }
    }
}

/// Damping alarms of one site.
pub(super) struct Damping<'l> {
    now: Timestamp,
    found: Vec<(Arc<str>, &'l Damped, Vec<Period>)>,
}

impl Damping<'_> {
    pub(super) fn is_none(&self) -> bool {
        self.found.is_empty()
    }

    /// Minutes since the newest alarm was raised or cleared; `None` if it no longer affects forecasts.
    pub(super) fn changed(&self) -> Option<f64> {
        let newest = self.found.iter().filter_map(|(.., periods)| periods.last());
        let since = newest.map(|(from, to)| minutes_between(to.unwrap_or(*from), self.now));
        let least = since.fold(f64::INFINITY, f64::min);
        let is_active =
            self.found.iter().any(|(.., s)| s.last().is_some_and(|(_, to)| to.is_none()));
        (is_active || least < MATTERS).then_some(least)
    }

    /// Possible factors at an instant, by alarm type.
    pub(super) fn factors(&self, at: Timestamp) -> impl Iterator<Item = (&Arc<str>, Outcomes)> {
        self.found.iter().filter_map(move |(kind, damped, periods)| {
            let (from, to) = periods.iter().rev().find(|(from, _)| *from <= at)?;
            Some((kind, damped.factors(*from, *to, self.now, at)))
        })
    }
}

impl Damped {
    fn learn(context: &SiteContext<'_>, leaves: &[Leaf<'_>], periods: &[Period]) -> Option<Self> {
        let per_hour = context.width.per_hour();
        let sums = |from: i64, to: i64| {
            let windows = (from..to).flat_map(|i| leaves.iter().map(move |leaf| (leaf, i)));
            windows.fold((0.0, 0.0), |(actual, expected), (leaf, i)| {
                match leaf.count(i, context.origin) {
                    Some(count) => (actual + count, expected + leaf.expected(i)),
                    None => (actual, expected),
                }
            })
        };
        let (mut after, mut lengths) = ([(0.0, 0.0); AFTER], Vec::new());
        let (mut during, mut by_age) = ((0.0, 0.0), [(0.0, 0.0); AGES.len()]);
        let (mut fewer, mut all) = (0.0, 0.0);
        for (from, to) in periods {
            let end = to.unwrap_or(context.now());
            let length = minutes_between(*from, end);
            if length < SHORTEST {
                continue;
            }
            let (first, last) = (context.width.index(*from) + 1, context.width.index(end));
            let (actual, expected) = sums(first, last);
            during = (during.0 + actual, during.1 + expected);
            for index in first..last {
                let (actual, expected) = sums(index, index + 1);
                let sum = &mut by_age[age_bin(minutes_between(*from, context.width.start(index)))];
                *sum = (sum.0 + actual, sum.1 + expected);
            }
            all += 1.0;
            fewer += f64::from(u8::from(actual < RATIO * expected));
            if to.is_none() {
                continue;
            }
            lengths.push(length);
            for (hour, after) in after.iter_mut().enumerate() {
                let from = last + 1 + (hour * per_hour) as i64;
                let (actual, expected) = sums(from, from + per_hour as i64);
                *after = (after.0 + actual, after.1 + expected);
            }
        }
        let ratio = |(actual, expected): (f64, f64)| (actual + WEIGHT) / (expected + WEIGHT);
        let deficit = during.1 - during.0;
        let is_significant = deficit > SIGNIFICANT * (during.1 + (0.08 * during.1).powi(2)).sqrt();
        if lengths.len() < SPELLS || fewer < AGREE * all || ratio(during) > RATIO || !is_significant
        {
            return None;
        }
        lengths.sort_by(f64::total_cmp);
        let after = after.map(|sums| ratio(sums).clamp(1.0, 3.0));
        let during = by_age.map(|sums| ratio(sums).clamp(0.02, 1.0));
        Some(Self { during, after, lengths })
    }

    /// Factors at `at`: if the alarm is still active, and if it has cleared.
    fn factors(
        &self,
        from: Timestamp,
        to: Option<Timestamp>,
        now: Timestamp,
        at: Timestamp,
    ) -> Outcomes {
        let after = |minutes: f64| {
            let hour = (minutes.max(0.0) / 60.0) as usize;
            self.after.get(hour).copied().unwrap_or(1.0)
        };
        let during = self.during[age_bin(minutes_between(from, at))];
        if let Some(to) = to {
            let gone = minutes_between(to, at);
            let factor = if gone < 0.0 { during } else { after(gone) };
            return [(1.0, factor), (0.0, 1.0)];
        }
        if at <= now {
            return [(1.0, during), (0.0, 1.0)];
        }
        // Spells that lasted at least as long, plus half a spell.
        let (age, then) = (minutes_between(from, now), minutes_between(from, at));
        let longer = |age: f64| {
            (self.lengths.len() - self.lengths.partition_point(|l| *l <= age)) as f64 + 0.5
        };
        let active = longer(then) / longer(age);
        [(active, during), (1.0 - active, after((then - age) / 2.0))]
    }
}

fn age_bin(age: f64) -> usize {
    AGES.partition_point(|end| *end <= age).min(AGES.len() - 1)
}
