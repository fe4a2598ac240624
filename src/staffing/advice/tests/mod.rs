//! Recommendations: which team helps which, when, and how stable the recommendations are.

mod properties;

use super::*;
use crate::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use crate::text::{Language, Say, Texts};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const WINDOWS: i64 = 24;

/// Monday, 10:00.
fn ten() -> Timestamp {
    Timestamp::from_secs(1_767_607_200)
}

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_secs(ten().secs() + minutes * 60)
}

/// Enough people meet the target. With fewer, the level is the ratio of present to needed people.
struct Simple(Vec<Desk>);

impl Service for Simple {
    fn levels(&mut self, desk: usize, people: &[f64], factor: f64) -> Vec<Level> {
        let windows = self.0[desk].windows.iter().zip(people);
        let level = |(window, people): (&DeskWindow, &f64)| {
            let needed = f64::from(window.needed) * factor;
            let expected = if needed > 0.0 { (people / needed).min(1.0) } else { 1.0 };
            Level { expected, met: f64::from(u8::from(*people >= needed)) }
        };
        windows.map(level).collect()
    }
}

/// A desk whose windows from `now` on need and have these numbers of agents.
fn desk(name: &str, now: Timestamp, of: impl Fn(i64) -> (u32, u32)) -> Desk {
    let window = |nth: i64| {
        let start = WIDTH.start(WIDTH.index(now) + nth);
        let minutes = start.secs().saturating_sub(ten().secs()) / 60;
        let (needed, scheduled) = of(minutes);
        DeskWindow {
            start,
            needed,
            needed_high: needed,
            scheduled: Some(scheduled),
            is_open: true,
            arrivals: f64::from(needed) * 3.0,
            just_ended: 0,
        }
    };
    Desk {
        name: name.to_owned(),
        series: vec![SeriesKey::parse(&format!("north/{name}/phone")).expect("series")],
        zone: Zone::UTC,
        helps: Vec::new(),
        can_announce: true,
        outage: None,
        windows: (0..WINDOWS).map(window).collect(),
    }
}

fn step(
    book: &mut Book,
    desks: &[Desk],
    now: Timestamp,
    rules: &AdviceRules,
) -> Vec<Recommendation> {
    book.step(desks, (WIDTH, now), rules, &mut Simple(desks.to_vec()))
}

/// Rules without leave.
fn rules() -> AdviceRules {
    AdviceRules { leave_share: 0.0, ..AdviceRules::default() }
}

fn said(own: &Recommendation) -> String {
    own.say(&Texts::new(Language::En))
}

/// Mobile has people to spare and can help broadband, which lacks five from 12:00 to 14:00.
fn two(now: Timestamp) -> Vec<Desk> {
    let lacks = |minutes: i64| if (120..240).contains(&minutes) { (15, 10) } else { (10, 10) };
    let mut desks = vec![desk("broadband", now, lacks), desk("mobile", now, |_| (8, 12))];
    desks[1].helps = vec![0];
    desks
}

/// A person's answer, as the service takes it.
fn take_answer(
    book: &mut Book,
    id: &str,
    answer: Answer,
    by: &str,
    at: Timestamp,
) -> Option<Recommendation> {
    let answered = book.answered(id, answer, by, at)?;
    book.put(answered.clone());
    Some(answered)
}

#[test]
fn spare_agents_move_and_the_rest_is_called_in() {
    let mut book = Book::default();
    let changed = step(&mut book, &two(ten()), ten(), &rules());
    let texts: Vec<String> = changed.iter().map(said).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    Move 4 agents from mobile to broadband, 12:00–14:00 (UTC)
    ");
    let own = &changed[0];
    insta::assert_snapshot!(own.reason(&Texts::new(Language::En)), @"15 agents needed at 12:00, 10 on the schedule; expected service level 93 % with this action, 67 % without it; confidence that the action is justified: 100 %");
    let half = Recommendation { confidence: 0.625, ..own.clone() };
    assert!(half.reason(&Texts::new(Language::En)).ends_with("justified: 63 %"), "as on the page");
    assert_eq!((own.cost, own.state), (40.0, RecommendationState::Proposed));
    assert_eq!(own.id, "move.mobile.broadband.1767607200");
    // One is left, and nobody is called in for one alone.
    let left = book.uncovered();
    assert_eq!((left.len(), left[0].agents, left[0].from, left[0].to), (1, 1, at(120), at(240)));
    let rules = AdviceRules { least_agents: 1, ..rules() };
    let mut book = Book::default();
    step(&mut book, &two(ten()), ten(), &rules);
    let texts: Vec<String> = book.all().iter().map(said).collect();
    assert!(
        texts.contains(&"Call in 1 agent for broadband, 12:00–14:00 (UTC)".to_owned()),
        "{texts:?}"
    );
    assert!(book.uncovered().is_empty());
}

#[test]
fn a_reserve_is_brought_where_a_shortage_costs_more() {
    let lacks = |minutes: i64| if (120..240).contains(&minutes) { (15, 10) } else { (9, 10) };
    let mut own = desk("broadband", ten(), lacks);
    own.windows.iter_mut().for_each(|window| window.needed_high = window.needed + 5);
    let brought = |shortage_cost: f64| {
        let rules = AdviceRules { call_in_share: 1.0, shortage_cost, ..rules() };
        let mut book = Book::default();
        step(&mut book, &[own.clone()], ten(), &rules);
        let [own] = book.all() else { panic!("one: {:?}", book.all()) };
        (own.agents, own.why.say(&Texts::new(Language::En)))
    };
    // A call-in costs 40: at 200 up to the 80 % quantile, 0.66 of the way to the 90 % quantile; at 4,000 all of the way.
    let (agents, why) = brought(200.0);
    insta::assert_snapshot!(why, @"15 agents needed at 12:00, 10 on the schedule; 3 more as a reserve, because the forecast may be too low");
    assert_eq!((agents, brought(4000.0).0, brought(80.0).0), (8, 10, 5));
}

#[test]
fn nothing_begins_before_its_lead_and_uncovered_gaps_are_reported() {
    let desks = [desk("broadband", ten(), |_| (15, 10))];
    let mut book = Book::default();
    step(&mut book, &desks, ten(), &AdviceRules::default());
    let [own] = book.all() else { panic!("one: {:?}", book.all()) };
    assert_eq!(said(own), "Call in 2 agents for broadband, 12:00–16:00 (UTC)", "a fifth of ten");
    let left: Vec<_> = book.uncovered().iter().map(|own| (own.from, own.to, own.agents)).collect();
    assert_eq!(left, [(at(0), at(360), 5)]);
    let off = AdviceRules { call_in_share: 0.0, ..AdviceRules::default() };
    let mut book = Book::default();
    assert!(step(&mut book, &desks, ten(), &off).is_empty());
}

#[test]
fn people_stay_only_after_their_shift_and_go_home_only_on_quiet_days() {
    let mut short = desk("broadband", ten(), |m| if m < 120 { (20, 20) } else { (20, 14) });
    for window in short.windows.iter_mut().filter(|own| own.start >= at(120) && own.start < at(240))
    {
        window.just_ended = 10;
    }
    let rules = AdviceRules { call_in_share: 0.0, ..AdviceRules::default() };
    let mut book = Book::default();
    step(&mut book, &[short.clone()], ten(), &rules);
    let texts: Vec<String> = book.all().iter().map(said).collect();
    assert_eq!(texts, ["Ask 3 agents of broadband to stay, 12:00–14:00 (UTC)"]);
    // The same desk is quiet an hour later: on this day nobody is sent home any more.
    let quiet = desk("broadband", at(60), |_| (5, 20));
    for minutes in (60..180).step_by(15) {
        step(
            &mut book,
            &[Desk {
                windows: desk("broadband", at(minutes), |_| (5, 20)).windows,
                ..quiet.clone()
            }],
            at(minutes),
            &rules,
        );
    }
    assert!(book.all().iter().all(|own| own.kind != Kind::OfferLeave));
    let mut book = Book::default();
    step(&mut book, &[desk("broadband", ten(), |_| (5, 20))], ten(), &rules);
    assert_eq!(said(&book.all()[0]), "Offer leave to 5 agents of broadband, 11:00–16:00 (UTC)");
    assert_eq!(book.all()[0].cost, -500.0);
    // Nor is anybody asked to stay on a day with leave.
    let later = at(30);
    let mut again = short;
    again.windows = desk("broadband", later, |m| if m < 120 { (20, 20) } else { (20, 14) }).windows;
    again.windows.iter_mut().for_each(|window| window.just_ended = 10);
    step(&mut book, &[again], later, &rules);
    assert!(book.all().iter().all(|own| own.kind != Kind::Overtime));
    assert_eq!(book.all()[0].state, RecommendationState::Withdrawn, "they are needed now");
}

#[test]
fn people_answer_and_the_rest_is_recommended_beside() {
    use RecommendationState::{Accepted, Declined, Done};
    let mut book = Book::default();
    let rules = rules();
    let id = step(&mut book, &two(ten()), ten(), &rules)[0].id.clone();
    let mut answers = |answer, by: &str| {
        take_answer(&mut book, &id, answer, by, at(1))
            .map(|own| (own.state, own.answered_by.unwrap_or_default()))
    };
    let by = |state, name: &str| Some((state, name.to_owned()));
    assert_eq!(answers(Answer::Accept, "li"), by(Accepted, "li"));
    assert_eq!(answers(Answer::Accept, "wu"), by(Accepted, "li"), "twice changes nothing");
    assert_eq!(answers(Answer::Done, "wu"), by(Done, "wu"));
    assert_eq!(answers(Answer::Decline, "wu"), None, "what is done stays done");
    assert_eq!(book.answered("unknown", Answer::Accept, "li", at(1)), None);
    // It counts, and does not change: nobody is recommended twice.
    assert!(step(&mut book, &two(at(15)), at(15), &rules).is_empty());
    // The roster that is sent afterwards includes it.
    let spans = [("broadband".to_owned(), at(0), at(480))];
    assert!(book.roster_replaced(&spans)[0].in_roster);
    assert!(book.roster_replaced(&spans).is_empty());
    let mut book = Book::default();
    let id = step(&mut book, &two(ten()), ten(), &rules)[0].id.clone();
    assert_eq!(
        take_answer(&mut book, &id, Answer::Decline, "li", at(1)).map(|own| own.state),
        Some(Declined)
    );
    step(&mut book, &two(at(15)), at(15), &rules);
    assert!(book.all().iter().all(|own| own.kind != Kind::Move || own.state == Declined));
}

#[test]
fn small_changes_keep_the_number_and_growth_raises_it() {
    let rules = AdviceRules { call_in_share: 1.0, ..AdviceRules::default() };
    let with = |now, needed: u32| {
        [desk("broadband", now, move |m| if m < 240 { (10, 10) } else { (needed, 10) })]
    };
    let mut book = Book::default();
    for (nth, needed) in [16, 17, 15, 16, 17, 15, 16].into_iter().enumerate() {
        let now = at(nth as i64 * 15);
        step(&mut book, &with(now, needed), now, &rules);
    }
    assert_eq!(book.all().len(), 1);
    assert_eq!((book.all()[0].agents, book.all()[0].changes), (6, 0));
    step(&mut book, &with(at(105), 20), at(105), &rules);
    assert_eq!((book.all()[0].agents, book.all()[0].changes), (10, 1), "upwards at once");
    for minutes in [120, 135, 150] {
        step(&mut book, &with(at(minutes), 14), at(minutes), &rules);
        assert_eq!(book.all()[0].agents, 10, "it does not turn within an hour");
    }
    step(&mut book, &with(at(165), 14), at(165), &rules);
    assert_eq!((book.all()[0].agents, book.all()[0].changes), (4, 2));
}

#[test]
fn what_is_not_needed_any_more_is_withdrawn_and_what_nobody_answers_expires() {
    let rules = AdviceRules { call_in_share: 0.0, ..rules() };
    let calm = |now| vec![desk("broadband", now, |_| (10, 10)), desk("mobile", now, |_| (8, 9))];
    let mut book = Book::default();
    step(&mut book, &two(ten()), ten(), &rules);
    for minutes in [15, 30] {
        step(&mut book, &two(at(minutes)), at(minutes), &rules);
    }
    let states = |book: &Book| book.all().iter().map(|own| own.state).collect::<Vec<_>>();
    // Mobile needs its people itself: at once.
    let mut unsafe_now = book.clone();
    let mut needs = two(at(45));
    needs[1] = desk("mobile", at(45), |_| (11, 12));
    step(&mut unsafe_now, &needs, at(45), &rules);
    assert_eq!(states(&unsafe_now), [RecommendationState::Withdrawn]);
    let mut idle = book.clone();
    let mut relaxed = |minutes| {
        let mut desks = calm(at(minutes));
        desks[1] = desk("mobile", at(minutes), |_| (8, 12));
        step(&mut idle, &desks, at(minutes), &rules);
        states(&idle)[0]
    };
    assert_eq!(relaxed(45), RecommendationState::Proposed);
    assert_eq!(relaxed(60), RecommendationState::Proposed);
    assert_eq!(relaxed(75), RecommendationState::Withdrawn);
    for minutes in (45..=120).step_by(15) {
        step(&mut book, &two(at(minutes)), at(minutes), &rules);
    }
    assert_eq!(states(&book)[0], RecommendationState::Expired);
    assert_eq!(states(&book)[1..], [RecommendationState::Proposed], "the rest of it is made anew");
}

#[test]
fn an_announcement_replaces_people_who_cannot_come() {
    let mut desks = [desk("broadband", ten(), |_| (20, 10))];
    desks[0].outage = Some("linkDown".into());
    let mut book = Book::default();
    let rules = AdviceRules { call_in_share: 0.0, ..AdviceRules::default() };
    step(&mut book, &desks, ten(), &rules);
    let [own] = book.all() else { panic!("one: {:?}", book.all()) };
    insta::assert_snapshot!(said(own), @"Switch on the outage announcement for broadband, 10:00–16:00 (UTC); 10 to 30 % of callers are then expected to hang up without waiting for an agent");
    insta::assert_snapshot!(own.reason(&Texts::new(Language::En)), @"cause of the extra calls: linkDown; 10 agents are missing and cannot be found in time; expected service level 63 % with this action, 50 % without it; confidence that the action is justified: 100 %");
    // Scored once it is over.
    let id = own.id.clone();
    take_answer(&mut book, &id, Answer::Done, "li", at(5));
    assert_eq!(book.due(at(359)).count(), 0);
    assert_eq!(book.due(at(360)).count(), 1);
    let outcome = Outcome {
        arrivals: 1200.0,
        expected_arrivals: 1440.0,
        level_with: 0.6,
        level_without: 0.5,
        deflected: Some(0.1667),
    };
    assert_eq!(book.follow(&id, outcome).and_then(|own| own.outcome), Some(outcome));
    assert_eq!(book.due(at(360)).count(), 0);
}

#[test]
fn without_a_roster_and_outside_hours_nothing_is_recommended() {
    let mut desks = two(ten());
    desks[0].windows.iter_mut().for_each(|window| window.scheduled = None);
    desks[1].windows.iter_mut().for_each(|window| window.is_open = false);
    let mut book = Book::default();
    assert!(step(&mut book, &desks, ten(), &AdviceRules::default()).is_empty());
    assert!(book.uncovered().is_empty());
}

#[test]
fn a_restored_book_goes_on_in_the_same_way() {
    let rules = AdviceRules::default();
    let (mut whole, mut restored) = (Book::default(), Book::default());
    for minutes in (0..360).step_by(15) {
        let now = at(minutes);
        let desks = two(now);
        restored = Book::restore(restored.all().to_vec(), restored.uncovered().to_vec());
        assert_eq!(step(&mut whole, &desks, now, &rules), step(&mut restored, &desks, now, &rules));
    }
    assert!(!whole.all().is_empty());
}
