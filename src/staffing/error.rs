//! Why a profile is refused.

use thiserror::Error;

/// A key that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {text}")]
pub struct ProfileError {
    pub key: &'static str,
    pub text: String,
}
