//! Reports: a week, an incident. From the store alone, so that a command writes what the API answers.

mod incident;
#[cfg(test)]
mod tests;
mod text;
mod weekly;
mod wording;

pub use incident::incident;
pub use text::{Format, Report};
pub use weekly::{Week, weekly};
