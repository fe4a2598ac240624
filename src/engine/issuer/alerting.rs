//! From plans, alarms and complaints to alerts, and to the pages that people get.

use std::time::Duration;

use super::Issuer;
use crate::alert::{self, ActiveAlarm, AlertEffect, AlertInputs, SeriesNeed};
use crate::domain::Scope;
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::issued::{Issued, Plans};
use crate::engine::messages::StreamEvent;
use crate::engine::situation::Situation;

/// Complaints of so long back are an early sign.
const COMPLAINTS_REACH: Duration = Duration::from_secs(1800);

impl Issuer {
    /// Judges plans and decides on alerts and pages. `within`: a window is open, and the plans are those of nowcasts alone.
    pub(super) fn alert(
        &mut self,
        effects: &mut Effects<'_>,
        at: &Situation<'_>,
        issued: &Issued,
        plans: &Plans,
        standing: Vec<ActiveAlarm>,
        within: bool,
    ) {
        let live = |series| if within { None } else { self.live.get(series) };
        let needs = plans.iter().filter_map(|(series, plan)| match live(series) {
            Some((vintage, Some(plan))) => Some(SeriesNeed { plan, vintage }),
            _ => Some(SeriesNeed { plan, vintage: issued.served_of(series)? }),
        });
        let zone_of = |scope: &Scope| self.config.zone_of(&scope.region);
        let mut known = alert::overruns(at.work, &standing, at.end, zone_of);
        alert::adjustments(issued.adjusted.iter(), &mut known);
        let windows = self.width.per(COMPLAINTS_REACH) as u32;
        let complaints = at.complaints.early_signs(at.end, windows);
        alert::complaints(&complaints, zone_of, &mut known);
        let inputs = AlertInputs {
            needs: needs.collect(),
            alarms: standing,
            known,
            complaints,
            width: self.width,
            zones: &self.config.zones,
            zone: self.config.zone,
        };
        let decided = match within {
            true => self.alerts.nowcast(&inputs, at.end),
            false => self.alerts.step(&inputs, at.end),
        };
        for effect in decided {
            match effect {
                AlertEffect::Changed(alert) => {
                    let alert = Box::new(alert);
                    effects.put(StoreChange::Alert(alert.clone()));
                    effects.tell(StreamEvent::Alert(alert));
                }
                AlertEffect::Notify(notice) if at.end >= self.config.told_from => {
                    effects.put(StoreChange::Notification(notice));
                }
                AlertEffect::Notify(_) => {}
            }
        }
        if at.end >= self.config.told_from && !std::mem::replace(&mut self.sends_pages, true) {
            // An alert that began in the history and still fires is news: people got no page of it.
            effects.changes.extend(
                self.alerts.pending_notifications().into_iter().map(StoreChange::FirstNotification),
            );
        }
    }
}
