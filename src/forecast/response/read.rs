//! Now: what stands, what it has brought, and what it will bring.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::ahead::{Ahead, roll_up};
use super::baseline::Baselines;
use super::context::SiteContext;
use super::effect::Effect;
use super::episode::episodes;
use super::fit::{Response, damp, explain, windows};
use super::paths::Paths;
use crate::domain::{Scope, SeriesKey};
use crate::forecast::Past;

/// Alarms older than this say nothing any more: what they bring has become usual.
const REACH: Duration = Duration::from_secs(20 * 3600);
/// Planned work may have lasted this long when it overruns.
const WORK_REACH: Duration = Duration::from_secs(12 * 3600);
/// Minutes after which counts show half of what an alarm that damps does, and ahead for which they say half.
const SHOWN: f64 = 30.0;
const SEEN_AHEAD: f64 = 120.0;

/// What is known at one origin.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By series: tickets by window of the last day.
    past: BTreeMap<SeriesKey, HashMap<i64, f32>>,
    /// First window that the reading, and no longer the fit, speaks for.
    first: i64,
    /// Leaves that alarms damp: minutes since the newest of these was raised or cleared.
    damped: BTreeMap<SeriesKey, f64>,
    /// By scope: how each of its episodes may go on, all channels together.
    paths: BTreeMap<Scope, Vec<Paths>>,
}

impl Reading {
    /// Extra tickets by target from the origin on; `None` where there is no effect at all. Roll-ups of the
    /// past's series are here too.
    pub fn effects(&self, series: &SeriesKey) -> Option<&[Effect]> {
        self.effects.get(series).map(Vec::as_slice)
    }

    /// Series that alarms or planned work touch.
    pub fn touched(&self) -> impl Iterator<Item = (&SeriesKey, &[Effect])> {
        self.effects.iter().map(|(key, effects)| (key, effects.as_slice()))
    }

    /// Tickets of a leaf's past windows that alarms and work account for, by what is known now: of the last day as read, before
    /// it as of the fit.
    pub(super) fn past_effects<'r>(
        &'r self,
        response: &'r Response,
        series: &SeriesKey,
    ) -> impl Iterator<Item = (i64, f64)> + use<'r> {
        let fitted = windows(&response.past, series).filter(|(index, _)| *index < self.first);
        fitted.chain(windows(&self.past, series))
    }

    /// A reading of given paths, for comparisons: by episode, ways that are equally likely, tickets by target of all channels
    /// of a scope.
    pub fn of_courses(scope: &Scope, episodes: &[Vec<Vec<f64>>]) -> Self {
        let paths = |ways: &Vec<Vec<f64>>| {
            let share = 1.0 / ways.len().max(1) as f64;
            let ways = ways.iter().map(|way| (vec![share], way.clone())).collect();
            Paths { sizes: vec![1.0], ways }
        };
        let paths = episodes.iter().map(paths).collect();
        Self { paths: BTreeMap::from([(scope.clone(), paths)]), ..Self::default() }
    }

    /// Chance of a surge in the span of `windows` that begins with each target: two windows in a row above
    /// `high`, for all channels of a scope together. `base` are its quantiles without alarms' effects.
    ///
    /// Zero where no alarms say anything: a surge that comes by itself is not foreseen here.
    pub fn surge_chances(
        &self,
        scope: &Scope,
        base: &[[f64; 7]],
        high: &[f64],
        windows: usize,
    ) -> Vec<f64> {
        let mut none = vec![1.0; base.len()];
        for paths in self.paths.get(scope).into_iter().flatten() {
            let chances = paths.surge_chances(base, high, windows);
            none.iter_mut().zip(chances).for_each(|(none, chance)| *none *= 1.0 - chance);
        }
        none.iter().map(|none| 1.0 - none).collect()
    }

    /// Share of a forecast that the newest counts say better than past outages do, `lead` minutes ahead of the origin:
    /// what has stopped is seen in them, the more so the longer it has, but not when it will be back.
    pub fn seen(&self, series: &SeriesKey, lead: f64) -> f64 {
        let share = |minutes: &f64| {
            let shown = 1.0 - (-minutes / SHOWN).exp2();
            shown * (-lead / SEEN_AHEAD).exp2()
        };
        self.damped.get(series).map_or(0.0, share)
    }

    /// Leaves of which alarms or work account for tickets of the last day.
    pub fn explained(&self) -> impl Iterator<Item = &SeriesKey> {
        self.past.keys()
    }
}

impl Response {
    /// Reads what the alarms, work and tickets before window `origin` mean for the horizon after it.
    ///
    /// `base` has to reach from a day before the origin to the end of the horizon.
    pub fn read(&self, past: &Past<'_>, base: &Baselines, origin: i64) -> Reading {
        let model = &self.model;
        let context = SiteContext::new(past, base, origin, &model.channels);
        let now = context.now();
        let since = now - REACH;
        let alarms = context.alarms(past, since - WORK_REACH);
        let work = context.work(past, since - WORK_REACH);
        let mut reading = Reading { first: past.width.index(since), ..Reading::default() };
        let mut totals = Vec::new();
        for (number, site) in context.sites.iter().enumerate() {
            let (spells, work) = (&alarms[number], &work[number]);
            if spells.is_empty() && work.is_empty() {
                continue;
            }
            let others = model.damp.others(&site.scope, spells);
            let mut found = episodes(number, &others, work, &model.classes, now);
            found.retain(|e| e.starts >= since);
            let ahead = Ahead::new(model, &context, site);
            let mut effects = ahead.planned(work);
            let mut paths = Vec::new();
            let mut explained =
                explain(model, &context, site, &found, work, |episode, posterior| {
                    paths.extend(ahead.add(&mut effects, episode, posterior));
                });
            damp(model, &context, site, spells, since, &mut explained);
            ahead.damp(&mut effects, spells);
            if let Some(minutes) = model.damp.of(&site.scope, spells, now).changed() {
                reading.damped.extend(site.leaves.iter().map(|leaf| (leaf.key.clone(), minutes)));
            }
            if !paths.is_empty() {
                reading.paths.insert(site.scope.clone(), paths);
            }
            for (leaf, tickets) in site.leaves.iter().zip(explained) {
                if !tickets.is_empty() {
                    reading.past.insert(leaf.key.clone(), tickets);
                }
            }
            if effects.iter().flatten().any(|e| !e.is_none()) {
                totals.push((number, effects));
            }
        }
        let rolled = roll_up(past, &context, totals);
        reading.effects = rolled;
        reading
    }
}
