//! Metrics about words that were read by a rule because they are in no list, and about names and ids that senders use wrongly.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family};
use prometheus_client::registry::Registry;

use crate::domain::SourceId;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListLabels {
    list: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabels {
    attribute: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

/// Metrics of decoding.
#[derive(Debug, Default)]
pub struct DecodingMetrics {
    words: Family<ListLabels, Counter>,
    alike: Family<NameLabels, Counter>,
    differing: Family<SourceLabels, Counter>,
}

impl DecodingMetrics {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "events_unknown_words",
            "Events with an unknown severity or action, by which of the two is unknown",
            self.words.clone(),
        );
        r.register(
            "names_alike",
            "Names that differ from an earlier one only in case, spaces or the encoding of letters",
            self.alike.clone(),
        );
        r.register(
            "duplicates_differing",
            "Duplicates whose time, place or action differs from the event with the same id",
            self.differing.clone(),
        );
    }

    /// Begins the counter of similar names of an attribute.
    pub(super) fn begin_names(&self, attribute: &'static str) {
        drop(self.alike.get_or_create(&NameLabels { attribute }));
    }

    /// Begins the counters of a source, and those of words by list.
    pub fn begin(&self, source: &SourceId, lists: impl IntoIterator<Item = &'static str>) {
        for list in lists {
            drop(self.words.get_or_create(&ListLabels { list }));
        }
        drop(self.differing.get_or_create(&SourceLabels { source: source.to_string() }));
    }

    /// Counts a word that is in no list.
    pub fn unknown_word(&self, list: &'static str) {
        self.words.get_or_create(&ListLabels { list }).inc();
    }

    /// Counts a name that differs from an earlier one only in case or spaces.
    pub fn alike(&self, attribute: &'static str) {
        self.alike.get_or_create(&NameLabels { attribute }).inc();
    }

    /// Counts duplicates of one source whose content differs from the event with the same id.
    pub fn differing(&self, source: &SourceId, count: u64) {
        self.differing.get_or_create(&SourceLabels { source: source.to_string() }).inc_by(count);
    }
}
