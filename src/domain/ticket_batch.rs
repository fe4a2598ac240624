//! Messages about tickets, stored compactly.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use super::{
    FactsRef, LifeStep, Name, NewsRef, SeriesKey, StepRef, TicketFacts, TicketMessage, TicketNews,
    Timestamp,
};

/// Maximum number of messages of a batch.
const ROWS_MAX: usize = 512;
/// A batch takes no further message once it has this many bytes.
const BYTES_MAX: usize = 64 << 10;

/// Messages about tickets of one source, in their order. Series and facts that several messages have are stored once, and ids
/// one after the other. The size is limited, see [`Self::is_full`].
#[derive(Clone, Debug, Default)]
pub struct TicketBatch {
    series: Table<SeriesKey>,
    /// Without customers.
    facts: Table<TicketFacts>,
    rows: Vec<Row>,
    /// For each row, the id of the ticket and that of the customer.
    ids: String,
    /// Bytes of series and facts.
    table_bytes: usize,
}

/// Entries that are stored once, with the index of each by its hash.
#[derive(Clone, Debug)]
struct Table<T> {
    entries: Vec<T>,
    index_of: HashMap<u64, u32, FixedState>,
}

impl<T> Table<T> {
    fn new(entries: Vec<T>) -> Self {
        Self { entries, index_of: HashMap::default() }
    }

    /// The index of the entry with a hash that `is_it`. Without such an entry, a new one is added.
    fn index(&mut self, hash: u64, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> u32 {
        let next = self.entries.len() as u32;
        let at = *self.index_of.entry(hash).or_insert(next);
        if self.entries.get(at as usize).is_some_and(is_it) {
            return at;
        }
        self.entries.push(new());
        next
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    ts: Timestamp,
    series: u32,
    facts: Option<u32>,
    news: RowNews,
    /// Bytes of the id of the ticket; 0 for a snapshot.
    ticket_bytes: u32,
    /// Bytes of the id of the customer.
    customer_bytes: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum RowNews {
    Step { step: LifeStep, opened_at: Option<Timestamp>, handled_seconds: Option<u32> },
    Snapshot { open: u32 },
}

/// A message of a batch, with indices of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRow<'a> {
    pub ts: Timestamp,
    /// Index in [`TicketBatch::series`].
    pub series: u32,
    /// Index in [`TicketBatch::facts`]; `None` if the message has no facts except for a customer.
    pub facts: Option<u32>,
    pub news: NewsRef<'a>,
    /// Id of the customer.
    pub customer: Option<&'a str>,
}

impl TicketBatch {
    /// An empty batch with tables of series and facts, for rows that refer to them. The facts have no customers.
    pub fn with_tables(series: Vec<SeriesKey>, facts: Vec<TicketFacts>) -> Self {
        Self { series: Table::new(series), facts: Table::new(facts), ..Self::default() }
    }

    /// Whether another message should go into another batch.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_MAX || self.bytes() >= BYTES_MAX
    }

    /// Approximate memory of the messages, in bytes.
    pub fn bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>() + self.ids.len() + self.table_bytes
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Series of the messages.
    pub fn series(&self) -> &[SeriesKey] {
        &self.series.entries
    }

    /// Facts of the messages, without customers.
    pub fn facts(&self) -> &[TicketFacts] {
        &self.facts.entries
    }

    /// Adds a message. `series` are region, service and channel.
    pub fn push(
        &mut self,
        ts: Timestamp,
        series: [&str; 3],
        news: NewsRef<'_>,
        facts: Option<FactsRef<'_>>,
    ) {
        let series = self.series_index(series);
        let customer = facts.and_then(|facts| facts.customer);
        let facts = facts.map(|facts| self.facts_index(FactsRef { customer: None, ..facts }));
        self.put(TicketRow { ts, series, facts, news, customer });
    }

    /// Adds a message.
    pub fn push_message(&mut self, message: &TicketMessage) {
        let SeriesKey { region, service, channel } = &message.series;
        let series = [region, service, channel].map(Name::as_str);
        let facts = message.facts.as_deref().map(FactsRef::from);
        self.push(message.ts, series, NewsRef::from(&message.news), facts);
    }

    /// Adds a row. Returns whether its indices are those of entries in the tables; if not, it is not added.
    pub fn push_row(&mut self, row: TicketRow<'_>) -> bool {
        let is_valid = (row.series as usize) < self.series().len()
            && row.facts.is_none_or(|at| (at as usize) < self.facts().len());
        if is_valid {
            self.put(row);
        }
        is_valid
    }

    fn put(&mut self, row: TicketRow<'_>) {
        let TicketRow { ts, series, facts, news, customer } = row;
        let mut put = |text: &str| {
            self.ids.push_str(text);
            text.len() as u32
        };
        let (ticket_bytes, news) = match news {
            NewsRef::Snapshot { open } => (0, RowNews::Snapshot { open }),
            NewsRef::Step(StepRef { ticket_id, step, opened_at, handled_seconds }) => {
                (put(ticket_id), RowNews::Step { step, opened_at, handled_seconds })
            }
        };
        let customer_bytes = customer.map(put);
        self.rows.push(Row { ts, series, facts, news, ticket_bytes, customer_bytes });
    }

    fn series_index(&mut self, names: [&str; 3]) -> u32 {
        let is_it =
            |key: &SeriesKey| [&key.region, &key.service, &key.channel].map(Name::as_str) == names;
        self.series.index(hash(&names), is_it, || {
            self.table_bytes += names.map(str::len).iter().sum::<usize>() + size_of::<SeriesKey>();
            // The decoder has checked the names.
            let name = |text: &str| Name::filter(text).unwrap_or_else(|_| Name::unknown());
            let [region, service, channel] = names.map(name);
            SeriesKey::new(region, service, channel)
        })
    }

    fn facts_index(&mut self, facts: FactsRef<'_>) -> u32 {
        let is_it = |known: &TicketFacts| FactsRef::from(known) == facts;
        self.facts.index(hash(&facts), is_it, || {
            let words = [facts.priority, facts.tier].into_iter().flatten();
            self.table_bytes += words.map(str::len).sum::<usize>() + size_of::<TicketFacts>();
            facts.into()
        })
    }

    /// The messages, with indices of the tables.
    pub fn rows(&self) -> impl Iterator<Item = TicketRow<'_>> {
        let mut at = 0;
        self.rows.iter().map(move |row| {
            let mut take = |bytes: u32| {
                let from = at;
                at += bytes as usize;
                &self.ids[from..at]
            };
            let ticket_id = take(row.ticket_bytes);
            let news = match row.news {
                RowNews::Snapshot { open } => NewsRef::Snapshot { open },
                RowNews::Step { step, opened_at, handled_seconds } => {
                    NewsRef::Step(StepRef { ticket_id, step, opened_at, handled_seconds })
                }
            };
            let customer = row.customer_bytes.map(&mut take);
            TicketRow { ts: row.ts, series: row.series, facts: row.facts, news, customer }
        })
    }

    /// The messages.
    pub fn messages(&self) -> impl Iterator<Item = TicketMessage> {
        self.rows().map(|row| TicketMessage {
            ts: row.ts,
            series: self.series()[row.series as usize].clone(),
            news: TicketNews::from(row.news),
            facts: self.facts_of(&row),
        })
    }

    /// The facts of a row of this batch, with its customer.
    pub fn facts_of(&self, row: &TicketRow<'_>) -> Option<Box<TicketFacts>> {
        let facts = row.facts.map(|at| self.facts()[at as usize].clone());
        if row.customer.is_none() {
            return facts.map(Box::new);
        }
        let customer = row.customer.map(Box::from);
        Some(Box::new(TicketFacts { customer, ..facts.unwrap_or_default() }))
    }

    /// Whether a message has a customer.
    pub fn has_customer(&self) -> bool {
        self.rows.iter().any(|row| row.customer_bytes.is_some())
    }

    /// The same messages with other ids of customers.
    #[must_use]
    pub fn with_customers(&self, id_of: impl Fn(&str) -> Box<str>) -> Self {
        let mut batch = Self::with_tables(self.series().to_vec(), self.facts().to_vec());
        for row in self.rows() {
            let customer = row.customer.map(&id_of);
            batch.put(TicketRow { customer: customer.as_deref(), ..row });
        }
        batch
    }
}

fn hash(value: &impl Hash) -> u64 {
    FixedState::with_seed(0).hash_one(value)
}

impl PartialEq for TicketBatch {
    fn eq(&self, other: &Self) -> bool {
        self.messages().eq(other.messages())
    }
}

impl<'a> FromIterator<&'a TicketMessage> for TicketBatch {
    fn from_iter<I: IntoIterator<Item = &'a TicketMessage>>(messages: I) -> Self {
        let mut batch = Self::default();
        messages.into_iter().for_each(|message| batch.push_message(message));
        batch
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Sentiment, Topic};

    fn message() -> impl Strategy<Value = TicketMessage> {
        let name = || prop_oneof![Just("north"), Just("é☎"), Just("unknown")];
        let series = (name(), name(), name()).prop_map(|(region, service, channel)| {
            let name = |text| Name::new(text).expect("a name");
            SeriesKey::new(name(region), name(service), name(channel))
        });
        let step = prop_oneof![Just(LifeStep::Opened), Just(LifeStep::Resolved)];
        let at = || prop::option::of((0..99_i64).prop_map(Timestamp::from_millis));
        let seconds = prop::option::of(any::<u32>());
        let news = prop_oneof![
            any::<u32>().prop_map(|open| TicketNews::Snapshot { open }),
            ("[a-zé]{1,3}", step, at(), seconds).prop_map(|(id, step, opened_at, seconds)| {
                let ticket_id = id.into();
                TicketNews::Step(crate::domain::TicketStep {
                    ticket_id,
                    step,
                    opened_at,
                    handled_seconds: seconds,
                })
            }),
        ];
        let word = || prop::option::of("[a-zé]{0,2}".prop_map(Box::from));
        let topic = prop::option::of(Just(Topic::EVERY[1]));
        let sentiment = prop::option::of(Just(Sentiment::Negative));
        let facts = (word(), word(), topic, sentiment, word()).prop_map(
            |(priority, tier, topic, sentiment, customer)| {
                let facts = TicketFacts { priority, tier, topic, sentiment, customer };
                // A message without facts has none at all.
                (facts != TicketFacts::default()).then(|| Box::new(facts))
            },
        );
        (0..9_i64, series, news, facts).prop_map(|(ts, series, news, facts)| {
            let ts = Timestamp::from_millis(ts);
            TicketMessage { ts, series, news, facts }
        })
    }

    proptest! {
        #[test]
        fn a_batch_returns_its_messages(messages in prop::collection::vec(message(), 0..60)) {
            let batch: TicketBatch = messages.iter().collect();
            prop_assert_eq!(batch.messages().collect::<Vec<_>>(), &messages[..]);
            prop_assert_eq!(batch.len(), messages.len());
            prop_assert_eq!(batch.is_empty(), messages.is_empty());
            let of = |m: &TicketMessage| m.facts.as_ref().and_then(|facts| facts.customer.clone());
            prop_assert_eq!(batch.has_customer(), messages.iter().any(|m| of(m).is_some()));

            let mut rows = TicketBatch::with_tables(batch.series().into(), batch.facts().into());
            prop_assert!(batch.rows().all(|row| rows.push_row(row)));
            prop_assert_eq!(&rows, &batch);

            let hashed = batch.with_customers(|id| format!("{id}!").into());
            let mut expected = messages;
            for facts in expected.iter_mut().filter_map(|message| message.facts.as_mut()) {
                facts.customer = facts.customer.as_ref().map(|id| format!("{id}!").into());
            }
            prop_assert_eq!(hashed.messages().collect::<Vec<_>>(), expected);
        }
    }

    fn opened(ticket_id: &str) -> NewsRef<'_> {
        let step = LifeStep::Opened;
        NewsRef::Step(StepRef { ticket_id, step, opened_at: None, handled_seconds: None })
    }

    #[test]
    fn series_and_facts_are_stored_once() {
        let mut batch = TicketBatch::default();
        let facts = FactsRef { priority: Some("P2"), customer: Some("C"), ..FactsRef::default() };
        while !batch.is_full() {
            let series = ["north", "tv", ["phone", "chat"][batch.len() % 2]];
            let id = batch.len().to_string();
            let news = opened(&id);
            batch.push(Timestamp::from_millis(7), series, news, Some(facts));
        }
        let sizes = (batch.len(), batch.series().len(), batch.facts().len());
        assert_eq!(sizes, (ROWS_MAX, 2, 1));
        let other = TicketRow {
            ts: Timestamp::from_millis(7),
            series: 2,
            facts: None,
            news: NewsRef::Snapshot { open: 1 },
            customer: None,
        };
        assert!(!batch.push_row(other), "no such series");
        assert!(!batch.push_row(TicketRow { series: 0, facts: Some(1), ..other }), "no such facts");
    }

    #[test]
    fn a_batch_with_long_ids_is_full_earlier() {
        let mut batch = TicketBatch::default();
        let id = "é".repeat(256);
        while !batch.is_full() {
            let news = opened(&id);
            batch.push(Timestamp::from_millis(7), ["north", "tv", "phone"], news, None);
        }
        assert!(batch.len() < 128, "{}", batch.len());
    }
}
