//! Attained service compared with a simulated queue, and after restarts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::{LifeStep, SeriesKey, TicketMessage, TicketNews, TicketStep, Timestamp};
use crate::domain::{WindowWidth, Zone};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const WITHIN_MS: i64 = 20_000;
const GOAL: ServiceGoal = ServiceGoal { by: ServedBy::Answer, within_seconds: 20 };
/// Windows in which customers call.
const WINDOWS: i64 = 8;

fn start(window: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + window * 900_000)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(start(0).millis() + ms)
}

fn phone() -> SeriesKey {
    SeriesKey::parse("north/tv/phone").expect("a series")
}

fn terms(goal: Option<ServiceGoal>) -> Terms {
    Terms::new(WIDTH, move |_| SeriesTerms { goal, zone: Zone::UTC })
}

/// Random numbers that depend on a seed only.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Milliseconds with an exponential distribution.
    fn exponential(&mut self, mean_ms: f64) -> i64 {
        (-mean_ms * (1.0 - self.next()).ln()) as i64
    }
}

/// A call: when it arrived, and when it was answered and ended, or when its caller hung up.
struct Call {
    arrived_at: i64,
    answered: Option<i64>,
    ended: Option<i64>,
    hung_up: Option<i64>,
}

/// Callers wait in order for one of the agents, and hang up when their patience ends.
fn queue(dice: &mut Dice, agents: usize) -> Vec<Call> {
    let mut free: BinaryHeap<Reverse<i64>> = (0..agents).map(|_| Reverse(0)).collect();
    let (mut calls, mut arrived_at) = (Vec::new(), 0);
    loop {
        arrived_at += dice.exponential(12_000.0);
        if arrived_at >= WINDOWS * 900_000 {
            return calls;
        }
        let gives_up = arrived_at + dice.exponential(90_000.0);
        let Reverse(agent) = free.pop().expect("an agent");
        let answered = agent.max(arrived_at);
        if answered > gives_up {
            free.push(Reverse(agent));
            calls.push(Call { arrived_at, answered: None, ended: None, hung_up: Some(gives_up) });
            continue;
        }
        let ended = answered + dice.exponential(180_000.0);
        free.push(Reverse(ended));
        calls.push(Call {
            arrived_at,
            answered: Some(answered),
            ended: Some(ended),
            hung_up: None,
        });
    }
}

/// The service of a window computed directly from the calls: offered, answered, abandoned, in time, and waits in whole seconds.
type Truth = BTreeMap<i64, (u32, u32, u32, u32, Vec<u64>)>;

fn truth(calls: &[Call]) -> Truth {
    let mut truth = Truth::new();
    for call in calls {
        let own = truth.entry(call.arrived_at / 900_000).or_default();
        own.0 += 1;
        match call.answered {
            Some(answered) => {
                own.1 += 1;
                let wait = answered - call.arrived_at;
                own.3 += u32::from(wait <= WITHIN_MS);
                own.4.push((wait / 1000) as u64);
            }
            None => own.2 += 1,
        }
    }
    truth.values_mut().for_each(|own| own.4.sort_unstable());
    truth
}

fn messages(calls: &[Call]) -> Vec<TicketMessage> {
    let mut all = Vec::new();
    for (n, call) in calls.iter().enumerate() {
        let steps = [
            (LifeStep::Opened, Some(call.arrived_at)),
            (LifeStep::FirstResponse, call.answered),
            (LifeStep::Resolved, call.ended),
            (LifeStep::Abandoned, call.hung_up),
        ];
        for (step, ms) in steps {
            let Some(ms) = ms else { continue };
            let ticket_id = format!("c{n}").into();
            let step = TicketStep { ticket_id, step, opened_at: None, handled_seconds: None };
            all.push(TicketMessage {
                ts: at(ms),
                series: phone(),
                news: TicketNews::Step(step),
                facts: None,
            });
        }
    }
    all
}

/// The part of the state that a store keeps.
#[derive(Clone, Default)]
struct Kept {
    now: Option<Timestamp>,
    tickets: BTreeMap<Arc<str>, Ticket>,
    series: BTreeMap<SeriesKey, Backlog>,
    attained: BTreeMap<Timestamp, Attained>,
}

impl Kept {
    fn take(&mut self, now: Timestamp, changes: TicketChanges) {
        self.now = Some(now);
        for (id, ticket) in changes.tickets {
            match ticket {
                Some(ticket) => _ = self.tickets.insert(id, ticket),
                None => _ = self.tickets.remove(&id),
            }
        }
        self.series.extend(changes.series);
        for (_, start, change) in changes.attained {
            self.attained.entry(start).or_default().change(&change);
        }
    }

    fn book(&self) -> TicketBook {
        let tickets = self.tickets.clone().into_iter().collect();
        let series = self.series.clone().into_iter().collect();
        TicketBook::restored(TicketRules::default(), (self.now, None), tickets, series)
            .judged_by(terms(Some(GOAL)))
    }
}

/// Reads messages that arrive up to some windows late, each once or twice. The process ends after some windows and reads the
/// messages of the last ones again.
fn attained(all: &[TicketMessage], dice: &mut Dice, late: f64, dies: bool) -> Kept {
    let mut by_window: BTreeMap<i64, Vec<&TicketMessage>> = BTreeMap::new();
    for message in all {
        for _ in 0..(1 + usize::from(dice.next() < 0.2)) {
            let own = (message.ts.millis() - start(0).millis()) / 900_000;
            let delay = if dice.next() < late { (dice.next() * 4.0) as i64 } else { 0 };
            by_window.entry(own + delay).or_default().push(message);
        }
    }
    let last = by_window.keys().copied().max().unwrap_or(0);
    let mut kept = Kept::default();
    let mut book = kept.book();
    for window in 0..=last {
        let due = by_window.get(&window).map_or(&[][..], Vec::as_slice);
        due.iter().for_each(|message| book.observe(message));
        let now = start(window + 1);
        kept.take(now, book.advance(now, SeriesKey::clone));
        if dies && dice.next() < 0.5 {
            book = kept.book();
            let again = by_window.range((window - 2).max(0)..=window);
            again.flat_map(|(_, own)| own).for_each(|message| book.observe(message));
        }
    }
    kept
}

fn check(kept: &Kept, truth: &Truth) {
    assert_eq!(kept.attained.len(), truth.len());
    for (window, (offered, answered, abandoned, in_time, waits)) in truth {
        let own = &kept.attained[&start(*window)];
        let found = (own.offered, own.answered, own.abandoned, own.targeted, own.in_time);
        assert_eq!(found, (*offered, *answered, *abandoned, *offered, *in_time), "{window}");
        assert_eq!(own.waits.count(), waits.len() as u64);
        for share in [0.5, 0.9] {
            let rank = (share * waits.len() as f64 - 1e-9).ceil().max(1.0) as usize;
            let expected = waits.get(rank - 1).copied();
            let near = |found: u64, wait: u64| {
                found.abs_diff(wait) <= if wait < 128 { 0 } else { wait / 64 }
            };
            match (own.waits.quantile(share), expected) {
                (Some(found), Some(wait)) => assert!(near(found, wait), "{window}: {found} {wait}"),
                (found, expected) => assert_eq!(found, expected),
            }
        }
    }
}

#[test]
fn attained_service_is_that_of_the_simulated_queue() {
    for (seed, agents) in [(7, 12), (8, 15), (9, 20), (10, 9)] {
        let calls = queue(&mut Dice(seed), agents);
        let truth = truth(&calls);
        let sums = truth
            .values()
            .fold((0, 0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.2, sum.2 + own.3));
        assert!(sums.0 > 400 && sums.2 > 0, "{sums:?}");
        assert!(agents >= 20 || sums.1 > 10, "some hang up: {sums:?}");
        let all = messages(&calls);
        for (late, dies) in [(0.0, false), (0.3, false), (0.3, true)] {
            check(&attained(&all, &mut Dice(seed + 100), late, dies), &truth);
        }
    }
}

#[test]
fn deferred_work_is_judged_by_its_end() {
    let goal = ServiceGoal { by: ServedBy::End, within_seconds: 600 };
    let mut book = TicketBook::default().judged_by(terms(Some(goal)));
    let mut kept = Kept::default();
    let say = |id: &str, step, seconds: i64| {
        let step =
            TicketStep { ticket_id: id.into(), step, opened_at: None, handled_seconds: None };
        TicketMessage {
            ts: at(seconds * 1000),
            series: phone(),
            news: TicketNews::Step(step),
            facts: None,
        }
    };
    let all = [
        // In time; answered in time but resolved late; resolved and reopened; open.
        say("a", LifeStep::Opened, 0),
        say("a", LifeStep::Resolved, 600),
        say("b", LifeStep::Opened, 10),
        say("b", LifeStep::FirstResponse, 20),
        say("b", LifeStep::Resolved, 611),
        say("c", LifeStep::Opened, 20),
        say("c", LifeStep::Resolved, 30),
        say("c", LifeStep::Reopened, 40),
        say("d", LifeStep::Opened, 50),
    ];
    all.iter().for_each(|message| book.observe(message));
    kept.take(start(1), book.advance(start(1), SeriesKey::clone));
    let own = &kept.attained[&start(0)];
    assert_eq!((own.offered, own.targeted, own.in_time, own.answered), (4, 4, 2, 1));
    assert_eq!((own.service_level(), own.goal), (Some(0.5), Some(goal)));
}

#[test]
fn an_earlier_response_that_comes_late_revises_its_window() {
    let mut book = TicketBook::default().judged_by(terms(Some(GOAL)));
    let mut kept = Kept::default();
    let say = |step, seconds: i64| {
        let step =
            TicketStep { ticket_id: "a".into(), step, opened_at: None, handled_seconds: None };
        TicketMessage {
            ts: at(seconds * 1000),
            series: phone(),
            news: TicketNews::Step(step),
            facts: None,
        }
    };
    let mut found = Vec::new();
    for (window, message) in (1..).zip([
        say(LifeStep::FirstResponse, 100),
        say(LifeStep::Opened, 90 - 50),
        say(LifeStep::FirstResponse, 55),
        say(LifeStep::FirstResponse, 70),
        say(LifeStep::Abandoned, 50),
    ]) {
        book.observe(&message);
        kept.take(start(window), book.advance(start(window), SeriesKey::clone));
        let own = kept.attained.get(&start(0)).cloned().unwrap_or_default();
        let median = own.waits.quantile(0.5);
        found.push((own.offered, own.answered, own.in_time, own.abandoned, median));
    }
    let expected = [
        (0, 0, 0, 0, None),
        (1, 1, 0, 0, Some(60)),
        (1, 1, 1, 0, Some(15)),
        (1, 1, 1, 0, Some(15)),
        // The caller had hung up before.
        (1, 0, 0, 1, None),
    ];
    assert_eq!(found, expected);
}

proptest! {
    /// Sums over tickets equal those of the calls, in whatever order and however often messages arrive.
    #[test]
    fn the_order_of_messages_does_not_matter(seed in 1..10_000_u64, late in 0.0..1.0_f64) {
        let calls = queue(&mut Dice(seed), 11);
        let few: Vec<Call> = calls.into_iter().take(60).collect();
        check(&attained(&messages(&few), &mut Dice(seed * 3 + 1), late, seed % 2 == 0), &truth(&few));
    }
}
