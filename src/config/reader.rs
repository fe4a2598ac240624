//! Takes values out of a section by key and type; notes every problem and every key it asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use figment::value::{Dict, Num, Value};

use super::layers::{Layers, Origin, env_name};
use super::{Problem, Secret};
use crate::domain::{Name, format_duration, parse_duration};

/// One table of the configuration. Problems go to a list that all readers share.
pub struct Reader<'a> {
    layers: &'a Layers,
    problems: &'a RefCell<Vec<Problem>>,
    path: String,
    dict: Option<&'a Dict>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn root(layers: &'a Layers, problems: &'a RefCell<Vec<Problem>>) -> Self {
        Self::at(layers, problems, String::new(), Some(layers.root()))
    }

    fn at(
        layers: &'a Layers,
        problems: &'a RefCell<Vec<Problem>>,
        path: String,
        dict: Option<&'a Dict>,
    ) -> Self {
        Self { layers, problems, path, dict, asked: RefCell::default() }
    }

    /// Whether the table is there at all.
    pub fn is_there(&self) -> bool {
        self.dict.is_some()
    }

    /// The table under `key`, empty where there is none.
    pub fn section(&self, key: &'static str) -> Self {
        let value = self.value(key);
        self.table(self.join(key), value)
    }

    /// Tables under `key` whose names are of the user's choice and events carry too: each with its name, if that is
    /// one.
    pub fn named(&self, key: &'static str) -> Vec<(Option<Name>, Self)> {
        let section = self.section(key);
        let tables = section.entries().map(|(name, value)| {
            let path = section.join(name);
            let named = Name::new(name)
                .map_err(|why| self.problem_at(&path, Some(value), format!("the name {why}")));
            (named.ok(), self.table(path, Some(value)))
        });
        tables.collect()
    }

    /// The tables of an array under `key`, named by their place.
    pub fn array(&self, key: &'static str) -> Vec<Self> {
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
        Self::at(self.layers, self.problems, path, dict)
    }

    /// Whether `key` is there, good or bad.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key);
        self.dict?.get(key)
    }

    fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.dict.into_iter().flatten()
    }

    /// Every entry as text, for a table whose keys are not ours. Tables in tables become `outer.inner`: that is how
    /// `SURGECAST__KAFKA__PROPERTIES__SASL__USERNAME` arrives.
    pub fn flattened(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        self.flatten("", self.entries(), &mut all);
        all
    }

    fn flatten<'d>(
        &self,
        prefix: &str,
        entries: impl Iterator<Item = (&'d String, &'d Value)>,
        into: &mut BTreeMap<String, String>,
    ) {
        for (key, value) in entries {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                Value::Dict(_, inner) => self.flatten(&key, Box::new(inner.iter()), into),
                Value::Array(..) | Value::Empty(..) => {
                    let text = format!("found {}: use text, a number, true or false", shown(value));
                    self.problem_at(&self.join(&key), Some(value), text);
                }
                plain_value => _ = into.insert(key, plain(plain_value)),
            }
        }
    }

    /// Texts: an array, or one text with commas, for the environment has no other handy form.
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

    /// Text that is not empty.
    pub fn text(&self, key: &'static str, allowed: &str) -> Option<String> {
        let value = self.value(key)?;
        match value {
            Value::String(_, text) if !text.trim().is_empty() => Some(text.clone()),
            // The environment has no types: `SURGECAST__KAFKA__GROUP=7` is text all the same.
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

    /// Text that `read` makes a value of.
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
        let allowed = "use an IP address and a port, such as 127.0.0.1:8080";
        self.parse(key, allowed, |text| text.parse::<SocketAddr>().map_err(|_| allowed))
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
                self.wrong(key, value, &format!("use a whole number from {least} to {most}"));
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
            self.wrong(key, value, "use a number");
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

    /// One of a few words.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let allowed = format!("use {}", names.join(", "));
        self.parse(key, &allowed, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or(&allowed)
        })
    }

    /// An `http://` or `https://` address without a `/` at its end.
    pub fn url(&self, key: &'static str) -> Option<String> {
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
    pub fn path(&self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key, "use a path")?;
        self.value(key).map(|value| self.layers.resolve(value, &text))
    }

    /// A path of a file that can be read.
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

    /// A secret from the file that `file_key` names, or from the environment under `key`.
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
    pub fn missing(&self, key: &'static str, allowed: &str) {
        if self.value(key).is_none() {
            self.problem_at(&self.join(key), None, format!("is missing: {allowed}"));
        }
    }

    /// Notes what is wrong with `key`, and where it was said.
    pub fn problem(&self, key: &str, text: String) {
        self.problem_at(&self.join(key), self.dict.and_then(|dict| dict.get(key)), text);
    }

    /// Notes what is wrong with the table as a whole.
    pub fn problem_here(&self, text: String) {
        let value = self.dict.and_then(|dict| dict.values().next());
        let (value, place) = match value {
            Some(value) => {
                let key = self.dict.and_then(|dict| dict.keys().next()).cloned();
                let (value, place) = innermost(value, self.join(&key.unwrap_or_default()));
                (Some(value), place)
            }
            None => (None, String::new()),
        };
        let origin = value.map(|value| self.layers.origin_text(value, &place)).unwrap_or_default();
        self.problems.borrow_mut().push(Problem { key: self.path.clone(), origin, text });
    }

    fn problem_at(&self, path: &str, value: Option<&Value>, text: String) {
        let origin = value.map(|value| self.layers.origin_text(value, path)).unwrap_or_default();
        self.problems.borrow_mut().push(Problem { key: path.to_owned(), origin, text });
    }

    fn wrong(&self, key: &'static str, value: &Value, allowed: &str) {
        self.problem(key, format!("found {}: {allowed}", shown(value)));
    }

    /// Dotted path of `key` in this table.
    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Every key that nobody asked for is a mistake: tells which are allowed.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        let allowed: Vec<&str> = asked.iter().copied().collect();
        for (key, value) in self.entries().filter(|(key, _)| !asked.contains(key.as_str())) {
            let what = if self.path.is_empty() { "section" } else { "key" };
            let text = format!("unknown {what}, allowed here: {}", allowed.join(", "));
            let at = self.join(key);
            let (value, place) = innermost(value, at.clone());
            let origin = self.layers.origin_text(value, &place);
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

fn real(number: Num) -> Option<f64> {
    let whole = || number.to_i128().map(|n| n as f64).or(number.to_u128().map(|n| n as f64));
    number.to_f64().or_else(whole).filter(|n| n.is_finite())
}

/// A value as text, for an environment variable that looks like a number.
fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Char(_, c) => c.to_string(),
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
fn shown(value: &Value) -> String {
    match value {
        Value::Dict(..) => "a table".into(),
        Value::Array(..) => "an array".into(),
        Value::Empty(..) => "nothing".into(),
        other => format!("`{}`", plain(other)),
    }
}
