//! Properties that hold for every input.

use proptest::prelude::*;

use super::*;
use crate::domain::DAY;

fn problem() -> impl Strategy<Value = (Vec<u32>, Vec<u32>, Vec<Offer>)> {
    (2usize..6).prop_flat_map(|desks| {
        let numbers = || prop::collection::vec(0u32..6, desks);
        let offer = (0..desks, prop::option::of(0..desks), 1u32..6, 1u32..50);
        let offers = prop::collection::vec(offer, 0..14).prop_map(|offers| {
            let offer = |(to, from, most, worth)| Offer { to, from, most, worth: f64::from(worth) };
            offers.into_iter().map(offer).collect::<Vec<_>>()
        });
        (numbers(), numbers(), offers)
    })
}

/// The highest total value of whole numbers of people, found by trying all.
fn most_worth(problem: &Flows<'_>, people: &mut Vec<u32>) -> f64 {
    if !problem.holds(people) {
        return f64::NEG_INFINITY;
    }
    let at = people.len();
    if at == problem.offers.len() {
        return problem.worth(people);
    }
    let mut best = f64::NEG_INFINITY;
    for n in 0..=problem.offers[at].most {
        people.push(n);
        best = best.max(most_worth(problem, people));
        people.pop();
    }
    best
}

/// One issue time: the needs of each of four desks from now on, and a step of a random walk.
#[derive(Clone, Debug)]
struct Issue {
    needs: Vec<(u32, u32)>,
    answer: Option<Answer>,
}

fn issues() -> impl Strategy<Value = Vec<Issue>> {
    let needs = prop::collection::vec((0u32..30, 0u32..30), 4);
    let answer = prop::option::weighted(
        0.3,
        prop_oneof![Just(Answer::Accept), Just(Answer::Decline), Just(Answer::Done)],
    );
    let issue = (needs, answer).prop_map(|(needs, answer)| Issue { needs, answer });
    prop::collection::vec(issue, 1..20)
}

/// Desks that need `now` agents in the first three hours and `later` agents afterwards. Each can help the next one.
fn desks(issue: &Issue, now: Timestamp) -> Vec<Desk> {
    let names = ["a", "b", "c", "d"];
    let mut desks: Vec<Desk> = names
        .iter()
        .zip(&issue.needs)
        .map(|(name, (first, second))| {
            let turns = now.secs() + 3 * 3600;
            desk(name, now, |m| (if at(m).secs() < turns { *first } else { *second }, 16))
        })
        .collect();
    for (own, desk) in desks.iter_mut().enumerate() {
        desk.helps = vec![(own + 1) % 4, (own + 2) % 4];
        desk.windows.iter_mut().for_each(|window| window.just_ended = 6);
    }
    desks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn flows_hold_and_no_others_are_worth_more((short, spare, offers) in problem()) {
        let problem = Flows { short: &short, spare: &spare, offers: &offers };
        let (best, fallback) = (flows(&problem), greedy(&problem));
        prop_assert!(problem.holds(&best) && problem.holds(&fallback));
        prop_assert!(problem.worth(&best) + 1e-9 >= problem.worth(&fallback));
        if offers.len() <= 5 {
            let most = most_worth(&problem, &mut Vec::new());
            // Of equal offers the first ones are worth a little more to the solver.
            prop_assert!(problem.worth(&best) >= most * 0.9999, "{best:?} of {most}");
        }
    }

    #[test]
    fn nobody_leaves_who_is_needed_and_no_day_has_leave_and_overtime(issues in issues()) {
        let rules = AdviceRules { least_agents: 1, ..AdviceRules::default() };
        let mut book = Book::default();
        let mut numbers: std::collections::BTreeMap<String, Vec<(Timestamp, u32)>> = Default::default();
        for (nth, issue) in issues.iter().enumerate() {
            let now = at(nth as i64 * 15);
            let desks = desks(issue, now);
            step(&mut book, &desks, now, &rules);
            for desk in &desks {
                for window in &desk.windows {
                    let of = |holds: fn(&Recommendation) -> bool| -> i64 {
                        let own = book.all().iter().filter(|own| holds(own) && own.covers(window.start));
                        own.map(|own| own.people(&desk.name)).sum()
                    };
                    let leave: i64 = book
                        .all()
                        .iter()
                        .filter(|own| own.is_proposed() && own.covers(window.start))
                        .map(|own| own.people(&desk.name).min(0))
                        .sum();
                    let people = i64::from(window.scheduled.unwrap_or(0)) + of(Recommendation::is_agreed);
                    let spare = (people - i64::from(window.needed)).max(0);
                    prop_assert!(-leave <= spare, "{} at {}: {leave} of {spare}", desk.name, window.start);
                }
                let days = |kind| -> Vec<i64> {
                    let own = book.all().iter().filter(|own| own.kind == kind && own.team == desk.name);
                    let day = |at: Timestamp| at.secs().div_euclid(DAY.as_secs() as i64);
                    own.flat_map(|own| [day(own.from), day(own.to - std::time::Duration::from_secs(1))]).collect()
                };
                let leave = days(Kind::OfferLeave);
                prop_assert!(days(Kind::Overtime).iter().all(|day| !leave.contains(day)));
            }
            for own in book.all() {
                prop_assert!(own.issued_at < now || own.from >= now + rules.lead(own.kind) || own.kind == Kind::Announcement);
                let known = numbers.entry(own.id.clone()).or_default();
                if known.last().is_none_or(|(_, agents)| *agents != own.agents) {
                    known.push((now, own.agents));
                }
            }
            if let Some(answer) = issue.answer
                && let Some(own) = book.all().iter().find(|own| own.is_proposed())
            {
                let id = own.id.clone();
                take_answer(&mut book, &id, answer, "li", now);
            }
        }
        for known in numbers.values() {
            for turn in known.windows(3) {
                let [one, two, three] = turn else { continue };
                let turns = (two.1 > one.1) != (three.1 > two.1);
                prop_assert!(!turns || three.0.since(two.0).as_secs() >= 1800, "{known:?}");
            }
        }
    }
}
