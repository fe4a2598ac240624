//! Configuration: defaults < file (TOML) < environment `SURGECAST__SECTION__KEY` < flags.
//!
//! `RawConfig` is what the layers said, each value with where it came from;
//! [`Config`] is what was made of it. In between everything is checked, and all problems are told
//! at once. The environment knows no case: what it names is lower case.

mod raw;
mod reader;
mod secret;
#[cfg(test)]
mod tests;
mod types;
mod validate;

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use raw::Flags;
pub use secret::Secret;
pub use types::{
    Admin, Config, Forecast, Grafana, InfluxDb, Kafka, Limits, Log, LogFormat, MapTable, Receiver,
    ReceiverKind, Server, Store, Windows,
};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key.
    pub key: String,
    /// Which layer said it, in words; empty for what is missing.
    pub origin: String,
    /// What was found and what is allowed.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin.as_str() {
            "" => write!(f, "{}: {}", self.key, self.text),
            origin => write!(f, "{} ({origin}): {}", self.key, self.text),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read the config file {}: {error}. Name one that exists and may be read", file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    #[error("{} is not TOML: {text}", file.display())]
    Syntax { file: PathBuf, text: String },
    #[error("{}", list(file, problems))]
    Invalid { file: PathBuf, problems: Vec<Problem> },
}

fn list(file: &Path, problems: &[Problem]) -> String {
    let noun = if problems.len() == 1 { "problem" } else { "problems" };
    let mut text = format!("config {}: {} {noun}", file.display(), problems.len());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

/// Reads and validates all layers.
///
/// # Errors
/// [`ConfigError`]; [`ConfigError::Invalid`] names every problem there is.
pub fn load(file: &Path, flags: &Flags) -> Result<Config, ConfigError> {
    let raw = raw::RawConfig::read(file, flags)?;
    validate::validate(&raw)
        .map_err(|problems| ConfigError::Invalid { file: file.to_owned(), problems })
}
