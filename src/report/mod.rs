//! The weekly report and the review of an incident. They read only the store, so the command and the API give the same report.
//! Times are those of the zone of the texts.

mod course;
mod figures;
mod five;
mod incident;
mod intervals;
mod plot;
mod priorities;
mod review;
mod scheduled;
#[cfg(test)]
mod tests;
mod text;
mod week;
mod weekly;
mod wording;

pub use incident::incident;
pub use scheduled::scheduled;
pub use text::{Format, Report};
pub use week::Week;
pub use weekly::weekly;
