//! Priorities, clocks, compliance, duplicates and the outreach list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::{
    DAY, LifeStep, MINUTE, Name, Priority, Scope, Sentiment, SeriesKey, TicketFacts, TicketMessage,
    TicketNews, TicketStep, Timestamp, Topic, WindowWidth, Zone,
};
use crate::window::{Ticket, TicketBook, TicketRules};

/// A Wednesday.
fn at(minutes: u32) -> Timestamp {
    Timestamp::parse("2026-03-11T08:00:00Z").expect("a time") + MINUTE * minutes
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn series() -> SeriesKey {
    SeriesKey::parse("north/tv/email").expect("a series")
}

fn sla(name_of: &str, first_response: Option<u64>, resolution: Option<u64>) -> Sla {
    Sla {
        name: name(name_of),
        regions: Vec::new(),
        services: Vec::new(),
        channels: Vec::new(),
        classes: Vec::new(),
        priorities: Vec::new(),
        first_response: first_response.map(|minutes| Duration::from_secs(minutes * 60)),
        resolution: resolution.map(|minutes| Duration::from_secs(minutes * 60)),
        warn_percent: 80,
    }
}

fn policy() -> TicketPolicy {
    TicketPolicy { slas: [sla("all", Some(30), Some(240))].into(), ..TicketPolicy::default() }
}

fn facts(priority: &str, topic: Option<Topic>, customer: &str) -> Option<Box<TicketFacts>> {
    let word = |text: &str| (!text.is_empty()).then(|| text.into());
    Some(Box::new(TicketFacts {
        priority: word(priority),
        topic,
        customer: word(customer),
        ..TicketFacts::default()
    }))
}

fn message(
    minute: u32,
    id: &str,
    step: LifeStep,
    facts: Option<Box<TicketFacts>>,
) -> TicketMessage {
    let step = TicketStep { ticket_id: id.into(), step, opened_at: None, handled_seconds: None };
    TicketMessage { ts: at(minute), series: series(), news: TicketNews::Step(step), facts }
}

/// Both books, and their stored state.
#[derive(Default)]
struct Desk {
    policy: TicketPolicy,
    tickets: TicketBook,
    book: AssessmentBook,
    critical: BTreeSet<Scope>,
    stored: BTreeMap<Arc<str>, Assessment>,
    lives: BTreeMap<Arc<str>, Ticket>,
    compliance: BTreeMap<ComplianceKey, Compliance>,
    outreach: BTreeMap<Arc<str>, Customer>,
    sentiments: BTreeMap<(SeriesKey, Timestamp), SentimentCounts>,
    forgotten_upto: Option<Timestamp>,
    now: Option<Timestamp>,
}

impl Desk {
    fn new(policy: TicketPolicy) -> Self {
        let book = AssessmentBook::new(policy.clone());
        Self { policy, book, ..Self::default() }
    }

    fn observe(&mut self, messages: impl IntoIterator<Item = TicketMessage>) {
        messages.into_iter().for_each(|message| self.tickets.observe(&message));
    }

    fn advance(&mut self, minute: u32) {
        let changes = self.tickets.advance(at(minute), Clone::clone);
        let critical = self.critical.clone();
        let found = self.book.advance(at(minute), &changes, |_| Zone::UTC, || critical);
        for (id, own) in found.tickets {
            match own {
                Some(own) => _ = self.stored.insert(id, own),
                None => _ = self.stored.remove(&id),
            }
        }
        for (id, ticket) in changes.tickets {
            match ticket {
                Some(ticket) => _ = self.lives.insert(id, ticket),
                None => _ = self.lives.remove(&id),
            }
        }
        for (key, change) in &found.compliance {
            self.compliance.entry(key.clone()).or_default().change(change);
        }
        for (id, customer) in found.customers {
            match customer {
                Some(own) => _ = self.outreach.insert(id, own),
                None => _ = self.outreach.remove(&id),
            }
        }
        for (series, at, sentiment) in found.sentiments {
            let window = (series, WindowWidth::QUARTER.floor(at));
            self.sentiments.entry(window).or_default().add(sentiment);
        }
        self.forgotten_upto = changes.forgotten_upto.or(self.forgotten_upto);
        self.now = Some(at(minute));
        self.check();
    }

    /// Checks that the sums of changes equal those computed from the assessments.
    fn check(&self) {
        let known: BTreeMap<_, _> =
            self.book.known().map(|(id, own)| (id.clone(), own.clone())).collect();
        assert_eq!(known, self.stored);
        let mut open: BTreeMap<Scope, OpenClocks> = BTreeMap::new();
        for own in known.values().filter(|own| own.is_open) {
            let (at_risk, breached) = (own.has(ClockState::AtRisk), own.has(ClockState::Breached));
            if at_risk || breached {
                let counts = open.entry(own.scope()).or_default();
                counts.at_risk += u32::from(at_risk);
                counts.breached += u32::from(breached);
            }
        }
        assert_eq!(&open, self.book.open_clocks());
    }

    /// The state after a restart.
    fn restarted(self) -> Self {
        let lives = self.lives.clone().into_iter().collect();
        let state = (self.now, self.forgotten_upto);
        let tickets = TicketBook::restored(TicketRules::default(), state, lives, Vec::new());
        let known = self.stored.clone().into_iter().collect();
        let book = AssessmentBook::restored(self.policy.clone(), known);
        Self { tickets, book, ..self }
    }

    fn own(&self, id: &str) -> &Assessment {
        &self.stored[id]
    }

    fn week(&self) -> Compliance {
        let [(key, own)] = self.compliance.iter().collect::<Vec<_>>().try_into().expect("one row");
        let monday = chrono::NaiveDate::from_epoch_days(key.monday).expect("a day");
        assert_eq!((monday.to_string().as_str(), &*key.sla), ("2026-03-09", "all"));
        *own
    }
}

#[test]
fn the_priority_has_a_reason() {
    let rules = PriorityRules::default();
    let (channel, service) = (name("email"), name("tv"));
    let check = |facts: TicketFacts, critical_alarm, expected: Priority, why: &str| {
        let look =
            FirstLook { facts: &facts, channel: &channel, service: &service, critical_alarm };
        let (priority, reason) = rules.decide(&look);
        assert_eq!(priority, expected, "{facts:?}");
        let text = format!("{reason:?}");
        assert!(text.contains(why), "{facts:?}: {text}");
    };
    let of = |word: &str| TicketFacts { priority: Some(word.into()), ..TicketFacts::default() };
    for (word, expected) in [
        ("P1", Priority::P1),
        ("1 - Critical", Priority::P1),
        ("High", Priority::P2),
        ("Major", Priority::P2),
        ("3", Priority::P3),
        ("minor", Priority::P3),
        ("5 - Planning", Priority::P4),
        ("紧急", Priority::P1),
        ("低", Priority::P4),
    ] {
        check(of(word), false, expected, "Sender");
    }
    let about = |topic| TicketFacts { topic: Some(topic), ..TicketFacts::default() };
    check(
        TicketFacts { topic: Some(Topic::Outage), ..of("whatever") },
        false,
        Priority::P2,
        "Outage",
    );
    check(about(Topic::Outage), true, Priority::P1, "critical_alarm: true");
    check(about(Topic::Slow), true, Priority::P2, "Slow");
    check(about(Topic::Slow), false, Priority::P3, "Default");
    check(about(Topic::Billing), true, Priority::P4, "Billing");
    let gold = TicketFacts { tier: Some("Gold".into()), ..about(Topic::Outage) };
    check(gold, false, Priority::P1, "Gold");
    let angry = TicketFacts { sentiment: Some(Sentiment::Negative), ..about(Topic::Billing) };
    check(angry, false, Priority::P3, "Negative");
    check(TicketFacts::default(), false, Priority::P3, "Default");
}

#[test]
fn clocks_are_met_at_risk_and_breached() {
    let mut desk = Desk::new(policy());
    let opened = |minute, id: &str| message(minute, id, LifeStep::Opened, facts("", None, ""));
    desk.observe(["met", "late", "open", "gone"].map(|id| opened(0, id)));
    desk.observe([
        message(10, "met", LifeStep::FirstResponse, None),
        message(12, "gone", LifeStep::Abandoned, None),
        message(60, "late", LifeStep::FirstResponse, None),
        message(240, "met", LifeStep::Resolved, None),
        message(241, "late", LifeStep::Resolved, None),
    ]);
    desk.advance(15);
    let week = desk.week();
    assert_eq!((week.tickets, week.first_response.met, week.first_response.running), (4, 1, 2));
    assert_eq!(desk.own("gone").first_response.map(|clock| clock.state), Some(ClockState::Void));
    // 80 % of half an hour.
    desk.advance(24);
    assert_eq!(desk.week().first_response.at_risk, 2);
    assert_eq!(desk.book.open_clocks()[&series().scope()].at_risk, 2);
    desk.advance(30);
    assert_eq!((desk.week().first_response.at_risk, desk.week().first_response.breached), (2, 0));
    desk.advance(45);
    assert_eq!((desk.week().first_response.at_risk, desk.week().first_response.breached), (0, 2));
    let mut desk = desk.restarted();
    // What has not taken effect is observed again.
    desk.observe([
        message(60, "late", LifeStep::FirstResponse, None),
        message(240, "met", LifeStep::Resolved, None),
        message(241, "late", LifeStep::Resolved, None),
    ]);
    desk.advance(600);
    let week = desk.week();
    assert_eq!((week.first_response.met, week.first_response.breached), (1, 2));
    assert_eq!((week.resolution.met, week.resolution.breached), (1, 2));
    assert_eq!(week.resolution.share_met(), Some(1.0 / 3.0));
    assert_eq!(desk.own("open").due_at(), None, "nothing runs any more");
    // The response came in time after all, but its message was late.
    desk.observe([message(20, "open", LifeStep::FirstResponse, None)]);
    desk.advance(615);
    assert_eq!((desk.week().first_response.met, desk.week().first_response.breached), (2, 1));
}

#[test]
fn the_agreement_with_most_conditions_applies() {
    let urgent = Sla { priorities: vec![Priority::P1], ..sla("urgent", Some(5), None) };
    let outage = Sla {
        priorities: vec![Priority::P1],
        classes: vec![Topic::Outage],
        channels: vec![name("email")],
        ..sla("outage", None, Some(60))
    };
    let chat = Sla { channels: vec![name("chat")], ..sla("chat", Some(1), None) };
    let slas = [sla("all", Some(30), None), urgent, outage, chat].into();
    let mut desk = Desk::new(TicketPolicy { slas, ..TicketPolicy::default() });
    desk.observe([
        message(0, "a", LifeStep::Opened, facts("low", None, "")),
        message(0, "b", LifeStep::Opened, facts("P1", Some(Topic::Billing), "")),
        message(0, "c", LifeStep::Opened, facts("P1", Some(Topic::Outage), "")),
    ]);
    desk.advance(15);
    let of = |id: &str| desk.own(id).sla.as_deref().expect("an agreement").to_owned();
    assert_eq!(["a", "b", "c"].map(of), ["all", "urgent", "outage"]);
    assert!(desk.own("c").first_response.is_none());
}

#[test]
fn a_critical_alarm_counts_when_the_ticket_is_first_seen() {
    let mut desk = Desk::new(policy());
    let outage =
        |minute, id| message(minute, id, LifeStep::Opened, facts("", Some(Topic::Outage), ""));
    desk.observe([outage(0, "before")]);
    desk.advance(15);
    desk.critical.insert(series().scope());
    desk.observe([outage(16, "during"), message(17, "before", LifeStep::FirstResponse, None)]);
    desk.advance(30);
    assert_eq!(desk.own("before").priority, Priority::P2);
    assert_eq!(desk.own("during").priority, Priority::P1);
}

#[test]
fn tickets_of_a_customer_about_the_same_repeat_each_other() {
    let mut desk = Desk::new(policy());
    let opened = |minute, id, topic, customer| {
        message(minute, id, LifeStep::Opened, facts("", Some(topic), customer))
    };
    desk.observe([
        opened(0, "a1", Topic::Slow, "A"),
        opened(1, "b1", Topic::Slow, "B"),
        opened(20, "a2", Topic::Slow, "A"),
        opened(21, "a3", Topic::Billing, "A"),
        opened(22, "a4", Topic::Slow, "A"),
        opened(23 + 24 * 60, "a5", Topic::Slow, "A"),
    ]);
    desk.advance(30);
    let mut desk = desk.restarted();
    desk.observe([opened(23 + 24 * 60, "a5", Topic::Slow, "A")]);
    desk.advance(26 * 60);
    let of = |id: &str| desk.own(id).duplicate_of.as_deref();
    assert_eq!(["a1", "b1", "a2", "a3", "a4"].map(of), [None, None, Some("a1"), None, Some("a1")]);
    assert_eq!(of("a5"), None, "a day is over");
    assert_eq!(desk.week().duplicates, 2);
    // All of them count.
    assert_eq!(desk.week().tickets, 6);
}

#[test]
fn customers_with_several_tickets_or_a_breach_are_to_be_called() {
    let mut desk = Desk::new(TicketPolicy { keep_customers: DAY * 2, ..policy() });
    let opened =
        |minute, id, customer| message(minute, id, LifeStep::Opened, facts("", None, customer));
    let done = |minute, id| message(minute, id, LifeStep::Resolved, None);
    desk.observe([
        opened(0, "a1", "A"),
        opened(1, "a2", "A"),
        opened(2, "b1", "B"),
        opened(3, "c1", "C"),
        done(4, "a1"),
        done(5, "a2"),
        done(6, "c1"),
    ]);
    desk.advance(15);
    assert!(desk.outreach.is_empty());
    desk.observe([opened(16, "a3", "A"), done(17, "a3")]);
    desk.advance(60);
    let a = &desk.outreach["A"];
    assert_eq!((a.tickets, a.open, a.breached, a.are_several), (3, 0, 0, true));
    assert_eq!(a.ticket_ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["a3", "a2", "a1"]);
    let b = &desk.outreach["B"];
    assert_eq!((b.tickets, b.open, b.breached, b.are_several), (1, 1, 1, false));
    assert!(b.rank() > a.rank(), "a breach is worse than several tickets");
    assert_eq!(desk.outreach.len(), 2, "C has one ticket, which was in time");
    // Ids of customers are forgotten, the tickets are not.
    let mut desk = desk.restarted();
    desk.advance(2 * 24 * 60 + 120);
    assert!(desk.outreach.is_empty());
    assert!(desk.stored.len() == 5 && desk.stored.values().all(|own| own.customer.is_none()));
    assert_eq!(desk.week().tickets, 5);
}

#[test]
fn a_restart_at_any_window_changes_nothing() {
    use rand::{RngExt as _, SeedableRng as _};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let steps =
        [LifeStep::FirstResponse, LifeStep::Resolved, LifeStep::Reopened, LifeStep::Abandoned];
    let mut messages = Vec::new();
    let mut truth: BTreeMap<(SeriesKey, Timestamp), SentimentCounts> = BTreeMap::new();
    for n in 0..300_u32 {
        let (opened, id) = (rng.random_range(0..3 * 24 * 60), format!("T-{n}"));
        let topic = Some(Topic::EVERY[rng.random_range(0..6)]);
        let customer = format!("C-{}", rng.random_range(0..80));
        let mut facts = facts("", topic, &customer);
        // One of four has no text.
        let every = [Sentiment::Negative, Sentiment::Neutral, Sentiment::Positive];
        let sentiment = every.get(rng.random_range(0..4)).copied();
        facts.iter_mut().for_each(|facts| facts.sentiment = sentiment);
        if let Some(sentiment) = sentiment {
            let window = (series(), WindowWidth::QUARTER.floor(at(opened)));
            truth.entry(window).or_default().add(sentiment);
        }
        messages.push(message(opened, &id, LifeStep::Opened, facts));
        let mut minute = opened;
        for _ in 0..rng.random_range(0..4) {
            minute += rng.random_range(1..400);
            messages.push(message(minute, &id, steps[rng.random_range(0..4)], None));
        }
    }
    let width = WindowWidth::QUARTER.length().as_secs() as u32 / 60;
    let last = 12 * 24 * 60 / width;
    let run = |restarts: &dyn Fn(u32) -> bool| {
        let mut desk = Desk::new(policy());
        desk.observe(messages.iter().cloned());
        for window in 1..=last {
            desk.advance(window * width);
            if restarts(window) {
                desk = desk.restarted();
                // Those of the last hour are read again.
                let from = at((window * width).saturating_sub(60));
                let later = |message: &&TicketMessage| message.ts >= from;
                let later: Vec<_> = messages.iter().filter(later).cloned().collect();
                desk.observe(later);
            }
        }
        assert_eq!(desk.sentiments, truth, "each ticket counts once");
        (desk.stored, desk.compliance, desk.outreach)
    };
    let plain = run(&|_| false);
    let weeks = plain.1.values();
    assert_eq!(weeks.map(|own| own.tickets).sum::<u32>(), 300);
    assert_eq!(run(&|window| window % 7 == 3), plain);
}
