//! `[store]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Reader;
use crate::domain::DAY;

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Directory of `state.db` and `events.db`.
    pub path: PathBuf,
    /// How long customers' texts and ids are kept: phrases and dead letters.
    pub texts: Duration,
}

/// How long customers' texts and ids are kept by default.
pub const TEXTS_KEPT: Duration = Duration::from_secs(30 * DAY.as_secs());

impl StoreConfig {
    /// Reads the section. The directory is `default` if the section has none.
    pub fn read(section: Reader<'_>, default: &str) -> Self {
        let path = section.path("path").unwrap_or_else(|| Path::new(default).to_owned());
        let texts = section.length("texts", DAY..=DAY * 400).unwrap_or(TEXTS_KEPT);
        section.finish();
        Self { path, texts }
    }
}
