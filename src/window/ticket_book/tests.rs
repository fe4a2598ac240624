//! Tables of messages with the expected open tickets, and properties of random streams.

use proptest::prelude::*;

use super::*;
use crate::domain::{LifeStep, SeriesKey, TicketMessage, TicketNews, TicketStep, Timestamp};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + minute * 60)
}

fn series(channel: &str) -> SeriesKey {
    SeriesKey::parse(&format!("north/tv/{channel}")).expect("a series")
}

/// A message: `+` opens, `!` answers, `-` ends, `~` reopens; `=7` is a snapshot. Examples: `+a@3`, `-a@9/120` (handled
/// seconds), `-a@9<2` (a step that says when its ticket was opened) and `=7@5`.
fn message(text: &str) -> TicketMessage {
    let (what, rest) = text.split_once('@').expect("a time");
    let (rest, opened) = rest.split_once('<').map_or((rest, None), |(a, b)| (a, Some(b)));
    let (minute, handled) = rest.split_once('/').map_or((rest, None), |(a, b)| (a, Some(b)));
    let ts = at(minute.parse().expect("a minute"));
    let (sign, id) = what.split_at(1);
    let step = match sign {
        "+" => LifeStep::Opened,
        "!" => LifeStep::FirstResponse,
        "-" => LifeStep::Resolved,
        "~" => LifeStep::Reopened,
        _ => {
            let news = TicketNews::Snapshot { open: id.parse().expect("a number") };
            return TicketMessage { ts, series: series("phone"), news, facts: None };
        }
    };
    let news = TicketNews::Step(TicketStep {
        ticket_id: id.into(),
        step,
        opened_at: opened.map(|minute| at(minute.parse().expect("a minute"))),
        handled_seconds: handled.map(|seconds| seconds.parse().expect("seconds")),
    });
    TicketMessage { ts, series: series("phone"), news, facts: None }
}

fn advance(book: &mut TicketBook, minute: i64) -> TicketChanges {
    book.advance(at(minute), SeriesKey::clone)
}

fn phone(book: &TicketBook) -> (u32, u32) {
    book.backlog(&series("phone")).map_or((0, 0), |backlog| (backlog.open, backlog.known))
}

/// Messages window by window; (open, known) after each window of 15 minutes.
fn run(book: &mut TicketBook, windows: &[&[&str]]) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for (window, messages) in (1..).zip(windows) {
        messages.iter().for_each(|text| book.observe(&message(text)));
        advance(book, window * 15);
        found.push(phone(book));
    }
    found
}

/// A name, messages by window, and (open, known) after each window.
type Case = (&'static str, &'static [&'static [&'static str]], &'static [(u32, u32)]);
/// Kind, number of the ticket, minute, windows before its own, and 0 for a snapshot.
type Raw = (u8, u8, i64, i64, u32);

#[test]
fn open_tickets_are_counted() {
    let cases: &[Case] = &[
        ("opened and resolved", &[&["+a@1", "+b@2"], &["-a@16"]], &[(2, 2), (1, 1)]),
        ("in any order in a window", &[&["-a@5", "~a@8", "+a@1"]], &[(1, 1)]),
        ("repeated", &[&["+a@1", "+a@1", "-a@2", "-a@2", "-a@3"], &["+a@1"]], &[(0, 0), (0, 0)]),
        ("a message of the next window waits", &[&["+a@1", "-a@16"], &[]], &[(1, 1), (0, 0)]),
        ("reopened twice", &[&["+a@1", "-a@2", "~a@3", "~a@4"]], &[(1, 1)]),
        ("resolved and reopened at once", &[&["+a@1", "~a@2", "-a@2"]], &[(1, 1)]),
        ("resolved before it was created", &[&["-a@5"], &["+a@1"]], &[(0, 0), (0, 0)]),
        ("an older end comes late", &[&["+a@1", "~a@9"], &["-a@8"]], &[(1, 1), (1, 1)]),
        (
            "a reopening between two ends comes late",
            &[&["+a@1", "-a@5", "-a@9"], &["~a@7"]],
            &[(0, 0), (0, 0)],
        ),
        (
            "a snapshot counts the unknown",
            &[&["=5@3", "+a@4"], &["-x@16", "-a@17"]],
            &[(6, 1), (4, 0)],
        ),
        ("a snapshot includes its own time", &[&["+a@3", "=5@3"], &["-a@16"]], &[(5, 1), (4, 0)]),
        (
            "steps from before a snapshot change nothing",
            &[&["=5@10"], &["+a@4", "-b@5"]],
            &[(5, 0), (5, 1)],
        ),
        ("a late snapshot is ignored", &[&["+a@1"], &["=5@3"]], &[(1, 1), (1, 1)]),
        ("an older snapshot is ignored", &[&["=5@9", "=7@8"]], &[(5, 0)]),
        ("no ticket is below zero", &[&["=0@1", "-x@3"]], &[(0, 0)]),
        ("lost ends", &[&["+a@1", "+b@2", "=1@3"], &["-a@16", "-b@17"]], &[(1, 2), (0, 0)]),
        ("an unknown ticket was answered", &[&["=2@1", "!x@3"], &["-x@16"]], &[(2, 1), (1, 0)]),
        ("answered without a snapshot", &[&["!x@3"], &["-x@16"]], &[(1, 1), (0, 0)]),
        (
            "the late creation of a ticket that was taken off",
            &[&["=2@1"], &["-a@20"], &["+a@9"]],
            &[(2, 0), (1, 0), (2, 0)],
        ),
        (
            "a step tells of an older creation",
            &[&["=2@5"], &["!a@16<1"], &["-a@31<1"]],
            &[(2, 0), (2, 1), (1, 0)],
        ),
        (
            "a step tells of a creation after the snapshot",
            &[&["=2@5"], &["-a@16<6"]],
            &[(2, 0), (2, 0)],
        ),
    ];
    for (name, windows, expected) in cases {
        assert_eq!(&run(&mut TicketBook::default(), windows), expected, "{name}");
    }
}

#[test]
fn times_are_added_up_by_window() {
    let mut book = TicketBook::default();
    let texts = ["+a@1", "!a@4", "!a@5", "-a@9/120", "-a@10/60", "+b@2", "-b@11", "-c@12/30"];
    texts.iter().for_each(|text| book.observe(&message(text)));
    let changes = advance(&mut book, 15);
    let (_, BacklogWindow { flow, open }) = &changes.windows[0];
    assert_eq!((changes.windows.len(), *open), (1, 0));
    assert_eq!((flow.opened, flow.resolved, flow.reopened), (2, 3, 0));
    assert_eq!((flow.first_response.count, flow.first_response.seconds), (1, 180));
    assert_eq!((flow.handled.count, flow.handled.seconds), (2, 150));
    let mean = changes.series[0].1.handling;
    assert_eq!(mean.value(), Some(75.0));
    assert!((mean.shrunk(300.0, 8.0) - 255.0).abs() < 1e-9);
    assert_eq!(changes.taken_before, Some(at(15)));
    assert!(advance(&mut book, 30).is_empty());
    let tally = book.take_tally();
    assert_eq!((tally.unpaired, tally.repeated, tally.responded), (1, 2, 1));
    // At midnight older times weigh less.
    let aged = advance(&mut book, 24 * 60);
    let weight = aged.series[0].1.handling.weight;
    assert!((weight - 2.0 * 0.5_f64.powf(1.0 / 14.0)).abs() < 1e-6, "{weight}");
}

#[test]
fn later_steps_count_for_the_series_of_the_creation() {
    let mut book = TicketBook::default();
    book.observe(&message("+a@1"));
    let resolved = TicketMessage { series: series("chat"), ..message("-a@2/60") };
    book.observe(&resolved);
    let changes = advance(&mut book, 15);
    let [(of, window)] = &changes.windows[..] else { panic!("{:?}", changes.windows) };
    assert_eq!((of, window.flow.resolved, window.open), (&series("phone"), 1, 0));
    // Names beyond the limit are counted under another name.
    book.observe(&message("+b@16"));
    let changes = book.advance(at(30), |_| series("other"));
    assert_eq!(changes.series[0].0, series("other"));
}

#[test]
fn tickets_beyond_the_limit_are_given_up_and_still_count() {
    let mut book = TicketBook::new(TicketRules { known_max: 2 });
    run(&mut book, &[&["+a@1", "+b@2", "+c@3", "!a@4"]]);
    // No news of b for longest.
    assert_eq!((phone(&book), book.take_tally().given_up), ((3, 2), 1));
    book.observe(&message("+b@2"));
    book.observe(&message("-b@16"));
    book.observe(&message("-c@17"));
    advance(&mut book, 30);
    let tally = book.take_tally();
    assert_eq!((phone(&book), tally.old, tally.unpaired), ((1, 1), 1, 1));
    // Without news for 90 days the last one no longer counts.
    advance(&mut book, 91 * 24 * 60);
    assert_eq!((phone(&book), book.take_tally().stale), ((0, 0), 1));
}

/// The part of a book's state that a store keeps.
#[derive(Default)]
struct Kept {
    tickets: std::collections::BTreeMap<std::sync::Arc<str>, Ticket>,
    series: std::collections::BTreeMap<SeriesKey, Backlog>,
    forgotten: Option<Timestamp>,
    now: Option<Timestamp>,
    windows: Vec<(Timestamp, SeriesKey, BacklogWindow)>,
}

impl Kept {
    fn take(&mut self, now: Timestamp, changes: TicketChanges) {
        for (id, ticket) in changes.tickets {
            match ticket {
                Some(ticket) => _ = self.tickets.insert(id, ticket),
                None => _ = self.tickets.remove(&id),
            }
        }
        self.series.extend(changes.series);
        self.forgotten = self.forgotten.max(changes.forgotten_upto);
        self.windows.extend(changes.windows.into_iter().map(|(series, own)| (now, series, own)));
        self.now = Some(now);
    }

    fn restored(&self, rules: TicketRules) -> TicketBook {
        let tickets = self.tickets.iter().map(|(id, own)| (id.clone(), own.clone())).collect();
        let series = self.series.iter().map(|(key, own)| (key.clone(), own.clone())).collect();
        TicketBook::restored(rules, (self.now, self.forgotten), tickets, series)
    }
}

/// Messages by window in a random order; each may be a repetition.
fn streams() -> impl Strategy<Value = Vec<Vec<TicketMessage>>> {
    let one = (0..4u8, 0..6u8, 0..15i64, 0..3i64, 0..9u32);
    let window = prop::collection::vec(one, 0..8);
    prop::collection::vec(window, 1..8).prop_map(|windows| {
        let of = |(n, window): (usize, Vec<Raw>)| {
            let message = |(sign, id, minute, back, open): Raw| {
                let minute = (n as i64 - back) * 15 + minute;
                match (open, sign) {
                    (0, _) => message(&format!("={id}@{minute}")),
                    (_, 0) => message(&format!("+t{id}@{minute}")),
                    (_, 1) => message(&format!("!t{id}@{minute}")),
                    (_, 2) => message(&format!("-t{id}@{minute}/60")),
                    _ => message(&format!("~t{id}@{minute}")),
                }
            };
            window.into_iter().map(message).collect()
        };
        windows.into_iter().enumerate().map(of).collect()
    })
}

proptest! {
    /// After any window the process may end, start from the stored state, and read messages again.
    #[test]
    fn a_restart_and_a_second_reading_change_nothing(
        windows in streams(),
        dies_after in 0..8usize,
        read_again in 0..3usize,
        known_max in 1..6usize,
    ) {
        let rules = TicketRules { known_max };
        let (mut straight, mut other) = (Kept::default(), Kept::default());
        let (mut book, mut restarted) = (TicketBook::new(rules), TicketBook::new(rules));
        for (n, window) in windows.iter().enumerate() {
            let now = at((n as i64 + 1) * 15);
            window.iter().for_each(|own| book.observe(own));
            straight.take(now, book.advance(now, SeriesKey::clone));
            window.iter().for_each(|own| restarted.observe(own));
            other.take(now, restarted.advance(now, SeriesKey::clone));
            if n == dies_after {
                restarted = other.restored(rules);
                // The limit decides by the newest message, so with it repetitions may differ only in the tally.
                let from = n.saturating_sub(read_again);
                windows[from..=n].iter().flatten().for_each(|own| restarted.observe(own));
            }
        }
        prop_assert_eq!(&straight.windows, &other.windows);
        prop_assert_eq!(straight.tickets, other.tickets);
        prop_assert_eq!(straight.series, other.series);
    }

    /// The book's own numbers are consistent for all inputs.
    #[test]
    fn known_tickets_are_those_that_are_open(windows in streams(), known_max in 1..6usize) {
        let mut book = TicketBook::new(TicketRules { known_max });
        let mut kept = Kept::default();
        for (n, window) in windows.iter().enumerate() {
            let now = at((n as i64 + 1) * 15);
            window.iter().for_each(|own| book.observe(own));
            kept.take(now, book.advance(now, SeriesKey::clone));
            let open = kept.tickets.values().filter(|ticket| ticket.is_open).count();
            prop_assert!(open <= known_max);
            prop_assert_eq!(phone(&book).1 as usize, open);
            let oldest = kept.tickets.values().filter(|t| t.is_open).map(Ticket::since).min();
            let shown = kept.series.get(&series("phone")).and_then(|own| own.oldest);
            prop_assert_eq!(shown, oldest);
        }
    }
}

#[test]
fn an_ended_ticket_is_forgotten_after_a_week() {
    let mut book = TicketBook::default();
    run(&mut book, &[&["+a@1", "-a@2", "+b@3"]]);
    let week = 7 * 24 * 60;
    advance(&mut book, week);
    let changes = advance(&mut book, week + 15);
    assert_eq!(changes.tickets, [("a".into(), None)]);
    assert_eq!(changes.forgotten_upto, Some(at(2)));
    // Messages of it have no effect any more.
    book.observe(&message("+a@1"));
    book.observe(&message("-a@2"));
    advance(&mut book, week + 30);
    assert_eq!((phone(&book), book.take_tally().old), ((1, 1), 2));
}

#[test]
fn a_backlog_is_known_while_its_stream_has_ends() {
    let cases: &[(&str, &[&str], i64, bool)] = &[
        ("no end was ever told", &["+a@1", "+b@2"], 600, false),
        ("followed for longer than the deadline", &["+a@1", "-a@200"], 600, true),
        ("followed for a short time", &["+a@1", "-a@20"], 60, false),
        ("no end for a day", &["+a@1", "-a@20"], 1500, false),
        ("a snapshot", &["=4@1"], 15, true),
        ("a snapshot of the last week", &["=4@1"], 8 * 24 * 60, false),
    ];
    for (name, messages, minute, expected) in cases {
        let mut book = TicketBook::default();
        messages.iter().for_each(|text| book.observe(&message(text)));
        advance(&mut book, *minute);
        let own = book.backlog(&series("phone")).expect("is there");
        let within = std::time::Duration::from_secs(4 * 3600);
        assert_eq!(own.is_known(at(*minute), within), *expected, "{name}");
    }
}
