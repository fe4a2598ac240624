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
//!   `SIGNAL_FALSE=1` prints these pages.
//! - The **oracle** knows the true parameters of every outage that has raised an alarm, and of announced work. It plans with these rates
//!   at the end of each window, and pages by the same rule: at once where 5 agents and 40 % of the roster are missing, else in the second
//!   window in a row.
#![allow(clippy::disallowed_methods, reason = "a setting of the benchmark")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

mod drive;
mod score;
mod world;

use surgecast::simulate::Family;

use score::Score;
use world::World;

fn main() {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let mut args = args.iter().map(String::as_str).filter(|arg| !arg.starts_with("--"));
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
        for seed in &seeds {
            let mut world = World::new(*seed, family, weeks);
            let pages = drive::pages(&world);
            let own = world.score(&pages);
            let known = world.oracle();
            let known = world.score(&known);
            println!("{}", own.row(&format!("{family} {seed}"), weeks));
            println!("{}", known.row("  oracle", weeks));
            all.add(&own);
            oracle.add(&known);
        }
        let weeks = weeks * seeds.len() as i64;
        println!("{}", all.row(&format!("{family} all"), weeks));
        println!("{}", oracle.row("  oracle", weeks));
    }
}
