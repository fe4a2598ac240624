//! Decodes bytes into events, or rejects them with a reason.
//!
//! [`Decoder`] decodes events of all formats, and fills in region, service and channel with a [`Mapping`]. [`Lexicon`]
//! classifies tickets' texts by topic. [`decode`] decodes one event in the native format. [`split`] splits a file or a
//! request into events.
//!
//! To add a format: a file in `formats/`, and a row in the table of `detect/table.rs`.

mod acts;
mod batch;
mod cursor;
mod decoded;
mod decoder;
mod detect;
mod divide;
mod fast_path;
mod field;
mod foreign;
mod formats;
mod frame;
#[cfg(test)]
mod fuzz;
mod headers;
mod lexicon;
mod mapping;
mod nested;
mod notes;
mod plain;
mod read;
mod reject;
mod sentiment;
mod split;
#[cfg(test)]
mod tests;
mod words;

pub use decoded::Decoded;
pub use decoder::{Decoder, decode};
pub use detect::lines_of;
pub use fast_path::{Layout, PlainTicket, TicketWords};
pub use foreign::{foreign, without_bom};
#[cfg(test)]
pub(crate) use formats::samples;
pub use headers::Headers;
pub use lexicon::{Lexicon, LexiconError};
pub use mapping::{Attribute, MapRule, Mapping, MappingError, Table, Target};
pub use notes::{Doubt, Note, Notes};
pub use reject::{Limits, Reject};
pub use sentiment::SentimentWords;
pub use split::{SplitError, split};
pub use words::{Perceived, severity};
