//! Examines open windows and issues nowcasts: forecasts that do not wait for the window's end. The reason is an alarm
//! storm, or a partial count far from its forecast.
//!
//! The leader examines alarms every ten seconds and the counts of tickets once a minute, as of the time up to which all
//! counting sources are known. A heartbeat also causes an examination, because a storm may be followed by no event at all. The
//! leader replicates its nowcasts to standbys, so all instances have the same nowcasts and alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{ALARMS_REACH, Issuer};
use crate::domain::{Scope, SeriesKey, Severity, Timestamp};
use crate::engine::model;
use crate::engine::situation::Situation;
use crate::forecast::{
    self, History, Nowcast, PartialCount, Reason, Signs, Vintage, completed, differs, is_far_off,
};
use crate::text::Stored;
use crate::window::Transition;

/// Interval of examinations of the counts of tickets.
pub const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Interval of examinations of alarms.
const ALARMS_EVERY_MS: i64 = 10_000;
/// Minimum time between two nowcasts of one region and service for the same sign, unless the sign is clearly worse.
const PAUSE: Duration = Duration::from_secs(300);

/// Share of a window that must have passed before its partial count says something about today's level.
const TELLING_SHARE: f64 = 0.5;

/// Tickets of leaves in open windows, by start of the window.
pub type Counted = BTreeMap<Timestamp, BTreeMap<SeriesKey, u32>>;

/// The start of the minute that contains `at`.
pub fn minute(at: Timestamp) -> Timestamp {
    let step = LOOK_EVERY.as_millis() as i64;
    Timestamp::from_millis(at.millis().div_euclid(step) * step)
}

/// The time as of which alarms are examined: `at`, rounded down to ten seconds.
pub fn look_at(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().div_euclid(ALARMS_EVERY_MS) * ALARMS_EVERY_MS)
}

/// The latest time up to which alarms were known when a nowcast with this issue time was made.
pub fn known_by(issued_at: Timestamp) -> Timestamp {
    Timestamp::from_millis(issued_at.millis() + ALARMS_EVERY_MS - 1)
}

impl Issuer {
    /// Examines open windows as of [`look_at`] `known`, and returns new nowcasts. `at.end` is the start of the first window
    /// that is not final; `counted` has the tickets from there up to `known`. `tickets`: whether counts of tickets are examined
    /// too, and not only alarms.
    pub fn look(
        &mut self,
        at: &Situation<'_>,
        known: Timestamp,
        counted: &Counted,
        tickets: bool,
    ) -> Vec<Nowcast> {
        let upto = look_at(known);
        let open = self.width.floor(upto);
        let Some((after, _)) = &self.newest else { return Vec::new() };
        let after = *after;
        if after != at.end || open == upto || upto < self.config.notify_from {
            return Vec::new();
        }
        let signs = self.signs(at, known, counted, tickets);
        if signs.is_empty() {
            return Vec::new();
        }
        let mut fresh = self.fresh(at, known, counted, &signs);
        fresh.values_mut().for_each(|vintage| vintage.issued_at = upto);
        let worth = self.worth(&fresh, &signs);
        fresh.retain(|series, _| worth.contains_key(&series.scope()));
        let mut nowcasts = self.rolled_up(&fresh, &worth, open, upto);
        for (series, vintage) in fresh {
            if let Some(reason) = worth.get(&series.scope()) {
                nowcasts.push((vintage, Reason(vec![(None, *reason)])));
            }
        }
        let issued = nowcasts.into_iter().filter(|(vintage, _)| !vintage.targets.is_empty());
        issued.map(|(vintage, reason)| Nowcast { vintage, reason: reason.into(), after }).collect()
    }

    /// Scopes whose new forecast differs enough from the last one, with the reasons.
    fn worth(
        &self,
        fresh: &BTreeMap<SeriesKey, Vintage>,
        signs: &BTreeMap<Scope, Signs>,
    ) -> BTreeMap<Scope, Signs> {
        let newer = self.newer();
        let mut worth = BTreeMap::new();
        for (series, vintage) in fresh {
            let Some(signs) = signs.get(&series.scope()) else { continue };
            let before = newer.get(series).copied().or_else(|| self.scheduled(series));
            if signs.tickets.is_some() || before.is_some_and(|before| differs(before, vintage)) {
                worth.insert(series.scope(), *signs);
            }
        }
        worth
    }

    /// Roll-ups of the new forecasts of leaves: the scheduled vintage, plus the differences between the new and the scheduled
    /// forecasts of the leaves.
    fn rolled_up(
        &self,
        fresh: &BTreeMap<SeriesKey, Vintage>,
        worth: &BTreeMap<Scope, Signs>,
        open: Timestamp,
        upto: Timestamp,
    ) -> Vec<(Vintage, Reason)> {
        let touched: BTreeSet<SeriesKey> = fresh.keys().flat_map(SeriesKey::roll_ups).collect();
        let mut now = self.newer();
        now.extend(fresh.iter());
        let mut parts: BTreeMap<SeriesKey, Vec<(&Vintage, &Vintage)>> = BTreeMap::new();
        for (series, vintage) in now.into_iter().filter(|(series, _)| !series.is_roll_up()) {
            let Some(before) = self.scheduled(series) else { continue };
            for key in series.roll_ups().filter(|key| touched.contains(key)) {
                parts.entry(key).or_default().push((before, vintage));
            }
        }
        let rolled = parts.into_iter().filter_map(|(key, parts)| {
            let vintage = forecast::rolled_up(self.scheduled(&key)?, &parts, open, upto);
            let scopes = worth.iter().filter(|(scope, _)| scope.touches(&key));
            let reason = scopes.map(|(scope, signs)| (Some(scope.clone()), *signs)).collect();
            Some((vintage, Reason(reason)))
        });
        rolled.collect()
    }

    /// The model's newest vintage that was issued for a finalized window.
    pub(super) fn scheduled(&self, series: &SeriesKey) -> Option<&Vintage> {
        self.newest.as_ref().and_then(|(_, issued)| issued.model.get(series))
    }

    /// The model's last nowcast of each series that is newer than its newest vintages.
    fn newer(&self) -> BTreeMap<&SeriesKey, &Vintage> {
        let Some((scheduled, _)) = &self.newest else { return BTreeMap::new() };
        let vintages = self.nowcasts.iter().map(|nowcast| &nowcast.vintage);
        let newer = vintages.filter(|vintage| vintage.issued_at > *scheduled);
        newer.map(|vintage| (&vintage.series, vintage)).collect()
    }

    fn signs(
        &self,
        at: &Situation<'_>,
        known: Timestamp,
        counted: &Counted,
        tickets: bool,
    ) -> BTreeMap<Scope, Signs> {
        let mut signs: BTreeMap<Scope, Signs> = BTreeMap::new();
        let mut begun: BTreeMap<Arc<str>, Scope> = BTreeMap::new();
        at.alarms.peek(known, |transition| {
            let Transition { alarm, is_over, .. } = transition;
            if is_over {
                // An alarm that is already over does not indicate a future surge.
                begun.remove(&alarm.alarm_id);
            } else if alarm.severity <= Severity::Major {
                begun.insert(alarm.alarm_id.clone(), alarm.scope.as_ref().clone());
            }
        });
        begun.into_values().for_each(|scope| signs.entry(scope).or_default().alarms += 1);
        let Some((_, issued)) = &self.newest else { return signs };
        let served = issued.served().filter(|(series, _)| tickets && !series.is_roll_up());
        for (series, scheduled) in served {
            let newer = self.live.get(series).map(|(vintage, _)| vintage);
            let newest = newer.filter(|n| n.issued_at > scheduled.issued_at).unwrap_or(scheduled);
            for (start, counts) in counted {
                let count = f64::from(counts.get(series).copied().unwrap_or(0));
                let target = newest.targets.iter().find(|t| t.start == *start);
                let Some(target) = target.filter(|_| *start < known) else { continue };
                let seen = PartialCount { start: *start, count, upto: known };
                if is_far_off(target, &seen, self.width, LOOK_EVERY) {
                    let due = target.mean * seen.share(known, self.width);
                    let signs = signs.entry(series.scope()).or_default();
                    let off = |(count, due): (f64, f64)| (count - due).abs();
                    if signs.tickets.is_none_or(|known| off((count, due)) > off(known)) {
                        signs.tickets = Some((count, due));
                    }
                }
            }
        }
        for (scope, signs) in &mut signs {
            *signs = signs.rested(self.signs_since(scope, known));
        }
        signs.retain(|_, signs| !signs.is_empty());
        signs
    }

    /// The signs of the nowcasts of a scope in the last minutes.
    fn signs_since(&self, scope: &Scope, known: Timestamp) -> impl Iterator<Item = Signs> {
        let is_recent = move |nowcast: &&Nowcast| {
            let Vintage { series, issued_at, .. } = &nowcast.vintage;
            !series.is_roll_up() && series.scope() == *scope && known.since(*issued_at) < PAUSE
        };
        let reasons = self.nowcasts.iter().filter(is_recent).filter_map(|nowcast| {
            let Stored::Value(Reason(reason)) = &nowcast.reason else { return None };
            Some(reason.iter().map(|(_, signs)| *signs))
        });
        reasons.flatten()
    }

    /// The model's forecasts for the leaves of these scopes. Counts of open windows are extrapolated to whole windows.
    fn fresh(
        &mut self,
        at: &Situation<'_>,
        known: Timestamp,
        counted: &Counted,
        signs: &BTreeMap<Scope, Signs>,
    ) -> BTreeMap<SeriesKey, Vintage> {
        let (width, open) = (self.width, self.width.floor(known));
        let scopes: BTreeSet<Scope> = signs.keys().cloned().collect();
        let far_off = signs.iter().filter(|(_, signs)| signs.tickets.is_some());
        let far_off: BTreeSet<Scope> = far_off.map(|(scope, _)| scope.clone()).collect();
        let mut series: BTreeMap<SeriesKey, History> = BTreeMap::new();
        let mut heads = BTreeMap::new();
        for (key, history) in at.histories.by_series() {
            let Some(before) = self.scheduled(key) else { continue };
            if key.is_roll_up() || !scopes.contains(&key.scope()) {
                continue;
            }
            let mut history = history.clone();
            let pending = before.targets.iter().filter(|t| t.start >= at.end && t.start <= open);
            for target in pending {
                let count = counted.get(&target.start).and_then(|counts| counts.get(key));
                let count = count.copied().unwrap_or(0) as f32;
                let count = at.histories.usual(key, width.index(target.start), count);
                let seen =
                    PartialCount { start: target.start, count: f64::from(count), upto: known };
                let is_known = !count.is_nan();
                let whole = if is_known { completed(target, &seen, width) } else { target.clone() };
                // Early in a window a usual count says little about the level.
                let tells = seen.share(known, width) >= TELLING_SHARE;
                let tells = is_known && (tells || far_off.contains(&key.scope()));
                let learned = if tells { whole.mean as f32 } else { f32::NAN };
                history.set(width.index(target.start), learned);
                if target.start == open {
                    heads.insert(key.clone(), whole);
                }
            }
            series.insert(key.clone(), history);
        }
        let alarms = at.spells.ahead(open - ALARMS_REACH, known, at.alarms, &scopes);
        let fitted = self.refits.as_mut().and_then(|refits| refits.model(at.end));
        let model = fitted.unwrap_or(&self.unfitted);
        let past = self.places.past(width, &series, &alarms, at.work);
        let issued = model::predict(model, &past, width.index(open) + 1, &self.gate);
        let whole = issued.into_iter().filter_map(|mut vintage| {
            vintage.targets.insert(0, heads.remove(&vintage.series)?);
            // All forecasts end with the scheduled ones: a sum over series has no step before its end.
            let last = self.scheduled(&vintage.series)?.targets.last()?.start;
            vintage.targets.retain(|target| target.start <= last);
            Some((vintage.series.clone(), vintage))
        });
        whole.collect()
    }
}
