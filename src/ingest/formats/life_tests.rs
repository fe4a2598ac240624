//! Steps in the lives of tickets, by format.

use serde_json::{Value, json};

use crate::domain::{Event, EventKind, FactsRef, LifeStep, TicketAction, TicketEvent, TicketNews};
use crate::ingest::{Decoded, Decoder, Headers, Layout};

fn decode(value: &Value) -> Result<Decoded, String> {
    let decoded = Decoder::default().decode(
        value.to_string().as_bytes(),
        &Headers::default(),
        Some(EventKind::Ticket),
    );
    decoded.map_err(|reject| reject.to_string())
}

fn ticket(value: &Value) -> TicketEvent {
    match decode(value) {
        Ok(Decoded::One(Event::Ticket(ticket))) => ticket,
        Ok(Decoded::Update { event: Event::Ticket(ticket), .. }) => ticket,
        other => panic!("{value}: {other:?}"),
    }
}

/// A step as one line, such as `resolved T-1 120 s`.
fn shown(event: &TicketEvent) -> String {
    match &event.news {
        None => "nothing".into(),
        Some(TicketNews::Snapshot { open }) => format!("open {open}"),
        Some(TicketNews::Step(step)) => {
            let word = match step.step {
                LifeStep::Opened => "opened",
                LifeStep::FirstResponse => "answered",
                LifeStep::Resolved => "resolved",
                LifeStep::Reopened => "reopened",
                LifeStep::Abandoned => "abandoned",
            };
            let opened = step.opened_at.map(|at| format!(" since {}", at.secs() % 100_000));
            let handled = step.handled_seconds.map(|seconds| format!(" {seconds} s"));
            let id = &step.ticket_id;
            format!("{word} {id}{}{}", opened.unwrap_or_default(), handled.unwrap_or_default())
        }
    }
}

/// A native event with these fields besides id, time and series.
fn native(fields: Value) -> Value {
    let mut event = json!({"event_id": "e1", "ts": 1_767_233_000, "region": "north", "service": "tv",
        "channel": "email"});
    let map = event.as_object_mut().expect("an object");
    map.extend(fields.as_object().expect("an object").clone());
    event
}

#[test]
fn native_events_with_the_id_of_a_ticket_are_steps() {
    let cases = [
        (json!({}), TicketAction::Create, "nothing"),
        (json!({"handled_seconds": "soon", "open": {}}), TicketAction::Create, "nothing"),
        (json!({"ticket_id": ""}), TicketAction::Create, "nothing"),
        (json!({"ticket_id": null, "action": "resolve"}), TicketAction::Resolve, "nothing"),
        (json!({"ticket_id": "T-1"}), TicketAction::Create, "opened T-1"),
        (json!({"ticket_id": 7, "action": "created"}), TicketAction::Create, "opened 7"),
        (json!({"ticket_id": "T-1", "action": "update"}), TicketAction::Update, "nothing"),
        (json!({"ticket_id": "T-1", "action": "respond"}), TicketAction::Update, "answered T-1"),
        (
            json!({"ticket_id": "T-1", "action": "First-Response"}),
            TicketAction::Update,
            "answered T-1",
        ),
        (json!({"ticket_id": "T-1", "action": "resolve"}), TicketAction::Resolve, "resolved T-1"),
        (
            json!({"ticket_id": "T-1", "action": "closed", "handled_seconds": 120.4}),
            TicketAction::Resolve,
            "resolved T-1 120 s",
        ),
        (
            json!({"ticket_id": "T-1", "action": "resolve", "handled_seconds": "90"}),
            TicketAction::Resolve,
            "resolved T-1 90 s",
        ),
        (json!({"ticket_id": "T-1", "action": "reopen"}), TicketAction::Reopen, "reopened T-1"),
        (json!({"ticket_id": "T-1", "action": "abandon"}), TicketAction::Resolve, "abandoned T-1"),
        (
            json!({"ticket_id": "T-1", "action": "Abandoned", "handled_seconds": "x"}),
            TicketAction::Resolve,
            "abandoned T-1",
        ),
        (json!({"action": "snapshot", "open": 40}), TicketAction::Update, "open 40"),
        (
            json!({"action": "snapshot", "open": 0, "ticket_id": "T-1"}),
            TicketAction::Update,
            "open 0",
        ),
    ];
    for (fields, action, expected) in cases {
        let event = ticket(&native(fields.clone()));
        assert_eq!((event.action, shown(&event).as_str()), (action, expected), "{fields}");
    }
}

#[test]
fn wrong_steps_are_rejected_with_the_field() {
    let long = "x".repeat(257);
    let cases = [
        (json!({"ticket_id": {}}), "`ticket_id` is an object, it must be text"),
        (json!({"ticket_id": long}), "`ticket_id` has more than 256 characters"),
        (json!({"ticket_id": "a\nb"}), "`ticket_id` has a control character: use printable ones"),
        (
            json!({"action": "respond"}),
            "`ticket_id` is missing: `respond` needs the id of its ticket",
        ),
        (
            json!({"action": "abandon"}),
            "`ticket_id` is missing: `abandon` needs the id of its ticket",
        ),
        (
            json!({"action": "snapshot"}),
            "`open` is missing: a snapshot says how many tickets are open",
        ),
        (
            json!({"action": "snapshot", "open": -1}),
            "`open` is `-1`: use 0 to 10000000 open tickets",
        ),
        (
            json!({"ticket_id": "T", "action": "resolve", "handled_seconds": "soon"}),
            "`handled_seconds` is `soon`: use 0 to 604800 seconds",
        ),
        (
            json!({"ticket_id": "T", "action": "resolve", "handled_seconds": 604_801}),
            "`handled_seconds` is `604801`: use 0 to 604800 seconds",
        ),
        (
            json!({"ticket_id": "T", "action": "resolve", "handled_seconds": true}),
            "`handled_seconds` is true or false: use 0 to 604800 seconds",
        ),
    ];
    for (fields, expected) in cases {
        let reject = decode(&native(fields.clone())).expect_err("a reject");
        assert!(reject.contains(expected), "{fields}: {reject}");
    }
}

#[test]
fn steps_of_one_ticket_may_have_the_same_event_id() {
    let id = |fields: Value| ticket(&native(fields)).event_id;
    let opened = id(json!({"ticket_id": "T-1"}));
    let resolved = id(json!({"ticket_id": "T-1", "action": "resolve"}));
    let later = id(json!({"ticket_id": "T-1", "action": "resolve", "ts": 1_767_233_001}));
    assert_eq!(&*opened, "e1");
    assert!(opened != resolved && resolved != later);
    assert_eq!(resolved, id(json!({"ticket_id": "T-1", "action": "resolve"})), "a repetition");
    // Without the id of a ticket nothing changes.
    assert_eq!(&*id(json!({"action": "resolve"})), "e1");
    // All steps of a ticket go to one partition.
    let event = Event::Ticket(ticket(&native(json!({"ticket_id": "T-1", "action": "resolve"}))));
    assert_eq!(event.key(), "T-1");
}

#[test]
fn the_fast_path_leaves_what_is_not_plain_to_the_decoder() {
    let takes = |fields: Value| {
        let text = native(fields).to_string();
        let hint = Some(EventKind::Ticket);
        Decoder::default().fast_path(text.as_bytes(), hint, &mut Layout::default()).is_some()
    };
    assert!(
        takes(json!({})) && takes(json!({"action": "resolve", "handled_seconds": 3, "open": 4}))
    );
    assert!(takes(json!({"ticket_id": "T-1", "action": "resolve", "handled_seconds": 3})));
    let left = [
        json!({"action": "snapshot", "open": 4}),
        json!({"ticket_id": 7}),
        json!({"ticket_id": " T-1"}),
        json!({"ticket_id": "T-1", "customer_id": "C-1 "}),
        json!({"ticket_id": "T-1", "action": "respond"}),
        json!({"ticket_id": "T-1", "action": "resolve", "handled_seconds": "3"}),
        json!({"ticket_id": "T-1", "action": "resolve", "handled_seconds": 700_000}),
        json!({"ticket_id": "T-1", "customer_id": 7}),
        json!({"ticket_id": "T-1", "priority": "P\u{85}1"}),
        json!({"ticket_id": "T-1", "text": "x".repeat(1001)}),
    ];
    for fields in left {
        assert!(!takes(fields.clone()), "{fields}");
    }
}

#[test]
fn the_type_of_a_cloud_event_names_the_step() {
    let wrapped = |kind: &str, data: Value| {
        json!({"specversion": "1.0", "id": "ce-1", "source": "/crm", "type": kind,
            "time": "2026-01-01T02:03:05Z", "data": data})
    };
    let of = |kind: &str, data: Value| {
        let event = ticket(&wrapped(kind, native(data)));
        format!("{:?}, {}", event.action, shown(&event))
    };
    let own = || json!({"ticket_id": "T-1", "handled_seconds": 60});
    assert_eq!(of("com.example.ticket.created.v1", own()), "Create, opened T-1");
    assert_eq!(of("com.example.ticket.resolved.v1", own()), "Resolve, resolved T-1 60 s");
    assert_eq!(of("com.example.ticket.reopened", own()), "Reopen, reopened T-1");
    assert_eq!(of("com.example.ticket.first-response", own()), "Update, answered T-1");
    assert_eq!(of("com.example.ticket.commented", own()), "Update, nothing");
    assert_eq!(of("com.example.case", own()), "Create, opened T-1");
    // The action of the event itself counts first, and events without the id of a ticket are read as before.
    let created = json!({"ticket_id": "T-1", "action": "create"});
    assert_eq!(of("com.example.ticket.resolved", created), "Create, opened T-1");
    assert_eq!(of("com.example.ticket.resolved", json!({})), "Create, nothing");
}

#[test]
fn statuses_of_tmf621_are_steps() {
    let event = |kind: &str, status: &str, more: Value| {
        let mut ticket = json!({"id": "TT-7", "description": "slow", "ticketType": "complaint",
            "creationDate": "2026-01-01T02:00:00Z", "status": status});
        ticket.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        json!({"eventId": "e", "eventTime": "2026-01-01T02:03:04Z", "eventType": kind,
            "event": {"troubleTicket": ticket}})
    };
    let of = |kind: &str, status: &str, more: Value| shown(&ticket(&event(kind, status, more)));
    let change = "TroubleTicketStatusChangeEvent";
    let since = "since 32800";
    let cases = [
        ("TroubleTicketCreateEvent", "acknowledged", json!({}), "opened TT-7".to_owned()),
        (change, "acknowledged", json!({}), "nothing".into()),
        (change, "inProgress", json!({}), format!("answered TT-7 {since}")),
        (change, "IN_PROGRESS", json!({}), format!("answered TT-7 {since}")),
        (change, "pending", json!({}), format!("answered TT-7 {since}")),
        (change, "held", json!({}), format!("answered TT-7 {since}")),
        (
            change,
            "resolved",
            json!({"handledSeconds": 300}),
            format!("resolved TT-7 {since} 300 s"),
        ),
        (change, "closed", json!({}), format!("resolved TT-7 {since}")),
        (change, "cancelled", json!({}), format!("resolved TT-7 {since}")),
        (change, "rejected", json!({}), format!("resolved TT-7 {since}")),
        (
            change,
            "inProgress",
            json!({"statusChangeHistory": [{"status": "resolved"}, {"status": "inProgress"}]}),
            format!("reopened TT-7 {since}"),
        ),
        ("TroubleTicketResolvedEvent", "resolved", json!({}), format!("resolved TT-7 {since}")),
        // Other changes repeat a status that may be old.
        ("TroubleTicketAttributeValueChangeEvent", "inProgress", json!({}), "nothing".into()),
    ];
    for (kind, status, more, expected) in cases {
        assert_eq!(of(kind, status, more), expected, "{kind} {status}");
    }
    // Whatever the status is, only the creation is an arrival, and a ticket first seen as a change.
    let Ok(Decoded::Update { event: own, arrival }) = decode(&event(change, "held", json!({})))
    else {
        panic!("a change with an arrival")
    };
    let (Event::Ticket(own), Event::Ticket(arrival)) = (own, arrival) else { panic!("tickets") };
    assert_eq!((own.action, shown(&arrival)), (TicketAction::Update, "opened TT-7".into()));
    assert_eq!(arrival.ts.secs() % 100_000, 32_800);
}

/// What an event says of its ticket, as one line: priority, tier, topic, sentiment, customer.
fn facts(value: &Value) -> String {
    let ticket = ticket(value);
    let Some(facts) = Decoder::default().facts((&ticket).into(), None) else {
        return "nothing".into();
    };
    let FactsRef { priority, tier, topic, sentiment, customer } = facts;
    let texts = [
        priority,
        tier,
        topic.map(|topic| topic.as_str()),
        sentiment.map(|sentiment| sentiment.as_str()),
        customer,
    ];
    texts.map(|text| text.unwrap_or("-")).join(" | ")
}

#[test]
fn events_say_what_is_known_of_a_ticket() {
    let party = |role: &str, id: &str| json!({"role": role, "id": id});
    let nested = json!({"role": "Customer", "partyOrPartyRole": {"id": "C-5"}});
    let tmf = |fields: Value| {
        let mut ticket = json!({"id": "T-1", "description": "no internet, I am angry", "severity": "Major",
            "ticketType": "complaint", "creationDate": "2026-01-01T02:00:00Z", "status": "acknowledged"});
        let map = ticket.as_object_mut().expect("an object");
        map.extend(fields.as_object().expect("an object").clone());
        json!({"eventId": "e", "eventTime": "2026-01-01T02:00:00Z", "eventType": "TroubleTicketCreateEvent",
            "event": {"troubleTicket": ticket}})
    };
    let long = "x".repeat(129);
    let cases = [
        (native(json!({"ticket_id": "T-1"})), "nothing"),
        (native(json!({"ticket_id": "T-1", "customer_id": "C-1"})), "- | - | - | - | C-1"),
        (native(json!({"ticket_id": "T-1", "customer_id": 4711})), "- | - | - | - | 4711"),
        (
            native(json!({"ticket_id": "T-1", "customer_id": {}, "tier": " gold "})),
            "- | gold | - | - | -",
        ),
        (
            native(json!({"ticket_id": "T-1", "customer_id": long, "priority": 1})),
            "1 | - | - | - | -",
        ),
        (native(json!({"customer_id": "C-1"})), "nothing"),
        (
            native(json!({"ticket_id": "T-1", "text": "网速太慢，要投诉"})),
            "- | - | slow | negative | -",
        ),
        (tmf(json!({})), "Major | - | outage | negative | -"),
        (tmf(json!({"priority": "High"})), "High | - | outage | negative | -"),
        (
            tmf(json!({"relatedParty": [party("agent", "A"), party("customer", "C-4")]})),
            "Major | - | outage | negative | C-4",
        ),
        (tmf(json!({"relatedParty": [nested]})), "Major | - | outage | negative | C-5"),
    ];
    for (event, expected) in cases {
        assert_eq!(facts(&event), expected, "{event}");
    }
}
