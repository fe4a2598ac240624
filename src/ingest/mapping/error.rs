//! Errors of look-up tables and mappings.

use thiserror::Error;

use crate::domain::NameError;

/// The error for an invalid look-up table or mapping. Lines are counted from 1, which is the header.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingError {
    #[error("the first line is `{0}`: it must be match,pattern,value")]
    Header(String),
    #[error("line {line}: {found} fields: use three, match,pattern,value")]
    Fields { line: usize, found: usize },
    #[error("line {line}: a quote is not closed")]
    Quote { line: usize },
    #[error("line {line}: text after a closing quote: quote the whole field")]
    AfterQuote { line: usize },
    #[error("line {line}: match `{found}`: use exact, prefix or regex")]
    Match { line: usize, found: String },
    #[error("line {line}: the pattern of an exact match is empty")]
    EmptyPattern { line: usize },
    #[error("line {line}: the pattern has {found} bytes: use at most {most}")]
    LongPattern { line: usize, found: usize, most: usize },
    #[error("line {line}: an earlier line has the same pattern: keep one of them")]
    Twice { line: usize },
    #[error("line {line}: regex: {why}")]
    Regex { line: usize, why: String },
    #[error("line {line}: value `{found}` {why}")]
    Value { line: usize, found: String, why: NameError },
    #[error("more than {most} {what}: use fewer, or prefixes")]
    Many { what: &'static str, most: usize },
}
