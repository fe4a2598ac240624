//! The assessments of all tickets that are open, or were open recently.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Datelike;

use super::assessment::Assessment;
use super::compliance::{ComplianceChange, ComplianceKey, OpenClocks};
use super::customers::{Customer, Customers};
use super::policy::TicketPolicy;
use super::priority::FirstLook;
use super::sla::{Clock, ClockState, agreement};
use crate::domain::{Scope, Sentiment, SeriesKey, TicketFacts, Timestamp, Zone};
use crate::window::{Ticket, TicketChanges};

/// The changes of an advance of the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssessmentChanges {
    /// Tickets that changed; `None` for those that are no longer known.
    pub tickets: Vec<(Arc<str>, Option<Assessment>)>,
    pub compliance: Vec<(ComplianceKey, ComplianceChange)>,
    /// Customers that changed; `None` for those that are not on the outreach list.
    pub customers: Vec<(Arc<str>, Option<Customer>)>,
    /// Series, time of creation and sentiment of tickets that are known for the first time and have a text.
    pub sentiments: Vec<(SeriesKey, Timestamp, Sentiment)>,
}

impl AssessmentChanges {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        // A ticket with a sentiment is itself a change.
        self.tickets.is_empty() && self.compliance.is_empty() && self.customers.is_empty()
    }
}

/// The assessments of all tickets in the book of tickets. Their number is bounded, because that book is bounded.
#[derive(Clone, Debug, Default)]
pub struct AssessmentBook {
    policy: TicketPolicy,
    known: BTreeMap<Arc<str>, Assessment>,
    /// The next instants at which a clock changes by itself.
    moments: BTreeSet<(Timestamp, Arc<str>)>,
    customers: Customers,
    open: BTreeMap<Scope, OpenClocks>,
    changed: BTreeSet<Arc<str>>,
    compliance: BTreeMap<ComplianceKey, ComplianceChange>,
}

impl AssessmentBook {
    /// An empty book.
    pub fn new(policy: TicketPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// The book in the state that [`Self::advance`] had left.
    pub fn restored(policy: TicketPolicy, known: Vec<(Arc<str>, Assessment)>) -> Self {
        let mut book = Self::new(policy);
        for (id, own) in known {
            book.index(&id, &own);
            book.known.insert(id, own);
        }
        book.customers.settle();
        book
    }

    /// Takes the changes of the book of tickets in a window that ends at `now`. `critical` returns the places in which a
    /// critical alarm is active at that time.
    pub fn advance(
        &mut self,
        now: Timestamp,
        changes: &TicketChanges,
        zone: impl Fn(&SeriesKey) -> Zone,
        critical: impl FnOnce() -> BTreeSet<Scope>,
    ) -> AssessmentChanges {
        let critical = LazyCell::new(critical);
        let facts: BTreeMap<&Arc<str>, &TicketFacts> =
            changes.facts.iter().map(|(id, facts)| (id, &**facts)).collect();
        let mut tickets: Vec<_> = changes.tickets.iter().collect();
        let mut sentiments = Vec::new();
        // An earlier ticket of a customer is known before a later one.
        let created = |ticket: &Option<Ticket>| ticket.as_ref().map(created_at);
        tickets.sort_by_key(|(id, ticket)| (created(ticket), id));
        let nothing = TicketFacts::default();
        for (id, ticket) in tickets {
            let Some(ticket) = ticket else {
                self.forget(id);
                continue;
            };
            let before = self.known.get(id).cloned();
            let own = match &before {
                Some(own) => own.clone(),
                None if !ticket.is_open && ticket.opened_at.is_none() => continue,
                None => {
                    let facts = facts.get(id).copied().unwrap_or(&nothing);
                    let is_critical = critical.contains(&ticket.series.scope());
                    // A ticket counts once: it is known from now on.
                    if let (Some(at), Some(sentiment)) = (ticket.opened_at, facts.sentiment) {
                        sentiments.push((ticket.series.clone(), at, sentiment));
                    }
                    self.first_seen(ticket, facts, is_critical)
                }
            };
            let own = self.judged(own, ticket, now, &zone);
            self.put(id, before.as_ref(), own);
        }
        self.pass_to(now);
        self.forget_customers(now);
        AssessmentChanges { sentiments, ..self.take_changes() }
    }

    fn take_changes(&mut self) -> AssessmentChanges {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let tickets = changed.map(|id| {
            let own = self.known.get(&id).cloned();
            (id, own)
        });
        let tickets = tickets.collect();
        let compliance = std::mem::take(&mut self.compliance).into_iter().collect();
        let customers = self.customers.take_changed(&self.known, &self.policy);
        AssessmentChanges { tickets, compliance, customers, sentiments: Vec::new() }
    }

    /// Decides the parts of an assessment that do not change later: priority, class, sentiment, and whether the ticket repeats
    /// an earlier one.
    fn first_seen(&self, ticket: &Ticket, facts: &TicketFacts, critical_alarm: bool) -> Assessment {
        let SeriesKey { service, channel, .. } = &ticket.series;
        let look = FirstLook { facts, channel, service, critical_alarm };
        let (priority, reason) = self.policy.priorities.decide(&look);
        let mut own = Assessment {
            series: ticket.series.clone(),
            opened_at: created_at(ticket),
            monday: 0,
            is_open: ticket.is_open,
            priority,
            reason,
            class: facts.topic,
            sentiment: facts.sentiment,
            customer: facts.customer.clone(),
            duplicate_of: None,
            sla: None,
            first_response: None,
            resolution: None,
        };
        own.duplicate_of = self.earlier(&own);
        own
    }

    /// The first of the customer's tickets about the same service and topic, within the time in which tickets repeat each
    /// other.
    fn earlier(&self, own: &Assessment) -> Option<Box<str>> {
        let customer = own.customer.as_deref()?;
        let within = self.policy.duplicates_within;
        let mut tickets = self.customers.before(customer, own.opened_at, within);
        let is_same = |id: &&Arc<str>| {
            self.known.get(*id).is_some_and(|earlier| match (earlier.class, own.class) {
                (Some(before), Some(now)) => {
                    before == now && earlier.series.service == own.series.service
                }
                _ => earlier.series.service == own.series.service,
            })
        };
        let id = tickets.find(is_same)?;
        let first = self.known.get(id).and_then(|earlier| earlier.duplicate_of.clone());
        Some(first.unwrap_or_else(|| (&**id).into()))
    }

    /// The assessment after a change of the ticket.
    fn judged(
        &self,
        mut own: Assessment,
        ticket: &Ticket,
        now: Timestamp,
        zone: impl Fn(&SeriesKey) -> Zone,
    ) -> Assessment {
        own.is_open = ticket.is_open;
        if own.sla.is_none()
            && let Some(opened_at) = ticket.opened_at
            && let Some(sla) = agreement(&self.policy.slas, &own.series, own.class, own.priority)
        {
            let started = |within| Clock::started(opened_at, within, sla.warn_percent);
            own.opened_at = opened_at;
            own.monday = monday(zone(&own.series), opened_at);
            own.sla = Some(sla.name.as_str().into());
            own.first_response = sla.first_response.map(started);
            own.resolution = sla.resolution.map(started);
        }
        let times = &ticket.service;
        let answered_at = [times.answered_at, times.ended_at].into_iter().flatten().min();
        let of = |clock: Clock, stopped_at| match clock.state {
            ClockState::Void => clock,
            _ => clock.judged(stopped_at, times.abandoned_at, now),
        };
        own.first_response = own.first_response.map(|clock| of(clock, answered_at));
        own.resolution = own.resolution.map(|clock| of(clock, times.ended_at));
        own
    }

    /// Updates clocks whose state changes by itself up to `now`.
    fn pass_to(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.moments.first().cloned()
            && at <= now
        {
            let Some(before) = self.known.get(&id).cloned() else {
                self.moments.remove(&(at, id));
                continue;
            };
            self.put(&id, Some(&before), before.clone().passed_to(now));
        }
    }

    /// Forgets the customers of old tickets.
    fn forget_customers(&mut self, now: Timestamp) {
        while let Some(id) = self.customers.older_than(now - self.policy.keep_customers) {
            let Some(before) = self.known.get(&id).cloned() else { break };
            self.put(&id, Some(&before), Assessment { customer: None, ..before.clone() });
        }
    }

    /// Forgets a ticket that the book of tickets has forgotten. Its clocks that still run are not counted any more.
    fn forget(&mut self, id: &Arc<str>) {
        let Some(before) = self.known.get(id).cloned() else { return };
        self.put(id, Some(&before), Assessment { is_open: false, ..before.clone() }.void());
        if let Some(own) = self.known.remove(id) {
            self.unindex(id, &own);
        }
        self.changed.insert(id.clone());
    }

    /// Replaces the assessment of a ticket.
    fn put(&mut self, id: &Arc<str>, before: Option<&Assessment>, own: Assessment) {
        if before == Some(&own) {
            return;
        }
        if let Some(before) = before {
            self.unindex(id, before);
            if let Some(key) = key_of(before) {
                self.compliance.entry(key).or_default().lose(before);
            }
        }
        if let Some(key) = key_of(&own) {
            self.compliance.entry(key).or_default().gain(&own);
        }
        self.index(id, &own);
        self.changed.insert(id.clone());
        self.known.insert(id.clone(), own);
    }

    fn index(&mut self, id: &Arc<str>, own: &Assessment) {
        self.customers.insert(id, own);
        if let Some(at) = own.next_at() {
            self.moments.insert((at, id.clone()));
        }
        let (at_risk, breached) = open_clocks(own);
        if at_risk || breached {
            let open = self.open.entry(own.scope()).or_default();
            open.at_risk += u32::from(at_risk);
            open.breached += u32::from(breached);
        }
    }

    fn unindex(&mut self, id: &Arc<str>, own: &Assessment) {
        self.customers.remove(id, own);
        if let Some(at) = own.next_at() {
            self.moments.remove(&(at, id.clone()));
        }
        let (at_risk, breached) = open_clocks(own);
        if let Some(open) = self.open.get_mut(&own.scope()) {
            open.at_risk = open.at_risk.saturating_sub(u32::from(at_risk));
            open.breached = open.breached.saturating_sub(u32::from(breached));
            if *open == OpenClocks::default() {
                self.open.remove(&own.scope());
            }
        }
    }

    /// Open tickets with a clock that is at risk or breached, by place.
    pub fn open_clocks(&self) -> &BTreeMap<Scope, OpenClocks> {
        &self.open
    }

    /// All assessments.
    pub fn known(&self) -> impl Iterator<Item = (&Arc<str>, &Assessment)> + '_ {
        self.known.iter()
    }
}

/// When a ticket was created, or if this is not known, when it was first seen.
fn created_at(ticket: &Ticket) -> Timestamp {
    ticket.opened_at.unwrap_or(ticket.seen_at)
}

/// Whether an open ticket has a clock that is at risk, and whether it has one that is breached.
fn open_clocks(own: &Assessment) -> (bool, bool) {
    (own.is_open && own.has(ClockState::AtRisk), own.is_open && own.has(ClockState::Breached))
}

fn key_of(own: &Assessment) -> Option<ComplianceKey> {
    let sla = own.sla.clone()?;
    Some(ComplianceKey { monday: own.monday, scope: own.scope(), sla })
}

/// Monday of the week of `at` in a zone, as days since 1970-01-01.
fn monday(zone: Zone, at: Timestamp) -> i32 {
    let day = zone.local(at).date();
    let since = chrono::Days::new(u64::from(day.weekday().num_days_from_monday()));
    day.checked_sub_days(since).unwrap_or(day).to_epoch_days()
}
