//! Tickets in the store.

use std::sync::Arc;

use super::*;
use crate::domain::{Name, Priority, Sentiment};
use crate::tickets::{Assessment, AssessmentChanges, Customer, SentimentCounts};
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
        facts: Vec::new(),
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
    let window: Vec<(_, BacklogWindow)> = reader.backlog_at(at(0)).expect("reads");
    assert_eq!(window, [(series("phone"), sample::backlog_window())]);
    let gone = TicketChanges { tickets: vec![(id, None)], ..TicketChanges::default() };
    put(&mut store, |tx| tx.put_tickets(at(900_000), &gone));
    assert!(reader.tickets().expect("reads").0.is_empty());
    // Windows are kept for as long as counts.
    store.prune(at(401 * DAY)).expect("prunes");
    assert!(reader.backlog_at(at(0)).expect("reads").is_empty());
}

#[test]
fn the_service_of_tickets_is_stored_and_listed() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let urgent = sample::assessment();
    let calm = Assessment { priority: Priority::P4, ..urgent.clone() };
    let done = Assessment { is_open: false, ..urgent.clone() };
    let none = Assessment { resolution: None, ..urgent.clone() };
    let tickets = [("a", &calm), ("b", &none), ("c", &urgent), ("d", &done)];
    let tickets = tickets.map(|(id, own)| (Arc::from(id), Some(own.clone())));
    let worst = Customer { breached: 3, ..sample::customer() };
    let customers = [("x", sample::customer()), ("y", worst), ("z", sample::customer())];
    let customers = customers.map(|(id, own)| (Arc::from(id), Some(own)));
    let changes = AssessmentChanges {
        tickets: tickets.into(),
        customers: customers.into(),
        ..AssessmentChanges::default()
    };
    put(&mut store, |tx| tx.put_assessments(&changes));
    let (reader, all) = (reader(&store), Filter::default());
    assert_eq!(reader.assessments().expect("reads").len(), 4);
    // By priority, then by what is due first; b has no running clock.
    let listed = |limit, after: Option<&Urgency>| {
        let rows = reader.open_tickets(&all, limit, after).expect("reads");
        rows.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
    };
    let whole = listed(9, None);
    let ids: Vec<&str> = whole.iter().map(|place| place.ticket.as_str()).collect();
    assert_eq!(ids, ["c", "b", "a"]);
    assert_eq!(listed(1, None), whole[..1]);
    assert_eq!(listed(9, Some(&whole[0])), whole[1..]);
    let called = |limit, after: Option<&(i64, String)>| {
        let rows = reader.outreach(&all, limit, after).expect("reads");
        rows.into_iter().map(|(id, own)| (own.rank(), String::from(id))).collect::<Vec<_>>()
    };
    let whole = called(9, None);
    assert_eq!(whole, [(3004, "y".into()), (1004, "x".into()), (1004, "z".into())]);
    assert_eq!(called(9, Some(&whole[1])), whole[2..]);
    let south = Filter { region: Some(Name::new("south").expect("a name")), ..Filter::default() };
    assert!(reader.outreach(&south, 9, None).expect("reads").is_empty());
    let gone = AssessmentChanges {
        tickets: vec![("c".into(), None)],
        customers: vec![("y".into(), None)],
        ..AssessmentChanges::default()
    };
    put(&mut store, |tx| tx.put_assessments(&gone));
    assert_eq!(listed(9, None).len(), 2);
    assert_eq!(called(9, None).len(), 2);
}

#[test]
fn sentiments_add_up_by_window() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let reader = reader(&store);
    assert_eq!(reader.sentiments_since().expect("reads"), None);
    let window = HOUR / 4;
    let of = |series: SeriesKey, ms, sentiment| (series, at(ms), sentiment);
    let first = vec![
        of(series("phone"), 1, Sentiment::Negative),
        of(series("phone"), window - 1, Sentiment::Positive),
        of(series("phone"), window, Sentiment::Neutral),
        of(series("chat"), 2, Sentiment::Negative),
    ];
    // A ticket that comes late is added to its window.
    let late = vec![of(series("phone"), 3, Sentiment::Negative)];
    for sentiments in [first, late] {
        let changes = AssessmentChanges { sentiments, ..AssessmentChanges::default() };
        put(&mut store, |tx| tx.put_assessments(&changes));
    }
    let counts = |positive, neutral, negative| SentimentCounts { positive, neutral, negative };
    let found = reader.sentiments(&series("phone"), at(0), at(DAY)).expect("reads");
    assert_eq!(found, [(at(0), counts(1, 0, 2)), (at(window), counts(0, 1, 0))]);
    assert!(reader.sentiments(&series("phone"), at(1), at(window)).expect("reads").is_empty());
    let sums = reader.sentiments_between(at(0), at(2 * window)).expect("reads");
    let expected = [(series("chat"), counts(0, 0, 1)), (series("phone"), counts(1, 1, 2))];
    assert_eq!(sums.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(reader.sentiments_since().expect("reads"), Some(at(0)));
    let changed: Vec<_> = reader.changes(0, 9).expect("reads");
    let windows = changed.iter().filter(|(_, change)| matches!(change, Change::Service(_)));
    assert_eq!(windows.count(), 2, "{changed:?}");
    store.prune(at(401 * DAY)).expect("prunes");
    assert_eq!(reader.sentiments_since().expect("reads"), None);
}

#[test]
fn a_customer_has_one_hash_in_a_store() {
    let key = |dir: &TempDir| reader(&open(dir)).customer_key().expect("reads");
    let (one, other) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let first = key(&one).hashed("C-4711");
    assert_eq!(first.len(), 20);
    assert!(first.chars().all(|c| c.is_ascii_hexdigit()), "{first}");
    assert_eq!(key(&one).hashed("C-4711"), first);
    assert_ne!(key(&one).hashed("C-4712"), first);
    assert_ne!(key(&other).hashed("C-4711"), first, "each store has its own key");
}
