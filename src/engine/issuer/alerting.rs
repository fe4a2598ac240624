//! Turns plans, alarms and complaints into alerts and pages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Issuer;
use super::look::known_by;
use super::ruling::Seen;
use crate::alert::{self, ActiveAlarm, AlertEffect, AlertInputs, SeriesNeed};
use crate::domain::{Scope, SeriesKey, Timestamp};
use crate::engine::active_alarms::{active_alarms, active_at};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::issued::{Issued, Plans};
use crate::engine::messages::StreamEvent;
use crate::engine::situation::Situation;
use crate::window::AlarmBook;

/// How far back complaints count as an early sign.
const COMPLAINTS_REACH: Duration = Duration::from_secs(1800);

/// The origin of the plans that are judged.
pub(super) enum Occasion<'a> {
    /// A finalized window, with its unusual events.
    Window(&'a Seen),
    /// Nowcasts: only their plans are judged. Windows up to this time are final.
    Nowcasts(Timestamp),
}

impl Issuer {
    /// Judges plans and decides on alerts and pages.
    pub(super) fn alert(
        &mut self,
        effects: &mut Effects<'_>,
        at: &Situation<'_>,
        (issued, plans): (&Issued, &Plans),
        occasion: &Occasion<'_>,
    ) {
        let (seen, finalized_upto) = match occasion {
            Occasion::Window(seen) => (Some(*seen), at.end),
            Occasion::Nowcasts(finalized_upto) => (None, *finalized_upto),
        };
        let within = seen.is_none();
        let newer = self.newer_scopes(at, issued, within);
        // The devices of a service's alarms join its alert with that of another service, which this nowcast is not about.
        let active_for_forecasts = match within {
            true => active_at(at.alarms, known_by(at.end)),
            false => active_for_forecasts(at.alarms, at.end, &newer),
        };
        let live = |series| if within { None } else { self.live.get(series) };
        let needs = plans.iter().filter_map(|(series, plan)| match live(series) {
            Some((vintage, Some(plan))) => Some(SeriesNeed { plan, vintage }),
            _ => Some(SeriesNeed { plan, vintage: issued.served_of(series)? }),
        });
        let mut known = alert::overruns(at.work, &active_for_forecasts, at.end);
        alert::adjustments(issued.adjusted.iter(), &mut known);
        let windows = self.width.per(COMPLAINTS_REACH) as u32;
        let complaints = at.complaints.early_signs(at.end, windows);
        alert::complaints(&complaints, &mut known);
        let inputs = AlertInputs {
            needs: needs.collect(),
            alarms: active_for_forecasts,
            newer,
            known,
            complaints,
            width: self.width,
            finalized_upto,
            lateness: self.lateness,
            zones: &self.config.zones,
            zone: self.config.zone,
            work: at.work,
        };
        let mut alerts = std::mem::take(&mut self.alerts);
        let decided = match seen {
            None => alerts.nowcast(&inputs, at.end),
            Some(seen) => {
                let seen = self.rule_inputs(at, (issued, plans), seen);
                let mut decided = alerts.step(&inputs, at.end);
                decided.extend(alerts.examine(&inputs, &seen, at.end));
                decided
            }
        };
        self.alerts = alerts;
        self.put_decided(effects, at, decided);
    }

    /// Adds the decided changes of alerts, and pages, to the effects.
    fn put_decided(
        &mut self,
        effects: &mut Effects<'_>,
        at: &Situation<'_>,
        decided: Vec<AlertEffect>,
    ) {
        for effect in decided {
            match effect {
                AlertEffect::Changed(mut alert) => {
                    alert.recommend(self.advising.open(at.end));
                    let alert = Box::new(alert);
                    effects.put(StoreChange::Alert(alert.clone()));
                    effects.emit(StreamEvent::Alert(alert));
                }
                AlertEffect::Notify(notice) if at.end >= self.config.notify_from => {
                    effects.put(StoreChange::Notification(notice));
                }
                AlertEffect::Held { alert, reason, until } if at.end >= self.config.notify_from => {
                    at.metrics.page_held(reason.as_str());
                    let until = until.map(|until| until.to_string());
                    tracing::info!(
                        alert,
                        reason = reason.as_str(),
                        until,
                        "alerts: a page is held back; GET /silences lists silences"
                    );
                }
                AlertEffect::Notify(_) | AlertEffect::Held { .. } => {}
            }
        }
        if at.end >= self.config.notify_from && !std::mem::replace(&mut self.sends_pages, true) {
            // Alerts that began in the history and still fire have sent no page yet.
            effects.changes.extend(
                self.alerts.pending_notifications().into_iter().map(StoreChange::FirstNotification),
            );
        }
    }

    /// Issue times of forecasts that are newer than the end of the last final window, by scope.
    fn newer_scopes(
        &self,
        at: &Situation<'_>,
        issued: &Issued,
        within: bool,
    ) -> BTreeMap<Scope, Timestamp> {
        let mut newer: BTreeMap<Scope, Timestamp> = BTreeMap::new();
        let mut take = |series: &SeriesKey, issued_at: Timestamp| {
            if !series.is_roll_up() {
                let known = newer.entry(series.scope()).or_insert(issued_at);
                *known = issued_at.max(*known);
            }
        };
        match within {
            true => issued.served().for_each(|(series, _)| take(series, at.end)),
            false => {
                let live = self.live.iter().filter(|(_, (v, _))| v.issued_at > at.end);
                live.for_each(|(series, (vintage, _))| take(series, vintage.issued_at));
            }
        }
        newer
    }
}

/// Active alarms. In scopes with a newer forecast, these are the alarms that were known when it was made, otherwise those at
/// `end`.
fn active_for_forecasts(
    book: &AlarmBook,
    end: Timestamp,
    newer: &BTreeMap<Scope, Timestamp>,
) -> Vec<ActiveAlarm> {
    let mut active = active_alarms(book);
    active.retain(|alarm| !newer.contains_key(&alarm.scope));
    let times: BTreeSet<Timestamp> = newer.values().copied().filter(|at| *at >= end).collect();
    for at in times {
        let known = active_at(book, known_by(at)).into_iter();
        active.extend(known.filter(|alarm| newer.get(&alarm.scope) == Some(&at)));
    }
    active
}
