//! The weekly report and the incident report. They read only the store, so the command and the API give the same report.

mod incident;
#[cfg(test)]
mod tests;
mod text;
mod weekly;
mod wording;

pub use incident::incident;
pub use text::{Format, Report};
pub use weekly::{Week, weekly};
