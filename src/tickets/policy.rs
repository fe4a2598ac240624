//! The rules by which tickets are assessed.

use std::sync::Arc;
use std::time::Duration;

use super::priority::PriorityRules;
use super::sla::Sla;
use crate::domain::DAY;

/// The rules by which tickets are assessed. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketPolicy {
    pub priorities: Arc<PriorityRules>,
    pub slas: Arc<[Sla]>,
    /// A ticket repeats an earlier one of the same customer, service and topic, if it is created within this time.
    pub duplicates_within: Duration,
    /// A customer with this many tickets is on the outreach list.
    pub outreach_tickets: u32,
    /// The time before a customer's newest ticket in which tickets are counted for this list.
    pub outreach_within: Duration,
    /// Customer ids are forgotten after this time.
    pub keep_customers: Duration,
    /// Whether customer ids are stored as keyed hashes.
    pub hash_customers: bool,
}

impl Default for TicketPolicy {
    fn default() -> Self {
        Self {
            priorities: Arc::default(),
            slas: Arc::default(),
            duplicates_within: DAY,
            outreach_tickets: 3,
            outreach_within: DAY * 7,
            keep_customers: DAY * 30,
            hash_customers: true,
        }
    }
}
