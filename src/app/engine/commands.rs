//! What people tell the system, and what it did about pages: carried out by the leader, and again by those who follow.

use serde::{Deserialize, Serialize};

use super::leader::Leader;
use crate::alert::Alert;
use crate::api::{Command, CommandError, StreamEvent};
use crate::domain::{MaintenanceEvent, Position, SourceId, Timestamp};
use crate::staffing::Shift;
use crate::store::{DeliveryOutcome, Store, StoreError, Tx};

/// A change that no event says. Carried out twice it changes nothing more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Told {
    Acknowledged { id: String, by: String, at: Timestamp },
    Judged { id: String, text: String },
    Roster { shifts: Vec<Shift> },
    Maintenance { event: Box<MaintenanceEvent>, at: Timestamp },
    Delivered { notice: String, receiver: String, outcome: DeliveryOutcome },
}

/// What came of a command: what to mirror, and what the live stream should tell.
pub type Done = (Option<Told>, Vec<StreamEvent>);

/// Carries out one command and answers it.
pub fn handle(leader: &mut Leader, command: Command, now: Timestamp) -> Done {
    let (told, answer) = match command {
        Command::Acknowledge { id, by, reply } => {
            let told = Told::Acknowledged { id, by, at: now };
            let done = carry_out(leader, &told);
            let answer = done.clone().map(|_| ());
            // Whoever asked may have gone.
            let _ = reply.send(done.and_then(|alert| alert.ok_or(CommandError::NotFound)));
            (told, answer)
        }
        Command::Feedback { id, text, reply } => {
            let told = Told::Judged { id, text };
            let done = carry_out(leader, &told);
            let answer = done.clone().map(|_| ());
            let _ = reply.send(done.and_then(|alert| alert.ok_or(CommandError::NotFound)));
            (told, answer)
        }
        Command::PutRoster { shifts, reply } => {
            let told = Told::Roster { shifts };
            let answer = carry_out(leader, &told).map(drop);
            let _ = reply.send(answer.clone());
            (told, answer)
        }
        Command::PutMaintenance { event, reply } => {
            let told = Told::Maintenance { event, at: now };
            let answer = carry_out(leader, &told).map(drop);
            let _ = reply.send(answer.clone());
            (told, answer)
        }
    };
    if answer.is_err() {
        return (None, Vec::new());
    }
    let news = news(leader, &told);
    (Some(told), news)
}

/// What the live stream should tell of it.
fn news(leader: &Leader, told: &Told) -> Vec<StreamEvent> {
    match told {
        Told::Acknowledged { id, .. } | Told::Judged { id, .. } => {
            let alert = leader.reader().alert(id).ok().flatten();
            alert.map(|alert| StreamEvent::Alert(Box::new(alert))).into_iter().collect()
        }
        Told::Roster { .. } | Told::Maintenance { .. } => vec![StreamEvent::Status],
        Told::Delivered { .. } => Vec::new(),
    }
}

/// Stores a change. Returns the alert that it concerns.
///
/// # Errors
/// [`CommandError::NotFound`] for an alert that is not there, or that it could not be stored.
pub fn carry_out(leader: &mut Leader, told: &Told) -> Result<Option<Alert>, CommandError> {
    match told {
        Told::Acknowledged { id, by, at } => {
            let alert = leader.issuer().alerts.acknowledge(id, by, *at);
            put_alert(leader, alert).map(Some)
        }
        Told::Judged { id, text } => {
            let alert = leader.issuer().alerts.feedback(id, text);
            // What is over may still be judged.
            let alert = alert.or_else(|| {
                let mut past = leader.reader().alert(id).ok().flatten()?;
                past.feedback = Some(text.clone());
                Some(past)
            });
            put_alert(leader, alert).map(Some)
        }
        Told::Roster { shifts } => {
            write(leader.store(), |tx| tx.put_shifts(shifts))?;
            leader.issuer().add_shifts(shifts.clone());
            Ok(None)
        }
        Told::Maintenance { event, at } => {
            // Its time is its position: the newest statement about an id wins.
            let source = SourceId::new("people", 0);
            let position = Position { source, offset: at.millis() };
            write(leader.store(), |tx| tx.put_maintenance(&position, event))?;
            Ok(None)
        }
        Told::Delivered { notice, receiver, outcome } => {
            write(leader.store(), |tx| tx.mark_delivery(notice, receiver, outcome))?;
            Ok(None)
        }
    }
}

fn put_alert(leader: &mut Leader, alert: Option<Alert>) -> Result<Alert, CommandError> {
    let alert = alert.ok_or(CommandError::NotFound)?;
    write(leader.store(), |tx| tx.put_alert(&alert))?;
    Ok(alert)
}

fn write(
    store: &mut Store,
    run: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>,
) -> Result<(), CommandError> {
    let stored = store.begin().and_then(|mut tx| {
        run(&mut tx)?;
        tx.commit()
    });
    stored.map_err(|error| CommandError::Store(error.to_string()))
}

/// Notes how far a sink has come.
///
/// # Errors
/// [`StoreError`]; then it sends the same once more after a restart, which changes nothing.
pub fn move_cursor(store: &mut Store, sink: &str, at: i64) -> Result<(), StoreError> {
    let mut tx = store.begin()?;
    tx.put_cursor(sink, at)?;
    tx.commit()
}
