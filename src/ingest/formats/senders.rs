//! Events in the forms that senders really use, kind by kind, and how they are decoded.

use serde_json::{Value, json};

use super::tests::shown;
use crate::domain::{AlarmAction, Event, EventKind, Severity, Zone};
use crate::ingest::{Decoded, Decoder, Doubt, Headers, Notes, Reject};

const TS: &str = "2026-11-28T20:35:55Z";

fn decode(text: &str) -> Result<Decoded, Reject> {
    Decoder::default().decode(text.as_bytes(), &Headers::default(), None)
}

fn line(value: &Value) -> String {
    shown(&decode(&value.to_string()))
}

/// The event with its notes.
fn noted(value: &Value) -> (Result<Decoded, Reject>, Vec<(Doubt, &'static str)>) {
    let (decoder, notes) = (Decoder::default(), Notes::default());
    let text = value.to_string();
    let found = decoder.decode_noting(text.as_bytes(), &Headers::default(), None, None, &notes);
    (found, notes.take().into_iter().map(|note| (note.doubt, note.read_as)).collect())
}

fn event(value: &Value) -> Event {
    decode(&value.to_string())
        .ok()
        .and_then(Decoded::first)
        .unwrap_or_else(|| panic!("{}", line(value)))
}

/// The value with new fields.
fn with(mut value: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, new) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        value.pointer_mut(parent).expect(pointer)[key] = new.clone();
    }
    value
}

fn mns() -> Value {
    json!({"href": "https://ems.example/ManagedElement=e1", "notificationId": 0, "notificationType": "notifyNewAlarm",
        "eventTime": TS, "systemDN": "MnsAgent=1", "alarmId": "a-1", "alarmType": "COMMUNICATIONS_ALARM",
        "probableCause": "lossOfSignal", "specificProblem": "link down", "perceivedSeverity": "MAJOR"})
}

fn tmf(event_type: &str, alarm: Value) -> Value {
    json!({"eventId": "1", "eventTime": TS, "eventType": event_type, "event": {"alarm": alarm}})
}

fn ves(header: Value) -> Value {
    let mut event = json!({"event": {"commonEventHeader": {"domain": "fault", "eventId": "f1", "eventName": "Fault",
        "sequence": 0, "sourceName": "gNB1"}, "faultFields": {"alarmCondition": "linkDown", "eventSeverity": "MAJOR",
        "specificProblem": "linkDown"}}});
    for (key, value) in header.as_object().expect("an object") {
        event["event"]["commonEventHeader"][key] = value.clone();
    }
    event
}

#[test]
fn times_of_senders_are_read() {
    let zone: Zone = "Asia/Shanghai".parse().expect("zone");
    let local = Decoder { zone, ..Decoder::default() };
    let ticket = |ts: Value| json!({"kind": "ticket", "event_id": "t", "ts": ts});
    let cases = [
        ves(json!({"lastEpochMicrosec": "1795898155610544"})),
        ves(json!({"lastEpochMicrosec": 1_795_898_155_610_544_128_u64})),
        ves(json!({"lastEpochMicrosec": 0, "startEpochMicrosec": 1_795_898_155_610_544_u64})),
        with(mns(), &[("/eventTime", json!("2026-11-29T04:35:55"))]),
        with(mns(), &[("/eventTime", json!("20261128T203555Z"))]),
        with(mns(), &[("/eventTime", json!("2026-11-28,23:35:55.0,+3:0"))]),
        tmf(
            "AlarmCreateEvent",
            json!({"id": "1", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major"}),
        ),
        json!({"id": "1", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major", "alarmRaisedTime":
            "2026-11-28 23:35:55.597285+03:00", "alarmChangedTime": "", "alarmClearedTime": ""}),
        json!({"id": "1", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major",
            "alarmRaisedTime": "2026-11-28T23:35:55.000+03", "alarmClearedTime": "0001-01-01T00:00:00Z"}),
        ticket(json!("2026-11-29 04:35:55")),
        ticket(json!("2026-11-28t20:35:55z")),
        ticket(json!("1795898155")),
        ticket(json!("1795898155.61")),
        ticket(json!([1_795_898_155])),
        ticket(json!("2026-11-29 04:35:55 +0800")),
    ];
    for value in cases {
        let decoded = local.decode(value.to_string().as_bytes(), &Headers::default(), None);
        let found =
            decoded.ok().and_then(Decoded::first).unwrap_or_else(|| panic!("{}", line(&value)));
        assert_eq!(found.ts().secs(), 1_795_898_155, "{value}: {}", line(&value));
    }
    // A date is no time of an event.
    assert!(line(&ticket(json!("2026-11-29"))).contains("a date without a time of day"));
}

#[test]
fn severities_of_senders_are_read() {
    use Severity::{Critical, Indeterminate, Major, Minor, Warning};
    let places: [fn(Value) -> Value; 5] = [
        |severity| with(mns(), &[("/perceivedSeverity", severity)]),
        |severity| json!({"kind": "alarm", "event_id": "e", "ts": TS, "severity": severity}),
        |severity| tmf("AlarmCreateEvent", json!({"id": "1", "perceivedSeverity": severity})),
        |severity| {
            with(
                ves(json!({"lastEpochMicrosec": 1_795_898_155_000_000_u64})),
                &[("/event/faultFields/eventSeverity", severity)],
            )
        },
        |severity| json!({"labels": {"alertname": "x", "severity": severity}, "startsAt": TS}),
    ];
    let cases = [
        (json!("Major"), Some(Major), false),
        (json!(" MAJOR "), Some(Major), false),
        (json!("critical\n"), Some(Critical), false),
        (json!("WARN"), Some(Warning), false),
        (json!(3), Some(Critical), false),
        (json!(" 5 "), Some(Minor), false),
        (json!(6.0), Some(Warning), false),
        (json!("major(4)"), Some(Major), false),
        (json!(["minor", "x"]), Some(Minor), false),
        (json!("urgent"), Some(Indeterminate), true),
        (json!("严重"), Some(Critical), false),
        (json!("2 - Major"), Some(Major), false),
        (json!("高"), Some(Indeterminate), true),
        (json!(17), Some(Indeterminate), true),
        (json!(""), Some(Indeterminate), false),
        (json!(null), Some(Indeterminate), false),
        (json!("Clear"), None, false),
        (json!("cleared "), None, false),
        (json!("NORMAL"), None, false),
        (json!(1), None, false),
    ];
    for place in places {
        for (value, want, is_noted) in &cases {
            let event = place(value.clone());
            let (found, notes) = noted(&event);
            let Ok(Decoded::One(Event::Alarm(alarm))) = found else { panic!("{event}: {found:?}") };
            let action = if want.is_some() { AlarmAction::Raise } else { AlarmAction::Clear };
            assert_eq!(
                (alarm.action, alarm.severity),
                (action, want.unwrap_or_default()),
                "{event}"
            );
            let noted = notes.contains(&(Doubt::Severity, "indeterminate"));
            assert_eq!(noted, *is_noted, "{event}: {notes:?}");
        }
    }
    // O-RAN O2 has numbers of its own.
    let o2 = |severity: Value| {
        json!({"alarmEventRecordId": "r-1", "resourceID": "node-3", "alarmDefinitionID": "d", "probableCauseID": "p",
            "perceivedSeverity": severity, "alarmRaisedTime": TS, "notificationEventType": 0})
    };
    let cases = [
        (json!(0), "raise critical"),
        (json!(1), "raise major"),
        (json!(2), "raise minor"),
        (json!(3), "raise warning"),
        (json!("3"), "raise warning"),
        (json!(4), "raise indeterminate"),
        (json!(5), "clear"),
        (json!("WARNING"), "raise warning"),
        (json!("CLEARED"), "clear"),
        (json!(9), "raise indeterminate"),
    ];
    for (severity, want) in cases {
        assert!(
            line(&o2(severity.clone())).starts_with(want),
            "{severity}: {}",
            line(&o2(severity.clone()))
        );
    }
    let changes = [("/notificationEventType", json!(2))];
    assert!(line(&with(o2(json!(1)), &changes)).starts_with("clear"));
    let changes = [("/notificationEventType", json!("ACKNOWLEDGE"))];
    assert!(line(&with(o2(json!(1)), &changes)).starts_with("ignored"));
}

#[test]
fn types_of_events_that_name_an_act_are_that_act() {
    let alarm = json!({"id": "1", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major"});
    for (event_type, want, is_noted) in [
        ("AlarmCreateEvent", "raise", false),
        ("AlarmRaisedV2Event", "raise", true),
        ("NewAlarmEvent", "raise", true),
        ("AlarmUpdatedEvent", "change", true),
        ("AlarmSeverityChangedNotification", "change", true),
        ("AlarmResolvedEvent", "clear", true),
        ("AlarmCeasedEvent", "clear", true),
        ("AlarmAcknowledgedEvent", "ignored", true),
        ("AlarmNoteAddedEvent", "ignored", true),
        ("AlarmSnoozeEvent", "reject", false),
    ] {
        let value = tmf(event_type, alarm.clone());
        let (found, notes) = noted(&value);
        assert!(shown(&found).starts_with(want), "{event_type}: {}", shown(&found));
        assert_eq!(!notes.is_empty(), is_noted, "{event_type}: {notes:?}");
    }
    for (kind, want) in [
        ("notifyNewSecAlarm", "raise"),
        ("NOTIFY_NEW_ALARM", "raise"),
        (" notifyNewAlarm ", "raise"),
        ("notifyAlarmSeverityChanged", "change"),
        ("notifyAlarmCeased", "clear"),
        ("notifyAlarmAcknowledged", "ignored"),
        ("notifyOfLove", "reject"),
    ] {
        let found = line(&with(mns(), &[("/notificationType", json!(kind))]));
        assert!(found.starts_with(want), "{kind}: {found}");
    }
    for (action, kind, want) in [
        ("Created", "ticket", "create"),
        ("opened", "ticket", "create"),
        ("closed", "ticket", "resolve"),
        ("UPDATED", "ticket", "update"),
        ("re-opened", "ticket", "reopen"),
        ("reopened", "ticket", "reopen"),
        ("assigned", "ticket", "reject"),
        ("raised", "alarm", "raise"),
        (" CLEAR ", "alarm", "clear"),
        ("cleared", "alarm", "clear"),
        ("changed", "alarm", "change"),
        ("", "alarm", "raise"),
    ] {
        let value = json!({"kind": kind, "event_id": "e", "ts": TS, "action": action});
        assert!(line(&value).starts_with(want), "{action}: {}", line(&value));
    }
    // The kind of a topic is known even if a record names another one.
    let text = json!({"kind": "call", "event_id": "e", "ts": TS}).to_string();
    let decoder = Decoder::default();
    let found = decoder.decode(text.as_bytes(), &Headers::default(), Some(EventKind::Ticket));
    assert!(shown(&found).starts_with("create"), "{found:?}");
    assert!(line(&json!({"kind": "Tickets ", "event_id": "e", "ts": TS})).starts_with("create"));
    let call = json!({"kind": "ticket", "event_id": "e", "ts": TS, "outcome": "transferred"});
    assert_eq!(noted(&call).1, [(Doubt::Outcome, "a call")]);
}

#[test]
fn ids_may_be_numbers_and_arrays_give_their_first() {
    for (value, id) in [
        (json!(7), "7"),
        (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
        (json!(-3), "-3"),
        (json!(12.0), "12"),
        (json!(["a", "b"]), "a"),
        (json!([7]), "7"),
        (json!([["x"]]), "x"),
    ] {
        let native = json!({"kind": "ticket", "event_id": value, "ts": TS});
        assert_eq!(event(&native).id(), id, "{native}");
        let native = json!({"kind": "alarm", "event_id": "e", "alarm_id": value, "ts": TS});
        assert_eq!(event(&native).key(), id, "{native}");
    }
    for id in [json!({}), json!([{}]), json!(true), json!(1e300)] {
        let native = json!({"kind": "ticket", "event_id": id, "ts": TS});
        assert!(line(&native).starts_with("reject: field: `event_id`"), "{native}");
    }
    // Ornaments of an alarm never cost it, whatever they are.
    for value in [
        json!(["one", "two"]),
        json!([]),
        json!({"code": 1}),
        json!(true),
        json!(1.5),
        json!(null),
        json!([{}]),
    ] {
        for key in ["/specificProblem", "/probableCause", "/alarmType", "/additionalText"] {
            let found = event(&with(mns(), &[(key, value.clone())]));
            assert_eq!(found.key(), "MnsAgent=1|a-1", "{key} {value}");
        }
    }
    let Event::Alarm(alarm) = event(&with(mns(), &[("/specificProblem", json!(["one", "two"]))]))
    else {
        panic!("no alarm")
    };
    assert_eq!(alarm.alarm_type.as_deref(), Some("one"));
    let priority = json!({"kind": "ticket", "event_id": "e", "ts": TS, "priority": 1, "region": " north ", "service": 5});
    assert_eq!(line(&priority), format!("create {TS} | e | north/5/unknown | 1 | -"));
}

#[test]
fn the_same_id_for_all_notifications_costs_no_event() {
    let alarm = json!({"id": "1", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major"});
    let other = json!({"id": "2", "alarmedObject": {"id": "x"}, "perceivedSeverity": "major"});
    let ticket = |id: &str, kind: &str| {
        json!({"eventId": "0", "eventTime": TS, "eventType": kind,
        "event": {"troubleTicket": {"id": id, "description": "d"}}})
    };
    let ves_at = json!({"lastEpochMicrosec": 1_795_898_155_000_000_u64});
    let pairs = [
        (mns(), with(mns(), &[("/alarmId", json!("a-2"))])),
        (mns(), with(mns(), &[("/notificationType", json!("notifyClearedAlarm"))])),
        (mns(), with(mns(), &[("/notificationType", json!("notifyChangedAlarm"))])),
        (mns(), with(mns(), &[("/eventTime", json!("2026-11-28T20:35:56Z"))])),
        (tmf("AlarmCreateEvent", alarm.clone()), tmf("AlarmCreateEvent", other)),
        (tmf("AlarmCreateEvent", alarm.clone()), tmf("AlarmClearedEvent", alarm)),
        (ticket("A", "TroubleTicketCreateEvent"), ticket("B", "TroubleTicketCreateEvent")),
        (ticket("A", "TroubleTicketCreateEvent"), ticket("A", "TroubleTicketResolvedEvent")),
        (
            ves(ves_at.clone()),
            with(ves(ves_at.clone()), &[("/event/faultFields/specificProblem", json!("other"))]),
        ),
        (
            ves(ves_at.clone()),
            with(ves(ves_at), &[("/event/commonEventHeader/sourceName", json!("gNB2"))]),
        ),
    ];
    for (one, other) in pairs {
        assert_ne!(event(&one).id(), event(&other).id(), "{one}\n{other}");
        assert_eq!(event(&one).id(), event(&one.clone()).id(), "a second delivery is the same");
    }
    // A ticket is created once, whatever id its notifications have.
    let again = with(ticket("A", "TroubleTicketCreateEvent"), &[("/eventId", json!("1"))]);
    assert_eq!(event(&again).id(), event(&ticket("A", "TroubleTicketCreateEvent")).id());
}

#[test]
fn tasks_of_tmf642_clear_or_change_nothing() {
    let task = |event_type: &str, key: &str, value: Value| json!({"eventId": "c", "eventTime": TS, "eventType": event_type, "event": {key: value}});
    let pattern = json!({"id": "1", "alarmPattern": [{"id": "a-1"}], "ackUserId": "u"});
    for (event_type, key) in [
        ("AckAlarmsCreateEvent", "ackAlarm"),
        ("AckAlarmCreateEvent", "ackAlarm"),
        ("AckAlarmsStateChangeEvent", "ackAlarms"),
        ("UnAckAlarmsCreateEvent", "unAckAlarms"),
        ("CommentAlarmsCreateEvent", "commentAlarms"),
        ("CommentAlarmStateChangeEvent", "commentAlarm"),
        ("GroupAlarmsCreateEvent", "groupAlarms"),
        ("UnGroupAlarmsCreateEvent", "unGroupAlarms"),
        ("ackAlarmsCreateNotification", "ackAlarms"),
        ("org.tmforum.GroupAlarmsStateChangeEvent", "groupAlarms"),
        ("AckAlarmsDeleteEvent", "anything"),
    ] {
        let found = line(&task(event_type, key, pattern.clone()));
        assert!(found.starts_with("ignored"), "{event_type}: {found}");
    }
    let clear = |value: Value| task("ClearAlarmsCreateEvent", "clearAlarms", value);
    let two =
        json!({"id": "2", "alarmPattern": [{"id": "a-1"}, {"id": 7, "sourceSystemId": "EMS1"}]});
    let found = line(&clear(two));
    let keys: Vec<&str> = found.lines().filter_map(|line| line.split(" | ").nth(2)).collect();
    assert_eq!(keys, ["a-1", "EMS1|7"], "{found}");
    assert!(found.lines().all(|line| line.starts_with("clear")), "{found}");
    assert!(
        line(&task("ClearAlarmCreateEvent", "clearAlarm", pattern.clone())).starts_with("clear")
    );
    let none = line(&clear(json!({"id": "2", "alarmPattern": []})));
    assert!(none.contains("`alarmPattern` names no alarm"), "{none}");
    let unknown = line(&task("ProductOrderCreateEvent", "productOrder", json!({"id": "1"})));
    assert!(
        unknown.contains("`eventType` is `ProductOrderCreateEvent`: use AlarmCreateEvent"),
        "{unknown}"
    );
    // A change that says nothing about the fault changes nothing; a cleared state clears, by id alone.
    let partial = |state: &str| tmf("AlarmStateChangeEvent", json!({"id": "a-1", "state": state}));
    assert!(line(&partial("acknowledged")).starts_with("ignored"));
    let Event::Alarm(alarm) = event(&partial("cleared")) else { panic!("no alarm") };
    assert_eq!((alarm.action, &*alarm.alarm_id), (AlarmAction::Clear, "a-1"));
    let raise = json!({"id": "551", "externalAlarmId": "a-1", "sourceSystemId": "EMS1", "perceivedSeverity": "minor"});
    let Event::Alarm(raise) = event(&tmf("AlarmCreateEvent", raise)) else { panic!("no alarm") };
    assert_eq!(raise.aliases, [Box::from("a-1"), Box::from("551")].into());
}

#[test]
fn tickets_are_created_by_whatever_names_them_first() {
    let ticket = |event_type: &str, key: &str, ticket: Value| json!({"eventId": "e", "eventTime": "2026-11-28T21:00:00Z", "eventType": event_type, "event": {key: ticket}});
    let created =
        json!({"id": "T1", "description": "slow", "creationDate": TS, "status": "inProgress"});
    for (event_type, key, want) in [
        ("TroubleTicketCreateEvent", "troubleTicket", "create"),
        ("CaseCreateEvent", "case", "create"),
        ("CaseCreateEvent", "troubleTicket", "create"),
        ("caseCreatedNotification", "case", "create"),
        ("IncidentCreateEvent", "incident", "create"),
        ("TicketOpenedEvent", "ticket", "create"),
        ("TroubleTicketAttributeValueChangeEvent", "troubleTicket", "update"),
        ("CaseUpdateEvent", "case", "update"),
        ("CaseStateChangeEvent", "case", "update"),
        ("CaseClosedEvent", "case", "resolve"),
        ("TroubleTicketResolvedEvent", "troubleTicket", "resolve"),
    ] {
        let value = ticket(event_type, key, created.clone());
        let found = line(&value);
        assert!(found.starts_with(want), "{event_type}: {found}");
        // A change says when the ticket was created, and counts as that arrival unless it is known.
        let seen = format!("\n  seen as create {TS} | T1|create |");
        assert_eq!(found.contains(&seen), want != "create", "{event_type}: {found}");
    }
    // Without an envelope: the system that creates a ticket may change it a moment later.
    for (last_update, want) in [
        (TS, "create"),
        ("2026-11-28T20:35:57Z", "create"),
        ("2026-11-28T20:36:55Z", "create"),
        ("2026-11-28 20:36:00", "create"),
        ("2026-11-28T20:40:00Z", "update"),
        ("2026-11-28T20:35:54Z", "create"),
    ] {
        let bare = json!({"id": "T1", "ticketType": "complaint", "description": "slow", "status": "inProgress",
            "creationDate": TS, "lastUpdate": last_update});
        let found = line(&bare);
        assert!(found.starts_with(want), "{last_update}: {found}");
        assert!(found.contains(&format!("{TS} | T1|create |")), "{last_update}: {found}");
    }
    let now = ticket(
        "CaseCreateEvent",
        "case",
        json!({"number": "CS7", "opened_at": "2026-11-28 20:35:55",
        "short_description": "no internet"}),
    );
    assert_eq!(line(&now).split(" | ").nth(1), Some("CS7|create"));
}

#[test]
fn traps_are_read_as_programs_write_them() {
    let v2 = json!({"1.3.6.1.6.3.1.1.4.1.0": "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.3": "3"});
    let inner =
        json!({"type": "TRAP", "version": "2c", "community": "public", "variable_bindings": v2})
            .to_string();
    let v1 = json!({"type": "V1TRAP", "version": "1", "generic_trap": 3, "enterprise": "1.3.6.1.4.1.9", "timestamp": 55,
        "agent_addr": "10.0.0.7", "variable_bindings": {"IF-MIB::ifIndex.3": 3}}).to_string();
    let object = "#<SNMP::SNMPv1_Trap:0x1 @enterprise=[1.3.6.1.4.1.9], @timestamp=#<SNMP::TimeTicks:0x2 @value=55>, \
        @specific_trap=4, @source_ip=\"10.0.0.7\", @generic_trap=6>";
    let down = object.replace("@generic_trap=6", "@generic_trap=2");
    let text = "2026-11-28 20:35:55 <UNKNOWN> [UDP: [10.0.0.7]:5000->[10.0.0.1]:162]:\n\
        DISMAN-EVENT-MIB::sysUpTimeInstance = Timeticks: (55) 0:00:00.55\tSNMPv2-MIB::snmpTrapOID.0 = OID: IF-MIB::linkDown\t\
        IF-MIB::ifIndex.3 = INTEGER: 3\tIF-MIB::ifDescr.3 = STRING: \"ge-0/0/3\"";
    let text_v1 = "2026-11-28 20:35:55 10.0.0.7(via UDP: [10.0.0.9]:5000->[10.0.0.1]:162) TRAP, SNMP v1, community public\n\
        \tSNMPv2-SMI::enterprises.9 Link Down Trap (0) Uptime: 0:00:00.55\n\tIF-MIB::ifIndex.3 = INTEGER: 3";
    let special = "2026-11-28 20:35:55 gw [10.0.0.7] (via UDP: [10.0.0.9]:5->[10.0.0.1]:162) TRAP, SNMP v1, community public\
        #012#011.1.3.6.1.4.1.9 Enterprise Specific Trap (4) Uptime: 0:00:00.55#012#011.1.3.6.1.4.1.9.1 = STRING: \"x\"";
    let at = "2026-11-28T20:35:55.250Z";
    let oid = ".1.3.6.1.6.3.1.1.4.1.0";
    let cases = [
        // Logstash 8, with and without the Elastic Common Schema.
        (
            json!({"@timestamp": at, "host": {"ip": "10.0.0.7"}, "message": inner, "1.3.6.1.2.1.2.2.1.1.3": "3"}),
            "raise",
            "3|||linkDown",
        ),
        (json!({"@timestamp": at, "host": "10.0.0.7", "message": v1}), "clear", "3|||linkDown"),
        (
            json!({"@timestamp": at, "host": ["10.0.0.7"], "message": inner, "@version": "1"}),
            "raise",
            "3|||linkDown",
        ),
        // Logstash 7 describes the object of the trap.
        (
            json!({"@timestamp": at, "host": "10.0.0.7", "message": object, "type": "snmp_trap", "1.3.6.1.4.1.9.1": "x"}),
            "raise",
            "||1.3.6.1.4.1.9.0.4",
        ),
        (
            json!({"@timestamp": at, "host": "10.0.0.7", "message": down, "IF-MIB::ifIndex.3": "3"}),
            "raise",
            "3|||linkDown",
        ),
        (
            json!({"@timestamp": at, "message": "#<SNMP::SNMPv1_Trap ...>", "host": "10.0.0.7",
            "SNMPv2-SMI::enterprises.9.9.1": "1"}),
            "raise",
            "||SNMPv2-SMI::enterprises.9.9.1",
        ),
        (
            json!({"@timestamp": at, "host": "10.0.0.7", "message": "#<SNMP::SNMPv2_Trap:0x1 @error_index=0>",
            "SNMPv2-MIB::snmpTrapOID.0": "IF-MIB::linkUp", "IF-MIB::ifIndex.3": "3"}),
            "clear",
            "3|||linkDown",
        ),
        // Telegraf.
        (
            json!({"name": "snmp_trap", "timestamp": 1_795_898_155, "fields": {"ifIndex": 3, "sysUpTimeInstance": 55},
            "tags": {"oid": ".1.3.6.1.6.3.1.1.5.3", "name": "linkDown", "source": "10.0.0.7", "host": "col"}}),
            "raise",
            "3|||linkDown",
        ),
        (
            json!({"name": "snmp_trap", "timestamp": 1_795_898_155_000_000_000_u64, "fields": {"ifIndex.3": "3"},
            "tags": {"oid": ".1.3.6.1.6.3.1.1.5.4", "name": "linkUp", "agent_address": "10.0.0.7", "source": "10.0.0.9"}}),
            "clear",
            "3|||linkDown",
        ),
        (
            json!({"name": "snmp_trap", "timestamp": 1_795_898_155, "fields": {"x": true},
            "tags": {"oid": ".1.3.6.1.4.1.9.0.4", "source": "10.0.0.7"}}),
            "raise",
            "||.1.3.6.1.4.1.9.0.4",
        ),
        // trap2json, also of earlier releases.
        (
            json!({"time": "2026-11-29T03:35:55.226637016+07:00", "src_address": "10.0.0.7", "agent_address": null,
            "snmp_version": "v2c", "enterprise_mib_name": "IF-MIB::linkDown", "trap_type": 0, "values":
            [{"oid": oid, "mib_name": "SNMPv2-MIB::snmpTrapOID.0", "value": "IF-MIB::linkDown"},
             {"oid": ".1.3.6.1.2.1.2.2.1.1.3", "type": "integer", "value": 3}]}),
            "raise",
            "3|||linkDown",
        ),
        (
            json!({"time": "2026-11-28 20:35:55Z", "source_address": "10.0.0.9", "agent_address": "10.0.0.7",
            "snmp_version": "v1", "enterprise_oid": ".1.3.6.1.4.1.9", "trap_type": 6, "trap_sub_type": 4, "values": []}),
            "raise",
            "||.1.3.6.1.4.1.9.0.4",
        ),
        // snmptrapd: its embedded Perl, and its log in a shipper's message.
        (
            json!({"PDUInfo": {"receivedfrom": "UDP: [10.0.0.7]:161->[10.0.0.1]:162", "community": "c"}, "@timestamp": at,
            "VarBinds": {"SNMPv2-MIB::snmpTrapOID.0": "OID: IF-MIB::linkDown", "IF-MIB::ifIndex.3": "INTEGER: 3"}}),
            "raise",
            "3|||linkDown",
        ),
        (
            json!({"@timestamp": at, "message": text, "host": {"name": "shipper"}}),
            "raise",
            "3|||linkDown",
        ),
        (json!({"@timestamp": at, "message": text_v1}), "raise", "3|||linkDown"),
        (json!({"@timestamp": at, "message": special}), "raise", "||.1.3.6.1.4.1.9.0.4"),
        // Bindings as an array.
        (
            json!({"agent_addr": "10.0.0.7", "@timestamp": at, "variable_bindings":
            [{"oid": "1.3.6.1.6.3.1.1.4.1.0", "value": "1.3.6.1.6.3.1.1.5.3"}, {"name": "IF-MIB::ifIndex.3", "value": 3}]}),
            "raise",
            "3|||linkDown",
        ),
        (
            json!({"agent_addr": "10.0.0.7", "@timestamp": at, "variable_bindings":
            [{"1.3.6.1.6.3.1.1.4.1.0": "1.3.6.1.6.3.1.1.5.4"}, {"ifIndex": {"type": "INTEGER", "value": 3}}]}),
            "clear",
            "3|||linkDown",
        ),
    ];
    for (value, action, key) in cases {
        let Event::Alarm(alarm) = event(&value) else { panic!("{value}") };
        assert_eq!(
            format!("{:?}", alarm.action).to_lowercase(),
            action,
            "{value}: {}",
            line(&value)
        );
        let want = format!("10.0.0.7|{key}");
        assert_eq!(&*alarm.alarm_id, want, "{value}");
        assert_eq!(alarm.ts.secs(), 1_795_898_155, "{value}");
        assert!(!line(&value).contains("public"), "{value}");
    }
    // snmptrapd's log as it is.
    for text in [text, text_v1, special] {
        let found = shown(&decode(text));
        assert!(
            found.starts_with("raise") && found.contains(TS) && found.contains("| 10.0.0.7 |"),
            "{found}"
        );
    }
    let other = line(&json!({"@timestamp": at, "message": "link is down"}));
    assert!(
        other.contains("`message` is `link is down`: it must be JSON or an SNMP trap"),
        "{other}"
    );
    let json_message = json!({"@timestamp": at, "message": json!({"kind": "ticket", "event_id": "e"}).to_string()});
    assert!(
        line(&json_message).starts_with("create 2026-11-28T20:35:55.250Z | e"),
        "{}",
        line(&json_message)
    );
}

#[test]
fn alerts_of_alertmanager_are_alarms() {
    let alert = json!({"status": "firing", "labels": {"alertname": "LinkDown", "instance": "c41", "severity": "critical",
        "region": "north"}, "annotations": {"summary": "link is down"}, "startsAt": "2026-11-28T20:35:55.16095407Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "abc"});
    let body = |alerts: Value| {
        json!({"receiver": "wh", "status": "firing", "alerts": alerts, "groupLabels": {},
        "commonLabels": {}, "externalURL": "http://x", "version": "4", "groupKey": "{}"})
    };
    let of = |changes: &[(&str, Value)]| line(&body(json!([with(alert.clone(), changes)])));
    let raised = of(&[]);
    assert!(raised.starts_with("raise critical 2026-11-28T20:35:55.160Z |"), "{raised}");
    assert!(raised.ends_with("| abc | c41 | LinkDown | link is down"), "{raised}");
    for (changes, want) in [
        (
            vec![("/status", json!("resolved")), ("/endsAt", json!("2026-11-28T20:40:00Z"))],
            "clear critical 2026-11-28T20:40:00Z",
        ),
        (vec![("/status", json!("resolved"))], "clear"),
        (
            vec![("/endsAt", json!("2026-11-29T20:40:00Z"))],
            "raise critical 2026-11-28T20:35:55.160Z",
        ),
        (vec![("/labels/severity", json!("warning"))], "raise warning"),
        (vec![("/labels/severity", json!("page"))], "raise critical"),
        (vec![("/labels/severity", json!("info"))], "raise indeterminate"),
        (vec![("/labels/severity", json!("P1"))], "raise indeterminate"),
        (vec![("/labels/severity", json!(null))], "raise indeterminate"),
        (vec![("/fingerprint", json!(null))], "raise critical"),
        (vec![("/startsAt", json!("soon"))], "reject: field: `startsAt`"),
        (vec![("/annotations", json!(null))], "raise critical"),
    ] {
        let found = of(&changes);
        assert!(found.starts_with(want), "{changes:?}: {found}");
    }
    // Each alert is an event of its own; a repetition is the same event.
    let other = with(alert.clone(), &[("/fingerprint", json!("abd"))]);
    let Ok(Decoded::Many(many)) = decode(&body(json!([alert, other, alert])).to_string()) else {
        panic!("no batch")
    };
    let ids: Vec<String> = many
        .iter()
        .flatten()
        .filter_map(|one| one.clone().first())
        .map(|e| e.id().to_owned())
        .collect();
    assert!(ids.len() == 3 && ids[0] == ids[2] && ids[0] != ids[1], "{ids:?}");
    let Event::Alarm(one) = event(&alert) else { panic!("no alarm") };
    assert_eq!(one.scope.to_string(), "north/unknown");
    assert_eq!(line(&body(json!([]))), "ignored: an empty batch");
}

#[test]
fn records_hold_one_event_or_several_or_none() {
    let ticket = |id: &str| json!({"kind": "ticket", "event_id": id, "ts": TS}).to_string();
    let (a, b) = (ticket("a"), ticket("b"));
    let with_prefix = |prefix: &[u8], text: &str| [prefix, text.as_bytes()].concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "ignored"),
        (b" \r\n\t".to_vec(), "ignored"),
        (b"null".to_vec(), "null"),
        (format!("[{a},{b}]").into(), "create a; create b"),
        (format!(" [ {a} ]\n").into(), "create a"),
        (b"[]".to_vec(), "ignored"),
        (format!("[{a},7,{b}]").into(), "create a; reject; create b"),
        (format!("{a}\n{b}\n").into(), "create a; create b"),
        (format!("{a}\r\n\r\n{b}").into(), "create a; create b"),
        (format!("{a}\nnot json\n{b}").into(), "create a; reject; create b"),
        (format!("{a}{b}").into(), "create a; create b"),
        (format!("[{a},[{b}]]").into(), "create a; create b"),
        (with_prefix(b"\xef\xbb\xbf", &a), "create a"),
        (with_prefix(b"\xef\xbb\xbf", &format!("[{a},{b}]")), "create a; create b"),
        (with_prefix(b"\xef\xbb\xbf\xef\xbb\xbf", &a), "create a"),
        (format!("{a}\n\u{feff}{b}").into(), "create a; create b"),
        (with_prefix(&[0, 0, 0, 0, 7], &a), "create a"),
        (with_prefix(&[0, 0, 0, 0, 7], &format!("[{a}]")), "create a"),
        (format!(r#"{{"schema":{{"type":"struct"}},"payload":{a}}}"#).into(), "create a"),
        (format!(r#"{{"schema":null,"payload":{a}}}"#).into(), "create a"),
        (br#"{"schema":{"type":"struct"},"payload":null}"#.to_vec(), "null"),
        (json!({"schema": {"type": "string"}, "payload": a}).to_string().into(), "create a"),
        (json!(a).to_string().into(), "create a"),
        (json!({"specversion": "1.0", "id": "1", "data": [serde_json::from_str::<Value>(&a).expect("JSON")]}).to_string().into(), "create a"),
    ];
    for (bytes, want) in cases {
        let found = Decoder::default().decode(&bytes, &Headers::default(), None);
        let shown_text = String::from_utf8_lossy(&bytes).into_owned();
        let of = |one: &Result<Decoded, Reject>| match one {
            Ok(Decoded::One(event)) => format!("create {}", event.id()),
            Ok(Decoded::Null) => "null".into(),
            Ok(_) => "ignored".into(),
            Err(_) => "reject".into(),
        };
        let all = match &found {
            Ok(Decoded::Many(many)) => many.iter().map(of).collect::<Vec<_>>().join("; "),
            one => of(one),
        };
        assert_eq!(all, want, "{shown_text}: {found:?}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let utf16: Vec<u8> = "{\"kind\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let little = &utf16[..];
    let second = [&[0], little].concat();
    let text: Vec<u8> = "\"a\"".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let cases: [(&[u8], &str); 17] = [
        (&[0, 0, 0, 0, 7, 2, 4], "Confluent's wire prefix with schema 7"),
        (&[0, 0, 1, 0, 0], "Confluent's wire prefix with schema 65536"),
        (&[0x1f, 0x8b, 8, 0], "gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (b"Obj\x01", "Avro"),
        // A line after the first one begins with the end of the line break, and its last line is only that.
        (little, "UTF-16"),
        (&second, "UTF-16"),
        (&text, "UTF-16"),
        (&[0], "UTF-16"),
        (b"<alarm/>", "XML"),
        (b"42", "it is a number"),
        (b"true", "true or false"),
        (b"\"hello\"", "a JSON text"),
        (b"hello", "it is text"),
        (b"\xff\xfehello", "UTF-16"),
        (b"\x80abc", "bytes that are not UTF-8"),
        (b"[1,", "not JSON"),
    ];
    for (bytes, part) in cases {
        let found = Decoder::default().decode(bytes, &Headers::default(), Some(EventKind::Ticket));
        let reject = found.expect_err(part);
        assert!(reject.detail.contains(part), "{bytes:?}: {reject}");
        assert!(!reject.detail.contains('\n'), "{reject}");
    }
}
