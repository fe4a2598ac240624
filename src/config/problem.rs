//! What is wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

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
    /// The file is not there, or may not be read.
    #[error("cannot read the config file {}: {error}. Name one that exists and may be read", file.display())]
    Unreadable {
        /// As it was named.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not TOML: {text}", file.display())]
    Syntax {
        /// As it was named.
        file: PathBuf,
        /// Line, column and what was expected.
        text: String,
    },
    /// Every problem there is.
    #[error("{}", list(name, problems))]
    Invalid {
        /// What was read, such as `config surgecast.toml`.
        name: String,
        /// In the order of the sections.
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
