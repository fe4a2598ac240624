//! `[[mapping]]`, `[lexicon]` and `[limits]`: how events are decoded, and limits.

use std::path::PathBuf;

use crate::config::Reader;
use crate::domain::Zone;
use crate::ingest::{
    self, Attribute, Decoder, Lexicon, MapRule, Mapping, SentimentWords, Table, Target,
};

/// One entry of `[[mapping]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapTable {
    /// The name that the table fills in.
    pub target: Target,
    /// The event's attribute that is looked up.
    pub attribute: Attribute,
    /// CSV file with the columns `match,pattern,value`.
    pub file: PathBuf,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest event, in bytes.
    pub event_bytes: usize,
    /// Largest request body, in bytes.
    pub body_bytes: usize,
    /// Maximum number of ticket series with names of their own. Further series are counted and forecast under the region
    /// `_other`.
    pub series: usize,
    /// Maximum number of alarms that may be active at a time.
    pub standing_alarms: usize,
    /// Maximum number of open tickets whose ids are remembered.
    pub open_tickets: usize,
    /// Maximum number of events held in memory before they are reported.
    pub queue_events: usize,
}

/// Configuration of decoding.
#[derive(Clone, Debug)]
pub struct Input {
    /// Look-up tables for regions, services and channels, in the order in which they are tried.
    pub tables: Vec<MapTable>,
    /// File of the lexicon that classifies tickets' texts; `None` for the built-in lexicon.
    pub lexicon: Option<PathBuf>,
    /// File of words that have a sentiment; `None` for the built-in one.
    pub sentiment: Option<PathBuf>,
    /// `[limits]`.
    pub limits: Limits,
    /// The decoder made from these settings.
    pub decoder: Decoder,
}

impl Input {
    /// Reads the three sections and their files. `zone` is that of event times without an offset.
    pub fn read(root: &Reader<'_>, zone: Zone) -> Self {
        let (tables, mapping) = mapping(root);
        let section = root.section("lexicon");
        let (sentiment_file, sentiment) = sentiment(&section);
        let (file, lexicon) = lexicon(section);
        let limits = Limits::read(root.section("limits"));
        let decoder = Decoder { limits: limits.ingest(), mapping, lexicon, sentiment, zone };
        Self { tables, lexicon: file, sentiment: sentiment_file, limits, decoder }
    }
}

impl Limits {
    fn read(section: Reader<'_>) -> Self {
        let limits = Self {
            event_bytes: section.count("event_bytes", 1024..=1 << 20).unwrap_or(64 << 10),
            body_bytes: section.count("body_bytes", 64 << 10..=256 << 20).unwrap_or(8 << 20),
            series: section.count("series", 1..=1_000_000).unwrap_or(10_000),
            standing_alarms: section.count("standing_alarms", 1..=10_000_000).unwrap_or(100_000),
            open_tickets: section.count("open_tickets", 1..=10_000_000).unwrap_or(100_000),
            queue_events: section.count("queue_events", 100..=10_000_000).unwrap_or(20_000),
        };
        section.finish();
        limits
    }

    /// The limits for decoding.
    pub fn ingest(&self) -> ingest::Limits {
        ingest::Limits { event_bytes: self.event_bytes, ..Default::default() }
    }
}

const TARGETS: [(&str, Target); 3] =
    [("region", Target::Region), ("service", Target::Service), ("channel", Target::Channel)];
const ATTRIBUTES: [(&str, Attribute); 8] = [
    ("device", Attribute::Device),
    ("place", Attribute::Place),
    ("dn", Attribute::Dn),
    ("service", Attribute::Service),
    ("party", Attribute::Party),
    ("channel", Attribute::Channel),
    ("category", Attribute::Category),
    ("system", Attribute::System),
];

fn mapping(root: &Reader<'_>) -> (Vec<MapTable>, Mapping) {
    let entries = root.array("mapping").into_iter().filter_map(table);
    let (tables, rules) = entries.unzip();
    let mapping = Mapping::new(rules).unwrap_or_else(|error| {
        root.problem("mapping", error.to_string());
        Mapping::default()
    });
    (tables, mapping)
}

fn table(entry: Reader<'_>) -> Option<(MapTable, MapRule)> {
    let target = entry.word("target", &TARGETS);
    let attribute = entry.word("attribute", &ATTRIBUTES);
    let found = entry.file("table");
    entry.missing("target", "use region, service or channel");
    let attributes = "use device, place, dn, service, party, channel, category or system";
    entry.missing("attribute", attributes);
    entry.missing("table", "name a CSV file: match,pattern,value");
    let parsed = found.and_then(|(file, text)| match Table::from_csv(&text) {
        Ok(table) => Some((file, table)),
        Err(error) => {
            entry.problem("table", error.to_string());
            None
        }
    });
    entry.finish();
    let (target, attribute, (file, table)) = (target?, attribute?, parsed?);
    Some((MapTable { target, attribute, file }, MapRule { target, attribute, table }))
}

fn sentiment(section: &Reader<'_>) -> (Option<PathBuf>, SentimentWords) {
    let found = section.file("sentiment");
    let found = found.and_then(|(file, text)| match SentimentWords::from_toml(&text) {
        Ok(words) => Some((file, words)),
        Err(error) => {
            section.problem("sentiment", error.to_string());
            None
        }
    });
    match found {
        Some((file, words)) => (Some(file), words),
        None => (None, SentimentWords::default()),
    }
}

fn lexicon(section: Reader<'_>) -> (Option<PathBuf>, Lexicon) {
    let found = section.file("file").and_then(|(file, text)| match Lexicon::from_toml(&text) {
        Ok(lexicon) => Some((file, lexicon)),
        Err(error) => {
            section.problem("file", error.to_string());
            None
        }
    });
    section.finish();
    match found {
        Some((file, lexicon)) => (Some(file), lexicon),
        None => (None, Lexicon::default()),
    }
}
