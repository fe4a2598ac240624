//! Signal and noise of pages: which outages that need more staff are paged in time, and how many pages are false.
//!
//! `cargo bench --bench signal -- 1,2,3 all 4` (seeds, family, weeks). The real forecaster counts eight weeks of a simulated
//! operator's events, then issues forecasts, nowcasts and alerts for so many weeks, minute by minute. The roster fits usual demand.
//! `SIGNAL_OPERATOR=standard` takes the small operator instead of the demo's.
//! Four weeks have about 20 outages and 70 harmless groups of alarms: half as many as the demo. `SIGNAL_FAULTS=1` makes as many.
//!
//! - An outage **needs staff** if, within its time and two hours after it, the plan of the true rates lacks agents by the limits of the
//!   rule `understaffed`: 3 agents and 20 % of the roster in two consecutive windows of a series.
//! - It is paged **in time** if 15 minutes or more of that need are still ahead. The warning time runs from the first page to
//!   the beginning of the need.
//! - A page is **false** if no window of its span has a true need of at least half its size.
//!   `SIGNAL_FALSE=1` prints these pages: their text, the incidents before them, and by window the true rate, the rate without
//!   incidents, the agents that it needs and those on the roster. It prints false anomalies too (`flags.rs`).
//! - `SIGNAL_DELAYS=1` prints for each outage that needs staff, in minutes after the start of the need: the first alarm, the first
//!   complaints, the beginning of the alert, its page, and the oracle's page.
//! - The **oracle** knows the true parameters of every outage that has raised an alarm, and of announced work. It plans with these rates
//!   at the end of each window, and pages by the same rule: at once where 5 agents and 40 % of the roster are missing, else in the second
//!   window in a row.
//! - `SIGNAL_BOUND=1` runs, instead of the forecaster, an **informed oracle** with several limits of probability. It knows the
//!   simulator's parameters, but only the alarms and tickets so far (`informed.rs`). A table shows how often its probabilities come
//!   true: of the windows in which it expects a need with a probability of 0.9 to 1, so many have one.
#![allow(clippy::disallowed_methods, reason = "a setting of the benchmark")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

#[path = "../common/mod.rs"]
mod common;
mod drive;
mod explain;
mod flags;
mod informed;
mod score;
mod world;

use surgecast::simulate::Family;

use informed::Calibration;
use score::Score;
use world::World;

fn main() {
    let Some(args) = common::arguments() else { return };
    let mut args = args.iter().map(String::as_str);
    let seeds: Vec<u64> =
        args.next().unwrap_or("1,2,3").split(',').map(|seed| seed.parse().unwrap()).collect();
    let families = match args.next() {
        None => vec![Family::default()],
        Some("all") => Family::EVERY.to_vec(),
        Some(name) => vec![name.parse().unwrap()],
    };
    let weeks = args.next().map_or(4, |weeks| weeks.parse().unwrap());
    println!("{}", Score::HEAD);
    for family in families {
        let (mut all, mut oracle) = (Score::default(), Score::default());
        let mut sums: Vec<Score> = LIMITS.iter().map(|_| Score::default()).collect();
        let mut calibration = Calibration::default();
        for seed in &seeds {
            let mut world = World::new(*seed, family, weeks);
            if std::env::var_os("SIGNAL_BOUND").is_some() {
                calibration.add(&bounds(&mut world, &mut sums, weeks));
                continue;
            }
            let (pages, peaks) = drive::run(&world);
            flags::print(&world.flags(&peaks), 7 * weeks);
            let own = world.score(&pages);
            let oracle_pages = world.oracle();
            let known = world.score(&oracle_pages);
            if std::env::var_os("SIGNAL_DELAYS").is_some() {
                world.delays(&pages, &oracle_pages);
            }
            println!("{}", own.row(&format!("{family} {seed}"), weeks));
            println!("{}", known.row("  oracle", weeks));
            all.add(&own);
            oracle.add(&known);
        }
        let weeks = weeks * seeds.len() as i64;
        if std::env::var_os("SIGNAL_BOUND").is_some() {
            print_bounds("all", &sums, weeks);
            calibration.print();
            continue;
        }
        println!("{}", all.row(&format!("{family} all"), weeks));
        println!("{}", oracle.row("  oracle", weeks));
    }
}

/// The limits of probability of the oracle that knows the simulator's parameters.
const LIMITS: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

fn bounds(world: &mut World, sums: &mut [Score], weeks: i64) -> Calibration {
    let (pages, calibration) = informed::pages(world, &LIMITS);
    let scores: Vec<Score> = pages.iter().map(|pages| world.score(pages)).collect();
    print_bounds(&world.config.seed.to_string(), &scores, weeks);
    calibration.print();
    sums.iter_mut().zip(&scores).for_each(|(sum, score)| sum.add(score));
    calibration
}

fn print_bounds(name: &str, scores: &[Score], weeks: i64) {
    for (limit, score) in LIMITS.iter().zip(scores) {
        println!("{}", score.row(&format!("{name}, limit {limit}"), weeks));
    }
}
