//! Fuzz tests: mutated events, texts and files are decoded, or refused with a reason.

mod fields;
mod files;
mod formats;
mod path;
