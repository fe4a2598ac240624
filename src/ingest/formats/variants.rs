//! Variations of senders that are not documented, kind by kind, and how they are decoded.

use serde_json::{Value, json};

use super::tests::shown;
use crate::domain::Event;
use crate::ingest::{Decoded, Decoder, Doubt, Headers, Notes, Reject};

const TS: &str = "2026-11-28T20:35:55Z";

fn read(bytes: &[u8]) -> Result<Decoded, Reject> {
    Decoder::default().decode(bytes, &Headers::default(), None)
}

/// The effects of a record, one for each of its events: the first one or two words of each line.
fn effects(bytes: &[u8]) -> String {
    let found = shown(&read(bytes));
    let effect = |line: &str| {
        let mut words = line.split([' ', ':']);
        let first = words.next().unwrap_or_default().to_owned();
        match (first.as_str(), words.next()) {
            ("raise" | "change", Some(severity)) => format!("{first} {severity}"),
            _ => first,
        }
    };
    found.lines().map(effect).collect::<Vec<_>>().join(", ")
}

fn effect(value: &Value) -> String {
    effects(value.to_string().as_bytes())
}

/// The alarm's id, which pairs a clear with its raise.
fn key(value: &Value) -> String {
    let found = read(value.to_string().as_bytes()).ok().and_then(Decoded::first);
    found.unwrap_or_else(|| panic!("{value}: {}", effect(value))).key().to_owned()
}

fn native(more: &Value) -> Value {
    let mut value = json!({"kind": "alarm", "event_id": "e", "ts": TS, "severity": "major"});
    for (key, field) in more.as_object().expect("an object") {
        value[key] = field.clone();
    }
    value
}

fn tmf(event_type: &str, event: Value) -> Value {
    json!({"eventId": "1", "eventTime": TS, "eventType": event_type, "event": event})
}

#[test]
fn a_severity_in_other_words_is_read_and_reported() {
    for (severity, want, read_as) in [
        ("2 - Major", "raise major", Some("major")),
        ("4-minor", "raise minor", Some("minor")),
        ("Critical/1", "raise critical", Some("critical")),
        ("major alarm", "raise major", Some("major")),
        ("WARNING_ALARM", "raise warning", Some("warning")),
        ("severity: high", "raise major", Some("major")),
        ("majorAlarm", "raise major", Some("major")),
        ("resolved", "clear", Some("cleared")),
        ("CLOSED", "clear", Some("cleared")),
        ("recovered", "clear", Some("cleared")),
        ("alarm cleared", "clear", Some("cleared")),
        ("紧急", "raise critical", None),
        ("严重告警", "raise critical", None),
        ("重要", "raise major", None),
        ("主要告警", "raise major", None),
        ("次要", "raise minor", None),
        ("提示", "raise warning", None),
        ("警告", "raise warning", None),
        ("已恢复", "clear", None),
        // None of these names exactly one severity or an end.
        ("unresolved", "raise indeterminate", Some("indeterminate")),
        ("not cleared", "raise indeterminate", Some("indeterminate")),
        ("non-critical", "raise indeterminate", Some("indeterminate")),
        ("major or minor", "raise indeterminate", Some("indeterminate")),
        ("P1", "raise indeterminate", Some("indeterminate")),
        ("告警", "raise indeterminate", Some("indeterminate")),
    ] {
        let value = native(&json!({"severity": severity}));
        let (decoder, notes) = (Decoder::default(), Notes::default());
        let text = value.to_string();
        let found = decoder.decode_noting(text.as_bytes(), &Headers::default(), None, None, &notes);
        assert!(shown(&found).starts_with(want), "{severity}: {}", shown(&found));
        let notes = notes.take();
        let noted = notes.iter().find(|note| note.doubt == Doubt::Severity);
        assert_eq!(noted.map(|note| note.read_as), read_as, "{severity}");
    }
}

#[test]
fn a_state_that_names_an_end_clears() {
    for (state, want) in [
        ("ended", "clear"),
        ("Resolved", "clear"),
        ("INACTIVE", "clear"),
        ("ceased", "clear"),
        ("closed", "clear"),
        ("raised", "raise major"),
        ("unresolved", "raise major"),
        ("not cleared", "raise major"),
        ("acknowledged", "raise major"),
        ("updated", "change major"),
        ("", "raise major"),
    ] {
        let bare = json!({"id": "1", "alarmedObject": {"id": "o"}, "perceivedSeverity": "major", "state": state,
            "alarmRaisedTime": TS, "alarmChangedTime": TS});
        assert_eq!(effect(&bare), want, "{state}");
    }
}

#[test]
fn blanks_around_ids_part_no_clear_from_its_raise() {
    let tmf_alarm = |id: &str, system: &str| {
        tmf("AlarmCreateEvent", json!({"alarm": {"id": id, "sourceSystemId": system}}))
    };
    let mns = |id: &str| json!({"notificationType": "notifyNewAlarm", "eventTime": TS, "systemDN": " MnsAgent=1", "alarmId": id});
    let o2 =
        |id: &str| json!({"alarmEventRecordId": id, "perceivedSeverity": 0, "alarmRaisedTime": TS});
    for (one, other) in [
        (native(&json!({"alarm_id": "A 3   "})), native(&json!({"alarm_id": "A 3"}))),
        (native(&json!({"alarm_id": "\u{a0}A3"})), native(&json!({"alarm_id": "A3"}))),
        (native(&json!({"alarm_id": "  "})), native(&json!({}))),
        (native(&json!({"alarm_id": ""})), native(&json!({}))),
        (native(&json!({"alarm_id": null})), native(&json!({}))),
        (tmf_alarm("7 ", "EMS1"), tmf_alarm("7", "EMS1 ")),
        (mns("a-1 "), mns("a-1")),
        (o2(" r"), o2("r")),
    ] {
        assert_eq!(key(&one), key(&other), "{one}");
    }
    let ticket = |id: &str| json!({"kind": "ticket", "event_id": "e", "ts": TS, "action": "respond", "ticket_id": id});
    assert_eq!(effect(&ticket(" ")), "reject", "a blank id is none");
    assert_eq!(read(ticket("T ").to_string().as_bytes()), read(ticket("T").to_string().as_bytes()));
}

#[test]
fn a_bad_line_costs_no_other_line() {
    let (raise, clear) =
        (native(&json!({})).to_string(), native(&json!({"action": "clear"})).to_string());
    let pretty = serde_json::to_string_pretty(&native(&json!({}))).expect("JSON");
    let cut_off = &pretty[..pretty.len() - 2];
    let list = "{\n \"alerts\": [\n{\"labels\": {}}\n";
    for (record, want) in [
        (format!("broken\n{raise}"), "reject, raise major"),
        (format!("{{broken\n{raise}\n{clear}"), "reject, raise major, clear"),
        (format!("{raise}\n{{broken\n{clear}\n"), "raise major, reject, clear"),
        (format!("\"text\"\r\n{raise}\r\n\r\n{clear}\r\n"), "reject, raise major, clear"),
        (format!("{raise}\n{clear}"), "raise major, clear"),
        (format!("{raise}{clear}"), "raise major, clear"),
        (format!("\u{1e}{raise}\n\u{1e}{clear}\n"), "raise major, clear"),
        (format!("\u{1e}{raise}"), "raise major"),
        (format!("{raise}\0"), "raise major"),
        (format!("[{raise}]\0\0"), "raise major"),
        (format!(" {raise}\n\0"), "raise major"),
        (pretty.clone(), "raise major"),
        // One record that is not NDJSON is one reject.
        (cut_off.to_owned(), "reject"),
        (list.to_owned(), "reject"),
        ("a\nb\nc".to_owned(), "reject"),
        (format!("a\nb\nc\n{raise}"), "reject"),
        ("\0".to_owned(), "reject"),
        ("\"\"".to_owned(), "ignored"),
        ("\" \"".to_owned(), "ignored"),
        (r#"{"schema":{"type":"string"},"payload":""}"#.to_owned(), "ignored"),
    ] {
        assert_eq!(effects(record.as_bytes()), want, "{record:?}");
    }
    let utf_16: Vec<u8> = raise.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(shown(&read(&utf_16)).contains("UTF-16"));
}

#[test]
fn clear_alarms_clears_once_whatever_names_the_alarms() {
    let pattern = |pattern: Value| json!({"clearAlarms": {"id": "t", "alarmPattern": pattern}});
    for (event, want) in [
        (pattern(json!([{"id": "a"}])), "clear"),
        (pattern(json!(["a", "b"])), "clear, clear"),
        (pattern(json!("a")), "clear"),
        (pattern(json!([7])), "clear"),
        (pattern(json!([{"alarm": {"id": "a"}}, {"externalAlarmId": "b"}])), "clear, clear"),
        (pattern(json!([["a"], {"id": "b"}])), "clear, clear"),
        (pattern(json!([true, "b"])), "reject, clear"),
        (pattern(json!([])), "reject"),
        (json!({"clearAlarms": {"id": "t"}}), "reject"),
    ] {
        let value = tmf("ClearAlarmsCreateEvent", event);
        assert_eq!(effect(&value), want, "{value}");
    }
    let ids = tmf("ClearAlarmsCreateEvent", pattern(json!(["a"])));
    assert_eq!(key(&ids), key(&tmf("ClearAlarmsCreateEvent", pattern(json!([{"id": "a"}])))));
    for (event_type, state, has_pattern, want) in [
        ("ClearAlarmsStateChangeEvent", json!("done"), true, "clear"),
        ("ClearAlarmsStateChangeEvent", json!("Completed"), true, "clear"),
        ("ClearAlarmsStateChangeEvent", json!(null), true, "clear"),
        ("ClearAlarmsStateChangeEvent", json!("inProgress"), true, "ignored"),
        ("ClearAlarmsStateChangeEvent", json!("terminatedWithError"), true, "ignored"),
        ("ClearAlarmsStateChangeEvent", json!("done"), false, "ignored"),
        ("ClearAlarmsDeleteEvent", json!("done"), true, "ignored"),
        ("ClearAlarmsDeleteEvent", json!(null), false, "ignored"),
    ] {
        let mut task = json!({"id": "t", "state": state});
        if has_pattern {
            task["alarmPattern"] = json!([{"id": "a"}]);
        }
        let value = tmf(event_type, json!({"clearAlarms": task}));
        assert_eq!(effect(&value), want, "{value}");
    }
}

#[test]
fn traps_are_read_by_whole_paths_of_names_and_in_rows() {
    const TRAP: &str =
        "iso.org.dod.internet.snmpV2.snmpModules.snmpMIB.snmpMIBObjects.snmpTrap.snmpTrapOID.0";
    const TRAPS: &str = "iso.org.dod.internet.snmpV2.snmpModules.snmpMIB.snmpMIBObjects.snmpTraps";
    const INDEX: &str = "iso.org.dod.internet.mgmt.mib-2.interfaces.ifTable.ifEntry.ifIndex.3";
    let down = "1.3.6.1.6.3.1.1.5.3";
    let logstash = |bindings: Value| {
        let message = json!({"type": "TRAP", "variable_bindings": bindings}).to_string();
        json!({"@timestamp": TS, "host": {"ip": "10.0.0.7"}, "message": message})
    };
    let perl = |rows: Value| json!({"PDUInfo": {"receivedfrom": "UDP: [10.0.0.7]:161->[10.0.0.1]:162"}, "VarBinds": rows, "time": TS});
    for (value, want) in [
        (logstash(json!({TRAP: down, INDEX: 3})), "raise major"),
        (logstash(json!({TRAP: format!("{TRAPS}.linkDown"), INDEX: 3})), "raise major"),
        (logstash(json!({format!(".{TRAP}"): format!(".{TRAPS}.linkUp"), INDEX: 3})), "clear"),
        (
            perl(json!([
                [".1.3.6.1.6.3.1.1.4.1.0", format!("OID: .{down}"), 6],
                ["IF-MIB::ifIndex.3", "INTEGER: 3", 2]
            ])),
            "raise major",
        ),
        (
            perl(json!([
                ["SNMPv2-MIB::snmpTrapOID.0", "IF-MIB::linkUp"],
                ["ifIndex", 3],
                [],
                [1, 2],
                ["alone"]
            ])),
            "clear",
        ),
        (
            perl(
                json!([{"oid": ".1.3.6.1.6.3.1.1.4.1.0", "value": down}, {"oid": "1.3.6.1.2.1.2.2.1.1.3", "value": 3}]),
            ),
            "raise major",
        ),
    ] {
        assert_eq!(effect(&value), want, "{value}");
        assert_eq!(key(&value), "10.0.0.7|3|||linkDown", "{value}");
    }
    // Logstash 7 has the variables beside the message.
    let beside = json!({"@timestamp": TS, "host": "10.0.0.7", "message": "#<SNMP::SNMPv2_Trap:0x1>", TRAP: down, INDEX: 3});
    assert_eq!(key(&beside), "10.0.0.7|3|||linkDown");
}

#[test]
fn the_type_of_a_wrapper_says_what_happened_to_a_native_alarm() {
    let event = |kind: &str, more: Value| {
        let mut data = native(&more);
        data.as_object_mut().expect("an object").remove("ts");
        json!({"specversion": "1.0", "id": "1", "source": "/s", "type": kind, "time": TS, "data": data})
    };
    for (kind, more, want) in [
        ("com.example.alarm.cleared", json!({}), "clear"),
        ("com.example.alarm.raised", json!({}), "raise major"),
        ("com.example.alarm.changed", json!({"action": ""}), "change major"),
        ("com.example.alarm.acknowledged", json!({}), "ignored"),
        ("com.example.alarm.cleared.v1", json!({}), "clear"),
        ("com.example.alarm", json!({}), "raise major"),
        // The name of the sender says nothing, and an action of the event itself says more.
        ("com.clearwater.alarm.v1", json!({}), "raise major"),
        ("com.example.alarm.cleared", json!({"action": "raise"}), "raise major"),
        ("com.example.alarm.acknowledged", json!({"action": "clear"}), "clear"),
        ("com.example.alarm.raised", json!({"severity": "cleared"}), "clear"),
    ] {
        assert_eq!(effect(&event(kind, more.clone())), want, "{kind} {more}");
    }
}

#[test]
fn notifications_of_other_services_are_nothing() {
    let mns = |kind: &str, more: Value| {
        let mut value =
            json!({"notificationType": kind, "eventTime": TS, "systemDN": "MnsAgent=1"});
        for (key, field) in more.as_object().expect("an object") {
            value[key] = field.clone();
        }
        value
    };
    for (value, want) in [
        (mns("notifyThresholdCrossing", json!({})), "ignored"),
        (mns("notifyMOIAttributeValueChange", json!({})), "ignored"),
        (mns("notifyFileDeletion", json!({})), "ignored"),
        // What may be an alarm is not thrown away.
        (mns("notifyVendorThing", json!({"alarmId": "a"})), "reject"),
        (mns("notifyVendorThing", json!({"perceivedSeverity": "MAJOR"})), "reject"),
        (mns("notifyAlarmOfVendor", json!({})), "reject"),
        (mns("vendorThing", json!({})), "reject"),
    ] {
        assert_eq!(effect(&value), want, "{value}");
    }
    let ves = |domain: &str, more: Value| {
        let mut event = json!({"commonEventHeader": {"domain": domain, "eventId": "1", "sequence": 0, "sourceName": "g",
            "lastEpochMicrosec": 1_795_898_155_000_000_u64}});
        for (key, field) in more.as_object().expect("an object") {
            event[key] = field.clone();
        }
        event
    };
    let fault = || json!({"faultFields": {"alarmCondition": "linkDown", "eventSeverity": "MAJOR"}});
    let stnd = |namespace: &str, data: Value| {
        let mut event = ves("stndDefined", json!({"stndDefinedFields": {"data": data}}));
        event["commonEventHeader"]["stndDefinedNamespace"] = json!(namespace);
        event
    };
    for (event, want) in [
        (ves("measurementsForVfScaling", json!({"measurementsForVfScalingFields": {}})), "ignored"),
        (ves("heartbeatField", json!({})), "ignored"),
        (ves("vendorFault", fault()), "reject"),
        (ves("", json!({})), "reject"),
        (ves("fault", fault()), "raise major"),
        (stnd("3GPP-PerformanceAssurance", json!({"measurements": []})), "ignored"),
        (stnd("3GPP-FaultSupervision", json!({"measurements": []})), "reject"),
        (stnd("", json!({"measurements": []})), "reject"),
        (
            stnd(
                "3GPP-Provisioning",
                json!({"notificationType": "notifyMOIChanges", "eventTime": TS}),
            ),
            "ignored",
        ),
        (
            stnd(
                "vendor",
                json!({"notificationType": "notifyNewAlarm", "alarmId": "a", "perceivedSeverity": "MAJOR"}),
            ),
            "raise major",
        ),
    ] {
        assert_eq!(effect(&json!({"event": event})), want, "{event}");
        assert_eq!(effect(&json!({"eventList": [{"event": event}]})), want, "{event}");
    }
    let two = json!({"eventList": [{"event": ves("fault", fault())}, ves("fault", fault()), {"event": 5}]});
    assert_eq!(effect(&two), "raise major, raise major, reject");
}

#[test]
fn values_that_name_their_type_are_read() {
    for (key, value, want) in [
        ("severity", json!({"string": "critical"}), "raise critical"),
        ("severity", json!({"int": 5}), "raise minor"),
        ("ts", json!({"$date": TS}), "raise major"),
        ("ts", json!({"$date": {"$numberLong": "1795898155000"}}), "raise major"),
        ("ts", json!({"long": 1_795_898_155}), "raise major"),
        ("event_id", json!({"$oid": "65a1"}), "raise major"),
        ("alarm_id", json!({"string": null}), "raise major"),
        ("event_id", json!({"string": "a", "long": 1}), "reject"),
        ("event_id", json!({"name": "a"}), "reject"),
        ("event_id", json!({"string": {"x": 1}}), "reject"),
        ("event_id", json!({}), "reject"),
    ] {
        let value = native(&json!({key: value}));
        assert_eq!(effect(&value), want, "{value}");
    }
}

/// The aliases of an alarm, by which a clear finds its raise.
fn aliases(value: &Value) -> Vec<String> {
    match read(value.to_string().as_bytes()) {
        Ok(Decoded::One(Event::Alarm(alarm))) => {
            alarm.aliases.iter().map(|id| id.to_string()).collect()
        }
        other => panic!("{value}: {}", shown(&other)),
    }
}

#[test]
fn traps_of_vendors_clear_by_a_variable_that_says_so() {
    let trap = |name: &str, value: Value| {
        json!({"agent_addr": "10.0.0.7", "@timestamp": TS, "variable_bindings": {
            "SNMPv2-MIB::snmpTrapOID.0": "VENDOR-MIB::equipmentAlarm", "VENDOR-MIB::alarmId.0": "77",
            "VENDOR-MIB::alarmSeverity.0": "major", (name): value}})
    };
    for (name, value, want) in [
        ("VENDOR-MIB::alarmStatus.0", json!("cleared"), "clear"),
        ("VENDOR-MIB::alarmStatus.0", json!("INTEGER: cleared(2)"), "clear"),
        ("VENDOR-MIB::alarmState.1.2", json!("inactive"), "clear"),
        ("VENDOR-MIB::vendorAlarmState", json!("Normal"), "clear"),
        ("HUAWEI-MIB::hwNmNorthboundFaultFlag.0", json!("Recovery"), "clear"),
        ("VENDOR-MIB::faultStatus", json!("STRING: \"resolved\""), "clear"),
        ("VENDOR-MIB::alarmFlag", json!("off"), "clear"),
        ("VENDOR-MIB::alarmClearFlag", json!("clear"), "clear"),
        // These say nothing about the end of the alarm.
        ("VENDOR-MIB::alarmStatus.0", json!("raised"), "raise major"),
        ("VENDOR-MIB::alarmStatus.0", json!("active"), "raise major"),
        ("VENDOR-MIB::alarmStatus.0", json!("not cleared"), "raise major"),
        ("VENDOR-MIB::alarmStatus.0", json!(1), "raise major"),
        ("VENDOR-MIB::alarmStatus.0", json!("1"), "raise major"),
        ("VENDOR-MIB::previousAlarmStatus", json!("cleared"), "raise major"),
        ("VENDOR-MIB::oldAlarmState", json!("normal"), "raise major"),
        ("VENDOR-MIB::ackStatus", json!("cleared"), "raise major"),
        ("IF-MIB::ifOperStatus.3", json!("closed"), "raise major"),
    ] {
        let value = trap(name, value);
        assert_eq!(effect(&value), want, "{value}");
        assert_eq!(key(&value), "10.0.0.7|77", "{value}");
    }
    for (name, severity, want) in [
        ("HUAWEI-MIB::hwNmNorthboundSeverity", "Critical", "raise critical"),
        ("VENDOR-MIB::vendorSeverity", "cleared", "clear"),
        ("VENDOR-MIB::previousSeverity", "critical", "raise indeterminate"),
        ("VENDOR-MIB::vendorSeverity", "3", "raise indeterminate"),
    ] {
        let value = json!({"agent_addr": "10.0.0.7", "@timestamp": TS, "variable_bindings": {
            "SNMPv2-MIB::snmpTrapOID.0": "VENDOR-MIB::equipmentAlarm", (name): severity}});
        assert_eq!(effect(&value), want, "{value}");
    }
}

#[test]
fn records_of_alarms_without_a_type_are_alarms() {
    let record = |more: Value| {
        let mut value = json!({"alarmId": "a-5", "objectInstance": "SubNetwork=1,ManagedElement=7", "alarmRaisedTime": TS,
            "alarmType": "COMMUNICATIONS_ALARM", "probableCause": "lossOfSignal", "perceivedSeverity": "MAJOR"});
        for (key, field) in more.as_object().expect("an object") {
            value[key] = field.clone();
        }
        value
    };
    let x733 = |severity: &str, time: &str| {
        json!({"managedObjectClass": "equipment", "managedObjectInstance": "ne=7", "eventType": "communicationsAlarm",
            "eventTime": time, "probableCause": "lossOfSignal", "specificProblems": ["S1 down"],
            "perceivedSeverity": severity, "notificationIdentifier": 12, "additionalText": "port 3"})
    };
    let cleared = "2026-11-28T20:50:00Z";
    for (value, want) in [
        (record(json!({})), "raise major 2026-11-28T20:35:55Z"),
        (
            record(json!({"alarmChangedTime": "2026-11-28T20:40:00Z"})),
            "raise major 2026-11-28T20:35:55Z",
        ),
        (record(json!({"alarmClearedTime": cleared})), "clear major 2026-11-28T20:50:00Z"),
        (
            record(json!({"perceivedSeverity": "CLEARED", "alarmChangedTime": cleared})),
            "clear indeterminate 2026-11-28T20:50:00Z",
        ),
        (record(json!({"alarmClearedTime": null})), "raise major 2026-11-28T20:35:55Z"),
        (record(json!({"alarmRaisedTime": null})), "reject: field: `eventTime` is missing"),
        (
            record(json!({"notificationType": "notifyClearedAlarm", "eventTime": TS})),
            "clear major 2026-11-28T20:35:55Z",
        ),
        (x733("major", TS), "raise major 2026-11-28T20:35:55Z"),
        (x733("cleared", cleared), "clear indeterminate 2026-11-28T20:50:00Z"),
        // A native event may have such fields as well.
        (
            record(json!({"kind": "alarm", "event_id": "e", "ts": TS, "action": "clear"})),
            "clear indeterminate",
        ),
    ] {
        let found = shown(&read(value.to_string().as_bytes()));
        assert!(found.starts_with(want), "{value}: {found}");
    }
    assert_eq!(key(&x733("major", TS)), key(&x733("cleared", cleared)));
    assert_eq!(key(&x733("major", TS)), "ne=7|communicationsalarm|lossofsignal|S1 down");
    assert_eq!(key(&record(json!({}))), key(&record(json!({"alarmClearedTime": cleared}))));
}

#[test]
fn a_clear_in_another_case_names_the_alarm_of_its_raise() {
    let ves = |source: &str, interface: &str, problem: &str, severity: &str| {
        json!({"event": {"commonEventHeader": {"domain": "fault", "eventId": "f1", "sourceName": source,
                "lastEpochMicrosec": 1_795_898_155_000_000_u64},
            "faultFields": {"alarmCondition": "linkDown", "alarmInterfaceA": interface, "specificProblem": problem,
                "eventSeverity": severity}}})
    };
    let crossing = |name: &str, interface: &str, action: &str| {
        json!({"event": {"commonEventHeader": {"domain": "thresholdCrossingAlert", "eventId": "f1", "eventName": name,
                "sourceName": "gNB17", "lastEpochMicrosec": 1_795_898_155_000_000_u64},
            "thresholdCrossingAlertFields": {"alertAction": action, "alertType": "INTERFACE-ANOMALY",
                "interfaceName": interface, "eventSeverity": "MAJOR"}}})
    };
    let trap = |interface: &str, code: u8| {
        json!({"agent_addr": "OLT-7.example", "generic_trap": code, "@timestamp": TS,
            "variable_bindings": {"IF-MIB::ifName.3": interface}})
    };
    for (raise, clear, is_one) in [
        (ves("gNB17", "S1-0", "S1 down", "MAJOR"), ves("gNB17", "s1-0", "S1 down", "NORMAL"), true),
        (ves("gNB17", "S1-0", "S1 down", "MAJOR"), ves("GNB17", "s1-0", "s1 DOWN", "NORMAL"), true),
        (
            ves("gNB17", "S1-0", "S1 down", "MAJOR"),
            ves("gNB17", "S1-1", "S1 down", "NORMAL"),
            false,
        ),
        (crossing("Tca_Link", "Eth1", "SET"), crossing("TCA_LINK", "eth1", "CLEAR"), true),
        (crossing("Tca_Link", "Eth1", "SET"), crossing("Tca_Fan", "eth1", "CLEAR"), false),
        (trap("Gi0/3", 2), trap("gi0/3", 3), true),
        (trap("Gi0/3", 2), trap("gi0/4", 3), false),
    ] {
        assert!(effect(&raise).starts_with("raise"), "{raise}");
        assert_eq!(effect(&clear), "clear", "{clear}");
        assert_ne!(key(&raise), key(&clear), "{raise}");
        assert_eq!(aliases(&raise) == aliases(&clear), is_one, "{raise} {clear}");
    }
}

#[test]
fn an_alert_without_a_status_ends_when_its_end_is_over() {
    let appended_at = crate::domain::Timestamp::parse("2026-11-28T20:40:00Z").expect("a time");
    let alert = |status: Value, ends: &str| {
        json!({"labels": {"alertname": "LinkDown", "instance": "sw1", "severity": "major"}, "status": status,
            "startsAt": TS, "endsAt": ends})
    };
    for (status, ends, known, unknown) in [
        // Prometheus moves the end of an alert that fires four minutes ahead.
        (json!(null), "2026-11-28T20:44:00Z", "raise", "raise"),
        (json!(null), "2026-11-28T20:39:59Z", "clear", "raise"),
        // The clock of the log is behind.
        (json!(null), "2026-11-28T20:40:30Z", "clear", "raise"),
        (json!(null), "0001-01-01T00:00:00Z", "raise", "raise"),
        (json!(null), "", "raise", "raise"),
        // What `GET /api/v2/alerts` returns.
        (json!({"state": "active"}), "2026-11-28T20:44:00Z", "raise", "raise"),
        (json!("firing"), "2026-11-28T20:39:00Z", "raise", "raise"),
        (json!("resolved"), "2026-11-28T20:39:00Z", "clear", "clear"),
        (json!("inactive"), "2026-11-28T20:39:00Z", "clear", "clear"),
    ] {
        let value = alert(status, ends);
        for (at, want) in [(Some(appended_at), known), (None, unknown)] {
            let (decoder, notes) = (Decoder::default(), Notes::default());
            let text = value.to_string();
            let found =
                decoder.decode_noting(text.as_bytes(), &Headers::default(), None, at, &notes);
            assert!(shown(&found).starts_with(want), "{value} {at:?}: {}", shown(&found));
        }
    }
}

#[test]
fn actions_and_kinds_in_the_words_of_other_systems_cost_no_event() {
    let alarm = |action: &str| native(&json!({"action": action}));
    for (action, want) in [
        ("PROBLEM", "raise major"),
        ("down", "raise major"),
        ("产生", "raise major"),
        ("OK", "clear"),
        ("up", "clear"),
        ("off", "clear"),
        ("恢复", "clear"),
        ("已清除", "clear"),
        ("变更", "change major"),
        ("确认", "ignored"),
        ("gone fishing", "reject"),
    ] {
        assert_eq!(effect(&alarm(action)), want, "{action}");
    }
    let ticket = |kind: &str, action: &str| json!({"kind": kind, "event_id": "e", "ts": TS, "action": action});
    for (kind, action, want) in [
        ("ticket", "In Progress", "update"),
        ("ticket", "on-hold", "update"),
        ("ticket", "Solved", "resolve"),
        ("ticket", "已关闭", "resolve"),
        ("ticket", "新建", "create"),
        ("ticket", "重新打开", "reopen"),
        ("Incident", "create", "create"),
        ("trouble_ticket", "create", "create"),
        ("ticket", "unsolved", "reject"),
    ] {
        assert_eq!(effect(&ticket(kind, action)), want, "{kind} {action}");
    }
    assert_eq!(effect(&native(&json!({"kind": "fault"}))), "raise major");
}

#[test]
fn shippers_and_lines_of_arrays_cost_no_event() {
    let one = |id: &str| native(&json!({"event_id": id})).to_string();
    for (bytes, want) in [
        (json!({"date": 1_795_898_155.5, "log": one("a")}).to_string(), "raise major"),
        (json!({"@timestamp": TS, "log": one("a"), "stream": "stdout"}).to_string(), "raise major"),
        (
            json!({"timestamp": TS, "message": one("a"), "source_type": "file"}).to_string(),
            "raise major",
        ),
        (
            json!({"@timestamp": TS, "message": one("a"), "log": {"file": {"path": "/x"}}})
                .to_string(),
            "raise major",
        ),
        (json!({"timestamp": TS, "message": "started"}).to_string(), "reject"),
        (format!("{},", one("a")), "raise major"),
        (format!("{},\n{},\n", one("a"), one("b")), "raise major, raise major"),
        (format!("{},\r\n{}", one("a"), one("b")), "raise major, raise major"),
        (format!("{},,", one("a")), "reject"),
    ] {
        assert_eq!(effects(bytes.as_bytes()), want, "{bytes}");
    }
}
