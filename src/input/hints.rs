//! Hints about senders: words that are in no list, names that look alike, ids that are used twice. Each is counted
//! and logged once.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::domain::{Name, SourceId};
use crate::ingest::{Doubt, Note};
use crate::telemetry::Metrics;
use crate::window::AggregationKey;

/// Maximum number of lines that are logged of each kind. Further hints are only counted.
const LINES_MAX: usize = 50;
/// Characters that nobody sees: soft hyphen, spaces and joiners without width, marks of direction.
const NO_WIDTH: [char; 8] =
    ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];
/// Most names that are compared.
const NAMES_MAX: usize = 100_000;

/// The hints that were logged since the start, for all sources.
#[derive(Debug, Default)]
pub struct Hints(Mutex<LoggedHints>);

#[derive(Debug, Default)]
struct LoggedHints {
    words: HashSet<(Doubt, String)>,
    /// By attribute and folded name: the first name.
    names: HashMap<(&'static str, String), Name>,
    /// Names that were compared.
    compared: HashSet<(&'static str, Name)>,
    alike: usize,
    sources: HashSet<SourceId>,
}

impl Hints {
    fn logged(&self) -> MutexGuard<'_, LoggedHints> {
        // The sets are valid even if a holder of the lock panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the notes of decoding.
    pub(super) fn notes(&self, source: &SourceId, notes: Vec<Note>, metrics: &Metrics) {
        for Note { doubt, word, read_as } in notes {
            metrics.decoding.unknown_word(doubt.as_str());
            let mut logged = self.logged();
            let of_kind = logged.words.iter().filter(|(known, _)| *known == doubt).count();
            if of_kind < LINES_MAX && logged.words.insert((doubt, word.clone())) {
                let list = doubt.as_str();
                tracing::warn!(
                    %source, list, word, read_as,
                    "events: unknown word; correct the sender if surgecast reads it wrongly (see docs/events.md)"
                );
            }
        }
    }

    /// Compares the names of a key with the names so far.
    pub(super) fn names(&self, key: &AggregationKey, metrics: &Metrics) {
        let names: [Option<(&'static str, &Name)>; 3] = match key {
            AggregationKey::Tickets(series) => [
                Some(("region", &series.region)),
                Some(("service", &series.service)),
                Some(("channel", &series.channel)),
            ],
            AggregationKey::Alarms(scope) => {
                [Some(("region", &scope.region)), Some(("service", &scope.service)), None]
            }
            AggregationKey::Maintenance | AggregationKey::Phrase(..) => [None, None, None],
        };
        for (attribute, name) in names.into_iter().flatten() {
            self.logged().compare(attribute, name, metrics);
        }
    }

    /// Takes the number of duplicates of a source whose content differs from the event with the same id, and one of these ids.
    pub(super) fn differing(&self, source: &SourceId, count: u64, id: &str, metrics: &Metrics) {
        metrics.decoding.differing(source, count);
        let mut logged = self.logged();
        if logged.sources.len() < LINES_MAX && logged.sources.insert(source.clone()) {
            tracing::warn!(
                %source, id,
                "events: duplicates differ from the event with the same id, so they are not counted; \
                 check whether the sender uses an id twice"
            );
        }
    }
}

impl LoggedHints {
    fn compare(&mut self, attribute: &'static str, name: &Name, metrics: &Metrics) {
        let key = (attribute, name.clone());
        if self.compared.contains(&key) || self.compared.len() >= NAMES_MAX {
            return;
        }
        self.compared.insert(key);
        let first =
            self.names.entry((attribute, folded(name.as_str()))).or_insert_with(|| name.clone());
        if first == name {
            return;
        }
        metrics.decoding.alike(attribute);
        self.alike += 1;
        if self.alike <= LINES_MAX {
            tracing::warn!(
                attribute, %first, %name,
                "events: two names differ only in case, spaces or the encoding of letters and are counted separately; \
                 use one spelling, or a look-up table"
            );
        }
    }
}

/// A name in lower case, without blanks and characters without width, and in compatibility form NFKC: the same for texts that
/// look alike, such as `é` as one character and as two, and for full-width and half-width letters.
fn folded(name: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(name);
    let is_seen = |c: &char| !c.is_whitespace() && !NO_WIDTH.contains(c);
    composed.chars().filter(is_seen).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Scope, SeriesKey};
    use crate::telemetry::Exposition;

    fn value(metrics: &Metrics, line: &str) -> Option<f64> {
        let text = metrics.text(Exposition::Classic);
        let found = text.lines().find_map(|found| found.strip_prefix(line));
        found.and_then(|value| value.trim().parse().ok())
    }

    #[test]
    fn names_that_look_alike_are_counted_once_each() {
        let (hints, metrics) = (Hints::default(), Metrics::default());
        let name = |text: &str| Name::new(text).expect(text);
        for (region, channel) in [
            ("North", "phone"),
            ("north", "phone"),
            ("north", "Phone"),
            ("NORTH", "chat"),
            ("south east", "chat"),
            ("SouthEast", "chat"),
            ("Ärzte", "chat"),
            ("ärzte", "chat"),
            ("华北", "chat"),
            ("华东", "chat"),
            ("A\u{308}rzte", "chat"),
            ("\u{ff2e}orth", "chat"),
            ("nor\u{200b}th", "chat"),
            ("\u{feff}north", "chat"),
        ] {
            let series = SeriesKey::new(name(region), name("tv"), name(channel));
            hints.names(&AggregationKey::Tickets(series), &metrics);
        }
        let scope = Scope { region: name("north"), service: name("TV") };
        hints.names(&AggregationKey::Alarms(scope), &metrics);
        let of = |attribute: &str| {
            value(&metrics, &format!("surgecast_names_alike_total{{attribute=\"{attribute}\"}}"))
        };
        assert_eq!((of("region"), of("channel"), of("service")), (Some(8.0), Some(1.0), Some(1.0)));
    }
}
