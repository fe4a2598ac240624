use base64::Engine as _;
use serde_json::{Value, json};

use super::cloudevents::BASE64;
use super::reference::dn_of_href;
use super::samples::{SAMPLES, sample};
use crate::domain::{AlarmAction, Event, EventKind, ListRebuilt, Reason, Severity, TicketAction};
use crate::ingest::{
    Attribute, Decoded, Decoder, Headers, Limits, MapRule, Mapping, Reject, Table, Target,
};

fn decode(text: &str) -> Result<Decoded, Reject> {
    Decoder::default().decode(text.as_bytes(), &Headers::default(), None)
}

/// The result of decoding as text, one line per event.
pub(super) fn shown(decoded: &Result<Decoded, Reject>) -> String {
    let or = |text: &Option<Box<str>>| text.as_deref().unwrap_or("-").to_owned();
    match decoded {
        Ok(Decoded::One(Event::Alarm(a))) => format!(
            "{} {} {} | {} | {} | {} | {} | {}",
            format!("{:?}", a.action).to_lowercase(),
            a.severity.as_str(),
            a.ts,
            a.event_id,
            a.alarm_id,
            or(&a.device),
            or(&a.alarm_type),
            or(&a.text),
        ),
        Ok(Decoded::One(Event::Ticket(t))) => format!(
            "{} {} | {} | {} | {} | {}",
            format!("{:?}", t.action).to_lowercase(),
            t.ts,
            t.event_id,
            t.series,
            or(&t.priority),
            or(&t.text),
        ),
        Ok(Decoded::One(other)) => format!("{other:?}"),
        Ok(Decoded::Many(many)) => many.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Ok(Decoded::Update { event, arrival }) => {
            let line = |event: &Event| shown(&Ok(Decoded::One(event.clone())));
            format!("{}\n  seen as {}", line(event), line(arrival))
        }
        Ok(Decoded::Null) => "null".into(),
        Ok(Decoded::Ignored { why }) => format!("ignored: {why}"),
        Ok(Decoded::ListRebuilt(list)) => {
            format!("rebuilt {} | {} | {}", list.ts, or(&list.system), or(&list.object))
        }
        Err(reject) => format!("reject: {reject}"),
    }
}

/// A sample with new values at JSON pointers. A new key is added, and `null` removes one.
fn with(name: &str, changes: &[(&str, Value)]) -> String {
    let mut value: Value = serde_json::from_str(sample(name)).expect(name);
    for (pointer, new) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        value.pointer_mut(parent).expect(pointer)[key] = new.clone();
    }
    value.to_string()
}

fn action_of(text: &str) -> String {
    let line = shown(&decode(text));
    line.split(' ').next().unwrap_or_default().to_owned()
}

fn ids(text: &str) -> (String, String) {
    match decode(text) {
        Ok(Decoded::One(Event::Alarm(a))) => (a.event_id.into(), a.alarm_id.into()),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn all_fields_of_each_format_are_decoded() {
    let lines: Vec<String> = SAMPLES
        .iter()
        .map(|(name, text)| format!("{name}: {}", shown(&decode(text)).replace('\n', "\n  ")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    native alarm: raise major 2026-01-01T02:03:04Z | n1 | a-1 | OLT-17 | lossOfSignal | PON port down
    native call: create 2026-01-01T02:03:20Z | C-1 | unknown/unknown/phone | - | -
    28.532: raise major 2026-01-01T02:03:04Z | xxh3-0566e7e7a137e9825df6ac249a75dd19 | SubNetwork=1,ManagementNode=EMS1|a-551 | SubNetwork=1,ManagedElement=gNB17 | S1 down | both links
    28.532 list rebuilt: rebuilt 2026-01-01T02:03:04Z | EMS1 | SubNetwork=1
    TMF642 event: raise major 2026-01-01T02:03:04Z | xxh3-27c34f285dc2721172e67cca3a1afd68 | EMS1|a-551 | gNB17 | S1 down | -
    TMF642 bare: raise critical 2026-01-01T02:03:00Z | xxh3-fe7f977afb545a83ff13344d052cb367 | EMS1|552 | gNB18 | 315 | -
    TMF621 event: create 2026-01-01T02:05:00Z | TT-77|create | unknown/unknown/phone | High | since noon
    TMF621 bare: create 2026-01-01T02:04:55Z | TT-78|create | unknown/unknown/unknown | Minor | slow
    VES fault: raise major 2026-01-01T02:03:20.500Z | xxh3-746743b84e8c5bd91748e35269989f16 | gNB17|s1-0||linkdown|S1 down | gNB17 | S1 down | -
    VES threshold: change minor 2026-01-01T02:03:20Z | xxh3-147004f74582f5895e1114e606dfaeaf | gNB17|cardanomaly|tcagnbload| | gNB17 | Tca_gNB_Load | load above 90 %
    VES batch: clear indeterminate 2026-01-01T02:05:04Z | xxh3-19ae91953b1303a0609738c0cb6f8292 | EMS1|a-551 | gNB17 | - | -
      ignored: not a VES domain of alarms
      reject: field: `faultFields` is missing or not an object
    trap: raise major 2026-01-01T02:03:04Z | xxh3-01f0ef558a0aaaa138df779ae3f848e3 | 10.0.0.7|3|||linkDown | 10.0.0.7 | linkDown | -
    enterprise trap: raise minor 2026-01-01T02:03:04Z | xxh3-9b6472449500bad934919053cdf1ac9e | 10.0.0.8|||1.3.6.1.4.1.9999.0.4 | 10.0.0.8 | 1.3.6.1.4.1.9999.0.4 | fan 2 stopped
    CloudEvent: raise minor 2026-01-01T02:03:05Z | /ems1|ce-1 | EMS1|553 | gNB17 | - | -
    ");
}

#[test]
fn all_spellings_of_severities_are_decoded() {
    use Severity::{Critical, Indeterminate, Major, Minor, Warning};
    let cases = [
        (json!("CRITICAL"), Some(Critical)),
        (json!("Major"), Some(Major)),
        (json!("mi_nor"), Some(Minor)),
        (json!("WARNING"), Some(Warning)),
        (json!("indeterminate"), Some(Indeterminate)),
        (json!(3), Some(Critical)),
        (json!(4), Some(Major)),
        (json!("5"), Some(Minor)),
        (json!(6), Some(Warning)),
        (json!(2), Some(Indeterminate)),
        (json!(null), Some(Indeterminate)),
        (json!("Cleared"), None),
        (json!("NORMAL"), None),
        (json!(1), None),
    ];
    let places = [
        ("28.532", "/perceivedSeverity"),
        ("TMF642 event", "/event/alarm/perceivedSeverity"),
        ("VES fault", "/event/faultFields/eventSeverity"),
    ];
    for (name, pointer) in places {
        for (value, want) in &cases {
            let Ok(Decoded::One(Event::Alarm(alarm))) =
                decode(&with(name, &[(pointer, value.clone())]))
            else {
                panic!("{name} {value}")
            };
            let want_action = if want.is_some() { AlarmAction::Raise } else { AlarmAction::Clear };
            assert_eq!(alarm.action, want_action, "{name} {value}");
            assert_eq!(alarm.severity, want.unwrap_or_default(), "{name} {value}");
        }
    }
}

#[test]
fn a_change_is_never_a_raise() {
    let cases = [
        ("28.532", "/notificationType", json!("notifyChangedAlarm"), "change"),
        ("28.532", "/notificationType", json!("NotifyChangedAlarmGeneral"), "change"),
        ("28.532", "/notificationType", json!("notifyClearedAlarm"), "clear"),
        ("28.532", "/alarmClearedTime", json!("2026-01-01T03:00:00Z"), "clear"),
        ("28.532", "/notificationType", json!("notifyAckStateChanged"), "ignored:"),
        ("28.532", "/notificationType", json!("notifyComments"), "ignored:"),
        ("28.532", "/notificationType", json!("notifyHeartbeat"), "ignored:"),
        ("28.532", "/notificationType", json!("notifyOfLove"), "reject:"),
        ("TMF642 event", "/eventType", json!("alarmCreateEvent"), "raise"),
        ("TMF642 event", "/eventType", json!("AlarmCreateNotification"), "raise"),
        ("TMF642 event", "/eventType", json!("AlarmAttributeValueChangeEvent"), "change"),
        ("TMF642 event", "/eventType", json!("alarmStateChangeEvent"), "change"),
        ("TMF642 event", "/eventType", json!("AlarmUpdateEvent"), "change"),
        ("TMF642 event", "/eventType", json!("AlarmClearedEvent"), "clear"),
        ("TMF642 event", "/eventType", json!("AlarmDeleteEvent"), "clear"),
        ("TMF642 event", "/eventType", json!("AlarmCommentEvent"), "ignored:"),
        ("TMF642 event", "/eventType", json!("AlarmSnoozeEvent"), "reject:"),
        ("TMF642 event", "/event/alarm/state", json!("cleared"), "clear"),
        ("TMF642 event", "/event/alarm/alarmClearedTime", json!("2026-01-01T03:00:00Z"), "clear"),
        ("TMF642 bare", "/state", json!("cleared"), "reject:"),
        ("TMF642 bare", "/alarmClearedTime", json!("2026-01-01T03:00:00Z"), "clear"),
        ("VES threshold", "/event/thresholdCrossingAlertFields/alertAction", json!("SET"), "raise"),
        (
            "VES threshold",
            "/event/thresholdCrossingAlertFields/alertAction",
            json!("clear"),
            "clear",
        ),
        ("VES fault", "/event/commonEventHeader/domain", json!("syslog"), "ignored:"),
        ("VES fault", "/event/commonEventHeader/domain", json!("magic"), "reject:"),
        ("trap", "/generic_trap", json!(3), "clear"),
        ("trap", "/generic_trap", json!("0"), "raise"),
    ];
    for (name, pointer, value, want) in cases {
        let text = with(name, &[(pointer, value.clone())]);
        assert_eq!(action_of(&text), want, "{name} {pointer} {value}: {}", shown(&decode(&text)));
    }
    let updated =
        [("/state", json!("updated")), ("/alarmChangedTime", json!("2026-01-01T03:00:00Z"))];
    assert_eq!(action_of(&with("TMF642 bare", &updated)), "change");
}

#[test]
fn a_clear_finds_its_raise() {
    let no_id = ("/alarmId", Value::Null);
    let tmf = |key: &str| format!("/event/alarm/{key}");
    let tmf_keyless = [(tmf("id"), json!(null)), (tmf("externalAlarmId"), json!(null))];
    let tmf_keyless: Vec<(&str, Value)> =
        tmf_keyless.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let header = "/event/commonEventHeader";
    let cases = [
        // (raise, clear): the clear is a later notification with a different spelling.
        (
            with("28.532", &[]),
            with(
                "28.532",
                &[
                    ("/notificationType", json!("notifyClearedAlarm")),
                    ("/notificationId", json!(8813)),
                    ("/specificProblem", json!(null)),
                ],
            ),
        ),
        (
            with("28.532", std::slice::from_ref(&no_id)),
            with(
                "28.532",
                &[
                    no_id,
                    ("/notificationType", json!("notifyClearedAlarm")),
                    ("/notificationId", json!(8813)),
                    ("/alarmType", json!("communicationsAlarm")),
                    ("/probableCause", json!("loss of signal")),
                ],
            ),
        ),
        (
            with("TMF642 event", &[]),
            with(
                "TMF642 event",
                &[
                    ("/eventId", json!("e2")),
                    ("/eventType", json!("AlarmClearedEvent")),
                    ("/event/alarm/alarmedObject", json!(null)),
                ],
            ),
        ),
        (
            with("TMF642 event", &tmf_keyless),
            with(
                "TMF642 event",
                &[
                    &tmf_keyless[..],
                    &[("/eventId", json!(7)), ("/eventType", json!("AlarmDeleteEvent"))],
                ]
                .concat(),
            ),
        ),
        (
            // The same event id: a VES fault may keep it until it is cleared.
            with("VES fault", &[]),
            with("VES fault", &[("/event/faultFields/eventSeverity", json!("NORMAL"))]),
        ),
        (with("trap", &[]), with("trap", &[("/generic_trap", json!(3))])),
    ];
    for (raise, clear) in &cases {
        assert_eq!((action_of(raise), action_of(clear)), ("raise".into(), "clear".into()));
        let (raised, cleared) = (ids(raise), ids(clear));
        assert_eq!(raised.1, cleared.1, "{raise}\n{clear}");
        assert_ne!(raised.0, cleared.0, "{raise}\n{clear}");
        assert_eq!(raised, ids(raise), "a second delivery is the same");
    }
    // Alarms with a different source, object, interface or problem are different.
    let others = [
        with("28.532", &[("/systemDN", json!("EMS2"))]),
        with("28.532", &[("/alarmId", json!("a-552"))]),
        with("VES fault", &[("/event/faultFields/alarmInterfaceA", json!("s1-1"))]),
        with("VES fault", &[(&format!("{header}/sourceName"), json!("gNB18"))]),
        with("trap", &[("/variable_bindings", json!({"1.3.6.1.2.1.2.2.1.1.4": 4}))]),
    ];
    let mut keys: Vec<String> =
        others.iter().chain(cases.iter().map(|(raise, _)| raise)).map(|text| ids(text).1).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    // All of them are different.
    assert_eq!(keys.len(), all, "{keys:?}");
}

#[test]
fn a_rebuilt_list_identifies_its_alarms() {
    let rebuilt = |changes: &[(&str, Value)]| match decode(&with("28.532 list rebuilt", changes))
        .expect("a notification")
    {
        Decoded::ListRebuilt(list) => list,
        other => panic!("{other:?}"),
    };
    let dn = |object: &str| [("/href", json!(null)), ("/objectInstance", json!(object))];
    let concerned = |list: &ListRebuilt| {
        [
            ("EMS1|a", Some("SubNetwork=1,ManagedElement=gNB17")),
            ("EMS1|a", Some("SubNetwork=12,ManagedElement=gNB17")),
            ("EMS1|a", None),
            ("EMS12|a", Some("SubNetwork=1")),
        ]
        .map(|(alarm, device)| list.concerns(alarm, device))
    };
    assert_eq!(concerned(&rebuilt(&[])), [true, false, false, false]);
    // The name of an agent means the whole list.
    for agent in ["SubNetwork=9,ManagementNode=EMS1", "EMS1", "MnsAgent=3"] {
        let list = rebuilt(&dn(agent));
        assert_eq!(concerned(&list), [true, true, true, false], "{agent}");
    }
    let no_system = rebuilt(&[("/systemDN", json!(null))]);
    assert_eq!(concerned(&no_system), [true, false, false, true]);
    let neither = [("/systemDN", json!(null)), ("/href", json!(null))];
    assert_eq!(action_of(&with("28.532 list rebuilt", &neither)), "reject:");
    let unchanged = [("/alarmListAlignmentRequirement", json!("ALIGNMENT_NOT_REQUIRED"))];
    assert_eq!(action_of(&with("28.532 list rebuilt", &unchanged)), "ignored:");
}

#[test]
fn invalid_ids_are_hashed() {
    let long = "x".repeat(300);
    for id in [long.as_str(), "a\nb", "a|b"] {
        let (_, key) = ids(&with("28.532", &[("/alarmId", json!(id))]));
        assert!(key.starts_with("xxh3-") && key.len() == 37, "{key}");
    }
    // All 64 bits of a notification's id count.
    let event_id = |n: u64| ids(&with("28.532", &[("/notificationId", json!(n))])).0;
    assert_ne!(event_id(u64::MAX), event_id(u64::MAX - 1));
}

#[test]
fn only_creations_of_tickets_are_arrivals() {
    let history = |words: [&str; 2]| json!(words.map(|word| json!({"status": word})));
    let cases = [
        ("TMF621 event", vec![("/eventType", json!("troubleTicketCreateNotification"))], "create"),
        (
            "TMF621 event",
            vec![("/eventType", json!("TroubleTicketAttributeValueChangeEvent"))],
            "update",
        ),
        ("TMF621 event", vec![("/eventType", json!("TroubleTicketResolvedEvent"))], "resolve"),
        (
            "TMF621 event",
            vec![("/eventType", json!("troubleTicketInformationRequiredEvent"))],
            "update",
        ),
        ("TMF621 event", vec![("/eventType", json!("TroubleTicketDeleteEvent"))], "resolve"),
        ("TMF621 event", vec![("/eventType", json!("TroubleTicketLostEvent"))], "reject:"),
        ("TMF621 event", status("in_progress"), "update"),
        ("TMF621 event", status("Closed"), "resolve"),
        ("TMF621 event", status("cancelled"), "resolve"),
        (
            "TMF621 event",
            [
                status("inProgress"),
                vec![(
                    "/event/troubleTicket/statusChangeHistory",
                    history(["resolved", "inProgress"]),
                )],
            ]
            .concat(),
            "reopen",
        ),
        ("TMF621 bare", vec![("/status", json!("closed"))], "resolve"),
        ("TMF621 bare", vec![("/lastUpdate", json!("2026-01-01T03:00:00Z"))], "update"),
        (
            "TMF621 bare",
            vec![
                ("/lastUpdate", json!("2026-01-01T03:00:00Z")),
                ("/status", json!("acknowledged")),
            ],
            "create",
        ),
        ("TMF621 bare", vec![("/creationDate", json!(null))], "update"),
        (
            "TMF621 bare",
            vec![("/creationDate", json!(null)), ("/lastUpdate", json!(null))],
            "reject:",
        ),
    ];
    for (name, changes, want) in cases {
        let text = with(name, &changes);
        assert_eq!(action_of(&text), want, "{text}: {}", shown(&decode(&text)));
    }
    let Ok(Decoded::One(Event::Ticket(ticket))) = decode(sample("TMF621 bare")) else {
        panic!("no ticket")
    };
    assert_eq!(ticket.action, TicketAction::Create);
}

fn status(word: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("/eventType", json!("TroubleTicketStatusChangeEvent")),
        ("/event/troubleTicket/status", json!(word)),
    ]
}

#[test]
fn cloud_events_are_unwrapped() {
    let inner = sample("28.532");
    let headers: [(&str, &[u8]); 6] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"ce-7"),
        ("ce_source", b"/ems1"),
        ("ce_type", b"3gpp"),
        ("ce_time", b"2026-01-01T02:03:09Z"),
        ("Content-Type", b"application/json; charset=utf-8"),
    ];
    let decoder = Decoder::default();
    let binary = |text: &str, hint| decoder.decode(text.as_bytes(), &Headers(&headers), hint);
    let plain = shown(&decode(inner));
    assert_eq!(shown(&binary(inner, None)), plain, "its own id overrides that of the wrapper");
    let no_id = ("/notificationId", Value::Null);
    let line = shown(&binary(&with("28.532", &[no_id]), None));
    assert!(line.contains("| /ems1|ce-7 |"), "{line}");
    // A native event takes id and time from the wrapper.
    let line = shown(&binary(r#"{"kind":"ticket"}"#, None));
    assert!(line.starts_with("create 2026-01-01T02:03:09Z | /ems1|ce-7 |"), "{line}");
    let line = shown(&binary(r#"{"event_id":"x"}"#, Some(EventKind::Alarm)));
    assert!(line.starts_with("raise indeterminate 2026-01-01T02:03:09Z | x | x"), "{line}");

    let structured = |key: &str, data: Value| {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t"});
        event[key] = data;
        event.to_string()
    };
    let object: Value = serde_json::from_str(inner).expect("JSON");
    let wrapped = structured("data", object.clone());
    let twice: Value = serde_json::from_str(&wrapped).expect("JSON");
    // `{"kind":"ticket","event_id":"b","ts":1767233000}`
    let base64 = "eyJraW5kIjoidGlja2V0IiwiZXZlbnRfaWQiOiJiIiwidHMiOjE3NjcyMzMwMDB9";
    let cases = [
        (wrapped, plain.as_str()),
        (structured("data", json!(inner)), plain.as_str()),
        (structured("data", twice), plain.as_str()),
        (structured("data_base64", json!(base64)), "create 2026-01-01T02:03:20Z | b |"),
        (structured("data_base64", json!("e")), "reject: field: `data_base64` is not padded"),
        (structured("datum", json!(1)), "reject: field: `data` is missing"),
        (structured("data", json!([1])), "reject: malformed: not a JSON object"),
        (structured("datacontenttype", json!("text/xml")), "reject: field: `datacontenttype` is"),
        (r#"{"specversion":"2.0"}"#.into(), "reject: field: `specversion` is `2.0`: use 1.0"),
    ];
    for (text, want) in cases {
        let line = shown(&decode(&text));
        assert!(line.starts_with(want), "{text}: {line}");
    }
    let mut deep = json!({"kind": "ticket", "event_id": "x", "ts": 1_767_233_000});
    for _ in 0..5 {
        deep = json!({"specversion": "1.0", "data": deep});
    }
    let line = shown(&decode(&deep.to_string()));
    assert!(line.contains("wrapped more than 4 times"), "{line}");
    let avro: [(&str, &[u8]); 2] =
        [("ce-specversion", b"1.0"), ("content-type", b"application/avro")];
    let reject = decoder.decode(b"{}", &Headers(&avro), None).expect_err("avro");
    assert!(reject.detail.contains("`content-type` is `application/avro`"), "{reject}");
    let kind: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents+json")];
    let reject = decoder.decode(b"{}", &Headers(&kind), None).expect_err("no version");
    assert!(reject.detail.contains("`specversion` is missing"), "{reject}");
}

#[test]
fn base64_follows_rfc_4648() {
    for (text, want) in [
        ("", Some("")),
        ("Zg==", Some("f")),
        ("Zm8=", Some("fo")),
        ("Zm9v", Some("foo")),
        ("Zm9vYmFy", Some("foobar")),
        ("Zm9vYg==", Some("foob")),
        // Trailing bits are ignored.
        ("Zh==", Some("f")),
        ("Zg", None),
        ("Zg==Zg==", None),
        ("Z===", None),
        ("Zm-v", None),
        ("Zm9v\n", None),
    ] {
        assert_eq!(BASE64.decode(text).ok().as_deref(), want.map(str::as_bytes), "{text}");
    }
}

#[test]
fn elements_of_a_batch_are_decoded_independently_and_limited() {
    let event: Value = serde_json::from_str(sample("VES fault")).expect("JSON");
    let good = event["event"].clone();
    let list = |events: Vec<Value>| json!({"eventList": events}).to_string();
    let Ok(Decoded::Many(many)) = decode(&list(vec![good.clone(), json!(7), good.clone()])) else {
        panic!("no batch")
    };
    assert_eq!(many.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let limits = Limits { batch_events: 3, ..Limits::default() };
    let decoder = Decoder { limits, ..Decoder::default() };
    for (count, fits) in [(0, true), (3, true), (4, false)] {
        let text = list(vec![good.clone(); count]);
        let found = decoder.decode(text.as_bytes(), &Headers::default(), None);
        match found {
            Ok(Decoded::Many(many)) => assert!(fits && many.len() == count),
            Ok(Decoded::Ignored { .. }) => assert_eq!(count, 0),
            Err(reject) => {
                assert!(!fits && reject.reason == Reason::Limit, "{reject}");
                assert!(reject.detail.contains("4 events: send at most 3"), "{reject}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(shown(&decode(r#"{"eventList":{}}"#)).contains("`eventList` is not an array"));
}

#[test]
fn times_are_read_in_the_formats_of_senders() {
    let trap = |value: Value| {
        shown(&decode(&with("trap", &[("/@timestamp", Value::Null), ("/timestamp", value)])))
    };
    assert!(trap(json!("2026-01-01T02:03:04Z")).contains("2026-01-01T02:03:04Z"));
    assert!(trap(json!(1_767_233_000_000_u64)).contains("2026-01-01T02:03:20Z"));
    // This number is 204 days of uptime, not a date in 2026.
    for uptime in [json!(1_767_233_000), json!("1767233000"), json!(null)] {
        assert!(trap(uptime).contains("`@timestamp` is missing"));
    }
    let tmf = |value: &str| shown(&decode(&with("TMF642 event", &[("/eventTime", json!(value))])));
    assert!(tmf("2026-01-01T04:03:04.000+0200").contains("2026-01-01T02:03:04Z"));
    assert!(tmf("").contains("2026-01-01T02:03:00Z"), "the time of the alarm itself");
    assert!(tmf("yesterday").contains("`eventTime` cannot be read"));
}

#[test]
fn a_dn_does_not_contain_the_host() {
    for (href, want) in [
        ("http://ems1/SubNetwork=1/ManagedElement=gNB17", "SubNetwork=1,ManagedElement=gNB17"),
        ("https://ems1/api/v1/ManagedElement=gNB17", "ManagedElement=gNB17"),
        ("/ManagedElement=gNB17", "ManagedElement=gNB17"),
        ("http://ems1", "http://ems1"),
        ("gNB17", "gNB17"),
    ] {
        assert_eq!(dn_of_href(href), want);
    }
}

#[test]
fn a_mapping_gives_region_service_and_channel() {
    let rule = |target, attribute, rows: &str| MapRule {
        target,
        attribute,
        table: Table::from_csv(&format!("match,pattern,value\n{rows}")).expect(rows),
    };
    let rules = vec![
        rule(Target::Region, Attribute::Place, "exact,CITY-3,by-place"),
        rule(Target::Region, Attribute::Dn, "regex,ManagedElement=gNB1\\d$,by-dn"),
        rule(Target::Region, Attribute::Device, "prefix,OLT-,by-device\nprefix,10.0.,by-address"),
        rule(Target::Region, Attribute::Party, "exact,P-1,by-party"),
        rule(Target::Region, Attribute::System, "exact,EMS1,by-system"),
        rule(Target::Service, Attribute::Service, "exact,svc9,mobile"),
        rule(Target::Service, Attribute::Category, "prefix,lossOf,access"),
        rule(Target::Channel, Attribute::Channel, "exact,web-portal,app"),
    ];
    let mapping = Mapping::new(rules).expect("few rules");
    let decoder = Decoder { mapping, ..Decoder::default() };
    let cases = [
        ("native alarm", "by-device/access"),
        ("native call", "unknown/unknown/phone"),
        ("28.532", "by-dn/unknown"),
        ("TMF642 event", "by-place/mobile"),
        ("TMF642 bare", "by-system/unknown"),
        ("TMF621 event", "by-party/mobile/phone"),
        ("TMF621 bare", "unknown/unknown/app"),
        ("VES fault", "by-system/unknown"),
        ("trap", "by-address/unknown"),
    ];
    for (name, want) in cases {
        let found = decoder.decode(sample(name).as_bytes(), &Headers::default(), None);
        let scope = match found {
            Ok(Decoded::One(Event::Alarm(alarm))) => alarm.scope.to_string(),
            Ok(Decoded::One(Event::Ticket(ticket))) => ticket.series.to_string(),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(scope, want, "{name}");
    }
    // A name in a native event overrides the mapping.
    let own = with("native alarm", &[("/region", json!("unknown"))]);
    let found = decoder.decode(own.as_bytes(), &Headers::default(), None);
    let Ok(Decoded::One(Event::Alarm(alarm))) = found else { panic!("no alarm") };
    assert_eq!(alarm.scope.to_string(), "unknown/access");
}

#[test]
fn the_reject_of_an_unknown_format_names_the_known_ones() {
    for text in ["{}", r#"{"foo":1,"event":{"x":1}}"#, r#"{"event":7}"#] {
        let reject = decode(text).expect_err(text);
        assert_eq!(reject.reason, Reason::Field, "{text}: {reject}");
        for format in ["CloudEvent", "VES", "TMF642", "TMF621", "28.532", "SNMP", "native"] {
            assert!(reject.detail.contains(format), "{reject}");
        }
    }
    // A hint is not enough to identify a native event. A `kind` is, and then its fields are required.
    assert!(shown(&decode(r#"{"kind":"ticket"}"#)).contains("`event_id` is missing"));
}
