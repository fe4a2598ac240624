//! Several events in one object: none of them is lost, and each has an outcome.

use serde_json::{Value, json};

use super::tests::shown;
use crate::domain::Reason;
use crate::ingest::{Decoded, Decoder, Doubt, Headers, Notes, Reject};

const TS: &str = "2026-11-28T20:35:55Z";

fn decode(value: &Value) -> Result<Decoded, Reject> {
    Decoder::default().decode(value.to_string().as_bytes(), &Headers::default(), None)
}

/// The first words of the events, one for each.
fn words(value: &Value) -> String {
    let all = shown(&decode(value));
    let first = |line: &str| {
        let mut words = line.split_whitespace();
        words.next().unwrap_or_default().trim_end_matches(':').to_owned()
    };
    all.lines().map(first).collect::<Vec<_>>().join(" ")
}

fn alert(n: usize) -> Value {
    json!({"status": "firing", "labels": {"alertname": "LinkDown", "instance": format!("dev{n}")},
        "annotations": {"summary": "x".repeat(600)}, "startsAt": TS, "fingerprint": format!("fp{n}")})
}

fn ves(n: usize) -> Value {
    json!({"commonEventHeader": {"domain": "fault", "eventId": format!("f{n}"), "sourceName": format!("dev{n}"),
        "lastEpochMicrosec": 1_795_898_155_000_000_u64},
        "faultFields": {"alarmCondition": "linkDown", "eventSeverity": "MAJOR"}})
}

fn alarm(n: usize) -> Value {
    json!({"id": format!("a{n}"), "perceivedSeverity": "major", "alarmedObject": {"id": format!("o{n}")}})
}

fn tmf(event_type: &str, event: Value) -> Value {
    json!({"eventId": "1", "eventTime": TS, "eventType": event_type, "event": event})
}

fn telegraf(n: usize) -> Value {
    json!({"name": "snmp_trap", "timestamp": 1_795_898_155, "fields": {"ifIndex": n},
        "tags": {"oid": ".1.3.6.1.6.3.1.1.5.3", "name": "linkDown", "source": "10.0.0.7"}})
}

fn ticket(id: &str) -> Value {
    json!({"kind": "ticket", "event_id": id, "ts": TS})
}

fn logstash(message: Value) -> Value {
    json!({"@timestamp": TS, "message": message, "host": "h"})
}

#[test]
fn each_element_is_one_event_or_one_reject() {
    let text = |value: Value| json!(value.to_string());
    for (value, want) in [
        (json!({"alerts": [null, "x", 5, alert(1)]}), "reject reject reject raise"),
        (json!({"alerts": [[alert(1), alert(2)], alert(3)]}), "raise raise raise"),
        (json!({"alerts": alert(1)}), "raise"),
        (json!({"alerts": []}), "ignored"),
        (json!({"alerts": "x"}), "reject"),
        (json!({"eventList": []}), "ignored"),
        (json!({"eventList": [], "event": ves(1)}), "raise"),
        (json!({"eventList": [ves(2), {}, null], "event": ves(1)}), "raise raise reject reject"),
        (json!({"event": ves(1), "eventList": null}), "raise"),
        (tmf("AlarmCreateEvent", json!({"alarm": [alarm(1), alarm(2), 7]})), "raise raise reject"),
        (tmf("AlarmCreateEvent", json!({"alarm": [alarm(1)]})), "raise"),
        (tmf("AlarmCreateEvent", json!({"alarm": []})), "reject"),
        (
            tmf("AlarmCreateEvent", json!([{"alarm": alarm(1)}, {"alarm": [alarm(2), alarm(3)]}])),
            "raise raise raise",
        ),
        (tmf("AlarmClearedEvent", json!({"anything": [alarm(1), alarm(2)]})), "clear clear"),
        (
            tmf(
                "ClearAlarmsCreateEvent",
                json!({"clearAlarm": {"id": "2", "alarmPattern": [alarm(1), true, 5, alarm(2)]}}),
            ),
            "clear reject clear clear",
        ),
        (
            tmf("TroubleTicketCreateEvent", json!({"troubleTicket": [{"id": "1"}, {"id": "2"}]})),
            "create create",
        ),
        (tmf("CaseCreateEvent", json!({"case": [{"id": "1"}, {"id": "2"}]})), "create create"),
        // Without ids of their own, the id of the envelope would make them duplicates.
        (
            tmf("CaseCreateEvent", json!({"case": [{"description": "a"}, {"description": "b"}]})),
            "create create",
        ),
        (json!({"metrics": [telegraf(1), {"name": "cpu"}, telegraf(2)]}), "raise reject raise"),
        (json!({"metrics": [telegraf(1)]}), "raise"),
        (
            logstash(json!([ticket("a").to_string(), ticket("b").to_string(), "hello"])),
            "create create reject",
        ),
        (logstash(json!([])), "ignored"),
        (logstash(text(json!([ticket("a"), ticket("b")]))), "create create"),
        (logstash(json!(format!("\u{feff}{}", ticket("a")))), "create"),
        (logstash(json!("[error] no JSON")), "reject"),
        // A change of Debezium is the row after it; a deletion is like a tombstone.
        (
            json!({"before": null, "after": ticket("a"), "source": {}, "op": "c", "ts_ms": 1}),
            "create",
        ),
        (
            json!({"schema": {}, "payload": {"before": ticket("a"), "after": ticket("a"), "op": "u"}}),
            "create",
        ),
        (json!({"before": null, "after": ticket("a").to_string(), "op": "r"}), "create"),
        (json!({"before": ticket("a"), "after": null, "op": "d"}), "null"),
    ] {
        assert_eq!(words(&value), want, "{value}: {}", shown(&decode(&value)));
    }
}

#[test]
fn the_events_of_a_batch_have_ids_of_their_own() {
    let cases = [
        tmf("AlarmCreateEvent", json!({"alarm": [alarm(1), alarm(2), alarm(3)]})),
        tmf("CaseCreateEvent", json!({"case": [{"description": "a"}, {"description": "b"}]})),
        json!({"specversion": "1.0", "id": "c", "source": "/s", "data": {"metrics": [telegraf(1), telegraf(2)]}}),
    ];
    for value in cases {
        let Ok(Decoded::Many(all)) = decode(&value) else { panic!("no batch: {value}") };
        let of =
            |one: Result<Decoded, Reject>| one.ok()?.first().map(|event| event.id().to_owned());
        let mut ids: Vec<String> = all.into_iter().filter_map(of).collect();
        let found = ids.len();
        ids.sort();
        ids.dedup();
        assert!(found > 1 && ids.len() == found, "{value}: {ids:?}");
    }
}

#[test]
fn the_size_is_limited_for_an_event_and_the_number_for_a_batch() {
    let large = "x".repeat(70_000);
    let many = |n: usize| json!({"version": "4", "alerts": (0..n).map(alert).collect::<Vec<_>>()});
    let counted = |value: &Value| match decode(value) {
        Ok(Decoded::Many(all)) => all.iter().filter(|one| one.is_ok()).count(),
        other => panic!("{}", shown(&other)),
    };
    assert_eq!(counted(&many(150)), 150, "91 KB");
    assert_eq!(counted(&many(1000)), 1000);
    assert_eq!(
        counted(&json!({"specversion": "1.0", "id": "1", "source": "/s", "data": many(150)})),
        150
    );
    let faults: Vec<Value> = (0..500).map(ves).collect();
    assert_eq!(counted(&json!({"eventList": faults})), 500);
    let pattern: Vec<Value> = (0..1000).map(|n| json!({"id": format!("{n:080}")})).collect();
    let task =
        tmf("ClearAlarmsCreateEvent", json!({"clearAlarm": {"id": "2", "alarmPattern": pattern}}));
    assert_eq!(counted(&task), 1000);
    let mut one_large = alert(1);
    one_large["annotations"]["summary"] = json!(large);
    assert_eq!(words(&json!({"alerts": [alert(0), one_large, alert(2)]})), "raise reject raise");
    let with_large = |mut value: Value| {
        value["x"] = json!(large);
        value
    };
    for value in [
        many(1001),
        with_large(ticket("a")),
        with_large(json!({"no": "format"})),
        json!({"event": with_large(ves(1))}),
        tmf("AlarmCreateEvent", json!({"alarm": with_large(alarm(1))})),
        logstash(json!(large)),
    ] {
        let reject = decode(&value).expect_err("too large");
        assert_eq!(reject.reason, Reason::Limit, "{reject}");
        assert!(reject.detail.contains("send at most"), "{reject}");
    }
}

#[test]
fn a_text_with_several_traps_of_snmptrapd_is_several_alarms() {
    let head =
        |n: u8| format!("2026-11-28 20:35:55 <UNKNOWN> [UDP: [10.0.0.{n}]:5->[10.0.0.1]:162]:");
    let up = "DISMAN-EVENT-MIB::sysUpTimeInstance = Timeticks: (123) 0:00:01.23";
    let trap = "SNMPv2-MIB::snmpTrapOID.0 = OID: IF-MIB::linkDown";
    let v1 = "2026-11-28 20:35:55 10.0.0.9(via UDP: [10.0.0.9]:5->[10.0.0.1]:162) TRAP, SNMP v1, community public\n\
        \tSNMPv2-SMI::enterprises.8072.3.2.10 Link Down Trap (2) Uptime: 0:00:00.10\n\tIF-MIB::ifIndex.3 = INTEGER: 3";
    let v2 = |n: u8| format!("{}\n{up}\t{trap}\tIF-MIB::ifIndex.{n} = INTEGER: {n}", head(n));
    let cases = [
        (v2(7), vec!["10.0.0.7"]),
        (format!("{}\n{}\n", v2(7), v2(8)), vec!["10.0.0.7", "10.0.0.8"]),
        (format!("{}\n{v1}\n{}", v2(7), v2(8)), vec!["10.0.0.7", "10.0.0.9", "10.0.0.8"]),
        (format!("{}\n{}", v2(7), v2(8)).replace('\n', "#012"), vec!["10.0.0.7", "10.0.0.8"]),
        // Without lines of senders; and an uptime that is a variable.
        (format!("{up}\t{trap}\n{up}\t{trap}"), vec!["h", "h"]),
        (format!("{}\t{up}", v2(7)), vec!["10.0.0.7"]),
    ];
    for (text, want) in cases {
        let found = shown(&decode(&logstash(json!(text))));
        let devices: Vec<&str> =
            found.lines().filter_map(|line| line.split(" | ").nth(3)).collect();
        assert_eq!(devices, want, "{text}: {found}");
        assert!(found.lines().all(|line| line.starts_with("raise major")), "{found}");
    }
}

#[test]
fn a_placeholder_is_no_time() {
    let placeholders = [
        json!("N/A"),
        json!("-"),
        json!("null"),
        json!("none"),
        json!("0000-00-00T00:00:00Z"),
        json!("0000-00-00 00:00:00"),
        json!("0001-01-01T00:00:00Z"),
        json!("1970-01-01T00:00:00Z"),
        json!(""),
        json!("0"),
        json!(0),
        json!(null),
    ];
    let bare = json!({"id": "1", "alarmedObject": {"id": "o"}, "perceivedSeverity": "major", "alarmRaisedTime": TS});
    let o2 = json!({"alarmEventRecordId": "1", "perceivedSeverity": 0, "alarmRaisedTime": TS});
    let mns = json!({"notificationType": "notifyNewAlarm", "eventTime": TS, "systemDN": "s", "alarmId": "1"});
    for placeholder in placeholders {
        let with = |mut value: Value| {
            value["alarmClearedTime"] = placeholder.clone();
            value
        };
        let enveloped = tmf("AlarmCreateEvent", json!({"alarm": with(alarm(1))}));
        for value in [with(bare.clone()), with(o2.clone()), with(mns.clone()), enveloped] {
            assert_eq!(words(&value), "raise", "{value}: {}", shown(&decode(&value)));
        }
        // The start time of VES stands for its last time.
        let mut event = ves(1);
        event["commonEventHeader"]["lastEpochMicrosec"] = match placeholder.as_str() {
            Some(text) if text.contains("-01-01") => json!("0"),
            _ => placeholder.clone(),
        };
        event["commonEventHeader"]["startEpochMicrosec"] = json!(1_795_898_155_000_000_u64);
        assert_eq!(words(&json!({"event": event})), "raise", "{event}");
    }
    for time in [json!(TS), json!(1_795_898_155)] {
        let mut value = bare.clone();
        value["alarmClearedTime"] = time;
        assert_eq!(words(&value), "clear", "{value}");
    }
}

#[test]
fn types_of_o2_that_name_an_act_are_that_act_and_are_noted() {
    for (kind, want, noted) in [
        (json!("NEW"), "raise", false),
        (json!(2), "clear", false),
        (json!("ACKNOWLEDGE"), "ignored", false),
        (json!(null), "raise", false),
        (json!("CLEARED"), "clear", true),
        (json!("ALARM_CLEAR"), "clear", true),
        (json!("ACKNOWLEDGED"), "ignored", true),
        (json!("ALARM_CHANGED"), "change", true),
        (json!("ALARM_EVENT_CREATED"), "raise", true),
        (json!(9), "raise", true),
    ] {
        let value = json!({"alarmEventRecordId": "1", "globalCloudID": "g", "resourceID": "r", "perceivedSeverity": 0,
            "alarmRaisedTime": TS, "notificationEventType": kind});
        let (decoder, notes) = (Decoder::default(), Notes::default());
        let text = value.to_string();
        let found = decoder.decode_noting(text.as_bytes(), &Headers::default(), None, None, &notes);
        assert!(shown(&found).starts_with(want), "{kind}: {}", shown(&found));
        let doubts: Vec<Doubt> = notes.take().into_iter().map(|note| note.doubt).collect();
        assert_eq!(doubts == [Doubt::EventType], noted, "{kind}: {doubts:?}");
    }
}

#[test]
fn native_acknowledgements_and_comments_change_no_alarm() {
    for (action, severity, want) in [
        ("acknowledged", json!("major"), "ignored"),
        ("ack", json!(null), "ignored"),
        ("comment added", json!("critical"), "ignored"),
        // A severity that clears overrides the action.
        ("acknowledged", json!("cleared"), "clear"),
        ("change", json!("major"), "change"),
        ("updated", json!("major"), "change"),
        ("", json!("major"), "raise"),
    ] {
        let value = json!({"kind": "alarm", "event_id": "1", "ts": TS, "action": action, "severity": severity});
        assert_eq!(words(&value), want, "{value}");
        let ticket =
            json!({"kind": "ticket", "event_id": "1", "ts": TS, "action": "comment added"});
        assert_eq!(words(&ticket), "update");
    }
}

#[test]
fn a_string_is_read_as_an_object_with_that_name() {
    for (channel, want) in [
        (json!("phone"), "unknown/unknown/phone"),
        (json!(["web", "Chat"]), "unknown/unknown/chat"),
        (json!({"name": "E-Mail"}), "unknown/unknown/email"),
        (json!(5), "unknown/unknown/unknown"),
    ] {
        let ticket = json!({"id": "1", "description": "x", "channel": channel});
        for value in [
            tmf("TroubleTicketCreateEvent", json!({"troubleTicket": ticket})),
            tmf("CaseCreateEvent", json!({"case": ticket})),
        ] {
            let found = shown(&decode(&value));
            assert!(found.contains(want), "{value}: {found}");
        }
    }
    let mut alarm = alarm(1);
    alarm["alarmedObject"] = json!("gNB17");
    let found = shown(&decode(&tmf("AlarmCreateEvent", json!({"alarm": alarm}))));
    assert!(found.contains("| gNB17 |"), "{found}");
}

#[test]
fn an_id_with_too_many_digits_is_named() {
    let text = format!(r#"{{"kind":"ticket","ts":"{TS}","event_id":12345678901234567890123}}"#);
    let found = Decoder::default().decode(text.as_bytes(), &Headers::default(), None);
    let reject = found.expect_err("an id that cannot be kept");
    assert!(reject.detail.contains("`event_id` is a number with too many digits"), "{reject}");
}
