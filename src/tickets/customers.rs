//! Customers with several tickets or a breach: the outreach list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::policy::TicketPolicy;
use super::sla::ClockState;
use crate::domain::{Priority, Sentiment, SeriesKey, Timestamp, Topic};

/// Maximum number of tickets of a customer that are examined, the newest first.
const TICKETS_MAX: usize = 1_000;
/// Maximum number of ticket ids in a row of the list.
const NAMED_MAX: usize = 10;

/// A customer on the outreach list, as of the newest change of one of the tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The series of the newest ticket.
    pub series: SeriesKey,
    /// Tickets in the time before the newest one.
    pub tickets: u32,
    /// Open ones among these tickets.
    pub open: u32,
    /// Repeated ones among these tickets.
    pub duplicates: u32,
    /// Those among these tickets with a breached clock.
    pub breached: u32,
    /// Those among these tickets with a negative text.
    pub negative: u32,
    /// The most urgent priority.
    pub priority: Priority,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// Topic of the newest ticket with a text.
    pub class: Option<Topic>,
    /// Ids of the newest tickets, the newest first.
    pub ticket_ids: Vec<Box<str>>,
    /// The time in which tickets were counted, seconds.
    pub within_seconds: u64,
    /// Whether there are enough tickets for the list.
    pub are_several: bool,
}

impl Customer {
    /// The rank on the list. Customers with a larger rank are to be called sooner.
    pub fn rank(&self) -> i64 {
        i64::from(self.breached) * 1_000 + i64::from(self.tickets)
    }
}

/// The tickets of each customer, by their creation.
#[derive(Clone, Debug, Default)]
pub(super) struct Customers {
    tickets: BTreeMap<Arc<str>, BTreeSet<(Timestamp, Arc<str>)>>,
    /// All tickets by their creation.
    by_age: BTreeSet<(Timestamp, Arc<str>)>,
    changed: BTreeSet<Arc<str>>,
}

impl Customers {
    pub(super) fn insert(&mut self, id: &Arc<str>, own: &Assessment) {
        let Some(customer) = &own.customer else { return };
        let place = (own.opened_at, id.clone());
        self.by_age.insert(place.clone());
        self.tickets.entry(Arc::from(&**customer)).or_default().insert(place);
        self.changed.insert(Arc::from(&**customer));
    }

    pub(super) fn remove(&mut self, id: &Arc<str>, own: &Assessment) {
        let Some(customer) = own.customer.as_deref() else { return };
        let place = (own.opened_at, id.clone());
        self.by_age.remove(&place);
        if let Some(tickets) = self.tickets.get_mut(customer) {
            tickets.remove(&place);
            if tickets.is_empty() {
                self.tickets.remove(customer);
            }
        }
        self.changed.insert(Arc::from(customer));
    }

    /// The oldest ticket whose customer has to be forgotten.
    pub(super) fn older_than(&self, before: Timestamp) -> Option<Arc<str>> {
        self.by_age.first().filter(|(at, _)| *at < before).map(|(_, id)| id.clone())
    }

    /// Tickets of a customer that were created in the time before `at`, the oldest first.
    pub(super) fn before(
        &self,
        customer: &str,
        at: Timestamp,
        within: Duration,
    ) -> impl Iterator<Item = &Arc<str>> {
        let tickets = self.tickets.get(customer);
        let from = (at - within, Arc::from(""));
        let found = tickets.into_iter().flat_map(move |all| all.range(from.clone()..));
        found.take_while(move |(opened_at, _)| *opened_at <= at).map(|(_, id)| id)
    }

    /// Customers with changes, each with its row; `None` for customers who are not on the list.
    pub(super) fn take_changed(
        &mut self,
        known: &BTreeMap<Arc<str>, Assessment>,
        policy: &TicketPolicy,
    ) -> Vec<(Arc<str>, Option<Customer>)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|customer| {
                let row = self.row(&customer, known, policy);
                (customer, row)
            })
            .collect()
    }

    /// Clears the set of changed customers.
    pub(super) fn settle(&mut self) {
        self.changed.clear();
    }

    fn row(
        &self,
        customer: &Arc<str>,
        known: &BTreeMap<Arc<str>, Assessment>,
        policy: &TicketPolicy,
    ) -> Option<Customer> {
        let all = self.tickets.get(customer)?;
        let (last_at, newest) = all.last()?;
        let from = *last_at - policy.outreach_within;
        let mut row = Customer {
            series: known.get(newest)?.series.clone(),
            tickets: 0,
            open: 0,
            duplicates: 0,
            breached: 0,
            negative: 0,
            priority: Priority::P4,
            first_at: *last_at,
            last_at: *last_at,
            class: None,
            ticket_ids: Vec::new(),
            within_seconds: policy.outreach_within.as_secs(),
            are_several: false,
        };
        for (at, id) in all.iter().rev().take(TICKETS_MAX).take_while(|(at, _)| *at >= from) {
            let Some(own) = known.get(id) else { continue };
            row.tickets += 1;
            row.open += u32::from(own.is_open);
            row.duplicates += u32::from(own.duplicate_of.is_some());
            row.breached += u32::from(own.has(ClockState::Breached));
            row.negative += u32::from(own.sentiment == Some(Sentiment::Negative));
            row.priority = row.priority.min(own.priority);
            row.first_at = *at;
            row.class = row.class.or(own.class);
            if row.ticket_ids.len() < NAMED_MAX {
                row.ticket_ids.push((&**id).into());
            }
        }
        row.are_several = row.tickets >= policy.outreach_tickets;
        (row.are_several || row.breached > 0).then_some(row)
    }
}
