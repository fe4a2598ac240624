//! The effects of commands.

use super::State;
use crate::alert::{Alert, Notification};
use crate::domain::{Position, SourceId, Timestamp};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::messages::{CommandError, ReplicatedCommand};
use crate::engine::saved::Saved;
use crate::engine::stored::{Stored, planned_work};
use crate::forecast::Nowcast;

/// The result of a command.
pub struct Decision {
    pub effects: Effects<'static>,
    /// The alert that the command concerns.
    pub alert: Option<Alert>,
    /// When pages are due, if there are any.
    pub pages_at: Timestamp,
    /// Whether adjustments changed, so that histories must be updated once they are stored.
    pub changes_adjustments: bool,
}

impl From<StoreChange<'static>> for Decision {
    fn from(change: StoreChange<'static>) -> Self {
        let (effects, pages_at) = (change.into(), Timestamp::MIN);
        Self { effects, alert: None, pages_at, changes_adjustments: false }
    }
}

impl State {
    /// Decides on a command. `None` means that nothing is stored, not even the log's next offset.
    ///
    /// [`ReplicatedCommand::Written`] has no effects here: the forecaster handles it, because its store numbers changes.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] for an unknown alert, [`CommandError::Store`] if the store cannot be read.
    pub fn carry_out(
        &mut self,
        command: &ReplicatedCommand,
        stored: &dyn Stored,
    ) -> Result<Option<Decision>, CommandError> {
        let decision = match command {
            ReplicatedCommand::Acknowledged { id, by, at } => {
                let taken = self.issuer.alerts.acknowledge(id, by, *at);
                return Ok(Some(changed(taken.ok_or(CommandError::NotFound)?)));
            }
            ReplicatedCommand::Judged { id, text } => {
                // A resolved alert may still get feedback.
                let past = stored.alert(id).ok().flatten();
                return alert_changed(self.issuer.alerts.judge(id, text, past)).map(Some);
            }
            ReplicatedCommand::Roster { shifts, team_shifts } => {
                self.issuer.add_shifts(shifts.clone(), team_shifts.clone());
                let change = StoreChange::Roster(shifts.clone(), team_shifts.clone());
                let mut decision = Decision::from(change);
                for own in self.issuer.roster_replaced(shifts, team_shifts) {
                    decision.effects.put(StoreChange::Recommendation(Box::new(own)));
                }
                decision
            }
            ReplicatedCommand::Answered { recommendation } => {
                self.issuer.advising.put((**recommendation).clone());
                StoreChange::Recommendation(recommendation.clone()).into()
            }
            ReplicatedCommand::Silenced { silence } => {
                let mut decision = changed(self.issuer.alerts.put_silence((**silence).clone()));
                decision.effects.put(StoreChange::Silence(silence.clone()));
                decision
            }
            ReplicatedCommand::Released { alert, at } => {
                let released = self.issuer.alerts.release(alert, *at);
                let_go(released.ok_or(CommandError::NotFound)?, *at)
            }
            ReplicatedCommand::Annotated { rows } => StoreChange::Annotations(rows.clone()).into(),
            ReplicatedCommand::Maintenance { event, at } => {
                // The command's time is its position: the newest event of an id wins.
                let source = SourceId::new("people", 0);
                let position = Position { source, offset: at.millis() };
                StoreChange::Maintenance(position, event.clone()).into()
            }
            ReplicatedCommand::Adjusted { adjustment } => {
                let change = StoreChange::PutAdjustment(adjustment.clone());
                Decision { changes_adjustments: true, ..change.into() }
            }
            ReplicatedCommand::Unadjusted { id } => {
                let change = StoreChange::DeleteAdjustment(id.clone());
                Decision { changes_adjustments: true, ..change.into() }
            }
            ReplicatedCommand::Audit { entry } => StoreChange::Audit(entry.clone()).into(),
            ReplicatedCommand::Nowcast { nowcasts, at } => {
                return self.take_nowcasts(nowcasts, *at, stored);
            }
            ReplicatedCommand::Delivered { notice, receiver, outcome } => StoreChange::Delivery {
                notice: notice.clone(),
                receiver: receiver.clone(),
                outcome: outcome.clone(),
            }
            .into(),
            ReplicatedCommand::Paged { alert, kind, receivers, at } => {
                let page = self.issuer.alerts.page_again(alert, *kind, *at);
                paged(page.ok_or(CommandError::NotFound)?, receivers.clone(), *at)
            }
            ReplicatedCommand::ReportDue { report, receiver, at } => {
                paged(report.page(), vec![receiver.clone()], *at)
            }
            ReplicatedCommand::Resent { page, receivers, at } => {
                let (page, receivers) = (page.clone(), receivers.clone());
                StoreChange::Resend { page, receivers, at: *at }.into()
            }
            ReplicatedCommand::Written { .. } => return Ok(None),
        };
        Ok(Some(decision))
    }

    /// Takes nowcasts that another instance issued. Known nowcasts have no effect.
    fn take_nowcasts(
        &mut self,
        nowcasts: &[Nowcast],
        now: Timestamp,
        stored: &dyn Stored,
    ) -> Result<Option<Decision>, CommandError> {
        let issued_at = nowcasts.first().map(|nowcast| nowcast.vintage.issued_at);
        let newer = issued_at.filter(|at| self.looked_upto < Some(*at));
        let (Some(upto), Some(end)) = (newer, self.merge.next()) else { return Ok(None) };
        let work = planned_work(stored, Some(end), &[])?;
        let at = self.observed.situation(&work, end, &self.metrics);
        let mut effects = self.issuer.take_nowcasts(&at, nowcasts);
        effects.put(StoreChange::Saved(Saved::LookedUpto(upto.millis())));
        self.looked_upto = Some(upto);
        Ok(Some(Decision { effects, alert: None, pages_at: now, changes_adjustments: false }))
    }
}

fn paged(page: Notification, receivers: Vec<String>, at: Timestamp) -> Decision {
    Decision { pages_at: at, ..StoreChange::Page(page, receivers).into() }
}

/// Effects for alerts that changed. The first alert is the one that the command concerns.
fn changed(alerts: Vec<Alert>) -> Decision {
    let alert = alerts.first().cloned();
    let mut effects = Effects::default();
    for alert in alerts {
        effects.put(StoreChange::Alert(Box::new(alert)));
    }
    Decision { effects, alert, pages_at: Timestamp::MIN, changes_adjustments: false }
}

/// Effects for alerts that nothing holds back any more, and for the page that was held back.
fn let_go((alerts, page): (Vec<Alert>, Option<Notification>), at: Timestamp) -> Decision {
    let mut decision = Decision { pages_at: at, ..changed(alerts) };
    if let Some(page) = page {
        tracing::info!(page = page.id, "alerts: a page that was held back is sent");
        decision.effects.put(StoreChange::Notification(page));
    }
    decision
}

fn alert_changed(alert: Option<Alert>) -> Result<Decision, CommandError> {
    let alert = alert.ok_or(CommandError::NotFound)?;
    let change = StoreChange::Alert(Box::new(alert.clone()));
    Ok(Decision { alert: Some(alert), ..change.into() })
}
