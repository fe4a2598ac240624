//! The book of all tickets that are open, or were open recently.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::backlog::{Backlog, BacklogWindow};
use super::changes::{TicketChanges, TicketRules, TicketTally};
use super::desk::{Desk, desk};
use super::pending::{FirstFacts, MessageKey, News, Pending, shared};
use super::service::{Contact, Terms, earliest};
use super::ticket::Ticket;
use crate::domain::{DAY, LifeStep, SeriesKey, TicketBatch, TicketMessage, Timestamp};

/// How long a ticket is remembered after its end, so that late and repeated messages about it are recognised.
const REMEMBERED: Duration = Duration::from_secs(7 * DAY.as_secs());
/// An open ticket without messages for longer than this no longer counts.
const STALE_AFTER: Duration = Duration::from_secs(90 * DAY.as_secs());

/// All tickets that are open, or were open recently, as of an instant in event time that never moves back.
#[derive(Clone, Debug, Default)]
pub struct TicketBook {
    rules: TicketRules,
    terms: Terms,
    pending: BTreeMap<MessageKey, Pending>,
    tickets: BTreeMap<Arc<str>, Ticket>,
    /// Open tickets by their newest message.
    open: BTreeSet<(Timestamp, Arc<str>)>,
    /// Ended tickets by their newest message.
    ended: BTreeSet<(Timestamp, Arc<str>)>,
    desks: BTreeMap<SeriesKey, Desk>,
    names: BTreeSet<Arc<SeriesKey>>,
    now: Option<Timestamp>,
    forgotten_upto: Option<Timestamp>,
    tally: TicketTally,
    changed: BTreeSet<Arc<str>>,
    changed_series: BTreeSet<SeriesKey>,
    hinted_at: Option<Timestamp>,
}

impl TicketBook {
    /// A book without tickets.
    pub fn new(rules: TicketRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The book in the state that [`Self::advance`] had left at `now`. Messages that have not taken effect must be observed
    /// again.
    pub fn restored(
        rules: TicketRules,
        (now, forgotten_upto): (Option<Timestamp>, Option<Timestamp>),
        tickets: Vec<(Arc<str>, Ticket)>,
        series: Vec<(SeriesKey, Backlog)>,
    ) -> Self {
        let mut book = Self { rules, now, forgotten_upto, ..Self::default() };
        for (series, backlog) in series {
            let backlog = Backlog { known: 0, ..backlog };
            let terms = book.terms.of(&series);
            book.desks.insert(series, Desk::new(backlog, terms));
        }
        for (id, ticket) in tickets {
            let place = (ticket.heard_at, id.clone());
            if ticket.is_open {
                let desk = desk(&mut book.desks, &book.terms, &ticket.series, ticket.seen_at);
                desk.backlog.known += 1;
                desk.ages.insert((ticket.since(), id.clone()));
                book.open.insert(place);
            } else {
                book.ended.insert(place);
            }
            book.tickets.insert(id, ticket);
        }
        book
    }

    /// Sets the terms by which service is judged from now on.
    #[must_use]
    pub fn judged_by(mut self, terms: Terms) -> Self {
        for (series, desk) in &mut self.desks {
            desk.terms = terms.of(series);
        }
        Self { terms, ..self }
    }

    /// Takes a message. Messages may come in any order and repeatedly; they take effect in [`Self::advance`].
    pub fn observe(&mut self, message: &TicketMessage) {
        self.observe_batch(&[message].into_iter().collect());
    }

    /// Takes the messages of a batch, as [`Self::observe`] does. Of two messages with the same key, the first one is kept, in
    /// the store too.
    pub fn observe_batch(&mut self, batch: &TicketBatch) {
        let series: Vec<Arc<SeriesKey>> =
            batch.series().iter().map(|series| shared(&mut self.names, series)).collect();
        for row in batch.rows() {
            let series = series[row.series as usize].clone();
            let key = MessageKey::new(row.ts, row.news, &series);
            let entry = self.pending.entry(key);
            entry.or_insert_with(|| Pending {
                series,
                news: News::from(row.news),
                facts: batch.facts_of(&row),
            });
        }
    }

    /// Advances to `now`: messages before this time take effect. `place` maps the series of a ticket to the series under which
    /// it is counted.
    pub fn advance(
        &mut self,
        now: Timestamp,
        place: impl Fn(&SeriesKey) -> SeriesKey,
    ) -> TicketChanges {
        let later = self.pending.split_off(&MessageKey::first_at(now));
        let due = std::mem::replace(&mut self.pending, later);
        let taken_before = (!due.is_empty()).then_some(now);
        let forgotten = self.forgotten_upto;
        let mut facts = FirstFacts::default();
        for (key, pending) in due {
            let series = place(&pending.series);
            facts.take(&key.subject, pending.facts, self.tickets.contains_key(&key.subject));
            match pending.news {
                News::Snapshot { open } => self.snapshot(&series, key.ts, open),
                News::Step { step, opened_at, handled_seconds } => {
                    if let Some(opened_at) = opened_at {
                        self.opened(&key.subject, &series, opened_at, key.ts);
                    }
                    self.step(&key, &series, step, handled_seconds);
                }
            }
        }
        self.forget(now);
        self.now = self.now.max(Some(now));
        if now == now.utc_midnight() {
            self.age_by_a_day();
        }
        self.names.retain(|name| Arc::strong_count(name) > 1);
        let forgotten_upto = self.forgotten_upto.filter(|at| Some(*at) != forgotten);
        let facts = facts.of(&self.tickets);
        TicketChanges { taken_before, forgotten_upto, facts, ..self.take_changes() }
    }

    fn take_changes(&mut self) -> TicketChanges {
        let mut changes = TicketChanges::default();
        for id in std::mem::take(&mut self.changed) {
            let ticket = self.tickets.get(&id).cloned();
            changes.tickets.push((id, ticket));
        }
        for series in std::mem::take(&mut self.changed_series) {
            let Some(desk) = self.desks.get_mut(&series) else { continue };
            desk.backlog.oldest = desk.ages.first().map(|(at, _)| *at);
            for (start, change) in std::mem::take(&mut desk.attained) {
                changes.attained.push((series.clone(), start, change));
            }
            let flow = std::mem::take(&mut desk.flow);
            let window = BacklogWindow { flow, open: desk.backlog.open };
            changes.windows.push((series.clone(), window));
            changes.series.push((series, desk.backlog.clone()));
        }
        changes
    }

    fn step(&mut self, key: &MessageKey, series: &SeriesKey, step: LifeStep, handled: Option<u32>) {
        match step {
            LifeStep::Opened => self.opened(&key.subject, series, key.ts, key.ts),
            LifeStep::FirstResponse => self.answered(&key.subject, series, key.ts),
            LifeStep::Resolved => self.ended(&key.subject, series, (key.ts, step), handled),
            LifeStep::Reopened => self.reopened(&key.subject, series, key.ts),
            LifeStep::Abandoned => self.ended(&key.subject, series, (key.ts, step), None),
        }
    }

    /// A ticket was created at `opened_at`, according to a message of `ts`.
    fn opened(&mut self, id: &Arc<str>, series: &SeriesKey, opened_at: Timestamp, ts: Timestamp) {
        let Some((mut ticket, is_new)) = self.known(id, series, (ts, LifeStep::Opened)) else {
            return;
        };
        let is_own = opened_at == ts;
        if ticket.opened_at.is_some() {
            if is_own {
                self.repeated(id, ticket, ts, false);
            }
            return;
        }
        if self.may_be_forgotten(Some(&ticket), opened_at) {
            // It may have been counted then.
            return;
        }
        ticket.opened_at = Some(opened_at);
        let desk = desk(&mut self.desks, &self.terms, &ticket.series, ts);
        if is_new {
            ticket.is_open = true;
            desk.backlog.opened(opened_at);
        } else if std::mem::take(&mut ticket.was_unknown) {
            desk.backlog.put_back(opened_at);
        }
        // A later step may tell of a creation long ago.
        if is_own || self.now.is_none_or(|now| opened_at >= now) {
            desk.flow.opened += 1;
            self.tally.opened += 1;
            // The time of a response that an earlier release recorded is not known.
            ticket.service.is_counted = !ticket.is_answered || ticket.service.answered_at.is_some();
        }
        self.put(id, ticket, ts);
    }

    /// Somebody works on a ticket. This is the first response, unless one is already known.
    fn answered(&mut self, id: &Arc<str>, series: &SeriesKey, ts: Timestamp) {
        let Some((mut ticket, is_new)) = self.known(id, series, (ts, LifeStep::FirstResponse))
        else {
            return;
        };
        let is_earlier = earliest(&mut ticket.service.answered_at, ts);
        if ticket.is_answered {
            return self.repeated(id, ticket, ts, is_earlier);
        }
        ticket.is_answered = true;
        let desk = desk(&mut self.desks, &self.terms, &ticket.series, ts);
        if is_new {
            ticket.is_open = true;
            ticket.was_unknown = desk.backlog.identified();
        }
        if let Some(opened_at) = ticket.opened_at.filter(|opened_at| *opened_at <= ts) {
            let seconds = ts.since(opened_at).as_secs();
            desk.flow.first_response.add(seconds);
            desk.backlog.first_response.add(seconds as f64);
        }
        self.tally.responded += 1;
        self.put(id, ticket, ts);
    }

    /// A ticket was resolved, or its customer gave up.
    fn ended(
        &mut self,
        id: &Arc<str>,
        series: &SeriesKey,
        step: (Timestamp, LifeStep),
        handled: Option<u32>,
    ) {
        let ts = step.0;
        let Some((mut ticket, is_new)) = self.known(id, series, step) else { return };
        let is_abandoned = step.1 == LifeStep::Abandoned;
        let times = &mut ticket.service;
        let time = if is_abandoned { &mut times.abandoned_at } else { &mut times.ended_at };
        let is_earlier = earliest(time, ts);
        let is_newest = is_new || ticket.newest < step;
        if is_newest {
            ticket.newest = step;
        }
        if !is_newest || !(is_new || ticket.is_open) {
            return self.repeated(id, ticket, ts, is_earlier);
        }
        let desk = desk(&mut self.desks, &self.terms, &ticket.series, ts);
        if is_new {
            self.tally.unpaired += 1;
            ticket.was_unknown = desk.backlog.unknown_ended(ts);
        } else {
            desk.backlog.ended(ts);
        }
        desk.backlog.resolved_at = desk.backlog.resolved_at.max(Some(ts));
        if let Some(seconds) = handled {
            desk.handled(seconds, ticket.opened_at.unwrap_or(ts));
        }
        if is_abandoned {
            self.tally.abandoned += 1;
        } else {
            desk.flow.resolved += 1;
            self.tally.resolved += 1;
        }
        self.put(id, Ticket { is_open: false, ..ticket }, ts);
    }

    fn reopened(&mut self, id: &Arc<str>, series: &SeriesKey, ts: Timestamp) {
        let step = (ts, LifeStep::Reopened);
        let Some((mut ticket, is_new)) = self.known(id, series, step) else { return };
        let is_newest = is_new || ticket.newest < step;
        if is_newest {
            ticket.newest = step;
        }
        if !is_newest || ticket.is_open {
            return self.repeated(id, ticket, ts, false);
        }
        let desk = desk(&mut self.desks, &self.terms, &ticket.series, ts);
        desk.backlog.opened(ts);
        desk.flow.reopened += 1;
        self.tally.reopened += 1;
        self.put(id, Ticket { is_open: true, was_unknown: false, ..ticket }, ts);
    }

    /// A message had no effect on the number of open tickets. It may be the earlier one of two messages.
    fn repeated(&mut self, id: &Arc<str>, ticket: Ticket, ts: Timestamp, is_earlier: bool) {
        self.tally.repeated += 1;
        if is_earlier || ts > ticket.heard_at {
            self.put(id, ticket, ts);
        }
    }

    /// The known ticket or a new one, and whether it is new. `None` if the ticket may have been forgotten; then the message has
    /// no effect.
    fn known(
        &mut self,
        id: &Arc<str>,
        series: &SeriesKey,
        step: (Timestamp, LifeStep),
    ) -> Option<(Ticket, bool)> {
        let known = self.tickets.get(id);
        if self.may_be_forgotten(known, step.0) {
            self.tally.old += 1;
            return None;
        }
        Some(match known {
            Some(known) => (known.clone(), false),
            None => (Ticket::new(series.clone(), step), true),
        })
    }

    /// Whether a ticket with a message of `ts` may have been forgotten, even if it is known again since then.
    fn may_be_forgotten(&self, known: Option<&Ticket>, ts: Timestamp) -> bool {
        self.forgotten_upto.is_some_and(|upto| ts <= upto)
            && known.is_none_or(|ticket| ts < ticket.seen_at)
    }

    fn snapshot(&mut self, series: &SeriesKey, ts: Timestamp, open: u32) {
        let is_late = self.now.is_some_and(|now| ts < now);
        let desk = desk(&mut self.desks, &self.terms, series, ts);
        if is_late || desk.backlog.anchored_at.is_some_and(|at| ts <= at) {
            self.tally.old += 1;
            return;
        }
        desk.backlog.anchored_at = Some(ts);
        desk.backlog.open = open;
        self.tally.snapshots += 1;
        self.changed_series.insert(series.clone());
    }

    /// Replaces the state of a ticket after a message of `ts`.
    fn put(&mut self, id: &Arc<str>, mut ticket: Ticket, ts: Timestamp) {
        let before = self.remove(id).as_ref().and_then(Contact::of);
        ticket.heard_at = ticket.heard_at.max(ts);
        let place = (ticket.heard_at, id.clone());
        let desk = desk(&mut self.desks, &self.terms, &ticket.series, ticket.seen_at);
        desk.judge(before.as_ref(), Contact::of(&ticket).as_ref(), &self.terms);
        if ticket.is_open {
            desk.ages.insert((ticket.since(), id.clone()));
            self.open.insert(place);
        } else {
            self.ended.insert(place);
        }
        self.changed_series.insert(ticket.series.clone());
        self.changed.insert(id.clone());
        self.tickets.insert(id.clone(), ticket);
    }

    /// Removes a ticket. The number of open tickets does not change.
    fn remove(&mut self, id: &Arc<str>) -> Option<Ticket> {
        let ticket = self.tickets.remove(id)?;
        let place = (ticket.heard_at, id.clone());
        if ticket.is_open {
            self.open.remove(&place);
            if let Some(desk) = self.desks.get_mut(&ticket.series) {
                desk.ages.remove(&(ticket.since(), id.clone()));
            }
        } else {
            self.ended.remove(&place);
        }
        Some(ticket)
    }

    /// Forgets tickets that ended long ago, that have had no messages for long, or that exceed the limit.
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.ended.first().cloned()
            && (self.ended.len() > self.rules.known_max || at + REMEMBERED < now)
        {
            self.give_up(at, &id);
        }
        while let Some((at, id)) = self.open.first().cloned() {
            let is_stale = at + STALE_AFTER < now;
            if !is_stale && self.open.len() <= self.rules.known_max {
                break;
            }
            let Some(ticket) = self.give_up(at, &id) else { break };
            let Some(desk) = self.desks.get_mut(&ticket.series) else { continue };
            desk.backlog.known = desk.backlog.known.saturating_sub(1);
            if is_stale {
                desk.backlog.open = desk.backlog.open.saturating_sub(1);
                self.tally.stale += 1;
            } else {
                self.tally.given_up += 1;
            }
            self.changed_series.insert(ticket.series);
        }
    }

    fn give_up(&mut self, at: Timestamp, id: &Arc<str>) -> Option<Ticket> {
        self.forgotten_upto = self.forgotten_upto.max(Some(at));
        self.changed.insert(id.clone());
        self.remove(id)
    }

    /// Reduces the weight of older times in the means.
    fn age_by_a_day(&mut self) {
        for (series, desk) in &mut self.desks {
            if desk.backlog.age_by_a_day() {
                self.changed_series.insert(series.clone());
            }
        }
    }

    /// The open tickets of each series.
    pub fn backlogs(&self) -> impl Iterator<Item = (&SeriesKey, &Backlog)> + '_ {
        self.desks.iter().map(|(series, desk)| (series, &desk.backlog))
    }

    /// The open tickets of a series; `None` if nothing is known about it.
    pub fn backlog(&self, series: &SeriesKey) -> Option<&Backlog> {
        self.desks.get(series).map(|desk| &desk.backlog)
    }

    /// Number of open tickets, of all series together.
    pub fn open_count(&self) -> u64 {
        self.desks.values().map(|desk| u64::from(desk.backlog.open)).sum()
    }

    /// Whether there is anything in the book.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.desks.is_empty() && self.tickets.is_empty()
    }

    /// Whether unusual messages should be logged: once a day of event time.
    pub fn is_hint_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.hinted_at.is_none_or(|at| at + DAY <= now);
        if is_due {
            self.hinted_at = Some(now);
        }
        is_due
    }

    /// Counts of effects since the last call.
    pub fn take_tally(&mut self) -> TicketTally {
        std::mem::take(&mut self.tally)
    }
}
