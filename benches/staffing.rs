//! Plans of 10,000 series, from tables and by search.
//!
//! `cargo bench --bench staffing -- [SERIES]`. Three of five series are phone, one is chat with up to 60 agents, one is e-mail;
//! each has 24 windows of 15 minutes and a roster. Printed: the time to build the tables, which happens off the path of
//! forecasting; the time of all plans with them, on two threads; and the time of a search for every window, projected from one
//! series in fifty.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::time::Instant;

use surgecast::domain::{Name, SeriesKey, WindowWidth};
use surgecast::forecast::{ForecastPoint, Vintage};
use surgecast::staffing::{Planner, Presence, Profile, Shift, TableBuilder, evaluate, required};

const WINDOWS: i64 = 24;
const CHANNELS: [&str; 5] = ["phone", "phone", "chat", "email", "phone"];
/// Positions of the tables.
const PHONE_MAX: u32 = 150;
const CHAT_MAX: u32 = 60;
const SEARCHED: usize = 50;

fn profile(channel: &str) -> Profile {
    Profile::default_of(channel).expect("a default")
}

/// A day's rise and fall, about a scale of its own.
fn vintage(number: usize, width: WindowWidth) -> Vintage {
    let channel = CHANNELS[number % 5];
    // From 0.3 to 100 contacts in a window of 15 minutes: 60 agents for the largest chat.
    let scale = 0.3 * 333f64.powf((number * 7919 % 10_000) as f64 / 10_000.0);
    let name = |text: String| Name::new(&text).expect("valid");
    let series = SeriesKey {
        region: name(format!("region-{}", number / 50)),
        service: name(format!("service-{}", number % 50)),
        channel: name(channel.to_owned()),
    };
    let point = |at: i64| {
        let mean = scale * (1.0 + 0.5 * (at as f64 / 4.0 + number as f64).sin());
        let quantiles =
            [-2.0, -1.3, -0.7, 0.0, 0.7, 1.3, 2.0].map(|z| (mean + z * mean.sqrt()).max(0.0));
        ForecastPoint {
            start: width.start(at),
            mean,
            quantiles,
            baseline: scale,
            level: 1.0,
            alarm_effect: 0.0,
        }
    };
    Vintage {
        series,
        issued_at: width.start(0),
        targets: (0..WINDOWS).map(point).collect(),
        members: Vec::new(),
        causes: Vec::new(),
        surges: None,
        fallback: None,
    }
}

/// A planner for each channel, its table built.
fn planners() -> Vec<(&'static str, Planner)> {
    let mut builder = TableBuilder::default();
    let mut built = |channel: &'static str, positions: u32| {
        let started = Instant::now();
        let table = builder.build(&profile(channel), positions);
        let seconds = started.elapsed().as_secs_f64();
        println!("  table of {channel} up to {positions} positions: {seconds:.3} s");
        let mut planner = Planner::new(profile(channel));
        planner.use_table(table);
        (channel, planner)
    };
    vec![built("phone", PHONE_MAX), built("chat", CHAT_MAX), built("email", 0)]
}

/// Agents of all plans of some vintages.
fn plan(
    mut planners: Vec<(&'static str, Planner)>,
    vintages: &[(Vintage, Vec<Shift>)],
    width: WindowWidth,
) -> u64 {
    let mut agents = 0;
    for (vintage, shifts) in vintages {
        let channel = vintage.series.channel.as_str();
        let planner = planners.iter_mut().find(|(name, _)| *name == channel);
        let Some((_, planner)) = planner else { continue };
        let roster: Vec<Presence> = shifts.iter().map(Presence::from).collect();
        let usual: Vec<f64> = vintage.targets.iter().map(|point| point.baseline).collect();
        let plan = planner.plan(vintage, width, &roster, &usual, None);
        agents += plan.targets.iter().map(|target| u64::from(target.agents)).sum::<u64>();
    }
    agents
}

/// The same questions, each answered by a search.
fn search(vintages: &[(Vintage, Vec<Shift>)], width: WindowWidth) -> u64 {
    let per_hour = 3600.0 / f64::from(width.secs());
    let profiles = ["phone", "chat", "email"].map(|channel| (channel, profile(channel)));
    let mut agents = 0;
    for (vintage, shifts) in vintages {
        let channel = vintage.series.channel.as_str();
        let Some((_, profile)) = profiles.iter().find(|(name, _)| *name == channel) else {
            continue;
        };
        for point in &vintage.targets {
            for arrivals in [point.mean, point.quantiles[1], point.quantiles[5], point.baseline] {
                agents += required(arrivals * per_hour, profile)
                    .map_or(0, |found| u64::from(found.agents));
            }
            let seats = f64::from(shifts[0].agents) * (1.0 - profile.shrinkage);
            let _ = evaluate(point.mean * per_hour, seats as u32, profile);
        }
    }
    agents
}

fn main() {
    let series = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let width = WindowWidth::QUARTER;
    let roster = |vintage: Vintage| {
        let aht = profile(vintage.series.channel.as_str()).aht.as_secs_f64();
        let agents = (vintage.targets[0].baseline / 900.0 * aht * 1.5).ceil() as u32;
        let (start, end) = (width.start(0), width.start(WINDOWS));
        let shift = Shift { series: vintage.series.clone(), start, end, agents };
        (vintage, vec![shift])
    };
    let vintages: Vec<_> = (0..series).map(|number| roster(vintage(number, width))).collect();
    println!("{series} series, {WINDOWS} windows");
    let planners = planners();
    let halves = [planners.clone(), planners];
    let started = Instant::now();
    let parts = vintages.chunks(vintages.len().div_ceil(2).max(1));
    let agents: u64 = std::thread::scope(|scope| {
        let runs: Vec<_> = parts
            .zip(halves)
            .map(|(part, planners)| scope.spawn(move || plan(planners, part, width)))
            .collect();
        runs.into_iter().map(|run| run.join().expect("a plan")).sum()
    });
    println!(
        "  plans from tables, two threads: {:.3} s ({agents} agents)",
        started.elapsed().as_secs_f64()
    );
    let few: Vec<_> = vintages.iter().step_by(SEARCHED + 1).cloned().collect();
    let started = Instant::now();
    let agents = search(&few, width);
    let searched = started.elapsed().as_secs_f64() * series as f64 / few.len().max(1) as f64 / 2.0;
    println!(
        "  search for every window, two threads, projected: {searched:.1} s ({agents} agents in the sample)"
    );
}
