//! What a command changes.

use super::State;
use crate::alert::Alert;
use crate::domain::{Position, SourceId, Timestamp};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::messages::{CommandError, ReplicatedCommand};
use crate::engine::saved::Saved;
use crate::engine::stored::{Stored, planned_work};
use crate::forecast::Nowcast;

/// What is to be done for a command.
pub struct Decision {
    pub effects: Effects<'static>,
    /// The alert that it concerns.
    pub alert: Option<Alert>,
    /// When pages are due, if any follow.
    pub pages_at: Timestamp,
    /// Whether histories have to follow changed adjustments once these are stored.
    pub changes_adjustments: bool,
}

impl From<StoreChange<'static>> for Decision {
    fn from(change: StoreChange<'static>) -> Self {
        let (effects, pages_at) = (change.into(), Timestamp::MIN);
        Self { effects, alert: None, pages_at, changes_adjustments: false }
    }
}

impl State {
    /// Decides on a command; `None` where nothing is to be stored, not even where the log goes on.
    ///
    /// [`ReplicatedCommand::Written`] is for the forecaster, whose store numbers the changes: it has no effects here.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] for an alert that is not there, [`CommandError::Store`] if the store cannot be read.
    pub fn carry_out(
        &mut self,
        command: &ReplicatedCommand,
        stored: &dyn Stored,
    ) -> Result<Option<Decision>, CommandError> {
        let decision = match command {
            ReplicatedCommand::Acknowledged { id, by, at } => {
                return alert_changed(self.issuer.alerts.acknowledge(id, by, *at)).map(Some);
            }
            ReplicatedCommand::Judged { id, text } => {
                let alert = self.issuer.alerts.feedback(id, text);
                // An alert that is over may still be judged.
                let alert = alert.or_else(|| {
                    let mut past = stored.alert(id).ok().flatten()?;
                    past.feedback = Some(text.clone());
                    Some(past)
                });
                return alert_changed(alert).map(Some);
            }
            ReplicatedCommand::Roster { shifts } => {
                self.issuer.add_shifts(shifts.clone());
                StoreChange::Shifts(shifts.clone()).into()
            }
            ReplicatedCommand::Maintenance { event, at } => {
                // Its time is its position: the newest statement about an id wins.
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
            ReplicatedCommand::Nowcast { nowcasts, at } => {
                return self.follow(nowcasts, *at, stored);
            }
            ReplicatedCommand::Delivered { notice, receiver, outcome } => StoreChange::Delivery {
                notice: notice.clone(),
                receiver: receiver.clone(),
                outcome: outcome.clone(),
            }
            .into(),
            ReplicatedCommand::Written { .. } => return Ok(None),
        };
        Ok(Some(decision))
    }

    /// Takes nowcasts that another instance issued. Those that are here already change nothing.
    fn follow(
        &mut self,
        nowcasts: &[Nowcast],
        now: Timestamp,
        stored: &dyn Stored,
    ) -> Result<Option<Decision>, CommandError> {
        let issued_at = nowcasts.first().map(|nowcast| nowcast.vintage.issued_at);
        let news = issued_at.filter(|at| self.looked_upto < Some(*at));
        let (Some(upto), Some(end)) = (news, self.merge.next()) else { return Ok(None) };
        let work = planned_work(stored, Some(end), &[])?;
        let at = self.observed.situation(&work, end, &self.metrics);
        let mut effects = self.issuer.take_nowcasts(&at, nowcasts);
        effects.put(StoreChange::Saved(Saved::LookedUpto(upto.millis())));
        self.looked_upto = Some(upto);
        Ok(Some(Decision { effects, alert: None, pages_at: now, changes_adjustments: false }))
    }
}

fn alert_changed(alert: Option<Alert>) -> Result<Decision, CommandError> {
    let alert = alert.ok_or(CommandError::NotFound)?;
    let change = StoreChange::Alert(Box::new(alert.clone()));
    Ok(Decision { alert: Some(alert), ..change.into() })
}
