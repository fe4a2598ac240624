//! Which generations of topics were counted.
//!
//! A topic that is deleted and created again has the same name and the same offsets, but other records. Its partitions are new
//! sources, whose counts are added to those of the previous sources. The first generation of a partition keeps the plain name,
//! so that stores from before generations need no change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Position, SourceId};
use crate::engine::Report;
use crate::store::Body;

/// Generations of each partition in the order in which they appeared. The last one is being counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations(BTreeMap<(String, i32), Vec<String>>);

impl Body for Generations {}

/// Separates the topic's id from the offset after a gap.
const GAP: char = '~';

fn topic_id(generation: &str) -> &str {
    generation.split(GAP).next().unwrap_or_default()
}

impl Generations {
    /// The source that is being counted for a partition.
    pub fn current(&self, source: &SourceId) -> SourceId {
        match self.0.get(&key(source)).map(Vec::as_slice) {
            Some([_, .., last]) => source.in_generation(Some(last)),
            _ => source.in_generation(None),
        }
    }

    /// The source with the generation that is being counted, if `named` is the name under which that is counted.
    pub fn counted(&self, named: &SourceId) -> Option<SourceId> {
        let last = self.0.get(&key(named)).and_then(|known| known.last());
        (self.current(named) == *named).then(|| named.in_generation(last.map(String::as_str)))
    }

    /// Whether a source is of a generation that was not seen before.
    pub fn is_new(&self, source: &SourceId) -> bool {
        let known = self.0.get(&key(source));
        source
            .generation()
            .is_some_and(|made| known.is_none_or(|known| known.iter().all(|one| one != made)))
    }

    /// Adds the generation of a source, if it is new. Returns the sources that it replaces.
    pub fn add(&mut self, source: &SourceId) -> Vec<SourceId> {
        let Some(generation) = source.generation().filter(|_| self.is_new(source)) else {
            return Vec::new();
        };
        let before = self.current(source);
        let known = self.0.entry(key(source)).or_default();
        if known.is_empty() && generation.contains(GAP) {
            // The store has counted the events before the gap, or may have.
            known.push(topic_id(generation).to_owned());
        }
        known.push(generation.to_owned());
        let is_first = known.len() == 1;
        if is_first { Vec::new() } else { vec![before] }
    }

    /// The name under which a source is counted; `None` for a topic that was replaced. If an earlier generation appears again,
    /// its records belong to the generation that is counted now, and their offsets show which are new.
    pub fn name(&self, source: &SourceId) -> Option<SourceId> {
        let known = self.0.get(&key(source)).and_then(|known| known.last());
        match (source.generation(), known) {
            (Some(made), Some(last)) if topic_id(made) != topic_id(last) => None,
            _ => Some(self.current(source)),
        }
    }

    /// Gives reports the names of their sources. Drops reports of topics that were replaced.
    pub fn rename(&self, reports: Vec<Report>) -> Vec<Report> {
        let named = reports.into_iter().filter_map(|mut report| {
            let Some(name) = self.name(&report.source) else {
                tracing::warn!(source = %report.source, "log: counts of a deleted topic are ignored");
                return None;
            };
            rename(&mut report, &name);
            Some(report)
        });
        named.collect()
    }
}

fn key(source: &SourceId) -> (String, i32) {
    (source.topic_name().to_owned(), source.partition)
}

fn rename(report: &mut Report, name: &SourceId) {
    if report.source == *name {
        return;
    }
    report.source = name.clone();
    let set = |position: &mut Position| position.source = name.clone();
    report.alarms.iter_mut().for_each(|(position, _)| set(position));
    report.rebuilt.iter_mut().for_each(|(position, _)| set(position));
    report.maintenance.iter_mut().for_each(|(position, _)| set(position));
    report.dead.iter_mut().for_each(|(letter, _)| set(&mut letter.position));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names under which `t[0]` in these generations is counted; `-` for none, `!` before a name that replaced another.
    fn names(generations: &mut Generations, reports: &[&str]) -> Vec<String> {
        let name = |made: &&str| {
            let source = SourceId::new("t", 0);
            let source = source.in_generation(Some(*made).filter(|made| !made.is_empty()));
            let replaced = generations.add(&source);
            let Some(one) = generations.rename(vec![Report::new(source)]).pop() else {
                return "-".to_owned();
            };
            let made = one.source.generation().unwrap_or_default();
            format!("{}{made}", if replaced.is_empty() { "" } else { "!" })
        };
        reports.iter().map(name).collect()
    }

    #[test]
    fn each_generation_is_a_source_and_the_first_keeps_the_plain_name() {
        let cases: [(&[&str], &[&str]); 8] = [
            // A store from before generations, and a broker without ids.
            (&["", "", "a", "a"], &["", "", "", ""]),
            (&["a", "a", "b", "b", ""], &["", "", "!b", "b", "b"]),
            (&["a", "b", "a", "b", "c", "b"], &["", "!b", "-", "b", "!c", "-"]),
            // Gaps.
            (&["a", "a~7", "a~7", "a"], &["", "!a~7", "a~7", "a~7"]),
            (&["a", "a~7", "a~9", "a~7"], &["", "!a~7", "!a~9", "a~9"]),
            (&["a~7", "a~7"], &["!a~7", "a~7"]),
            (&["a", "a~7", "b", "a~7", "b~2"], &["", "!a~7", "!b", "-", "!b~2"]),
            (&["", "~7", "~7"], &["", "!~7", "~7"]),
        ];
        for (reports, expected) in cases {
            let found = names(&mut Generations::default(), reports);
            assert_eq!(found, expected, "{reports:?}");
        }
    }

    #[test]
    fn the_generation_that_is_counted_is_known_by_its_name() {
        let plain = SourceId::new("t", 0);
        let made = |made: &str| plain.in_generation(Some(made));
        let mut generations = Generations::default();
        assert_eq!(generations.counted(&plain), Some(plain.clone()));
        generations.add(&made("a"));
        assert_eq!(generations.counted(&plain), Some(made("a")));
        generations.add(&made("a~7"));
        assert_eq!(generations.counted(&plain), None, "it is over");
        assert_eq!(generations.counted(&made("a~7")), Some(made("a~7")));
    }

    #[test]
    fn partitions_and_topics_are_apart_and_the_stored_form_is_read_back() {
        let mut generations = Generations::default();
        assert_eq!(names(&mut generations, &["a", "b"]), ["", "!b"]);
        let other = SourceId::new("u", 0).in_generation(Some("a"));
        assert!(generations.is_new(&other));
        assert_eq!(generations.add(&other), vec![]);
        assert_eq!(generations.name(&other), Some(SourceId::new("u", 0)));
        let second = SourceId::new("t", 0).in_generation(Some("c"));
        let replaced = generations.add(&second);
        assert_eq!(replaced, [second.in_generation(Some("b"))]);
        let stored = postcard::to_allocvec(&generations).expect("stored");
        let back: Generations = postcard::from_bytes(&stored).expect("read");
        assert_eq!(back, generations);
        let current = back.current(&SourceId::new("t", 0));
        assert_eq!(current.generation(), Some("c"));
        assert_eq!(back.current(&SourceId::new("v", 0)), SourceId::new("v", 0));
    }
}
