use proptest::prelude::*;

use std::time::Duration;

use super::rules::STALE_AFTER;
use super::step::ACTIONS;
use super::*;
use crate::domain::{
    AlarmEvent, ListRebuilt, Name, Position, Scope, Severity, SourceId, Timestamp,
};

fn event(id: u8, at: i64, action: u8) -> AlarmEvent {
    let name = |text| Name::new(text).expect("valid");
    AlarmEvent {
        event_id: format!("{id}-{at}").into(),
        alarm_id: format!("EMS{}|{id}", id % 2).into(),
        action: ACTIONS[usize::from(action % 3)],
        ts: Timestamp::from_secs(at),
        severity: Severity::Major,
        scope: Scope { region: name("north"), service: name("tv") },
        device: Some(format!("SubNetwork={}", id % 3).into()),
        alarm_type: None,
        text: None,
        aliases: Box::default(),
    }
}

fn position(offset: usize) -> Position {
    Position { source: SourceId::new("a", 0), offset: offset as i64 }
}

fn rebuilt(system: &str, at: i64) -> ListRebuilt {
    ListRebuilt { ts: Timestamp::from_secs(at), system: Some(system.into()), object: None }
}

/// A book with messages of one alarm: `(second, action)`.
fn book(steps: &[(i64, u8)], rules: AlarmRules) -> AlarmBook {
    let mut book = AlarmBook::new(rules);
    for (n, (at, action)) in steps.iter().enumerate() {
        book.observe(&position(n), &event(1, *at, *action));
    }
    book
}

/// Transitions up to a second: `(ts, is_over, known_at)`.
fn transitions(book: &mut AlarmBook, until: i64) -> Vec<(i64, bool, i64)> {
    let mut all = Vec::new();
    book.advance(Timestamp::from_secs(until), |transition| {
        all.push((transition.ts.secs(), transition.is_over, transition.known_at.secs()));
    });
    all
}

const RULES: AlarmRules = AlarmRules {
    hold_clear: Duration::from_secs(60),
    chatter_raises: 3,
    chatter_within: Duration::from_secs(600),
    resync_within: Duration::from_secs(900),
    active_max: 100,
};
const RAISE: u8 = 0;
const CHANGE: u8 = 1;
const CLEAR: u8 = 2;

#[test]
fn an_answer_does_not_include_later_transitions() {
    let mut book = book(&[(100, RAISE), (200, CLEAR)], RULES);
    assert_eq!(transitions(&mut book, 150), [(100, false, 100)]);
    assert_eq!(book.active_alarms().count(), 1);
    assert_eq!(transitions(&mut book, 260), [(200, true, 260)]);
    assert_eq!((book.active_alarms().count(), book.active_count()), (0, 0));
    book.observe(&position(2), &event(2, 261, RAISE));
    book.advance(Timestamp::from_secs(261) + STALE_AFTER, |_| {});
    assert_eq!((book.active_alarms().count(), book.active_count()), (0, 0), "stale");
}

#[test]
fn a_raise_while_a_clear_is_held_takes_it_back() {
    for (again, want) in [
        // In time, at the last moment, and too late.
        (240, vec![(100, false, 100)]),
        (260, vec![(100, false, 100)]),
        (261, vec![(100, false, 100), (200, true, 260), (261, false, 261)]),
    ] {
        let steps = [(100, RAISE), (200, CLEAR), (again, RAISE)];
        assert_eq!(transitions(&mut book(&steps, RULES), 1000), want, "{again}");
        // At a window's end in between the alarm is still active, for its clear is held.
        let mut halves = book(&steps, RULES);
        let mut all = transitions(&mut halves, 230);
        assert_eq!(halves.active_alarms().count(), 1);
        all.extend(transitions(&mut halves, 1000));
        assert_eq!(all, want, "{again}");
    }
    let at_once = AlarmRules { hold_clear: Duration::ZERO, ..RULES };
    let mut book = book(&[(100, RAISE), (200, CLEAR), (201, RAISE)], at_once);
    assert_eq!(transitions(&mut book, 1000).len(), 3);
}

#[test]
fn a_raise_of_an_active_alarm_is_a_change() {
    let mut book = AlarmBook::new(RULES);
    book.observe(&position(0), &event(1, 100, RAISE));
    book.observe(
        &position(1),
        &AlarmEvent { severity: Severity::Critical, ..event(1, 200, RAISE) },
    );
    book.observe(&position(2), &event(1, 300, CHANGE));
    book.observe(&position(3), &AlarmEvent { severity: Severity::Minor, ..event(1, 400, RAISE) });
    assert_eq!(transitions(&mut book, 500), [(100, false, 100)]);
    let active: Vec<_> =
        book.active_alarms().map(|a| (a.raised_at.secs(), a.severity, a.flaps)).collect();
    assert_eq!(active, [(100, Severity::Minor, 0)]);
    let tally = book.take_tally();
    assert_eq!((tally.began, tally.repeated, tally.flapped), (1, 2, 0));
}

#[test]
fn a_change_does_not_raise_what_has_been_cleared() {
    type Turns<'t> = &'t [(i64, bool, i64)];
    let cases: [(&[(i64, u8)], Turns<'_>); 7] = [
        (&[(100, RAISE), (200, CLEAR), (400, CHANGE)], &[(100, false, 100), (200, true, 260)]),
        // While the clear is held, too.
        (&[(100, RAISE), (200, CLEAR), (230, CHANGE)], &[(100, false, 100), (200, true, 260)]),
        (&[(200, CLEAR), (400, CHANGE)], &[]),
        // The raise of an alarm may be older than what was read.
        (&[(400, CHANGE)], &[(400, false, 400)]),
        (&[(400, CHANGE), (500, CLEAR), (700, CHANGE)], &[(400, false, 400), (500, true, 560)]),
        (&[(100, RAISE), (300, CHANGE), (250, RAISE)], &[(100, false, 100)]),
        (
            &[(100, RAISE), (200, CLEAR), (400, CHANGE), (500, RAISE)],
            &[(100, false, 100), (200, true, 260), (500, false, 500)],
        ),
    ];
    for (steps, want) in cases {
        assert_eq!(transitions(&mut book(steps, RULES), 1000), want, "{steps:?}");
    }
    // A raise or a clear counts even if it is read after a newer change.
    for (late, active) in [((250, CLEAR), 0), ((250, RAISE), 1)] {
        let mut book = book(&[(100, RAISE), (200, CLEAR), (220, RAISE), (300, CHANGE)], RULES);
        transitions(&mut book, 400);
        book.observe(&position(9), &event(1, late.0, late.1));
        transitions(&mut book, 1000);
        assert_eq!(book.active_count(), active, "{late:?}");
    }
}

#[test]
fn what_a_change_does_not_say_stays_and_earlier_windows_do_not_change() {
    let raise = AlarmEvent { severity: Severity::Critical, ..event(1, 100, RAISE) };
    let silent = |action, at| AlarmEvent {
        severity: Severity::Indeterminate,
        scope: Scope { region: Name::unknown(), service: Name::unknown() },
        device: None,
        ..event(1, at, action)
    };
    let region = Name::new("south").expect("valid");
    let scope = Scope { region: region.clone(), service: Name::unknown() };
    let moved = AlarmEvent { scope, severity: Severity::Minor, ..silent(CHANGE, 300) };
    let cases = [
        (silent(CHANGE, 300), Severity::Critical, "north/tv"),
        (moved, Severity::Minor, "south/tv"),
        // A raise always has a severity of its own.
        (silent(RAISE, 300), Severity::Indeterminate, "north/tv"),
        // A clear says nothing.
        (silent(CLEAR, 390), Severity::Critical, "north/tv"),
    ];
    for (second, severity, scope) in cases {
        for steps in [vec![400], vec![150, 400], vec![299, 300, 400]] {
            let mut book = AlarmBook::new(RULES);
            book.observe(&position(0), &raise);
            if steps.len() < 3 {
                book.observe(&position(1), &second);
            }
            for (nth, until) in steps.iter().enumerate() {
                if steps.len() == 3 && nth == 1 {
                    book.observe(&position(1), &second);
                }
                book.advance(Timestamp::from_secs(*until), |_| {});
                let found: Vec<_> = book
                    .active_alarms()
                    .map(|alarm| (alarm.severity, alarm.scope.to_string(), alarm.device.is_some()))
                    .collect();
                let want = match *until < second.ts.secs() {
                    true => (Severity::Critical, "north/tv".to_owned(), true),
                    false => (severity, scope.to_owned(), true),
                };
                assert_eq!(found, [want], "{second:?} until {until}");
            }
        }
    }
}

#[test]
fn a_chattering_alarm_stays_one_alarm_until_it_is_quiet() {
    // Active for 100 s of every 200 s: clears end it, until the third raise makes it chatter.
    let mut steps: Vec<(i64, u8)> = Vec::new();
    for n in 0..6 {
        steps.extend([(200 * n, RAISE), (200 * n + 100, CLEAR)]);
    }
    let mut chatter = book(&steps, RULES);
    let all = transitions(&mut chatter, 1150);
    assert_eq!(
        all,
        [(0, false, 0), (100, true, 160), (200, false, 200), (300, true, 360), (400, false, 400)]
    );
    assert_eq!(chatter.active_alarms().map(|alarm| alarm.flaps).collect::<Vec<_>>(), [6]);
    assert_eq!(chatter.take_tally().flapped, 3);
    // Quiet for ten minutes after its last clear, which was at 1100.
    assert_eq!(transitions(&mut chatter, 1699), []);
    assert_eq!(transitions(&mut chatter, 1700), [(1100, true, 1700)]);
    // Then it is an ordinary alarm again.
    for (n, (at, action)) in [(3000, RAISE), (3100, CLEAR)].into_iter().enumerate() {
        chatter.observe(&position(50 + n), &event(1, at, action));
    }
    assert_eq!(transitions(&mut chatter, 3200), [(3000, false, 3000), (3100, true, 3160)]);
    // An alarm that stays active without a clear is no longer shown as flapping.
    let mut still = book(&[&steps[..6], &[(600, RAISE)]].concat(), RULES);
    transitions(&mut still, 700);
    assert_eq!(still.active_alarms().map(|alarm| alarm.flaps).max(), Some(4));
    transitions(&mut still, 1300);
    assert_eq!(still.active_alarms().map(|alarm| alarm.flaps).max(), Some(0));
}

#[test]
fn alarms_that_a_rebuilt_list_does_not_raise_again_end() {
    let mut book = AlarmBook::new(RULES);
    for (n, id) in (0..6).enumerate() {
        book.observe(&position(n), &event(id, 100, RAISE));
    }
    // Alarms of EMS1: 1 is raised again, 3 is cleared, 5 is not sent again.
    book.observe_rebuilt(&position(10), &rebuilt("EMS1", 500));
    book.observe(&position(11), &event(1, 600, RAISE));
    book.observe(&position(12), &event(3, 700, CLEAR));
    transitions(&mut book, 550);
    let doubtful =
        |book: &AlarmBook| book.active_alarms().filter(|alarm| alarm.is_doubtful).count();
    assert_eq!((book.active_count(), doubtful(&book)), (6, 3));
    assert_eq!(transitions(&mut book, 1399), [(700, true, 760)]);
    assert_eq!((book.active_count(), doubtful(&book)), (5, 1));
    assert_eq!(transitions(&mut book, 1400), [(500, true, 1400)]);
    assert_eq!(book.take_tally().resynced, 1);
    let left: Vec<_> = book.active_alarms().map(|alarm| &*alarm.alarm_id).collect();
    assert_eq!(left, ["EMS0|0", "EMS0|2", "EMS0|4", "EMS1|1"]);
    // Any later message makes such an alarm active again.
    book.observe(&position(13), &event(5, 1500, CHANGE));
    assert_eq!(transitions(&mut book, 1600), [(1500, false, 1500)]);
}

#[test]
fn a_list_rebuilt_below_an_object_concerns_only_its_alarms() {
    let mut book = AlarmBook::new(RULES);
    for (n, id) in (0..6).enumerate() {
        book.observe(&position(n), &event(id, 100, RAISE));
    }
    let object = Some("SubNetwork=2".into());
    book.observe_rebuilt(&position(10), &ListRebuilt { object, ..rebuilt("EMS1", 500) });
    transitions(&mut book, 2000);
    assert_eq!(book.active_count(), 5, "only EMS1|5 is of subnetwork 2");
}

#[test]
fn active_alarms_are_limited() {
    let mut book = AlarmBook::new(AlarmRules { active_max: 2, ..RULES });
    for (n, id) in (0..4).enumerate() {
        book.observe(&position(n), &event(id, 100, RAISE));
    }
    assert_eq!(transitions(&mut book, 200).len(), 2);
    assert_eq!((book.active_count(), book.take_tally().refused), (2, 2));
    // Once there is room again, the next message of a refused alarm makes it active.
    book.observe(&position(5), &event(0, 300, CLEAR));
    book.observe(&position(6), &event(3, 500, CHANGE));
    assert_eq!(transitions(&mut book, 400), [(300, true, 360)]);
    assert_eq!(transitions(&mut book, 600), [(500, false, 500)]);
    assert_eq!((book.active_count(), book.take_tally().refused), (2, 0));
}

#[test]
fn late_transitions_are_emitted_too() {
    let mut book = book(&[(100, RAISE)], RULES);
    transitions(&mut book, 1000);
    book.observe(&position(7), &event(1, 200, CLEAR));
    assert_eq!(transitions(&mut book, 1900), [(200, true, 1000)]);
}

proptest! {
    #[test]
    fn the_newest_message_wins_in_any_order(
        steps in prop::collection::vec((0u8..4, 0i64..1000, 0u8..3), 1..60),
        stops in prop::collection::vec(0i64..1000, 0..4),
        seed in any::<u64>(),
    ) {
        let mut straight = AlarmBook::new(RULES);
        for (n, (id, at, action)) in steps.iter().enumerate() {
            straight.observe(&position(n), &event(*id, *at, *action));
        }
        let mut order: Vec<usize> = (0..steps.len()).collect();
        order.sort_by_key(|n| (*n as u64 + 1).wrapping_mul(seed | 1));
        let mut other = AlarmBook::new(RULES);
        for (k, n) in order.iter().enumerate() {
            let (id, at, action) = steps[*n];
            other.observe(&position(*n), &event(id, at, action));
            if let Some(stop) = stops.get(k) {
                other.advance(Timestamp::from_secs(*stop), |_| {});
            }
        }
        // Long after the last clear was held.
        for book in [&mut straight, &mut other] {
            book.advance(Timestamp::from_secs(2000), |_| {});
        }
        let ids = |book: &AlarmBook| -> Vec<_> {
            book.active_alarms().map(|s| (s.alarm_id.clone(), s.changed_at)).collect()
        };
        prop_assert_eq!(ids(&straight), ids(&other));
        prop_assert_eq!(straight.active_alarms().count(), straight.active_count());
        prop_assert_eq!(other.active_alarms().count(), other.active_count());
    }

    #[test]
    fn advancing_in_several_steps_changes_nothing(
        steps in prop::collection::vec((0u8..4, 0i64..3000, 0u8..3), 1..60),
        lists in prop::collection::vec((0u8..2, 0i64..3000), 0..3),
        stops in prop::collection::btree_set(0i64..5000, 0..20),
    ) {
        let mut book = AlarmBook::new(RULES);
        for (n, (id, at, action)) in steps.iter().enumerate() {
            book.observe(&position(n), &event(*id, *at, *action));
        }
        for (n, (system, at)) in lists.iter().enumerate() {
            book.observe_rebuilt(&position(100 + n), &rebuilt(&format!("EMS{system}"), *at));
        }
        let advance = |book: &mut AlarmBook, until: i64, all: &mut Vec<_>| {
            book.advance(Timestamp::from_secs(until), |turn| {
                all.push((turn.known_at, turn.alarm.alarm_id.clone(), turn.is_over, turn.ts));
            });
        };
        let (mut at_once, mut in_steps) = (Vec::new(), Vec::new());
        advance(&mut book.clone(), 5000, &mut at_once);
        let mut stepped = book.clone();
        for stop in stops {
            advance(&mut stepped, stop, &mut in_steps);
        }
        advance(&mut stepped, 5000, &mut in_steps);
        at_once.sort();
        in_steps.sort();
        prop_assert_eq!(&at_once, &in_steps);
        // Each alarm begins and ends in turn.
        for id in 0..4u8 {
            let own = at_once.iter().filter(|turn| *turn.1 == *format!("EMS{}|{id}", id % 2));
            for (n, turn) in own.enumerate() {
                prop_assert_eq!(turn.2, n % 2 == 1, "{:?}", turn);
            }
        }
    }

    #[test]
    fn peek_emits_what_advance_will_emit(
        steps in prop::collection::vec((0u8..4, 0i64..3000, 0u8..3), 1..60),
        (now, until) in (0i64..3000, 0i64..5000),
    ) {
        let mut book = AlarmBook::new(RULES);
        for (n, (id, at, action)) in steps.iter().enumerate() {
            book.observe(&position(n), &event(*id, *at, *action));
        }
        let (now, until) = (Timestamp::from_secs(now), Timestamp::from_secs(now.max(until)));
        book.advance(now, |_| {});
        let turn = |turn: Transition<'_>| {
            (turn.known_at, turn.alarm.alarm_id.clone(), turn.is_over, turn.ts)
        };
        let (mut peeked, mut emitted) = (Vec::new(), Vec::new());
        book.peek(until, |transition| peeked.push(turn(transition)));
        let ahead = book.active_at(until);
        book.advance(until, |transition| emitted.push(turn(transition)));
        peeked.sort();
        emitted.sort();
        prop_assert_eq!(peeked, emitted);
        let advanced: Vec<ActiveAlarm> = book.active_alarms().cloned().collect();
        prop_assert_eq!(ahead, advanced);
    }
}

#[test]
fn messages_of_the_same_time_take_effect_in_the_same_order_whichever_source_came_first() {
    let at = |partition| Position { source: SourceId::new("a", partition), offset: 0 };
    let messages = [(at(0), event(1, 100, RAISE)), (at(1), event(1, 100, CLEAR))];
    let outcome = |order: [usize; 2]| {
        let mut book = AlarmBook::new(AlarmRules { hold_clear: Duration::ZERO, ..RULES });
        order.iter().for_each(|n| book.observe(&messages[*n].0, &messages[*n].1));
        transitions(&mut book, 200)
    };
    assert_eq!(outcome([0, 1]), outcome([1, 0]));
    assert_eq!(outcome([0, 1]).len(), 2);
}

#[test]
fn the_alarms_of_a_window_are_counted_by_type() {
    let mut book = AlarmBook::new(RULES);
    let of = |id: u8, at, action, alarm_type: &str| AlarmEvent {
        alarm_type: Some(alarm_type.into()),
        ..event(id, at, action)
    };
    let messages = [
        of(1, 50, RAISE, "LOS"),
        of(2, 150, RAISE, "LOS"),
        of(3, 160, RAISE, " "),
        of(1, 100, CLEAR, "LOS"),
        of(4, 201, RAISE, "LOS"),
    ];
    for (n, message) in messages.iter().enumerate() {
        book.observe(&position(n), message);
    }
    let window = |from, to| (Timestamp::from_secs(from), Timestamp::from_secs(to));
    let place = |scope: &Scope| Scope { region: Name::other(), ..scope.clone() };
    let counts = |types: &AlarmTypes| -> Vec<(String, u32, u32)> {
        let all = types.iter();
        all.map(|(scope, of, n)| (format!("{}/{of}", scope.region), n.raised, n.standing)).collect()
    };
    let first = book.advance_window(window(0, 100), place, |_| {});
    assert_eq!(counts(&first), [("_other/LOS".into(), 1, 1)]);
    let second = book.advance_window(window(100, 200), place, |_| {});
    // The first has ended, two have begun.
    assert_eq!(counts(&second), [("_other/LOS".into(), 1, 1), ("_other/unknown".into(), 1, 1)]);
}

#[test]
fn types_beyond_the_limit_count_together() {
    let mut types = AlarmTypes::default();
    let scope = Scope::clone(&alarm("x", 0).scope);
    for n in 0..100_u32 {
        let alarm = alarm("x", n);
        (0..=n).for_each(|_| types.began(scope.clone(), &alarm));
        types.add_active(scope.clone(), &alarm);
    }
    let bounded = types.clone().bounded();
    let raised = |types: &AlarmTypes| types.iter().map(|(.., n)| n.raised).sum::<u32>();
    assert_eq!(raised(&bounded), raised(&types));
    assert_eq!(bounded.active(), types.active());
    assert_eq!(bounded.iter().count(), 65);
    let other = bounded.get(&scope, OTHER_TYPES).expect("the others");
    assert_eq!((other.raised, other.standing), ((1..=36).sum(), 36), "the rarest ones");
}

/// An active alarm of a type with a number.
fn alarm(alarm_type: &str, n: u32) -> ActiveAlarm {
    ActiveAlarm {
        alarm_id: "1".into(),
        scope: std::sync::Arc::new(event(1, 0, RAISE).scope),
        severity: Severity::Major,
        raised_at: Timestamp::from_secs(0),
        changed_at: Timestamp::from_secs(0),
        device: None,
        alarm_type: Some(format!("{alarm_type}{n:03}").into()),
        flaps: 0,
        is_doubtful: false,
    }
}
