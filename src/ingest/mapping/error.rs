//! What is wrong with a table or with a mapping.

use thiserror::Error;

use crate::domain::NameError;

/// Why a text is no table, or tables are no mapping. Lines count from 1, the header included.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MappingError {
    #[error("the first line is `{0}`: it must be match,pattern,value")]
    Header(String),
    #[error("line {line}: {found} fields, a row has three: match,pattern,value")]
    Fields { line: usize, found: usize },
    #[error("line {line}: a quote is not closed")]
    Quote { line: usize },
    #[error("line {line}: text after a closing quote: quote the whole field")]
    AfterQuote { line: usize },
    #[error("line {line}: match `{found}`: use exact, prefix or regex")]
    Match { line: usize, found: String },
    #[error("line {line}: the pattern of an exact match is empty")]
    EmptyPattern { line: usize },
    #[error("line {line}: a pattern of {found} bytes, the most is {most}")]
    LongPattern { line: usize, found: usize, most: usize },
    #[error("line {line}: the pattern stands in an earlier line too")]
    Twice { line: usize },
    #[error("line {line}: regex: {why}")]
    Regex { line: usize, why: String },
    #[error("line {line}: value `{found}` {why}")]
    Value { line: usize, found: String, why: NameError },
    #[error("more than {most} {what}: use fewer, or prefixes")]
    Many { what: &'static str, most: usize },
}
