//! Problems and errors of a configuration.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// One problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key.
    pub key: String,
    /// The layer that set the value, in words; empty for a missing key.
    pub origin: String,
    /// The given value, and the allowed values.
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

/// The error for a configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file does not exist or is not readable.
    #[error("cannot read the config file {}: {error}; use an existing, readable file", file.display())]
    Unreadable {
        /// Path as given.
        file: PathBuf,
        /// The I/O error.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not TOML: {text}", file.display())]
    Syntax {
        /// Path as given.
        file: PathBuf,
        /// Line, column and the expected syntax.
        text: String,
    },
    /// The settings have problems.
    #[error("{}", list(name, problems))]
    Invalid {
        /// Name of the settings, such as `config surgecast.toml`.
        name: String,
        /// All problems, in the order of the sections.
        problems: Vec<Problem>,
    },
}

fn list(name: &str, problems: &[Problem]) -> String {
    let noun = if problems.len() == 1 { "problem" } else { "problems" };
    let mut text = format!("{name}: {} {noun}", problems.len());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}
