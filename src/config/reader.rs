//! One section: its tables, the keys that were asked for, and every problem.

use std::cell::RefCell;
use std::collections::BTreeSet;

use figment::value::{Dict, Value};

use super::Problem;
use super::layers::Layers;
use super::value::shown;
use crate::domain::Name;

/// One table of the configuration. Problems go to a list that all readers share.
pub struct Reader<'a> {
    pub(super) layers: &'a Layers,
    problems: &'a RefCell<Vec<Problem>>,
    path: String,
    pub(super) dict: Option<&'a Dict>,
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

    pub(super) fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key);
        self.dict?.get(key)
    }

    fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.dict.into_iter().flatten()
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
