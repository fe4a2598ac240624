//! Reloads the look-up tables of `[[mapping]]` and the lexicon when a file changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::ingest::{Decoder, Lexicon, Limits, MapRule, Mapping, SentimentWords, Table};
use crate::input::Decoders;
use crate::input::config::MapTable;
use crate::telemetry::Health;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The component of `/ready`.
const COMPONENT: &str = "mapping";

/// Reads all tables.
///
/// # Errors
/// The table, and why it cannot be used.
fn read(tables: &[MapTable]) -> Result<Mapping, String> {
    let rules = tables.iter().map(|table| {
        let shown = table.file.display();
        let text = std::fs::read_to_string(&table.file).map_err(|e| format!("{shown}: {e}"))?;
        let parsed = Table::from_csv(&text).map_err(|e| format!("{shown}: {e}"))?;
        Ok(MapRule { target: table.target, attribute: table.attribute, table: parsed })
    });
    let rules: Result<Vec<MapRule>, String> = rules.collect();
    Mapping::new(rules?).map_err(|error| error.to_string())
}

/// Reads the lexicon, or returns the built-in one.
///
/// # Errors
/// The file, and why it cannot be used.
fn read_lexicon(file: Option<&Path>) -> Result<Lexicon, String> {
    let Some(file) = file else { return Ok(Lexicon::default()) };
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| format!("{shown}: {e}"))?;
    Lexicon::from_toml(&text).map_err(|e| format!("{shown}: {e}"))
}

/// Reads the list of words that have a sentiment, or returns the built-in one.
///
/// # Errors
/// The file, and why it cannot be used.
fn read_sentiment(file: Option<&Path>) -> Result<SentimentWords, String> {
    let Some(file) = file else { return Ok(SentimentWords::default()) };
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| format!("{shown}: {e}"))?;
    SentimentWords::from_toml(&text).map_err(|e| format!("{shown}: {e}"))
}

/// Watches the files. If a changed file cannot be used, the current decoder stays.
pub struct Reload {
    pub tables: Vec<MapTable>,
    pub lexicon: Option<PathBuf>,
    pub sentiment: Option<PathBuf>,
    pub limits: Limits,
    pub decoders: Arc<Decoders>,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl Reload {
    /// Runs until `stop` is set.
    pub fn run(self) {
        let mut seen = self.changed_at();
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::park_timeout(LOOK_EVERY);
            let now = self.changed_at();
            if now == seen {
                continue;
            }
            seen = now;
            match self.read() {
                Ok(decoder) => {
                    self.decoders.replace(decoder);
                    self.health.recovered(COMPONENT);
                    tracing::info!("mapping: look-up tables and lexicon reloaded");
                }
                Err(error) => {
                    let text =
                        format!("{error}; the previous tables stay in use; correct the file");
                    self.health.degraded(COMPONENT, &text);
                    tracing::error!(
                        error,
                        "mapping: a changed file cannot be used, the previous tables stay; correct the file"
                    );
                }
            }
        }
    }

    fn read(&self) -> Result<Decoder, String> {
        let lexicon = read_lexicon(self.lexicon.as_deref())?;
        let zone = self.decoders.current().zone;
        let sentiment = read_sentiment(self.sentiment.as_deref())?;
        let mapping = read(&self.tables)?;
        Ok(Decoder { limits: self.limits, mapping, lexicon, sentiment, zone })
    }

    fn changed_at(&self) -> Vec<(PathBuf, Option<SystemTime>)> {
        let changed = |file: &PathBuf| {
            let at = file.metadata().and_then(|file| file.modified()).ok();
            (file.clone(), at)
        };
        let tables = self.tables.iter().map(|table| &table.file);
        tables.chain(&self.lexicon).chain(&self.sentiment).map(changed).collect()
    }
}
