//! What people tell the system, and what it did about pages: carried out by the leader, and again by those who follow.

use serde::{Deserialize, Serialize};

use super::forecaster::Forecaster;
use super::marks::Progress;
use super::messages::{Command, CommandError, Reply, StreamEvent};
use crate::alert::Alert;
use crate::domain::{MaintenanceEvent, Offset, Position, SourceId, Timestamp};
use crate::forecast::{Adjustment, Nowcast};
use crate::staffing::Shift;
use crate::store::{DeliveryOutcome, StoreError};

/// A change that no event says. Carried out twice it changes nothing more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReplicatedCommand {
    Acknowledged {
        id: String,
        by: String,
        at: Timestamp,
    },
    Judged {
        id: String,
        text: String,
    },
    Roster {
        shifts: Vec<Shift>,
    },
    Maintenance {
        event: Box<MaintenanceEvent>,
        at: Timestamp,
    },
    Adjusted {
        adjustment: Box<Adjustment>,
    },
    Unadjusted {
        id: String,
    },
    Nowcast {
        nowcasts: Vec<Nowcast>,
        at: Timestamp,
    },
    Delivered {
        notice: String,
        receiver: String,
        outcome: DeliveryOutcome,
    },
    /// A sink was told everything that follows from `progress`.
    Written {
        sink: String,
        progress: Progress,
    },
}

/// Gives a command its answer.
pub type Answer = Box<dyn FnOnce() + Send>;

/// What came of a command.
pub struct Done {
    /// What to mirror, if it was carried out.
    pub told: Option<ReplicatedCommand>,
    /// Called once it is mirrored: what was answered has to outlive this instance.
    pub answer: Answer,
    /// What the live stream should tell.
    pub news: Vec<StreamEvent>,
}

/// Carries out one command.
pub fn handle(leader: &mut Forecaster, command: Command, now: Timestamp) -> Done {
    match command {
        Command::Acknowledge { id, by, reply } => {
            let told = ReplicatedCommand::Acknowledged { id, by, at: now };
            done(leader, told, |alert| alert.ok_or(CommandError::NotFound), reply)
        }
        Command::Feedback { id, text, reply } => {
            let told = ReplicatedCommand::Judged { id, text };
            done(leader, told, |alert| alert.ok_or(CommandError::NotFound), reply)
        }
        Command::PutRoster { shifts, reply } => {
            done(leader, ReplicatedCommand::Roster { shifts }, |_| Ok(()), reply)
        }
        Command::PutMaintenance { event, reply } => {
            done(leader, ReplicatedCommand::Maintenance { event, at: now }, |_| Ok(()), reply)
        }
        Command::PutAdjustment { adjustment, reply } => {
            done(leader, ReplicatedCommand::Adjusted { adjustment }, |_| Ok(()), reply)
        }
        Command::DeleteAdjustment { id, reply } => {
            done(leader, ReplicatedCommand::Unadjusted { id }, |_| Ok(()), reply)
        }
    }
}

fn done<T: Send + 'static>(
    leader: &mut Forecaster,
    told: ReplicatedCommand,
    shown: impl FnOnce(Option<Alert>) -> Result<T, CommandError>,
    reply: Reply<T>,
) -> Done {
    let result = carry_out(leader, &told, None).and_then(shown);
    let carried_out = result.is_ok();
    // Whoever asked may have gone.
    let answer = Box::new(move || _ = reply.send(result));
    let news = if carried_out { news(leader, &told) } else { Vec::new() };
    Done { told: carried_out.then_some(told), answer, news }
}

/// What the live stream should tell of it.
fn news(leader: &Forecaster, told: &ReplicatedCommand) -> Vec<StreamEvent> {
    match told {
        ReplicatedCommand::Acknowledged { id, .. } | ReplicatedCommand::Judged { id, .. } => {
            let alert = leader.reader().alert(id).ok().flatten();
            alert.map(|alert| StreamEvent::Alert(Box::new(alert))).into_iter().collect()
        }
        ReplicatedCommand::Roster { .. }
        | ReplicatedCommand::Maintenance { .. }
        | ReplicatedCommand::Adjusted { .. }
        | ReplicatedCommand::Unadjusted { .. } => vec![StreamEvent::Status],
        ReplicatedCommand::Nowcast { .. }
        | ReplicatedCommand::Delivered { .. }
        | ReplicatedCommand::Written { .. } => Vec::new(),
    }
}

/// Stores a change and, in the same transaction, where the log that it comes from goes on. Returns the alert that it
/// concerns.
///
/// # Errors
/// [`CommandError::NotFound`] for an alert that is not there, or that it could not be stored; what was half taken in
/// memory is read again then.
pub fn carry_out(
    leader: &mut Forecaster,
    told: &ReplicatedCommand,
    log: Option<Offset>,
) -> Result<Option<Alert>, CommandError> {
    let result = store(leader, told, log);
    if let Err(CommandError::Store(_)) = &result
        && let Err(error) = leader.reload()
    {
        tracing::error!(%error, "cannot read the store");
    }
    result
}

fn store(
    leader: &mut Forecaster,
    told: &ReplicatedCommand,
    log: Option<Offset>,
) -> Result<Option<Alert>, CommandError> {
    match told {
        ReplicatedCommand::Acknowledged { id, by, at } => {
            let alert = leader.issuer().alerts.acknowledge(id, by, *at);
            put_alert(leader, alert, log).map(Some)
        }
        ReplicatedCommand::Judged { id, text } => {
            let alert = leader.issuer().alerts.feedback(id, text);
            // What is over may still be judged.
            let alert = alert.or_else(|| {
                let mut past = leader.reader().alert(id).ok().flatten()?;
                past.feedback = Some(text.clone());
                Some(past)
            });
            put_alert(leader, alert, log).map(Some)
        }
        ReplicatedCommand::Roster { shifts } => {
            leader.write(log, |tx| tx.put_shifts(shifts))?;
            leader.issuer().add_shifts(shifts.clone());
            Ok(None)
        }
        ReplicatedCommand::Maintenance { event, at } => {
            // Its time is its position: the newest statement about an id wins.
            let source = SourceId::new("people", 0);
            let position = Position { source, offset: at.millis() };
            leader.write(log, |tx| tx.put_maintenance(&position, event))?;
            Ok(None)
        }
        ReplicatedCommand::Adjusted { adjustment } => {
            leader.write(log, |tx| tx.put_adjustment(adjustment))?;
            adjust(leader)
        }
        ReplicatedCommand::Unadjusted { id } => {
            leader.write(log, |tx| tx.delete_adjustment(id))?;
            adjust(leader)
        }
        ReplicatedCommand::Nowcast { nowcasts, at } => {
            leader.follow(nowcasts, log, *at)?;
            Ok(None)
        }
        ReplicatedCommand::Delivered { notice, receiver, outcome } => {
            leader.write(log, |tx| tx.mark_delivery(notice, receiver, outcome))?;
            Ok(None)
        }
        ReplicatedCommand::Written { sink, progress } => {
            leader.skip(sink, *progress, log)?;
            Ok(None)
        }
    }
}

/// Makes histories follow what planners say now.
fn adjust(leader: &mut Forecaster) -> Result<Option<Alert>, CommandError> {
    leader.adjust()?;
    Ok(None)
}

fn put_alert(
    leader: &mut Forecaster,
    alert: Option<Alert>,
    log: Option<Offset>,
) -> Result<Alert, CommandError> {
    let alert = alert.ok_or(CommandError::NotFound)?;
    leader.write(log, |tx| tx.put_alert(&alert))?;
    Ok(alert)
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}
