//! Evaluates active alarms at an origin: their effects so far and over the horizon.

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

/// Longest age of an alarm with an effect; effects of older ones are part of the level.
const REACH: Duration = Duration::from_secs(20 * 3600);
/// Longest duration of planned work that may overrun.
const WORK_REACH: Duration = Duration::from_secs(12 * 3600);
/// Half-lives for damping alarms, minutes: of the part of the effect that counts do not show yet, and of the weight of counts
/// by lead.
const VISIBLE_AFTER: f64 = 30.0;
const VISIBLE_AHEAD: f64 = 120.0;

/// Effects of alarms and planned work as known at one origin.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    effects: BTreeMap<SeriesKey, Vec<Effect>>,
    /// By series: tickets by window of the last day.
    past: BTreeMap<SeriesKey, HashMap<i64, f32>>,
    /// First window of `past`; effects in earlier windows come from the fit.
    first: i64,
    /// Leaves with damping alarms: minutes since the newest one was raised or cleared.
    damped: BTreeMap<SeriesKey, f64>,
    /// By scope: possible courses of each of its episodes, all channels together.
    paths: BTreeMap<Scope, Vec<Paths>>,
}

impl Reading {
    /// Extra tickets by forecast point from the origin on, of leaves and roll-ups; `None` without an effect.
    pub fn effects(&self, series: &SeriesKey) -> Option<&[Effect]> {
        self.effects.get(series).map(Vec::as_slice)
    }

    /// Series with effects of alarms or planned work.
    pub fn touched(&self) -> impl Iterator<Item = (&SeriesKey, &[Effect])> {
        self.effects.iter().map(|(key, effects)| (key, effects.as_slice()))
    }

    /// Tickets in past windows of a leaf that are attributed to alarms and work: by this reading for the last day, by the fit
    /// for earlier windows.
    pub(super) fn past_effects<'r>(
        &'r self,
        response: &'r Response,
        series: &SeriesKey,
    ) -> impl Iterator<Item = (i64, f64)> + use<'r> {
        let fitted = windows(&response.past, series).filter(|(index, _)| *index < self.first);
        fitted.chain(windows(&self.past, series))
    }

    /// A reading with given courses, for comparisons. `episodes` has, for each episode, equally likely courses; each is the
    /// tickets of all channels of a scope by forecast point.
    pub fn of_courses(scope: &Scope, episodes: &[Vec<Vec<f64>>]) -> Self {
        let paths = |courses: &Vec<Vec<f64>>| {
            let share = 1.0 / courses.len().max(1) as f64;
            let courses = courses.iter().map(|course| (vec![share], course.clone())).collect();
            Paths { sizes: vec![1.0], courses }
        };
        let paths = episodes.iter().map(paths).collect();
        Self { paths: BTreeMap::from([(scope.clone(), paths)]), ..Self::default() }
    }

    /// For each forecast point, the probability of a surge in the span of `windows` that begins with it: two consecutive
    /// windows above `high`, for all channels of a scope together. `base` are the scope's quantiles without alarm effects.
    ///
    /// It is zero without alarms: surges without alarms are not predicted here.
    pub fn surge_probabilities(
        &self,
        scope: &Scope,
        base: &[[f64; 7]],
        high: &[f64],
        windows: usize,
    ) -> Vec<f64> {
        let mut none = vec![1.0; base.len()];
        for paths in self.paths.get(scope).into_iter().flatten() {
            let found = paths.surge_probabilities(base, high, windows);
            none.iter_mut().zip(found).for_each(|(none, found)| *none *= 1.0 - found);
        }
        none.iter().map(|none| 1.0 - none).collect()
    }

    /// Weight of the forecast from counts alone at a lead of `lead` minutes, 0 to 1, for a series with damping alarms. It grows
    /// with the time since the alarm, because counts show the damping only after a while. It falls with the lead, because
    /// counts do not show the end of the damping.
    pub fn count_weight(&self, series: &SeriesKey, lead: f64) -> f64 {
        let share = |minutes: &f64| {
            let visible = 1.0 - (-minutes / VISIBLE_AFTER).exp2();
            visible * (-lead / VISIBLE_AHEAD).exp2()
        };
        self.damped.get(series).map_or(0.0, share)
    }

    /// Leaves with tickets in the last day that are attributed to alarms or work.
    pub fn explained(&self) -> impl Iterator<Item = &SeriesKey> {
        self.past.keys()
    }
}

impl Response {
    /// Evaluates alarms, work and tickets before window `origin` for the horizon after it.
    ///
    /// `base` must cover the day before the origin and the horizon.
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
