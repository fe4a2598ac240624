//! Service of tickets: how urgent a ticket is, by when it has to be answered and resolved, whether it repeats an earlier one of its
//! customer, and whom to call back.
//!
//! [`AssessmentBook`] takes the changes of [`TicketBook`](crate::window::TicketBook) in each window, so it is a function of the
//! same log. Its own changes are stored in the transaction of the window. Counts of tickets never depend on it.

mod assessment;
mod book;
mod compliance;
mod customers;
mod policy;
mod priority;
mod sentiments;
mod sla;
#[cfg(test)]
mod tests;

pub use assessment::Assessment;
pub use book::{AssessmentBook, AssessmentChanges};
pub use compliance::{ClockCounts, Compliance, ComplianceChange, ComplianceKey, OpenClocks};
pub use customers::Customer;
pub use policy::TicketPolicy;
pub use priority::{FirstLook, PriorityReason, PriorityRule, PriorityRules};
pub use sentiments::SentimentCounts;
pub use sla::{Clock, ClockState, Sla};
