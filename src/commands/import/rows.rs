//! Converts rows of a table to events in the native format.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use crate::commands::usage::UsageError;
use crate::domain::{Event, EventKind, Moment, TicketAction, TimeError, Timestamp, Zone};
use crate::ingest::{Limits, decode};

/// Fields of a ticket that a table may have.
const TICKET: &[&str] = &[
    "ts", "event_id", "region", "service", "channel", "action", "priority", "tier", "outcome",
    "text",
];
/// Fields of an alarm.
const ALARM: &[&str] = &[
    "ts",
    "cleared_at",
    "event_id",
    "alarm_id",
    "region",
    "service",
    "severity",
    "device",
    "type",
    "action",
    "text",
];
const ROWS_MAX: u64 = 20_000_000;

/// How rows become events.
pub struct Mapping {
    pub kind: EventKind,
    /// Field → column.
    pub columns: BTreeMap<String, String>,
    /// Field → value of all rows.
    pub constants: BTreeMap<String, String>,
    /// Time zone of times without an offset.
    pub zone: Option<Zone>,
    pub delimiter: u8,
}

/// An event that was read from a row.
pub struct Row {
    pub ts: Timestamp,
    /// The key under which the event is counted; `None` for an event that is not counted in any window.
    pub counted: Option<String>,
    pub event_id: String,
    /// The event in the native format.
    pub json: String,
}

/// All rows.
#[derive(Default)]
pub struct Rows {
    /// Events in order of time.
    pub events: Vec<Row>,
    pub read: u64,
    /// Reasons of rejects, each with the number of rows and the line of the first one.
    pub rejected: BTreeMap<String, (u64, u64)>,
    /// Columns that are not used.
    pub ignored: Vec<String>,
}

impl Mapping {
    /// Fields of this kind of event.
    pub fn fields(&self) -> &'static [&'static str] {
        if self.kind == EventKind::Alarm { ALARM } else { TICKET }
    }

    /// Checks that all fields are known, and none is given twice.
    ///
    /// # Errors
    /// [`UsageError`] with the fields that are allowed.
    pub fn check(&self) -> Result<(), UsageError> {
        for field in self.columns.keys().chain(self.constants.keys()) {
            if !self.fields().contains(&field.as_str()) {
                let allowed = self.fields().join(", ");
                return Err(UsageError(format!("`{field}` is not a field: use {allowed}")));
            }
            if self.columns.contains_key(field) && self.constants.contains_key(field) {
                return Err(UsageError(format!("`{field}` has --map and --set: use one of them")));
            }
        }
        if self.constants.contains_key("ts") {
            return Err(UsageError("--set ts: each row needs a time of its own: use --map".into()));
        }
        Ok(())
    }

    /// Position of the column for each field.
    fn places(
        &self,
        file: &str,
        header: &[String],
    ) -> Result<BTreeMap<&'static str, usize>, UsageError> {
        let mut places = BTreeMap::new();
        for field in self.fields() {
            let named = self.columns.get(*field).map(String::as_str);
            let wanted = named.unwrap_or(field);
            let mut found = header.iter().enumerate().filter(|(_, name)| match named {
                Some(named) => *name == named,
                None => name.eq_ignore_ascii_case(field),
            });
            match (found.next(), found.next()) {
                (Some((at, _)), None) if !self.constants.contains_key(*field) => {
                    places.insert(*field, at);
                }
                (Some(_), Some(_)) => {
                    return Err(UsageError(format!("{file}:1: column `{wanted}` is named twice")));
                }
                (None, _) if named.is_some() || *field == "ts" => {
                    let help = if named.is_some() { "" } else { ": use --map ts=COLUMN" };
                    return Err(UsageError(format!(
                        "{file}:1: there is no column `{wanted}`{help}; the columns are {}",
                        header.join(", ")
                    )));
                }
                _ => {}
            }
        }
        Ok(places)
    }

    /// Reads a table with a header.
    ///
    /// # Errors
    /// [`UsageError`] for a header that does not fit, and a file that is no table.
    pub fn read(&self, file: &str, source: impl Read) -> Result<Rows, UsageError> {
        let unreadable = |error: csv::Error| UsageError(format!("{file}: {error}"));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(source);
        let header = reader.headers().map_err(unreadable)?.clone();
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let places = self.places(file, &header)?;
        let used: BTreeSet<usize> = places.values().copied().collect();
        let ignored = header.iter().enumerate().filter(|(at, _)| !used.contains(at));
        let mut rows =
            Rows { ignored: ignored.map(|(_, name)| name.clone()).collect(), ..Rows::default() };
        let mut seen: HashMap<u128, u32> = HashMap::new();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(unreadable)? {
            rows.read += 1;
            if rows.read > ROWS_MAX {
                let text = format!("{file}: has more than {ROWS_MAX} rows: split it by time");
                return Err(UsageError(text));
            }
            let line = record.position().map_or(0, csv::Position::line);
            let made = self.events(&record, header.len(), &places, &mut seen);
            match made {
                Ok(events) => rows.events.extend(events),
                Err(why) => {
                    let known = rows.rejected.entry(why).or_insert((0, line));
                    known.0 += 1;
                }
            }
        }
        rows.events.sort_by_key(|row| row.ts);
        Ok(rows)
    }

    /// The events of a row. An alarm with an end becomes two events.
    fn events(
        &self,
        record: &StringRecord,
        columns: usize,
        places: &BTreeMap<&'static str, usize>,
        seen: &mut HashMap<u128, u32>,
    ) -> Result<Vec<Row>, String> {
        if record.len() != columns {
            return Err(format!("has {} cells, the header has {columns}", record.len()));
        }
        let mut event = Map::new();
        let set = |key: &str, value: &str, event: &mut Map<String, Value>| {
            if !value.is_empty() {
                event.insert(key.to_owned(), value.into());
            }
        };
        for (field, value) in &self.constants {
            set(field, value, &mut event);
        }
        for (field, at) in places {
            set(field, record.get(*at).unwrap_or_default(), &mut event);
        }
        let kind = if self.kind == EventKind::Alarm { "alarm" } else { "ticket" };
        event.insert("kind".into(), kind.into());
        let ts = self.time("ts", &event)?.ok_or("`ts` is empty")?;
        let cleared = self.time("cleared_at", &event)?;
        event.remove("cleared_at");
        event.insert("ts".into(), ts.to_string().into());
        let id = match event.get("event_id").and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => id_of(&event, seen),
        };
        event.insert("event_id".into(), id.clone().into());
        let mut rows = vec![self.row(&event)?];
        if let Some(cleared) = cleared {
            if cleared < ts {
                return Err("`cleared_at` is before `ts`".into());
            }
            event.entry("alarm_id").or_insert_with(|| id.clone().into());
            event.insert("event_id".into(), format!("{id}.clear").into());
            event.insert("action".into(), "clear".into());
            event.insert("ts".into(), cleared.to_string().into());
            rows.push(self.row(&event)?);
        }
        Ok(rows)
    }

    fn time(&self, field: &str, event: &Map<String, Value>) -> Result<Option<Timestamp>, String> {
        let Some(text) = event.get(field).and_then(Value::as_str) else { return Ok(None) };
        let read = Moment::read(text).and_then(|moment| match (moment, self.zone) {
            (Moment::Civil(_), None) => Err(TimeError::NoZone),
            (moment, zone) => moment.instant(zone.unwrap_or(Zone::UTC)),
        });
        read.map(Some).map_err(|error| match error {
            TimeError::NoZone => {
                format!("`{field}` has no offset from UTC: use --time-zone")
            }
            error => format!("`{field}`: {error}"),
        })
    }

    /// Decodes the event like the service does.
    fn row(&self, event: &Map<String, Value>) -> Result<Row, String> {
        let json = Value::Object(event.clone()).to_string();
        let decoded = decode(json.as_bytes(), Some(self.kind), &Limits::default());
        let decoded = decoded.map_err(|reject| reject.detail)?;
        let counted = match &decoded {
            Event::Ticket(ticket) => {
                (ticket.action == TicketAction::Create).then(|| ticket.series.to_string())
            }
            Event::Alarm(alarm) => {
                let is_raise = alarm.action == crate::domain::AlarmAction::Raise;
                is_raise.then(|| alarm.scope.to_string())
            }
            Event::Maintenance(_) => None,
        };
        Ok(Row { ts: decoded.ts(), counted, event_id: decoded.id().to_owned(), json })
    }
}

/// An id made from the content of the event and the number of equal rows before it. The same file always gets the same ids.
fn id_of(event: &Map<String, Value>, seen: &mut HashMap<u128, u32>) -> String {
    let text: Vec<String> = event.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let hash = xxh3_128(text.join("\u{1f}").as_bytes());
    let before = seen.entry(hash).or_insert(0);
    *before += 1;
    format!("csv-{hash:032x}-{before}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(kind: EventKind, columns: &[(&str, &str)], zone: Option<&str>) -> Mapping {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        Mapping {
            kind,
            columns: columns.iter().map(own).collect(),
            constants: BTreeMap::new(),
            zone: zone.map(|zone| zone.parse().expect("a zone")),
            delimiter: b',',
        }
    }

    fn listed(rows: &Rows) -> Vec<String> {
        let counted = |row: &Row| row.counted.clone().unwrap_or_default();
        rows.events
            .iter()
            .map(|row| format!("{} {} {}", row.ts, row.event_id, counted(row)))
            .collect()
    }

    #[test]
    fn rows_become_tickets_in_order_of_time_or_say_why_not() {
        let table = "\u{feff}Opened,Area,Product,Channel,Number,Agent\n\
                     2026-03-02 10:00,north,tv,phone,T-2,x\n\
                     2026-03-01 10:00,north,tv,phone,T-1,y\n\
                     soon,north,tv,phone,T-3,x\n\
                     tomorrow,north,tv,phone,T-4,x\n\
                     2026-03-03 10:00,_all,tv,phone,T-5,x\n\
                     2026-03-03 10:00,north\n\
                     2026-03-30 12:30,south,,chat,T-6,x\n";
        let columns =
            [("ts", "Opened"), ("region", "Area"), ("service", "Product"), ("event_id", "Number")];
        let rows = mapping(EventKind::Ticket, &columns, Some("Europe/London"))
            .read("t.csv", table.as_bytes())
            .expect("a table");
        assert_eq!(
            listed(&rows),
            [
                "2026-03-01T10:00:00Z T-1 north/tv/phone",
                "2026-03-02T10:00:00Z T-2 north/tv/phone",
                "2026-03-30T11:30:00Z T-6 south/unknown/chat",
            ]
        );
        assert_eq!((rows.read, rows.ignored), (7, vec!["Agent".to_owned()]));
        let reasons: Vec<(&str, (u64, u64))> =
            rows.rejected.iter().map(|(why, n)| (why.as_str(), *n)).collect();
        assert_eq!(reasons.len(), 4, "{reasons:?}");
        assert!(
            reasons.iter().any(|(why, n)| why.contains("`_all`") && *n == (1, 6)),
            "{reasons:?}"
        );
        assert!(
            reasons.iter().any(|(why, n)| why.contains("2 cells") && *n == (1, 7)),
            "{reasons:?}"
        );
    }

    #[test]
    fn rows_without_an_id_get_the_same_one_again() {
        let table = "ts,region,service,channel\n\
                     2026-03-01T10:00:00Z,north,tv,phone\n\
                     2026-03-01T10:00:00Z,north,tv,phone\n\
                     2026-03-01T10:00:00Z,south,tv,phone\n";
        let read = |table: &str| {
            let rows = mapping(EventKind::Ticket, &[], None).read("t.csv", table.as_bytes());
            rows.expect("a table")
                .events
                .into_iter()
                .map(|row| row.event_id)
                .collect::<BTreeSet<_>>()
        };
        let ids = read(table);
        assert_eq!(ids.len(), 3, "{ids:?}");
        let longer = format!("{table}2026-03-02T10:00:00Z,south,tv,phone\n");
        assert!(read(&longer).is_superset(&ids), "an export that goes further has the same ids");
    }

    #[test]
    fn an_alarm_with_an_end_is_a_raise_and_a_clear() {
        let table = "ts,end,region,service,severity,device\n\
                     2026-03-01T10:00:00Z,2026-03-01T11:00:00Z,north,tv,critical,OLT-17\n\
                     2026-03-01T10:30:00Z,,north,tv,major,OLT-18\n\
                     2026-03-01T10:30:00Z,2026-03-01T10:00:00Z,north,tv,major,OLT-18\n";
        let rows = mapping(EventKind::Alarm, &[("cleared_at", "end")], None)
            .read("a.csv", table.as_bytes())
            .expect("a table");
        let counted: Vec<Option<&str>> =
            rows.events.iter().map(|row| row.counted.as_deref()).collect();
        assert_eq!(counted, [Some("north/tv"), Some("north/tv"), None]);
        let clear: Value = serde_json::from_str(&rows.events[2].json).expect("JSON");
        assert_eq!(
            (&clear["action"], &clear["alarm_id"]),
            (&"clear".into(), &rows.events[0].event_id.as_str().into())
        );
        assert_eq!(rows.rejected.keys().collect::<Vec<_>>(), ["`cleared_at` is before `ts`"]);
    }

    #[test]
    fn a_wrong_mapping_says_what_would_work() {
        let said = |mapping: Mapping, table: &str| {
            let read = mapping.check().and_then(|()| mapping.read("t.csv", table.as_bytes()));
            read.err().map(|error| error.to_string()).unwrap_or_default()
        };
        let ticket = |columns| mapping(EventKind::Ticket, columns, None);
        let table = "Opened,region,region\n";
        assert!(said(ticket(&[("tz", "Opened")]), table).contains("`tz` is not a field: use ts,"));
        assert!(said(ticket(&[]), table).contains("use --map ts=COLUMN; the columns are Opened"));
        assert!(said(ticket(&[("ts", "opened")]), table).contains("there is no column `opened`"));
        assert!(said(ticket(&[("ts", "Opened")]), table).contains("`region` is named twice"));
        let local =
            ticket(&[]).read("t.csv", "ts\n2026-03-01 10:00\n".as_bytes()).expect("a table");
        assert_eq!(
            local.rejected.keys().collect::<Vec<_>>(),
            ["`ts` has no offset from UTC: use --time-zone"]
        );
    }
}
