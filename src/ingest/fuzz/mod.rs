//! Mutated events, texts and files: whatever comes is read or refused with a reason.

mod fields;
mod files;
mod formats;
mod path;
