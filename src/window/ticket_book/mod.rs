//! Which tickets are open, and how long they took, at a given event time.
//!
//! Messages take effect in order of event time, up to the requested instant, as in the book of alarms. Unlike that book, it
//! cannot be rebuilt from the messages of a few days, because a ticket may be open for weeks. So [`TicketBook::advance`]
//! returns what it changed, and the caller stores it in the transaction of the window. A message that is read again after a
//! restart has no further effect.
//!
//! - All steps of a ticket count for the series of its creation, even if they name another series.
//! - Steps may arrive in any order. A ticket is opened once, answered once, and resolved once for each time that it was open.
//! - A snapshot sets the number of open tickets of its series. Steps from before the snapshot do not change that number.
//! - A ticket that was opened before the stream began is included in a snapshot, but its id is unknown. When it ends, the
//!   number of open tickets is reduced.
//! - Service is judged by ticket. Its outcome counts in the window of its creation, whenever the outcome becomes known. Each
//!   step subtracts the former contribution of the ticket and adds the new one.
//! - The number of known tickets is bounded. The ticket without messages for the longest time is dropped. It still counts as
//!   open, until the resolution of an unknown ticket reduces the number.

#[cfg(test)]
mod attained_tests;
mod backlog;
mod book;
mod changes;
mod desk;
mod pending;
mod service;
#[cfg(test)]
mod tests;
mod ticket;
mod waits;

pub use backlog::{Backlog, BacklogFlow, BacklogWindow, Mean, Total};
pub use book::TicketBook;
pub use changes::{TicketChanges, TicketRules, TicketTally};
pub use pending::MessageKey;
pub use service::{
    Attained, AttainedChange, SeriesTerms, ServedBy, ServiceGoal, ServiceTimes, Terms,
};
pub use ticket::Ticket;
pub use waits::Waits;
