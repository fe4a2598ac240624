//! Reads one section: tables and values by key. Records unknown keys and other problems.

use std::cell::RefCell;
use std::collections::BTreeSet;

use figment::value::{Dict, Value};

use super::layers::Layers;
use super::value::shown;
use super::{ConfigError, Problem, SecretFile};
use crate::domain::Name;

/// One table of the configuration. All readers share one list of problems.
pub struct Reader<'a> {
    pub(super) layers: &'a Layers,
    problems: &'a RefCell<Vec<Problem>>,
    path: String,
    pub(super) dict: Option<&'a Dict>,
    /// The keys that were read. These are the allowed keys.
    known: RefCell<BTreeSet<&'static str>>,
}

impl Layers {
    /// Builds settings from the layers. `read` records problems and uses defaults in their place, so that it finds all
    /// of them.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all problems.
    pub fn check<T>(&self, read: impl FnOnce(Reader<'_>) -> T) -> Result<T, ConfigError> {
        let problems = RefCell::default();
        let made = read(Reader::root(self, &problems));
        let problems = problems.into_inner();
        if problems.is_empty() {
            return Ok(made);
        }
        Err(ConfigError::Invalid { name: self.name().to_owned(), problems })
    }
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
        Self { layers, problems, path, dict, known: RefCell::default() }
    }

    /// Files with secrets that were read so far, in all sections.
    pub fn secret_files(&self) -> Vec<SecretFile> {
        self.layers.secret_files.borrow().clone()
    }

    /// Whether the table exists.
    pub fn is_there(&self) -> bool {
        self.dict.is_some()
    }

    /// The table under `key`; empty if there is none.
    pub fn section(&self, key: &'static str) -> Self {
        let value = self.value(key);
        self.table(self.join(key), value)
    }

    /// The tables under `key`, such as `[regions.NAME]`, each with its name; `None` for an invalid name.
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

    /// The tables of an array under `key`. Problems name them by their index.
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

    /// The tables under `key` with valid names. Invalid names are ignored, because another section reports them.
    pub fn named_quietly(&self, key: &'static str) -> Vec<(Name, Self)> {
        let section = self.section(key);
        let dicts = section.entries().filter(|(_, value)| matches!(value, Value::Dict(..)));
        let tables = dicts.filter_map(|(name, value)| {
            Some((Name::new(name).ok()?, self.table(section.join(name), Some(value))))
        });
        tables.collect()
    }

    fn table(&self, path: String, value: Option<&'a Value>) -> Self {
        let dict = match value {
            None => None,
            Some(Value::Dict(_, dict)) => Some(dict),
            Some(other) => {
                self.problem_at(
                    &path,
                    Some(other),
                    format!("found {}: use a table, [{path}]", shown(other)),
                );
                None
            }
        };
        Self::at(self.layers, self.problems, path, dict)
    }

    /// Whether `key` exists, with a valid or an invalid value.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Whether the table has `key`, even if it is not an allowed key.
    pub fn has_text(&self, key: &str) -> bool {
        self.dict.is_some_and(|dict| dict.contains_key(key))
    }

    pub(super) fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(key);
        self.dict?.get(key)
    }

    fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.dict.into_iter().flatten()
    }

    /// Records a problem if the required `key` is missing.
    pub fn missing(&self, key: &'static str, allowed: &str) {
        if self.value(key).is_none() {
            self.problem_at(&self.join(key), None, format!("is missing: {allowed}"));
        }
    }

    /// Records a problem of `key`, with the origin of its value.
    pub fn problem(&self, key: &str, text: String) {
        self.problem_at(&self.join(key), self.dict.and_then(|dict| dict.get(key)), text);
    }

    /// Records a problem of the table as a whole.
    pub fn problem_here(&self, text: String) {
        let first = self.entries().next().map(|(key, value)| innermost(value, self.join(key)));
        let origin = first.map(|(value, place)| self.layers.origin_text(value, &place));
        let (key, origin) = (self.path.clone(), origin.unwrap_or_default());
        self.problems.borrow_mut().push(Problem { key, origin, text });
    }

    pub(super) fn problem_at(&self, path: &str, value: Option<&Value>, text: String) {
        let origin = value.map(|value| self.layers.origin_text(value, path)).unwrap_or_default();
        self.problems.borrow_mut().push(Problem { key: path.to_owned(), origin, text });
    }

    pub(super) fn wrong(&self, key: &'static str, value: &Value, allowed: &str) {
        self.problem(key, format!("found {}: {allowed}", shown(value)));
    }

    /// Dotted path of `key` in this table.
    pub(super) fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Records a problem for each unknown key. Call it after all allowed keys were read.
    pub fn finish(self) {
        let known = self.known.borrow();
        let allowed: Vec<&str> = known.iter().copied().collect();
        for (key, value) in self.entries().filter(|(key, _)| !known.contains(key.as_str())) {
            let noun = if self.path.is_empty() { "section" } else { "key" };
            let text = format!("unknown {noun}, allowed here: {}", allowed.join(", "));
            let at = self.join(key);
            let (value, place) = innermost(value, at.clone());
            let origin = self.layers.origin_text(value, &place);
            self.problems.borrow_mut().push(Problem { key: at, origin, text });
        }
    }
}

/// The first value inside a table, with its path. The origin of this value is the origin of the table.
fn innermost(value: &Value, place: String) -> (&Value, String) {
    match value {
        Value::Dict(_, dict) => match dict.iter().next() {
            Some((key, inner)) => innermost(inner, format!("{place}.{key}")),
            None => (value, place),
        },
        _ => (value, place),
    }
}
