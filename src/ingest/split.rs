//! A file or a request → the bytes of each event.

use serde_json::value::RawValue;
use thiserror::Error;

/// Why a body cannot be cut into events, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SplitError {
    /// From 1.
    pub line: usize,
    /// From 1; 0 at the very end of the line before.
    pub column: usize,
    pub message: String,
}

impl SplitError {
    fn new(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
        Self { line: error.line(), column: error.column(), message: message.to_owned() }
    }
}

/// Cuts one object, a JSON array or NDJSON into its values, each as it stands in `body`.
///
/// Only brackets and commas are looked at: what the values hold is [`super::decode`]'s to judge.
///
/// # Errors
/// [`SplitError`] at the first byte that is no JSON.
pub fn split(body: &[u8]) -> Result<Vec<&[u8]>, SplitError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let values: Result<Vec<&RawValue>, serde_json::Error> = if first == Some(&b'[') {
        serde_json::from_slice(body)
    } else {
        serde_json::Deserializer::from_slice(body).into_iter().collect()
    };
    match values {
        Ok(values) => Ok(values.into_iter().map(|value| value.get().as_bytes()).collect()),
        Err(error) => Err(SplitError::new(&error)),
    }
}
