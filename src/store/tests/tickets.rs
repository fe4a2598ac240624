//! Tickets in the store.

use std::sync::Arc;

use super::*;
use crate::window::{BacklogWindow, TicketChanges};

#[test]
fn what_a_window_changes_is_stored_at_once() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let [step, other] = sample::ticket_messages();
    put(&mut store, |tx| {
        tx.put_ticket_message(&other)?;
        tx.put_ticket_message(&step)?;
        tx.put_ticket_message(&step)
    });
    let reader = reader(&store);
    assert_eq!(reader.ticket_messages().expect("reads"), [step.clone(), other.clone()]);
    let id: Arc<str> = "T-1".into();
    let changes = TicketChanges {
        taken_before: Some(other.ts),
        tickets: vec![(id.clone(), Some(sample::ticket())), ("T-2".into(), None)],
        series: vec![(series("phone"), sample::backlog())],
        windows: vec![(series("phone"), sample::backlog_window())],
        attained: Vec::new(),
        forgotten_upto: Some(at(1)),
    };
    put(&mut store, |tx| tx.put_tickets(at(0), &changes));
    // The snapshot is at that time: it takes effect later.
    assert_eq!(reader.ticket_messages().expect("reads"), [other]);
    assert_eq!(
        reader.tickets().expect("reads"),
        (vec![(id.clone(), sample::ticket())], Some(at(1)))
    );
    assert_eq!(reader.backlog(&series("phone")).expect("reads"), Some(sample::backlog()));
    assert_eq!(reader.backlog(&series("chat")).expect("reads"), None);
    let all = reader.backlogs(&Filter::default()).expect("reads");
    assert_eq!(all, [(series("phone"), sample::backlog())]);
    let window: Vec<(_, BacklogWindow)> = reader.backlog_window(at(0)).expect("reads");
    assert_eq!(window, [(series("phone"), sample::backlog_window())]);
    let gone = TicketChanges { tickets: vec![(id, None)], ..TicketChanges::default() };
    put(&mut store, |tx| tx.put_tickets(at(900_000), &gone));
    assert!(reader.tickets().expect("reads").0.is_empty());
    // Windows are kept for as long as counts.
    store.prune(at(401 * DAY)).expect("prunes");
    assert!(reader.backlog_window(at(0)).expect("reads").is_empty());
}
