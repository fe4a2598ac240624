//! A token or key that is never shown.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// A secret. It has no `Display`, its `Debug` is redacted, and nothing serialises it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for a header or a signature. Keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// A file with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// Its key in the configuration.
    pub key: String,
    pub path: PathBuf,
}

impl SecretFile {
    /// A warning, if every user of this machine may read or change the file.
    pub fn warning(&self) -> Option<String> {
        let mode = std::fs::metadata(&self.path).ok()?.mode() & 0o777;
        let (key, path) = (&self.key, self.path.display());
        let text = format!(
            "{key}: every user of this machine can read {path} (mode {mode:03o}): run chmod o-rwx {path}"
        );
        (mode & 0o006 != 0).then_some(text)
    }
}
