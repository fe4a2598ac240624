//! People's requests: carried out, answered, and replicated to standbys.

use super::forecaster::Forecaster;
use super::messages::{Answer, Command, CommandError, ReplicatedCommand, Reply, StreamEvent};
use crate::alert::{Alert, Silence};
use crate::domain::{AuditEntry, Timestamp};

/// The result of a command.
pub struct Done {
    /// The commands to replicate: none if it was not carried out.
    pub commands: Vec<ReplicatedCommand>,
    /// Called once the command is replicated. A change that was confirmed to its sender must survive the loss of this instance.
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
        Command::Silence { silence, reply } => {
            let silence = Silence { id: silence_id(forecaster, now), entered_at: now, ..*silence };
            put_silence(forecaster, silence, reply)
        }
        Command::EndSilence { id, by, reply } => {
            let known = forecaster.state.issuer.alerts.silence(&id);
            match known.and_then(|known| known.ended(&by, now)) {
                Some(ended) => put_silence(forecaster, ended, reply),
                None => refused(CommandError::NotFound, reply),
            }
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

fn put_silence(forecaster: &mut Forecaster, silence: Silence, reply: Reply<Silence>) -> Done {
    let change = ReplicatedCommand::Silenced { silence: Box::new(silence.clone()) };
    done(forecaster, change, |_| Ok(silence), reply)
}

/// The id of a silence that is entered at `now`.
fn silence_id(forecaster: &Forecaster, now: Timestamp) -> String {
    let alerts = &forecaster.state.issuer.alerts;
    let mut ids = (0..).map(|n| format!("silence.{}", now.millis() + n));
    ids.find(|id| alerts.silence(id).is_none()).unwrap_or_default()
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
        ReplicatedCommand::Silenced { .. } => {
            let open = forecaster.state.issuer.alerts.open();
            let silenced = open.filter(|alert| alert.paging.silenced.is_some());
            silenced.map(|alert| StreamEvent::Alert(Box::new(alert.clone()))).collect()
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
        | ReplicatedCommand::Released { .. }
        | ReplicatedCommand::ReportDue { .. }
        | ReplicatedCommand::Resent { .. }
        | ReplicatedCommand::Written { .. } => Vec::new(),
    }
}
