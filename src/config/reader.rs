//! Takes values out of a section by key and type; notes every problem and every key it asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use figment::value::{Dict, Num, Value};

use super::raw::{Origin, RawConfig, env_name};
use super::{Problem, Secret};
use crate::domain::{format_duration, parse_duration};

/// One table of the configuration. Problems go to a list that all readers share.
pub(super) struct Reader<'a> {
    pub(super) raw: &'a RawConfig,
    problems: &'a RefCell<Vec<Problem>>,
    path: String,
    dict: Option<&'a Dict>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn root(raw: &'a RawConfig, problems: &'a RefCell<Vec<Problem>>) -> Self {
        Self::at(raw, problems, String::new(), Some(raw.root()))
    }

    fn at(
        raw: &'a RawConfig,
        problems: &'a RefCell<Vec<Problem>>,
        path: String,
        dict: Option<&'a Dict>,
    ) -> Self {
        Self { raw, problems, path, dict, asked: RefCell::default() }
    }

    /// Whether the table is there at all.
    pub(super) fn is_there(&self) -> bool {
        self.dict.is_some()
    }

    /// The table under `key`, empty where there is none.
    pub(super) fn section(&self, key: &'static str) -> Self {
        let value = self.value(key);
        self.table(self.join(key), value)
    }

    /// Tables with names of the user's choice under `key`.
    pub(super) fn named(&self, key: &'static str) -> Vec<(&'a str, &'a Value, Self)> {
        let section = self.section(key);
        let entries = section.dict.into_iter().flatten();
        entries
            .map(|(name, value)| {
                let path = section.join(name);
                (name.as_str(), value, self.table(path, Some(value)))
            })
            .collect()
    }

    /// The tables of an array under `key`, named by their place.
    pub(super) fn array(&self, key: &'static str) -> Vec<Self> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(_, items)) => items
                .iter()
                .enumerate()
                .map(|(i, item)| self.table(format!("{}[{i}]", self.join(key)), Some(item)))
                .collect(),
            Some(other) => {
                self.wrong(key, other, &format!("use tables, [[{}]] each", self.join(key)));
                Vec::new()
            }
        }
    }

    fn table(&self, path: String, value: Option<&'a Value>) -> Self {
        let dict = match value {
            None => None,
            Some(Value::Dict(_, dict)) => Some(dict),
            Some(other) => {
                self.problem_at(
                    &path,
                    Some(other),
                    format!("found {}, this is a table", shown(other)),
                );
                None
            }
        };
        Self::at(self.raw, self.problems, path, dict)
    }

    pub(super) fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key);
        self.dict?.get(key)
    }

    /// Every entry, for tables whose keys are not ours.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.dict.into_iter().flatten()
    }

    pub(super) fn text(&self, key: &'static str, allowed: &str) -> Option<String> {
        let value = self.value(key)?;
        match value {
            Value::String(_, text) if !text.trim().is_empty() => Some(text.clone()),
            // The environment has no types: `SURGECAST__KAFKA__GROUP=7` is text all the same.
            Value::Num(..) | Value::Bool(..) if self.raw.origin(value) == Origin::Environment => {
                Some(plain(value))
            }
            _ => {
                self.wrong(key, value, allowed);
                None
            }
        }
    }

    /// Text that `read` makes a value of.
    pub(super) fn parse<T, E: Display>(
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

    pub(super) fn address(&self, key: &'static str) -> Option<SocketAddr> {
        let allowed = "use an IP address and a port, such as 127.0.0.1:8080";
        self.parse(key, allowed, |text| text.parse::<SocketAddr>().map_err(|_| allowed))
    }

    pub(super) fn length(
        &self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
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

    pub(super) fn count(&self, key: &'static str, range: RangeInclusive<usize>) -> Option<usize> {
        let value = self.value(key)?;
        let found = match value {
            Value::Num(_, number) => whole(*number),
            _ => None,
        };
        match found.filter(|count| range.contains(count)) {
            Some(count) => Some(count),
            None => {
                let (least, most) = (range.start(), range.end());
                self.wrong(key, value, &format!("use a whole number from {least} to {most}"));
                None
            }
        }
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(_, flag) => Some(*flag),
            other => {
                self.wrong(key, other, "use true or false");
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let allowed = format!("use {}", names.join(", "));
        self.parse(key, &allowed, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or(&allowed)
        })
    }

    pub(super) fn url(&self, key: &'static str) -> Option<String> {
        let allowed = "use an http:// or https:// address";
        let text = self.text(key, allowed)?;
        // What was found is not repeated where it may hold a password.
        match reqwest::Url::parse(&text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let text =
                    "an address must not hold a user or a password: use the secret's own key";
                self.problem(key, text.into());
                None
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Some(text.trim_end_matches('/').to_owned())
            }
            _ => {
                // The path of a chat service's address is a secret.
                let start: Vec<&str> = text.splitn(4, '/').take(3).collect();
                self.problem(key, format!("found `{}`: {allowed}", start.join("/")));
                None
            }
        }
    }

    /// A path that a file names is relative to that file.
    pub(super) fn path(&self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key, "use a path")?;
        self.value(key).map(|value| self.raw.resolve(value, &text))
    }

    /// A path of a file that can be read.
    pub(super) fn file(&self, key: &'static str) -> Option<(PathBuf, String)> {
        let path = self.path(key)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                self.problem(key, format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    /// A secret from the file that `file_key` names, or from the environment under `key`.
    pub(super) fn secret(&self, key: &'static str, file_key: &'static str) -> Option<Secret> {
        let inline = self.value(key);
        let from_file = self.value(file_key);
        match (inline, from_file) {
            (Some(value), None) if self.raw.origin(value) == Origin::Environment => {
                Some(Secret::new(plain(value)))
            }
            (Some(_), _) => {
                let name = env_name(&self.join(key));
                let text = format!(
                    "a secret is not written into the config: use {file_key} or set {name} in the \
                     environment, one of them"
                );
                self.problem(key, text);
                None
            }
            (None, Some(_)) => {
                let (path, text) = self.file(file_key)?;
                let secret = text.trim();
                if secret.is_empty() {
                    self.problem(file_key, format!("{} is empty", path.display()));
                    return None;
                }
                Some(Secret::new(secret))
            }
            (None, None) => None,
        }
    }

    /// Notes that `key` has to be there.
    pub(super) fn missing(&self, key: &'static str, allowed: &str) {
        if self.value(key).is_none() {
            self.problem_at(&self.join(key), None, format!("is missing: {allowed}"));
        }
    }

    pub(super) fn problem(&self, key: &'static str, text: String) {
        self.problem_at(&self.join(key), self.dict.and_then(|dict| dict.get(key)), text);
    }

    pub(super) fn problem_at(&self, path: &str, value: Option<&Value>, text: String) {
        let origin = value.map(|value| self.raw.origin_text(value, path)).unwrap_or_default();
        self.problems.borrow_mut().push(Problem { key: path.to_owned(), origin, text });
    }

    fn wrong(&self, key: &'static str, value: &Value, allowed: &str) {
        self.problem(key, format!("found {}: {allowed}", shown(value)));
    }

    /// Dotted path of `key` in this table.
    pub(super) fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Every key that nobody asked for is a mistake: tells which are allowed.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        let allowed: Vec<&str> = asked.iter().copied().collect();
        for (key, value) in self.entries().filter(|(key, _)| !asked.contains(key.as_str())) {
            let what = if self.path.is_empty() { "section" } else { "key" };
            let text = format!("unknown {what}, allowed here: {}", allowed.join(", "));
            let at = self.join(key);
            let (value, place) = innermost(value, at.clone());
            let origin = self.raw.origin_text(value, &place);
            self.problems.borrow_mut().push(Problem { key: at, origin, text });
        }
    }
}

/// The first value in a table: its layer is the one that made an unknown section.
fn innermost(value: &Value, place: String) -> (&Value, String) {
    match value {
        Value::Dict(_, dict) => match dict.iter().next() {
            Some((key, inner)) => innermost(inner, format!("{place}.{key}")),
            None => (value, place),
        },
        _ => (value, place),
    }
}

fn whole(number: Num) -> Option<usize> {
    let signed = || number.to_i128().and_then(|n| u128::try_from(n).ok());
    number.to_u128().or_else(signed).and_then(|n| usize::try_from(n).ok())
}

/// A value as text, for an environment variable that looks like a number.
fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, number) => match (number.to_i128(), number.to_u128(), number.to_f64()) {
            (Some(n), _, _) => n.to_string(),
            (_, Some(n), _) => n.to_string(),
            (_, _, Some(n)) => n.to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// A value for an error's text.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Dict(..) => "a table".into(),
        Value::Array(..) => "an array".into(),
        Value::Empty(..) => "nothing".into(),
        Value::Char(_, c) => format!("`{c}`"),
        other => format!("`{}`", plain(other)),
    }
}
