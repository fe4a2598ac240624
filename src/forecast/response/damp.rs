//! Alarms that keep tickets away: what cannot be used brings no work until it is back, and a little more then.
//!
//! Such as orders while the order system is down. A type of alarm damps a service where, spell by spell, fewer
//! tickets come while it stands than without it; nothing is damped before that has been seen often enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::{Leaf, SiteContext};
use super::onset::minutes_between;
use crate::domain::{Scope, Timestamp};
use crate::forecast::AlarmSpell;

/// Spells that have to agree, and the share of them.
const SPELLS: usize = 3;
const AGREE: f64 = 0.6;
/// Ratios above this are no damping.
const RATIO: f64 = 0.85;
/// Standard deviations of the tickets that were missing: the noise of counts, and of a level that is off.
const SURE: f64 = 3.0;
/// Tickets that weigh as much as no damping at all.
const WEIGHT: f64 = 20.0;
/// Upper ends of the ages by which damping may differ, minutes: what is under way is finished first.
const AGES: [f64; 6] = [60.0, 120.0, 240.0, 480.0, 720.0, f64::INFINITY];
/// Hours after the end in which what waited may come.
const AFTER: usize = 3;
/// Minutes after the end for which the counts before and after are looked at together.
const MATTERS: f64 = 720.0;
/// Shorter spells say nothing, minutes.
const SHORTEST: f64 = 20.0;

/// (probability, factor on the tickets), of two ways in which it may go.
pub(super) type Ways = [(f64, f64); 2];

/// What one type does to one scope.
#[derive(Clone, Debug)]
struct Damped {
    /// By age: tickets while it stands, in multiples of those without it.
    during: [f64; AGES.len()],
    /// The same by hour after it cleared.
    after: [f64; AFTER],
    /// Minutes that it stood, ascending.
    lengths: Vec<f64>,
}

/// By scope and alarm type.
#[derive(Clone, Debug, Default)]
pub(super) struct DampingModel(BTreeMap<(Scope, Arc<str>), Damped>);

/// Spells of one type as stretches of time, overlapping ones joined.
type Stretches<'a> = BTreeMap<&'a Arc<str>, Vec<Stretch>>;
type Stretch = (Timestamp, Option<Timestamp>);

fn stretches<'a>(spells: &[&'a AlarmSpell], now: Timestamp) -> Stretches<'a> {
    let mut found: Stretches<'a> = BTreeMap::new();
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
            for (kind, stretches) in stretches(spells, context.now()) {
                if stretches.len() >= SPELLS
                    && let Some(damped) = Damped::learn(context, &site.leaves, &stretches)
                {
                    model.insert((site.scope.clone(), kind.clone()), damped);
                }
            }
        }
        Self(model)
    }

    /// The alarms of a site that keep no tickets away: the others bring none.
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

    /// What damps a site, as far as is known at `now`.
    pub(super) fn of<'l>(
        &'l self,
        scope: &Scope,
        spells: &[&AlarmSpell],
        now: Timestamp,
    ) -> Damping<'l> {
        let mut found = Vec::new();
        if !self.0.is_empty() && !spells.is_empty() {
            for (kind, stretches) in stretches(spells, now) {
                if let Some(damped) = self.0.get(&(scope.clone(), kind.clone())) {
                    found.push((kind.clone(), damped, stretches));
                }
            }
        }
        Damping { now, found }
    }
}

/// Damping alarms of one site.
pub(super) struct Damping<'l> {
    now: Timestamp,
    found: Vec<(Arc<str>, &'l Damped, Vec<Stretch>)>,
}

impl Damping<'_> {
    pub(super) fn is_none(&self) -> bool {
        self.found.is_empty()
    }

    /// Minutes since the newest alarm was raised or cleared, where that still matters.
    pub(super) fn changed(&self) -> Option<f64> {
        let newest = self.found.iter().filter_map(|(.., stretches)| stretches.last());
        let since = newest.map(|(from, to)| minutes_between(to.unwrap_or(*from), self.now));
        let least = since.fold(f64::INFINITY, f64::min);
        let stands = self.found.iter().any(|(.., s)| s.last().is_some_and(|(_, to)| to.is_none()));
        (stands || least < MATTERS).then_some(least)
    }

    /// By alarm type: how it may go at an instant.
    pub(super) fn factors(&self, at: Timestamp) -> impl Iterator<Item = (&Arc<str>, Ways)> {
        self.found.iter().filter_map(move |(kind, damped, stretches)| {
            let (from, to) = stretches.iter().rev().find(|(from, _)| *from <= at)?;
            Some((kind, damped.factors(*from, *to, self.now, at)))
        })
    }
}

impl Damped {
    fn learn(
        context: &SiteContext<'_>,
        leaves: &[Leaf<'_>],
        stretches: &[Stretch],
    ) -> Option<Self> {
        let per_hour = context.width.per_hour();
        let sums = |from: i64, to: i64| {
            let windows = (from..to).flat_map(|i| leaves.iter().map(move |leaf| (leaf, i)));
            windows.fold((0.0, 0.0), |(came, said), (leaf, i)| {
                match leaf.count(i, context.origin) {
                    Some(count) => (came + count, said + leaf.expected(i)),
                    None => (came, said),
                }
            })
        };
        let (mut after, mut lengths) = ([(0.0, 0.0); AFTER], Vec::new());
        let (mut during, mut by_age) = ((0.0, 0.0), [(0.0, 0.0); AGES.len()]);
        let (mut fewer, mut all) = (0.0, 0.0);
        for (from, to) in stretches {
            let end = to.unwrap_or(context.now());
            let length = minutes_between(*from, end);
            if length < SHORTEST {
                continue;
            }
            let (first, last) = (context.width.index(*from) + 1, context.width.index(end));
            let (came, said) = sums(first, last);
            during = (during.0 + came, during.1 + said);
            for index in first..last {
                let (came, said) = sums(index, index + 1);
                let sum = &mut by_age[age_bin(minutes_between(*from, context.width.start(index)))];
                *sum = (sum.0 + came, sum.1 + said);
            }
            all += 1.0;
            fewer += f64::from(u8::from(came < RATIO * said));
            if to.is_none() {
                continue;
            }
            lengths.push(length);
            for (hour, after) in after.iter_mut().enumerate() {
                let from = last + 1 + (hour * per_hour) as i64;
                let (came, said) = sums(from, from + per_hour as i64);
                *after = (after.0 + came, after.1 + said);
            }
        }
        let ratio = |(came, said): (f64, f64)| (came + WEIGHT) / (said + WEIGHT);
        let deficit = during.1 - during.0;
        let clear = deficit > SURE * (during.1 + (0.08 * during.1).powi(2)).sqrt();
        if lengths.len() < SPELLS || fewer < AGREE * all || ratio(during) > RATIO || !clear {
            return None;
        }
        lengths.sort_by(f64::total_cmp);
        let after = after.map(|sums| ratio(sums).clamp(1.0, 3.0));
        let during = by_age.map(|sums| ratio(sums).clamp(0.02, 1.0));
        Some(Self { during, after, lengths })
    }

    /// (probability, factor): standing still, and cleared.
    fn factors(
        &self,
        from: Timestamp,
        to: Option<Timestamp>,
        now: Timestamp,
        at: Timestamp,
    ) -> Ways {
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
        // Lengths of those that stood as long as this one, half a one beside them.
        let (age, then) = (minutes_between(from, now), minutes_between(from, at));
        let longer = |age: f64| {
            (self.lengths.len() - self.lengths.partition_point(|l| *l <= age)) as f64 + 0.5
        };
        let stands = longer(then) / longer(age);
        [(stands, during), (1.0 - stands, after((then - age) / 2.0))]
    }
}

fn age_bin(age: f64) -> usize {
    AGES.partition_point(|end| *end <= age).min(AGES.len() - 1)
}
