//! Splits a file or a request into the bytes of each event.

use serde_json::value::RawValue;
use thiserror::Error;

use super::foreign::without_bom;

/// The error for a body that is not JSON, with its position.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SplitError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1; 0 for the end of the previous line.
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

/// Splits one object, a JSON array or NDJSON into its values, as slices of `body`. [`super::decode`] checks their content.
///
/// # Errors
/// [`SplitError`] at the first byte that is not JSON.
pub fn split(body: &[u8]) -> Result<Vec<&[u8]>, SplitError> {
    let body = without_bom(body);
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
