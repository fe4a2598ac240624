//! Decoding of each format, compared with two lower bounds on the same bytes: parsing into a serde_json tree without checks,
//! and a scan that counts one byte.

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use surgecast::domain::TextClassifier;
use surgecast::ingest::{
    Attribute, Decoder, Headers, Lexicon, Limits, MapRule, Mapping, Table, Target, decode,
};

const TICKET: &str = r#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet since this morning"}"#;

const FORMATS: [(&str, &str); 8] = [
    ("native", TICKET),
    (
        "3gpp_28532",
        r#"{"href":"http://ems1/SubNetwork=1/ManagedElement=gNB17","notificationId":8812,"notificationType":"notifyNewAlarm","eventTime":"2026-01-01T02:03:04Z","systemDN":"SubNetwork=1,ManagementNode=EMS1","alarmId":"a-551","alarmType":"COMMUNICATIONS_ALARM","probableCause":"lossOfSignal","specificProblem":"S1 down","perceivedSeverity":"MAJOR","correlatedNotifications":[],"additionalText":"both links"}"#,
    ),
    (
        "tmf642",
        r#"{"eventId":"e1","eventTime":"2026-01-01T02:03:04Z","eventType":"AlarmCreateEvent","event":{"alarm":{"id":"551","externalAlarmId":"a-551","alarmType":"communicationsAlarm","perceivedSeverity":"major","probableCause":"lossOfSignal","specificProblem":"S1 down","alarmedObject":{"id":"gNB17"},"sourceSystemId":"EMS1","state":"raised","alarmRaisedTime":"2026-01-01T02:03:00Z","place":[{"id":"CITY-3"}],"affectedService":[{"id":"svc9"}]}}}"#,
    ),
    (
        "tmf621",
        r#"{"eventId":"e9","eventTime":"2026-01-01T02:05:00Z","eventType":"TroubleTicketCreateEvent","event":{"troubleTicket":{"id":"TT-77","name":"No data","description":"since noon","severity":"Major","priority":"High","ticketType":"complaint","status":"acknowledged","creationDate":"2026-01-01T02:04:55Z","channel":{"name":"phone"},"relatedEntity":[{"id":"svc9"}]}}}"#,
    ),
    (
        "ves",
        r#"{"event":{"commonEventHeader":{"domain":"fault","eventId":"f1","eventName":"Fault_gNB_LinkDown","lastEpochMicrosec":1767233000000000,"startEpochMicrosec":1767232990000000,"priority":"High","reportingEntityName":"EMS1","sequence":0,"sourceName":"gNB17","version":"4.1","vesEventListenerVersion":"7.2.1"},"faultFields":{"faultFieldsVersion":"4.0","alarmCondition":"linkDown","eventSeverity":"MAJOR","eventSourceType":"gNB","specificProblem":"S1 down","vfStatus":"Active","alarmInterfaceA":"s1-0"}}}"#,
    ),
    (
        "trap",
        r#"{"agent_addr":"10.0.0.7","generic_trap":2,"specific_trap":0,"enterprise":"1.3.6.1.4.1.9","variable_bindings":{"IF-MIB::ifIndex.3":"3","IF-MIB::ifDescr.3":"ge-0/0/3"},"type":"snmp","community":"public","version":"1","timestamp":55,"@timestamp":"2026-01-01T02:03:04Z"}"#,
    ),
    (
        "cloudevent",
        r#"{"specversion":"1.0","id":"ce-1","source":"/crm","type":"ticket","time":"2026-01-01T02:03:05Z","datacontenttype":"application/json","data":{"kind":"ticket","region":"north","service":"broadband","channel":"phone","text":"no internet since this morning"}}"#,
    ),
    ("reject", r#"{"what":"no shape that is known","payload":{"a":[1,2,3],"b":"text"}}"#),
];

/// Lower bound for a native event: serde_json with borrowed fields, without validation.
#[derive(Deserialize)]
#[allow(dead_code, reason = "parsed for the time it takes")]
struct Bare<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    ts: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

fn ingest(c: &mut Criterion) {
    let mut group = c.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(TICKET.len() as u64));
    let limits = Limits::default();
    group.bench_function("decode", |b| {
        b.iter(|| decode(black_box(TICKET.as_bytes()), None, &limits).is_ok());
    });
    group.bench_function("serde_json_unchecked", |b| {
        b.iter(|| serde_json::from_slice::<Bare<'_>>(black_box(TICKET.as_bytes())).is_ok());
    });
    group.finish();
}

fn formats(c: &mut Criterion) {
    let (plain, mapped) = (Decoder::default(), mapped());
    for (name, text) in FORMATS {
        let bytes = text.as_bytes();
        let mut group = c.benchmark_group(format!("ingest/{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        for (how, decoder) in [("decode", &plain), ("decode_mapped", &mapped)] {
            group.bench_function(how, |b| {
                b.iter(|| decoder.decode(black_box(bytes), &Headers::default(), None).is_ok());
            });
        }
        group.bench_function("serde_json_value", |b| {
            b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(bytes)).is_ok());
        });
        group.bench_function("scan", |b| {
            b.iter(|| black_box(bytes).iter().filter(|byte| **byte == b'"').count());
        });
        group.finish();
    }
}

/// Texts of about 50 bytes: without a match, with several matches, and one that needs normalisation.
const TEXTS: [(&str, &str); 3] = [
    ("plain", "I would kindly like to talk with somebody in person"),
    ("outage", "no internet since this morning, router has red light"),
    ("chinese", "早上起就上不了网，什么时候恢复"),
];

/// Classification of a text, compared with a scan of its bytes.
fn texts(c: &mut Criterion) {
    let lexicon = Lexicon::default();
    for (name, text) in TEXTS {
        let mut group = c.benchmark_group(format!("text/{name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("classify", |b| b.iter(|| lexicon.topic(black_box(text))));
        group.bench_function("classify_and_phrases", |b| {
            b.iter(|| {
                let mut keys = 0;
                let topic =
                    lexicon.classify(black_box(text), Some(&mut |phrase| keys ^= phrase.key));
                (topic, keys)
            });
        });
        group.bench_function("scan", |b| {
            b.iter(|| black_box(text.as_bytes()).iter().filter(|byte| **byte == b'n').count());
        });
        group.finish();
    }
}

/// A mapping of realistic size: a thousand places, a hundred device prefixes, ten regexes.
fn mapped() -> Decoder {
    let rows = |count: usize, row: fn(usize) -> String| -> Table {
        let rows: String = (0..count).map(row).collect();
        Table::from_csv(&format!("match,pattern,value\n{rows}")).expect("rows made here are valid")
    };
    let rule = |target, attribute, table| MapRule { target, attribute, table };
    let places = rows(1000, |n| format!("exact,CITY-{n},region {}\n", n % 30));
    let devices = rows(100, |n| format!("prefix,gNB{n},region {}\n", n % 30));
    let names = rows(10, |n| format!("regex,ManagedElement=gNB{n}\\d$,region {n}\n"));
    let services = rows(1000, |n| format!("exact,svc{n},service {}\n", n % 5));
    let mapping = Mapping::new(vec![
        rule(Target::Region, Attribute::Place, places),
        rule(Target::Region, Attribute::Device, devices),
        rule(Target::Region, Attribute::Dn, names),
        rule(Target::Service, Attribute::Service, services),
    ]);
    Decoder { mapping: mapping.expect("four rules are few"), ..Decoder::default() }
}

criterion_group!(benches, ingest, formats, texts);
criterion_main!(benches);
