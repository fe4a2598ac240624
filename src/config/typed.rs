//! Reads values of a section by key and type. Records a problem for each invalid value.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use figment::value::{Dict, Value};

use super::layers::{Origin, env_name};
use super::value::{plain, quotation_hint, real, shown, whole};
use super::{Reader, Secret, SecretFile, one_line};
use crate::domain::{format_duration, parse_duration};

/// Reads an IP address and a port, such as `127.0.0.1:8080` or `[::1]:8080`.
///
/// # Errors
/// A text with an address that works; it has the port of `text`, if there is one.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let digits = text.rsplit(':').next().unwrap_or(text);
    let port = digits.parse::<u16>().ok().filter(|port| *port > 0).unwrap_or(8080);
    let hint = |_| format!("use an IP address and a port, such as 127.0.0.1:{port}");
    text.parse().map_err(hint)
}

impl Reader<'_> {
    /// All entries as text, for a table whose keys are defined by another program. Nested tables become `outer.inner`, because
    /// `SURGECAST__KAFKA__PROPERTIES__SASL__USERNAME` is read as nested tables.
    pub fn flattened(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        if let Some(dict) = self.dict {
            self.flatten("", dict, &mut all);
        }
        all
    }

    fn flatten(&self, prefix: &str, dict: &Dict, into: &mut BTreeMap<String, String>) {
        for (key, value) in dict {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                Value::Dict(_, inner) => self.flatten(&key, inner, into),
                Value::Array(..) | Value::Empty(..) => {
                    let text = format!("found {}: use text, a number, true or false", shown(value));
                    self.problem_at(&self.join(&key), Some(value), text);
                }
                plain_value => _ = into.insert(key, plain(plain_value)),
            }
        }
    }

    /// A list of texts: an array, or one text with commas as separators, as in an environment variable.
    pub fn list(&self, key: &'static str, allowed: &str) -> Option<Vec<String>> {
        match self.value(key)? {
            Value::String(_, text) => Some(text.split(',').map(|t| t.trim().to_owned()).collect()),
            Value::Array(_, items) => {
                Some(items.iter().map(|v| v.as_str().unwrap_or_default().to_owned()).collect())
            }
            other => {
                self.wrong(key, other, allowed);
                None
            }
        }
    }

    /// A text that is not empty.
    pub fn text(&self, key: &'static str, allowed: &str) -> Option<String> {
        let value = self.value(key)?;
        match value {
            Value::String(_, text) if !text.trim().is_empty() => Some(text.clone()),
            // Environment variables have no types: `SURGECAST__KAFKA__GROUP=7` is text too.
            Value::Num(..) | Value::Bool(..)
                if self.layers.origin(value) == Origin::Environment =>
            {
                Some(plain(value))
            }
            _ => {
                self.wrong(key, value, allowed);
                None
            }
        }
    }

    /// A text that `read` parses.
    pub fn parse<T, E: Display>(
        &self,
        key: &'static str,
        allowed: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key, allowed)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, format!("found `{text}`: {error}"));
                None
            }
        }
    }

    /// An IP address and a port.
    pub fn address(&self, key: &'static str) -> Option<SocketAddr> {
        self.parse(key, "use an IP address and a port, such as 127.0.0.1:8080", parse_address)
    }

    /// A length of time within a range.
    pub fn length(&self, key: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let allowed = "use a length of time, such as 15m";
        self.parse(key, allowed, |text| {
            let length = parse_duration(text).map_err(|e| e.to_string())?;
            if range.contains(&length) {
                return Ok(length);
            }
            let (least, most) = (format_duration(*range.start()), format_duration(*range.end()));
            Err(format!("use a length from {least} to {most}"))
        })
    }

    /// A whole number within a range.
    pub fn count(&self, key: &'static str, range: RangeInclusive<usize>) -> Option<usize> {
        let value = self.value(key)?;
        let found = match value {
            Value::Num(_, number) => whole(*number),
            _ => None,
        };
        match found.filter(|count| range.contains(count)) {
            Some(count) => Some(count),
            None => {
                let (least, most) = (range.start(), range.end());
                let hint = quotation_hint(value);
                self.wrong(key, value, &format!("use a whole number from {least} to {most}{hint}"));
                None
            }
        }
    }

    /// A number, whole or not.
    pub fn number(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let found = match value {
            Value::Num(_, number) => real(*number),
            _ => None,
        };
        if found.is_none() {
            self.wrong(key, value, &format!("use a number{}", quotation_hint(value)));
        }
        found
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(_, flag) => Some(*flag),
            other => {
                self.wrong(key, other, "use true or false");
                None
            }
        }
    }

    /// One of several allowed words.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let allowed = format!("use {}", names.join(", "));
        self.parse(key, &allowed, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or(&allowed)
        })
    }

    /// An `http://` or `https://` URL, without a `/` at its end.
    pub fn url(&self, key: &'static str) -> Option<String> {
        self.url_of(key, &["http", "https"], "use an http:// or https:// address")
    }

    /// A URL with one of these schemes, without a `/` at its end.
    pub fn url_of(&self, key: &'static str, schemes: &[&str], allowed: &str) -> Option<String> {
        let text = self.text(key, allowed)?;
        // The error does not repeat the URL, because it may contain a password.
        match reqwest::Url::parse(&text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let text =
                    "the URL must not contain a user or a password: use the key for the secret";
                self.problem(key, text.into());
                None
            }
            Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => {
                Some(text.trim_end_matches('/').to_owned())
            }
            _ => {
                // Without the path, because the path of a chat service's URL is a secret.
                let start: Vec<&str> = text.splitn(4, '/').take(3).collect();
                self.problem(key, format!("found `{}`: {allowed}", start.join("/")));
                None
            }
        }
    }

    /// A path. A path in the config file is relative to that file.
    pub fn path(&self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key, "use a path")?;
        self.value(key).map(|value| self.layers.resolve(value, &text))
    }

    /// The path and the content of a file.
    pub fn file(&self, key: &'static str) -> Option<(PathBuf, String)> {
        let path = self.path(key)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                self.problem(key, format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    /// The path and the content of a file with secrets.
    pub fn secret_file(&self, key: &'static str) -> Option<(PathBuf, String)> {
        let (path, text) = self.file(key)?;
        self.secret_is_in(key, path.clone(), None);
        Some((path, text))
    }

    fn secret_is_in(&self, key: &'static str, path: PathBuf, secret: Option<Secret>) {
        let file = SecretFile { key: self.join(key), path, secret };
        self.layers.secret_files.borrow_mut().push(file);
    }

    /// A secret from the file at `file_key`, or from the environment variable of `key`.
    pub fn secret(&self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let inline = self.value(key);
        let from_file = self.value(file_key);
        match (inline, from_file) {
            (Some(value), None) if self.layers.origin(value) == Origin::Environment => {
                Some(Secret::new(plain(value)))
            }
            (Some(_), _) => {
                let name = env_name(&self.join(key));
                let text = format!(
                    "secrets are not allowed in the config file: use either {file_key} or the environment \
                     variable {name}"
                );
                self.problem(key, text);
                None
            }
            (None, Some(_)) => {
                let (path, text) = self.file(file_key)?;
                let found = one_line(&text);
                let told = |wrong| self.problem(file_key, format!("{} {wrong}", path.display()));
                let secret = Secret::new(found.map_err(told).ok()?);
                self.secret_is_in(file_key, path, Some(secret.clone()));
                Some(secret)
            }
            (None, None) => None,
        }
    }
}
