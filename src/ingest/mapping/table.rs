//! A look-up table. Exact patterns are tried first, then the longest prefix, then regexes.

use std::collections::{BTreeSet, HashMap};

use regex::{Regex, RegexBuilder};

use super::error::MappingError;
use super::rows::rows;
use crate::domain::Name;

const HEADER: [&str; 3] = ["match", "pattern", "value"];
const ROWS_MAX: usize = 100_000;
/// Regexes are tried one by one if no exact pattern and no prefix matches.
const REGEXES_MAX: usize = 256;
const PATTERN_BYTES_MAX: usize = 512;
/// Largest compiled size of one regex. It bounds repetitions such as `(a{1000}){1000}`.
const REGEX_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a value that are looked up. Ids and names are shorter.
const VALUE_BYTES_MAX: usize = 1024;

/// A look-up table from patterns to names.
#[derive(Clone, Debug, Default)]
pub struct Table {
    exact: HashMap<Box<str>, Name>,
    prefixes: HashMap<Box<str>, Name>,
    /// Lengths of the prefixes, in bytes.
    lengths: BTreeSet<usize>,
    regexes: Vec<(Regex, Name)>,
}

impl Table {
    /// Reads CSV with the header `match,pattern,value`.
    ///
    /// `match` is `exact`, `prefix` or `regex`. An empty prefix matches all values. Regexes match anywhere unless they are
    /// anchored, and ignore case with `(?i-u)`. Fields may be quoted, with `""` for a quote. A table has at most 100,000
    /// rows and 256 regexes.
    ///
    /// # Errors
    /// [`MappingError`] with the line number.
    pub fn from_csv(text: &str) -> Result<Self, MappingError> {
        let mut rows = rows(text.trim_start_matches('\u{feff}'));
        let header = rows.next().transpose()?.map(|(_, row)| row).unwrap_or_default();
        if header.iter().map(str::trim).ne(HEADER) {
            let found = header.iter().collect::<Vec<_>>().join(",").chars().take(80).collect();
            return Err(MappingError::Header(found));
        }
        let mut table = Self::default();
        for (count, row) in rows.enumerate() {
            if count == ROWS_MAX {
                return Err(MappingError::Many { what: "rows", most: ROWS_MAX });
            }
            let (line, row) = row?;
            let fields: Vec<&str> = row.iter().collect();
            let [kind, pattern, value] = fields[..] else {
                return Err(MappingError::Fields { line, found: fields.len() });
            };
            table.add(line, kind.trim(), pattern, value.trim())?;
        }
        Ok(table)
    }

    fn add(
        &mut self,
        line: usize,
        kind: &str,
        pattern: &str,
        value: &str,
    ) -> Result<(), MappingError> {
        if pattern.len() > PATTERN_BYTES_MAX {
            let (found, most) = (pattern.len(), PATTERN_BYTES_MAX);
            return Err(MappingError::LongPattern { line, found, most });
        }
        let name = Name::new(value).map_err(|why| {
            let found = value.chars().take(80).collect();
            MappingError::Value { line, found, why }
        })?;
        let before = match kind {
            "exact" if pattern.is_empty() => return Err(MappingError::EmptyPattern { line }),
            "exact" => self.exact.insert(pattern.into(), name),
            "prefix" => {
                self.lengths.insert(pattern.len());
                self.prefixes.insert(pattern.into(), name)
            }
            "regex" => {
                if self.regexes.len() == REGEXES_MAX {
                    return Err(MappingError::Many { what: "regexes", most: REGEXES_MAX });
                }
                self.regexes.push((compile(line, pattern)?, name));
                None
            }
            other => {
                let found = other.chars().take(80).collect();
                return Err(MappingError::Match { line, found });
            }
        };
        if before.is_some() { Err(MappingError::Twice { line }) } else { Ok(()) }
    }

    /// The name for `value`.
    pub(super) fn find(&self, value: &str) -> Option<&Name> {
        let value = head(value);
        let prefix = || {
            let lengths = self.lengths.range(..=value.len()).rev();
            lengths.filter_map(|&length| value.get(..length)).find_map(|p| self.prefixes.get(p))
        };
        let regex = || {
            let found = self.regexes.iter().find(|(regex, _)| regex.is_match(value));
            found.map(|(_, name)| name)
        };
        self.exact.get(value).or_else(prefix).or_else(regex)
    }
}

/// The first bytes of a value, cut between characters.
fn head(value: &str) -> &str {
    let most = value.len().min(VALUE_BYTES_MAX);
    (0..=most).rev().find_map(|end| value.get(..end)).unwrap_or_default()
}

fn compile(line: usize, pattern: &str) -> Result<Regex, MappingError> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build().map_err(|e| {
        // The last line has the error; the lines before it show the pattern.
        let text = e.to_string();
        let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        MappingError::Regex { line, why: why.to_owned() }
    })
}
