//! Errors of a staffing profile.

use thiserror::Error;

/// A key with an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {text}")]
pub struct ProfileError {
    pub key: &'static str,
    pub text: String,
}
