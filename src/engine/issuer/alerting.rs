//! Turns plans, alarms and complaints into alerts and pages.

use std::time::Duration;

use super::Issuer;
use crate::alert::{self, ActiveAlarm, AlertEffect, AlertInputs, SeriesNeed};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::issued::{Issued, Plans};
use crate::engine::messages::StreamEvent;
use crate::engine::situation::Situation;

/// How far back complaints count as an early sign.
const COMPLAINTS_REACH: Duration = Duration::from_secs(1800);

impl Issuer {
    /// Judges plans and decides on alerts and pages. `within`: the window is open, and the plans are those of nowcasts only.
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
        let mut known = alert::overruns(at.work, &standing, at.end);
        alert::adjustments(issued.adjusted.iter(), &mut known);
        let windows = self.width.per(COMPLAINTS_REACH) as u32;
        let complaints = at.complaints.early_signs(at.end, windows);
        alert::complaints(&complaints, &mut known);
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
                AlertEffect::Changed(mut alert) => {
                    alert.recommend(self.advising.open(at.end));
                    let alert = Box::new(alert);
                    effects.put(StoreChange::Alert(alert.clone()));
                    effects.emit(StreamEvent::Alert(alert));
                }
                AlertEffect::Notify(notice) if at.end >= self.config.notify_from => {
                    effects.put(StoreChange::Notification(notice));
                }
                AlertEffect::Notify(_) => {}
            }
        }
        if at.end >= self.config.notify_from && !std::mem::replace(&mut self.sends_pages, true) {
            // Alerts that began in the history and still fire have sent no page yet.
            effects.changes.extend(
                self.alerts.pending_notifications().into_iter().map(StoreChange::FirstNotification),
            );
        }
    }
}
