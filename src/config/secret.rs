//! A token or key that is never shown.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// A secret, which may be read again while it is in use. It has no `Display`, its `Debug` is redacted, and nothing serialises
/// it.
#[derive(Clone)]
pub struct Secret(Arc<RwLock<String>>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(RwLock::new(text.into())))
    }

    /// The secret itself, for a header or a signature. Keep it out of logs and errors.
    pub fn expose(&self) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the secret in this value and all its clones.
    fn replace(&self, text: &str) {
        text.clone_into(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self::new("")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The secret in the text of a file: its only line.
///
/// # Errors
/// What is wrong with the file, and what to do.
pub fn one_line(text: &str) -> Result<&str, &'static str> {
    match text.trim() {
        "" => Err("is empty: put the secret into it"),
        secret if secret.contains(char::is_control) => {
            Err("has more than one line, or control characters: put only the secret into it")
        }
        secret => Ok(secret),
    }
}

/// A file with a secret in it.
#[derive(Clone, Debug)]
pub struct SecretFile {
    /// Its key in the configuration.
    pub key: String,
    pub path: PathBuf,
    /// The secret in it; `None` if the reader of the file watches for changes itself.
    pub secret: Option<Secret>,
}

impl SecretFile {
    /// Reads the file again.
    ///
    /// # Errors Why the file cannot be used. The previous secret stays in use.
    pub fn reload(&self) -> Result<(), String> {
        let Some(secret) = &self.secret else { return Ok(()) };
        let text = std::fs::read_to_string(&self.path).map_err(|error| error.to_string())?;
        secret.replace(one_line(&text)?);
        Ok(())
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line() {
        assert_eq!(one_line(" abc \r\n"), Ok("abc"));
        for (text, wrong) in [(" \n", "is empty"), ("abc\ndef\n", "more than one line")] {
            assert!(one_line(text).is_err_and(|told| told.contains(wrong)), "{text:?}");
        }
    }
}
