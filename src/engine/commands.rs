//! People's requests: carried out, answered, and replicated to standbys.

use super::forecaster::Forecaster;
use super::messages::{Answer, Command, CommandError, ReplicatedCommand, Reply, StreamEvent};
use crate::alert::Alert;
use crate::domain::{AuditEntry, Timestamp};

/// The result of a command.
pub struct Done {
    /// The commands to replicate: none if it was not carried out.
    pub commands: Vec<ReplicatedCommand>,
    /// Called once the command is replicated: an answered change must survive this instance.
    pub answer: Answer,
    /// Events of the live stream.
    pub stream: Vec<StreamEvent>,
}

/// Carries out one command.
pub fn handle(forecaster: &mut Forecaster, command: Command, now: Timestamp) -> Done {
    match command {
        Command::Acknowledge { id, by, reply } => {
            let change = ReplicatedCommand::Acknowledged { id, by, at: now };
            done(forecaster, change, |alert| alert.ok_or(CommandError::NotFound), reply)
        }
        Command::Feedback { id, text, reply } => {
            let change = ReplicatedCommand::Judged { id, text };
            done(forecaster, change, |alert| alert.ok_or(CommandError::NotFound), reply)
        }
        Command::PutRoster { shifts, team_shifts, reply } => {
            let change = ReplicatedCommand::Roster { shifts, team_shifts };
            done(forecaster, change, |_| Ok(()), reply)
        }
        Command::PutMaintenance { event, reply } => {
            done(forecaster, ReplicatedCommand::Maintenance { event, at: now }, |_| Ok(()), reply)
        }
        Command::PutAdjustment { adjustment, reply } => {
            done(forecaster, ReplicatedCommand::Adjusted { adjustment }, |_| Ok(()), reply)
        }
        Command::DeleteAdjustment { id, reply } => {
            done(forecaster, ReplicatedCommand::Unadjusted { id }, |_| Ok(()), reply)
        }
        Command::Answer { id, answer, by, reply } => {
            let advising = &forecaster.state.issuer.advising;
            let Some(answered) = advising.answered(&id, answer, &by, now) else {
                return refused(CommandError::NotFound, reply);
            };
            let recommendation = Box::new(answered.clone());
            let change = ReplicatedCommand::Answered { recommendation };
            done(forecaster, change, |_| Ok(answered), reply)
        }
        Command::Resend { page, receiver, reply } => {
            let lost = forecaster.lost_deliveries(&page, receiver.as_deref());
            let change =
                lost.map(|receivers| ReplicatedCommand::Resent { page, receivers, at: now });
            match change {
                Ok(change) => done(forecaster, change, |_| Ok(()), reply),
                Err(error) => refused(error, reply),
            }
        }
        Command::Audited { entry, command } => {
            let mut done = handle(forecaster, *command, now);
            if !done.commands.is_empty() {
                let entry = ReplicatedCommand::Audit { entry: AuditEntry { at: now, ..entry } };
                if let Err(error) = forecaster.carry_out(&entry, None) {
                    tracing::error!(%error, ?entry, "store: an entry of the audit trail was not stored");
                }
                done.commands.push(entry);
            }
            done
        }
    }
}

fn done<T: Send + 'static>(
    forecaster: &mut Forecaster,
    command: ReplicatedCommand,
    shown: impl FnOnce(Option<Alert>) -> Result<T, CommandError>,
    reply: Reply<T>,
) -> Done {
    let result = forecaster.carry_out(&command, None).and_then(shown);
    let carried_out = result.is_ok();
    // The client may have disconnected.
    let answer = Box::new(move || _ = reply.send(result));
    let stream = if carried_out { stream_events(forecaster, &command) } else { Vec::new() };
    Done { commands: carried_out.then_some(command).into_iter().collect(), answer, stream }
}

fn refused<T: Send + 'static>(error: CommandError, reply: Reply<T>) -> Done {
    // The client may have disconnected.
    let answer = Box::new(move || _ = reply.send(Err(error)));
    Done { commands: Vec::new(), answer, stream: Vec::new() }
}

/// Events of the live stream that follow from a command.
fn stream_events(forecaster: &Forecaster, command: &ReplicatedCommand) -> Vec<StreamEvent> {
    match command {
        ReplicatedCommand::Acknowledged { id, .. } | ReplicatedCommand::Judged { id, .. } => {
            let alert = forecaster.reader().alert(id).ok().flatten();
            alert.map(|alert| StreamEvent::Alert(Box::new(alert))).into_iter().collect()
        }
        ReplicatedCommand::Roster { .. }
        | ReplicatedCommand::Answered { .. }
        | ReplicatedCommand::Maintenance { .. }
        | ReplicatedCommand::Adjusted { .. }
        | ReplicatedCommand::Unadjusted { .. } => vec![StreamEvent::Status],
        ReplicatedCommand::Audit { .. }
        | ReplicatedCommand::Annotated { .. }
        | ReplicatedCommand::Nowcast { .. }
        | ReplicatedCommand::Delivered { .. }
        | ReplicatedCommand::Paged { .. }
        | ReplicatedCommand::ReportDue { .. }
        | ReplicatedCommand::Resent { .. }
        | ReplicatedCommand::Written { .. } => Vec::new(),
    }
}
