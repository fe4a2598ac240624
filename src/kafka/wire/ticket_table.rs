//! The JSON format of a batch of messages about tickets: tables of series and facts, and a short row for each message.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{
    LifeStep, Name, NewsRef, SeriesKey, StepRef, TicketBatch, TicketFacts, TicketRow, Timestamp,
};

/// `{"series": [[region, service, channel], …], "facts": [{…}, …], "rows": [[…], …]}`, with facts that have no customers.
///
/// A row is `[ts_ms, series, step, ticket_id, facts, customer, opened_ms, handled_seconds]`. Nulls at its end are left out.
/// `series` and `facts` are indices. The steps are those of [`STEPS`]. A snapshot of a backlog is
/// `[ts_ms, series, "snapshot", open]`.
#[derive(Default)]
pub(super) struct TicketTable(pub(super) TicketBatch);

/// The names of steps. Names of one letter keep rows short.
const STEPS: [(LifeStep, &str); 5] = [
    (LifeStep::Opened, "o"),
    (LifeStep::FirstResponse, "f"),
    (LifeStep::Resolved, "r"),
    (LifeStep::Reopened, "a"),
    (LifeStep::Abandoned, "x"),
];
const SNAPSHOT: &str = "snapshot";

impl Serialize for TicketTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("TicketTable", 3)?;
        let series: Vec<[&str; 3]> = self
            .0
            .series()
            .iter()
            .map(|SeriesKey { region, service, channel }| {
                [region, service, channel].map(Name::as_str)
            })
            .collect();
        fields.serialize_field("series", &series)?;
        fields.serialize_field("facts", self.0.facts())?;
        fields.serialize_field("rows", &Rows(&self.0))?;
        fields.end()
    }
}

struct Rows<'a>(&'a TicketBatch);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.rows().try_for_each(|row| rows.serialize_element(&RowForm(row)))?;
        rows.end()
    }
}

struct RowForm<'a>(TicketRow<'a>);

impl Serialize for RowForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(TicketRow { ts, series, facts, news, customer }) = self;
        let mut row = serializer.serialize_seq(None)?;
        row.serialize_element(&ts.millis())?;
        row.serialize_element(series)?;
        let (opened_at, handled_seconds) = match news {
            NewsRef::Snapshot { open } => {
                row.serialize_element(SNAPSHOT)?;
                row.serialize_element(open)?;
                (None, None)
            }
            NewsRef::Step(StepRef { ticket_id, step, opened_at, handled_seconds }) => {
                let name = STEPS.iter().find(|(known, _)| known == step).map(|(_, name)| *name);
                row.serialize_element(name.unwrap_or_default())?;
                row.serialize_element(ticket_id)?;
                (*opened_at, *handled_seconds)
            }
        };
        let length = if handled_seconds.is_some() {
            4
        } else if opened_at.is_some() {
            3
        } else if customer.is_some() {
            2
        } else {
            usize::from(facts.is_some())
        };
        if length > 0 {
            row.serialize_element(facts)?;
        }
        if length > 1 {
            row.serialize_element(customer)?;
        }
        if length > 2 {
            row.serialize_element(&opened_at.map(Timestamp::millis))?;
        }
        if length > 3 {
            row.serialize_element(&handled_seconds)?;
        }
        row.end()
    }
}

impl<'de> Deserialize<'de> for TicketTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor).map(Self)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = TicketBatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of tickets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TicketBatch, A::Error> {
        let (mut series, mut facts): (Vec<SeriesKey>, Vec<TicketFacts>) = Default::default();
        let mut batch = TicketBatch::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "series" => {
                    let names: Vec<[Name; 3]> = map.next_value()?;
                    let key = |[region, service, channel]: [Name; 3]| {
                        SeriesKey::new(region, service, channel)
                    };
                    series = names.into_iter().map(key).collect();
                }
                "facts" => facts = map.next_value()?,
                // After the tables.
                "rows" => {
                    let tables = (std::mem::take(&mut series), std::mem::take(&mut facts));
                    batch = TicketBatch::with_tables(tables.0, tables.1);
                    map.next_value_seed(RowsSeed(&mut batch))?;
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(batch)
    }
}

/// Reads rows into a batch.
struct RowsSeed<'b>(&'b mut TicketBatch);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows of tickets")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(RowSeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads a row into a batch.
struct RowSeed<'b>(&'b mut TicketBatch);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of a ticket")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let short = || A::Error::custom("a row of a ticket is too short");
        let ts = Timestamp::from_millis(row.next_element()?.ok_or_else(short)?);
        let series = row.next_element()?.ok_or_else(short)?;
        let name: Text<'de> = row.next_element()?.ok_or_else(short)?;
        let open = match &*name.0 {
            SNAPSHOT => Some(row.next_element()?.ok_or_else(short)?),
            _ => None,
        };
        let ticket_id = match open {
            None => row.next_element()?.ok_or_else(short)?,
            Some(_) => Text::default(),
        };
        let facts = row.next_element()?.flatten();
        let customer: Option<Text<'de>> = row.next_element()?.flatten();
        let opened_at = row.next_element()?.flatten().map(Timestamp::from_millis);
        let handled_seconds = row.next_element()?.flatten();
        // Later releases may write more.
        while row.next_element::<IgnoredAny>()?.is_some() {}
        let news = match open {
            Some(open) => NewsRef::Snapshot { open },
            None => {
                let step = STEPS.iter().find(|(_, known)| *known == name.0).map(|(step, _)| *step);
                let step = step.ok_or_else(|| A::Error::custom("a step of a ticket is unknown"))?;
                NewsRef::Step(StepRef { ticket_id: &ticket_id.0, step, opened_at, handled_seconds })
            }
        };
        let customer = customer.as_ref().map(|text| &*text.0);
        match self.0.push_row(TicketRow { ts, series, facts, news, customer }) {
            true => Ok(()),
            false => Err(A::Error::custom("a row of a ticket has an index beyond its table")),
        }
    }
}

/// A text, borrowed from the message if it has no escapes.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use crate::domain::{
        LifeStep, Sentiment, SeriesKey, SourceId, TicketBatch, TicketFacts, TicketMessage,
        TicketNews, TicketStep, Timestamp, Topic,
    };
    use crate::kafka::Wire;

    fn messages() -> Vec<TicketMessage> {
        let step = |ticket_id: &str, step, opened_at: Option<i64>, handled_seconds| {
            let opened_at = opened_at.map(|n| Timestamp::from_secs(1_767_232_000 + n));
            let ticket_id = ticket_id.into();
            TicketNews::Step(TicketStep { ticket_id, step, opened_at, handled_seconds })
        };
        let facts = |customer: Option<&str>| TicketFacts {
            priority: Some("P2".into()),
            topic: Some(Topic::Outage),
            sentiment: Some(Sentiment::Negative),
            customer: customer.map(Into::into),
            ..TicketFacts::default()
        };
        let only = |id: &str| TicketFacts { customer: Some(id.into()), ..TicketFacts::default() };
        let all = [
            ("phone", step("T-1", LifeStep::Opened, None, None), Some(facts(None))),
            ("chat", step("T\"é", LifeStep::Resolved, Some(7), Some(300)), Some(facts(Some("C")))),
            ("chat", step("T-2", LifeStep::FirstResponse, Some(8), None), None),
            ("phone", step("T-1", LifeStep::Reopened, None, None), Some(only("C-2"))),
            ("phone", step("T-3", LifeStep::Abandoned, None, None), None),
            ("phone", TicketNews::Snapshot { open: 40 }, None),
        ];
        let message =
            |(n, (channel, news, facts)): (usize, (&str, _, Option<TicketFacts>))| TicketMessage {
                ts: Timestamp::from_secs(1_767_232_800 + n as i64),
                series: SeriesKey::parse(&format!("north/tv/{channel}")).expect("a series"),
                news,
                facts: facts.map(Box::new),
            };
        all.into_iter().enumerate().map(message).collect()
    }

    fn wire() -> Wire {
        let batch = messages().iter().collect();
        Wire::Tickets { source: SourceId::new("support.tickets", 2), batch }
    }

    #[test]
    fn the_form_is_short() {
        let text = String::from_utf8(wire().encode().expect("encodes")).expect("UTF-8");
        insta::assert_snapshot!(text, @r#"{"v":1,"type":"tickets","topic":"support.tickets","partition":2,"table":{"series":[["north","tv","phone"],["north","tv","chat"]],"facts":[{"priority":"P2","tier":null,"topic":"outage","sentiment":"negative","customer":null},{"priority":null,"tier":null,"topic":null,"sentiment":null,"customer":null}],"rows":[[1767232800000,0,"o","T-1",0],[1767232801000,1,"r","T\"é",0,"C",1767232007000,300],[1767232802000,1,"f","T-2",null,null,1767232008000],[1767232803000,0,"a","T-1",1,"C-2"],[1767232804000,0,"x","T-3"],[1767232805000,0,"snapshot",40]]}}"#);
    }

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        assert_eq!(Wire::decode(&wire().encode().expect("encodes")).expect("decodes"), wire());
    }

    #[test]
    fn the_earlier_form_is_read() {
        let messages = serde_json::to_string(&messages()).expect("encodes");
        let earlier = format!(
            r#"{{"v":1,"type":"tickets","topic":"support.tickets","partition":2,"messages":{messages}}}"#
        );
        assert_eq!(Wire::decode(earlier.as_bytes()).expect("decodes"), wire());
        let fixed = r#"{"v":1,"type":"tickets","topic":"t","partition":0,"messages":[{"ts":"2026-01-01T02:00:00Z","series":{"region":"north","service":"tv","channel":"phone"},"news":{"step":{"ticket_id":"T-1","step":"opened","opened_at":null,"handled_seconds":null}},"facts":null}]}"#;
        let Ok(Wire::Tickets { batch, .. }) = Wire::decode(fixed.as_bytes()) else {
            panic!("it is a message about tickets");
        };
        let own = TicketMessage { facts: None, ..messages_of_one() };
        assert_eq!(batch, [own].iter().collect::<TicketBatch>());
    }

    fn messages_of_one() -> TicketMessage {
        messages().swap_remove(0)
    }

    #[test]
    fn damaged_tables_are_refused_and_additions_are_ignored() {
        let read = |rows: &str| {
            let text = format!(
                r#"{{"v":1,"type":"tickets","topic":"t","partition":0,"table":{{"series":[["a","b","c"]],"facts":[],"more":7,"rows":[{rows}]}}}}"#
            );
            Wire::decode(text.as_bytes())
        };
        for (rows, is_read) in [
            (r#"[7,0,"o","T-1"]"#, true),
            (r#"[7,0,"o","T-1",null,null,null,null,"more"]"#, true),
            (r#"[7,1,"o","T-1"]"#, false),
            (r#"[7,0,"o","T-1",0]"#, false),
            (r#"[7,0,"y","T-1"]"#, false),
            (r#"[7,0,"o"]"#, false),
            (r#"[7,0,"snapshot",-1]"#, false),
        ] {
            assert_eq!(read(rows).is_ok(), is_read, "{rows}");
        }
    }
}
