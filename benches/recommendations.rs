//! What recommendations are worth, and how long they take.
//!
//! `cargo bench --bench recommendations -- [SEEDS] [DAYS]`, such as `1,2,3,4 28`: eight teams with outages. Minutes below the target with a
//! fixed roster, with recommendations, with a fixed roster that costs as much, and with recommendations that know what comes.
//! Then the time for 200 teams of which each can help ten others, beside the greedy solution alone.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

#[path = "common/days.rs"]
mod days;

use std::time::Instant;

use days::{Days, Follows};
use surgecast::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use surgecast::staffing::{
    AdviceRules, Book, Desk, DeskWindow, Flows, Level, Offer, Service, flows, greedy,
};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let seeds = words.first().map_or("1,2,3,4", String::as_str);
    let days = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(28);
    println!("{days} days of 8 teams; minutes below the target");
    println!(
        "seed | fixed | same cost | recommended | perfect knowledge | cost, cost of perfect | of perfect | changes in 2 h (median, mean)"
    );
    for seed in seeds.split(',').filter_map(|word| word.parse().ok()) {
        let of = Days::new(days, 8, seed);
        let (own, perfect) = (of.advised(Follows::Forecasts), of.advised(Follows::Perfect));
        let nobody = of.advised(Follows::Nobody);
        let fixed = of.fixed(1.0);
        let same = of.fixed(of.same_cost(own.cost));
        let of_perfect = (same - own.minutes_below) / (same - perfect.minutes_below) * 100.0;
        println!(
            "{seed} | {fixed:.0} | {same:.0} | {:.0} | {:.0} | {:.0}, {:.0} | {of_perfect:.0} % | {:.2}, {:.2} of {} recommendations; shortest turn {:?} min, return {:?} min",
            own.minutes_below,
            perfect.minutes_below,
            own.cost,
            perfect.cost,
            nobody.changes.0,
            nobody.changes.1,
            nobody.recommendations,
            nobody.shortest_turn,
            nobody.shortest_return,
        );
    }
    time_of_many_teams();
}

/// Levels that take no time: a table's take microseconds.
struct Ready(usize);

impl Service for Ready {
    fn levels(&mut self, _: usize, _: &[f64], _: f64) -> Vec<Level> {
        vec![Level { expected: 0.5, met: 0.25 }; self.0]
    }
}

fn time_of_many_teams() {
    let width = WindowWidth::QUARTER;
    let now = Timestamp::from_secs(1_767_607_200);
    let desk = |at: usize| Desk {
        name: format!("team-{at}"),
        series: vec![SeriesKey::parse(&format!("north/s{at}/phone")).expect("a series")],
        zone: Zone::UTC,
        helps: (1..=10).map(|by| (at + by * 7) % 200).collect(),
        can_announce: true,
        outage: None,
        windows: (0..24)
            .map(|nth| {
                let needed = 10 + ((at * 13 + nth * 5) % 17) as u32;
                DeskWindow {
                    start: width.start(width.index(now) + nth as i64),
                    needed,
                    needed_high: needed + 3,
                    scheduled: Some(18),
                    is_open: true,
                    arrivals: 30.0,
                    just_ended: 4,
                }
            })
            .collect(),
    };
    let desks: Vec<Desk> = (0..200).map(desk).collect();
    let mut book = Book::default();
    let rules = AdviceRules { most: 1000, ..AdviceRules::default() };
    let began = Instant::now();
    book.step(&desks, (width, now), &rules, &mut Ready(24));
    let all = began.elapsed();
    println!("200 teams, 24 windows: {} recommendations in {all:.1?}", book.all().len());
    let offers: Vec<Offer> = (0..1900)
        .map(|at| Offer {
            to: at % 100,
            from: Some(100 + at * 7 % 100),
            most: 4,
            worth: 195.0 + (at % 5) as f64,
        })
        .collect();
    let (short, spare) = (vec![5; 200], vec![3; 200]);
    let problem = Flows { short: &short, spare: &spare, offers: &offers };
    let timed = |solve: fn(&Flows<'_>) -> Vec<u32>| {
        let began = Instant::now();
        let worth = problem.worth(&solve(&problem));
        (began.elapsed(), worth)
    };
    let ((solved, best), (fast, less)) = (timed(flows), timed(greedy));
    println!(
        "one half hour with 1,900 offers: {solved:.1?}, worth {best:.0}; greedy {fast:.1?}, worth {less:.0}"
    );
}
