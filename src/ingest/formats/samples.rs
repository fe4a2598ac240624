//! Samples of all formats for tests, written with the standards' field names.

use crate::ingest::{Attribute, Decoder, MapRule, Mapping, Table, Target};

pub(crate) const COMMUNITY: &str = "s3cr3t-c0mmunity";

pub(crate) const SAMPLES: [(&str, &str); 14] = [
    (
        "native alarm",
        r#"{"kind":"alarm","event_id":"n1","alarm_id":"a-1","ts":"2026-01-01T02:03:04Z",
 "severity":"major","device":"OLT-17","type":"lossOfSignal","text":"PON port down"}"#,
    ),
    (
        "native call",
        r#"{"kind":"ticket","event_id":"C-1","ts":1767233000,"outcome":"abandoned","channel":"phone"}"#,
    ),
    (
        "28.532",
        r#"{"href":"http://ems1/SubNetwork=1/ManagedElement=gNB17","notificationId":8812,
 "notificationType":"notifyNewAlarm","eventTime":"2026-01-01T02:03:04Z",
 "systemDN":"SubNetwork=1,ManagementNode=EMS1","alarmId":"a-551",
 "alarmType":"COMMUNICATIONS_ALARM","probableCause":"lossOfSignal","specificProblem":"S1 down",
 "perceivedSeverity":"MAJOR","correlatedNotifications":[],"additionalText":"both links"}"#,
    ),
    (
        "28.532 list rebuilt",
        r#"{"href":"http://ems1/SubNetwork=1","notificationId":1,"systemDN":"EMS1",
 "notificationType":"notifyAlarmListRebuilt","eventTime":"2026-01-01T02:03:04Z"}"#,
    ),
    (
        "TMF642 event",
        r#"{"eventId":"e1","eventTime":"2026-01-01T02:03:04Z","eventType":"AlarmCreateEvent",
 "event":{"alarm":{"id":"551","externalAlarmId":"a-551","alarmType":"communicationsAlarm",
 "perceivedSeverity":"major","probableCause":"lossOfSignal","specificProblem":"S1 down",
 "alarmedObject":{"id":"gNB17"},"sourceSystemId":"EMS1","state":"raised",
 "alarmRaisedTime":"2026-01-01T02:03:00Z","place":[{"id":"CITY-3"}],
 "affectedService":[{"id":"svc9"}]}}}"#,
    ),
    (
        "TMF642 bare",
        r#"{"id":"552","alarmType":"Equipment Alarm","perceivedSeverity":"CRITICAL",
 "probableCause":315,"alarmedObject":[{"id":"gNB18"}],"sourceSystemId":"EMS1","state":"raised",
 "alarmRaisedTime":"2026-01-01T02:03:00.000+0000"}"#,
    ),
    (
        "TMF621 event",
        r#"{"eventId":"e9","eventTime":"2026-01-01T02:05:00Z","eventType":"TroubleTicketCreateEvent",
 "event":{"troubleTicket":{"id":"TT-77","name":"No data","description":"since noon",
 "severity":"Major","priority":"High","ticketType":"complaint","status":"acknowledged",
 "creationDate":"2026-01-01T02:04:55Z","channel":{"name":"Phone"},
 "relatedParty":[{"role":"customer","partyOrPartyRole":{"id":"P-1"}}],
 "relatedEntity":[{"role":"service","entity":{"id":"svc9"}}]}}}"#,
    ),
    (
        "TMF621 bare",
        r#"{"id":"TT-78","description":"slow","severity":"Minor","ticketType":"complaint",
 "status":"inProgress","creationDate":"2026-01-01T02:04:55Z","lastUpdate":"2026-01-01T02:04:55Z",
 "channel":[{"id":"web-portal"}]}"#,
    ),
    (
        "VES fault",
        r#"{"event":{"commonEventHeader":{"domain":"fault","eventId":"f1",
 "eventName":"Fault_gNB_LinkDown","lastEpochMicrosec":1767233000500000,
 "startEpochMicrosec":1767232990000000,"reportingEntityName":"EMS1","sequence":0,
 "sourceName":"gNB17","version":"4.1"},"faultFields":{"faultFieldsVersion":"4.0",
 "alarmCondition":"linkDown","eventSeverity":"MAJOR","eventSourceType":"gNB",
 "specificProblem":"S1 down","vfStatus":"Active","alarmInterfaceA":"s1-0"}}}"#,
    ),
    (
        "VES threshold",
        r#"{"event":{"commonEventHeader":{"domain":"thresholdCrossingAlert","eventId":"t1",
 "eventName":"Tca_gNB_Load","lastEpochMicrosec":1767233000000000,"sequence":2,"sourceName":"gNB17"},
 "thresholdCrossingAlertFields":{"alertAction":"CONT","alertDescription":"load above 90 %",
 "alertType":"CARD-ANOMALY","eventSeverity":"MINOR"}}}"#,
    ),
    (
        "VES batch",
        r#"{"eventList":[{"commonEventHeader":{"domain":"stndDefined","eventId":"s1",
 "lastEpochMicrosec":1767233000000000,"sourceName":"gNB17"},"stndDefinedFields":{"data":
 {"notificationType":"notifyClearedAlarm","eventTime":"2026-01-01T02:05:04Z","notificationId":"9",
 "systemDN":"EMS1","alarmId":"a-551","perceivedSeverity":"CLEARED"}}},
 {"commonEventHeader":{"domain":"heartbeat"}},{"commonEventHeader":{"domain":"fault"}}]}"#,
    ),
    (
        "trap",
        r#"{"agent_addr":"10.0.0.7","generic_trap":2,"specific_trap":0,"enterprise":"1.3.6.1.4.1.9",
 "variable_bindings":{"IF-MIB::ifIndex.3":"3","IF-MIB::ifDescr.3":"ge-0/0/3"},"type":"snmp",
 "community":"s3cr3t-c0mmunity","version":"1","timestamp":55,"@timestamp":"2026-01-01T02:03:04Z"}"#,
    ),
    (
        "enterprise trap",
        r#"{"host":"10.0.0.8","variable_bindings":{"1.3.6.1.6.3.1.1.4.1.0":"1.3.6.1.4.1.9999.0.4",
 "VENDOR-MIB::alarmSeverity.1":"minor","VENDOR-MIB::alarmText.1":"fan 2 stopped",
 "1.3.6.1.6.3.18.1.4.0":"s3cr3t-c0mmunity"},"community":"s3cr3t-c0mmunity",
 "timestamp":"2026-01-01T02:03:04Z"}"#,
    ),
    (
        "CloudEvent",
        r#"{"specversion":"1.0","id":"ce-1","source":"/ems1","type":"org.tmforum.AlarmCreateEvent",
 "time":"2026-01-01T02:03:05Z","datacontenttype":"application/json","data":
 {"alarmedObject":{"id":"gNB17"},"perceivedSeverity":"minor","sourceSystemId":"EMS1","id":"553"}}"#,
    ),
];

/// The sample with this name.
pub(crate) fn sample(name: &str) -> &'static str {
    SAMPLES.iter().find(|(known, _)| *known == name).expect(name).1
}

/// A decoder with a mapping for places, distinguished names, services and categories.
pub(crate) fn decoder() -> Decoder {
    let text = "match,pattern,value\nprefix,,somewhere\nregex,x$,y";
    let attributes = [Attribute::Place, Attribute::Dn, Attribute::Service, Attribute::Category];
    let rules = attributes.map(|attribute| MapRule {
        target: Target::Region,
        attribute,
        table: Table::from_csv(text).expect("CSV"),
    });
    let mapping = Mapping::new(rules.to_vec()).expect("few rules");
    Decoder { mapping, ..Decoder::default() }
}
