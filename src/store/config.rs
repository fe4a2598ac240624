//! `[store]`.

use std::path::{Path, PathBuf};

use crate::config::Reader;

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Directory of `state.db` and `events.db`.
    pub path: PathBuf,
}

impl StoreConfig {
    /// Reads the section. The directory is `default` if the section has none.
    pub fn read(section: Reader<'_>, default: &str) -> Self {
        let path = section.path("path").unwrap_or_else(|| Path::new(default).to_owned());
        section.finish();
        Self { path }
    }
}
