//! What people tell the system, carried out by the leader.

use super::leader::Leader;
use crate::api::{Command, CommandError, Reply, StreamEvent};
use crate::domain::{Position, SourceId, Timestamp};
use crate::store::{DeliveryOutcome, Store, StoreError};

/// Carries out one command and answers it. Returns what the live stream should tell.
pub fn handle(leader: &mut Leader, command: Command, now: Timestamp) -> Vec<StreamEvent> {
    match command {
        Command::Acknowledge { id, by, reply } => {
            let alert = leader.issuer().alerts.acknowledge(&id, &by, now);
            answer_alert(leader, alert, reply)
        }
        Command::Feedback { id, text, reply } => {
            let alert = leader.issuer().alerts.feedback(&id, &text);
            // What is over may still be judged.
            let alert = alert.or_else(|| {
                let mut past = leader.reader().alert(&id).ok().flatten()?;
                past.feedback = Some(text);
                Some(past)
            });
            answer_alert(leader, alert, reply)
        }
        Command::PutRoster { shifts, reply } => {
            let stored = write(leader.store(), |tx| tx.put_shifts(&shifts));
            if stored.is_ok() {
                leader.issuer().add_shifts(shifts);
            }
            let _ = reply.send(stored);
            vec![StreamEvent::Status]
        }
        Command::PutMaintenance { event, reply } => {
            // Its time is its position: the newest statement about an id wins.
            let source = SourceId::new("people", 0);
            let position = Position { source, offset: now.millis() };
            let stored = write(leader.store(), |tx| tx.put_maintenance(&position, &event));
            let _ = reply.send(stored);
            vec![StreamEvent::Status]
        }
    }
}

fn answer_alert(
    leader: &mut Leader,
    alert: Option<crate::alert::Alert>,
    reply: Reply<crate::alert::Alert>,
) -> Vec<StreamEvent> {
    let Some(alert) = alert else {
        // Whoever asked may have gone.
        let _ = reply.send(Err(CommandError::NotFound));
        return Vec::new();
    };
    let stored = write(leader.store(), |tx| tx.put_alert(&alert));
    let told = stored.is_ok().then(|| StreamEvent::Alert(Box::new(alert.clone())));
    let _ = reply.send(stored.map(|()| alert));
    told.into_iter().collect()
}

fn write(
    store: &mut Store,
    run: impl FnOnce(&mut crate::store::Tx<'_>) -> Result<(), StoreError>,
) -> Result<(), CommandError> {
    let stored = store.begin().and_then(|mut tx| {
        run(&mut tx)?;
        tx.commit()
    });
    stored.map_err(|error| CommandError::Store(error.to_string()))
}

/// Notes what became of tries of the outbox.
///
/// # Errors
/// [`StoreError`]; then the same tries are made again.
pub fn mark(
    store: &mut Store,
    outcomes: &[(String, String, DeliveryOutcome)],
) -> Result<(), StoreError> {
    let mut tx = store.begin()?;
    for (id, receiver, outcome) in outcomes {
        tx.mark_delivery(id, receiver, outcome)?;
    }
    tx.commit()
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
