//! Reports: on a week, on an incident, on any span, and the brief on planned work. They read only the store, so the command and
//! the API give the same report. Times are those of the zone of the texts.

mod alert_history;
mod attained;
mod brief;
mod demand;
mod extent;
mod figures;
mod findings;
mod five;
mod full;
mod incident;
mod intervals;
mod measures;
mod plot;
mod priorities;
mod quality;
mod review;
mod scheduled;
mod surges;
#[cfg(test)]
mod tests;
mod text;
mod week;
mod weekly;
mod wording;
mod work_contacts;

pub use brief::{brief, work};
pub use extent::{Extent, span_of};
pub use full::full;
pub use incident::incident;
pub use scheduled::scheduled;
pub use text::{Format, Report};
pub use week::Week;
pub use weekly::weekly;
