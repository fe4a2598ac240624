//! Look-up tables of `[[mapping]]`, read at the start and again whenever a file changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::config::MapTable;
use crate::api::Decoders;
use crate::ingest::{Decoder, Limits, MapRule, Mapping, Table};

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reads all tables.
///
/// # Errors
/// Which table, and what is wrong with it.
pub fn read(tables: &[MapTable]) -> Result<Mapping, String> {
    let rules = tables.iter().map(|table| {
        let shown = table.file.display();
        let text = std::fs::read_to_string(&table.file).map_err(|e| format!("{shown}: {e}"))?;
        let parsed = Table::from_csv(&text).map_err(|e| format!("{shown}: {e}"))?;
        Ok(MapRule { target: table.target, attribute: table.attribute, table: parsed })
    });
    let rules: Result<Vec<MapRule>, String> = rules.collect();
    Mapping::new(rules?).map_err(|error| error.to_string())
}

/// Watches the files; a change that cannot be read leaves the tables as they were.
pub struct Reload {
    pub tables: Vec<MapTable>,
    pub limits: Limits,
    pub decoders: Arc<Decoders>,
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
            match read(&self.tables) {
                Ok(mapping) => {
                    self.decoders.replace(Decoder { limits: self.limits, mapping });
                    tracing::info!("look-up tables were read again");
                }
                Err(error) => {
                    tracing::error!(
                        error,
                        "a changed look-up table cannot be used; the old ones stay"
                    );
                }
            }
        }
    }

    fn changed_at(&self) -> Vec<(PathBuf, Option<SystemTime>)> {
        let changed = |table: &MapTable| {
            let at = table.file.metadata().and_then(|file| file.modified()).ok();
            (table.file.clone(), at)
        };
        self.tables.iter().map(changed).collect()
    }
}
