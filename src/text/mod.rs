//! The catalogues of texts: every sentence that a person can receive, by message id, in each [`Language`].
//!
//! Texts are in Fluent files, `en/*.ftl` and `zh/*.ftl`; a test checks that both languages have the same ids and arguments.
//! Values stay typed until they are shown: each room converts its own types to sentences with [`Say`]. The page gets the same
//! catalogue as a module ([`page_module`]).

mod export;
mod language;
mod number;
mod stored;
mod texts;

#[cfg(test)]
mod tests;

pub use export::page_module;
pub use fluent_bundle::{FluentArgs as Args, FluentValue as Value};
pub use language::{Language, UnknownLanguage};
pub use stored::{Say, Stored};
pub use texts::Texts;
pub(crate) use texts::args;
