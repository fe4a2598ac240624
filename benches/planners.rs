//! Treatment of adjusted windows in history, compared on the simulated operator.
//!
//! `cargo bench --bench planners -- [SEEDS]`, such as `1,2,3`. Billing runs are added to the tickets of one region for twelve
//! weeks: eight hours, every sixth day on average, 1.8 times the usual tickets. Planners enter each with a factor that is up to
//! 25 % off. The last two weeks are scored, with daily fits. Variants: the actual counts, adjusted windows left out, and
//! counts divided by the planners' factor; for comparison a model without adjustments.

#[path = "outages/world.rs"]
#[allow(dead_code, reason = "the other bench uses the rest")]
mod world;

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Poisson};
use surgecast::domain::{SeriesKey, Timestamp};
use surgecast::forecast::{
    Adjustment, AdjustmentAmount, AdjustmentKind, Ensemble, History, Part, Past, Score, adjusted,
    unadjusted,
};
use surgecast::simulate::Family;
use world::{Arguments, DAY, HOUR, WEEK, WIDTH, World};

const WEEKS: i64 = 12;
const SCORED: i64 = 2;
const TRUE_FACTOR: f64 = 1.8;
const NAMES: [&str; 4] = ["no adjustments", "actual counts", "left out", "divided"];

type Histories = BTreeMap<SeriesKey, History>;

fn billing(number: usize, from: i64, factor: f64, region: &SeriesKey) -> Adjustment {
    Adjustment {
        id: number.to_string(),
        label: "billing run".into(),
        kind: AdjustmentKind::Billing,
        region: Some(region.region.clone()),
        service: None,
        channel: None,
        starts_at: WIDTH.start(from),
        ends_at: WIDTH.start(from + 8 * HOUR),
        amount: AdjustmentAmount::Factor(factor),
        by: "Li".into(),
        note: None,
        entered_at: Timestamp::MIN,
    }
}

/// Counts with billing runs, and the planners' adjustments.
fn add_runs(world: &World, seed: u64) -> (Histories, Vec<Adjustment>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let region = world.leaves[0].0.clone();
    let mut runs = Vec::new();
    for day in 0..WEEKS * 7 {
        if rng.random_range(0..6) == 0 {
            let from = world.first + day * DAY + rng.random_range(0..6) * HOUR;
            let entered = TRUE_FACTOR * rng.random_range(0.75..1.25);
            runs.push(billing(runs.len(), from, entered, &region));
        }
    }
    let leaves = world.leaves.iter().filter(|(key, ..)| key.region == region.region);
    let counted = leaves.map(|(key, _, truth)| {
        let mut history = world.series[key].clone();
        for run in &runs {
            for index in WIDTH.index(run.starts_at)..WIDTH.index(run.ends_at).min(world.end) {
                let more = truth.rate[(index - world.first) as usize] * (TRUE_FACTOR - 1.0);
                let more = Poisson::new(more.max(1e-9)).expect("a rate").sample(&mut rng);
                history.set(index, history.get(index) + more as f32);
            }
        }
        (key.clone(), history)
    });
    (counted.collect(), runs)
}

fn learned(counted: &Histories, runs: &[Adjustment], variant: usize) -> Histories {
    let leaf = |(key, history): (&SeriesKey, &History)| {
        let mut learned = history.clone();
        for index in history.first..history.end() {
            let count = history.get(index);
            let divided = unadjusted(runs, key, WIDTH.start(index), WIDTH, count);
            let value = match variant {
                2 if divided != count => f32::NAN,
                3 => divided,
                _ => count,
            };
            learned.set(index, value);
        }
        (key.clone(), learned)
    };
    counted.iter().map(leaf).collect()
}

fn main() {
    let mut scores = [[Score::default(); 3]; NAMES.len()];
    for seed in Arguments::new(SCORED).seeds {
        let world = World::new(seed, Family::default(), WEEKS);
        let (counted, runs) = add_runs(&world, seed);
        let starts = world.end - SCORED * WEEK;
        for (variant, scores) in scores.iter_mut().enumerate() {
            let series = learned(&counted, &runs, variant);
            let past = Past { series: &series, alarms: &[], work: &[], ..world.past() };
            let mut model = Ensemble::default();
            for origin in (starts..world.end - 24).step_by(HOUR as usize) {
                if (origin - starts) % DAY == 0 {
                    model = Ensemble::fitted(&past, origin, Part::WHOLE);
                }
                let issued = model.vintages(&past, origin, Part::WHOLE);
                let issued = issued.into_iter().map(|v| (v.series.clone(), v)).collect();
                let entered = if variant == 0 { &[][..] } else { &runs };
                let changed = adjusted(&issued, entered, WIDTH);
                for (key, own) in &issued {
                    for target in &changed.get(key).unwrap_or(own).targets {
                        let inside = |from: Timestamp| {
                            let hit = |r: &&Adjustment| r.share(from, WIDTH) > 0.0;
                            runs.iter().any(|run| hit(&run))
                        };
                        // 0: in a run; 1: less than a day after one; 2: elsewhere.
                        let kind = if inside(target.start) {
                            0
                        } else if (1..DAY)
                            .any(|n| inside(WIDTH.start(WIDTH.index(target.start) - n)))
                        {
                            1
                        } else {
                            2
                        };
                        let actual = f64::from(counted[key].get(WIDTH.index(target.start)));
                        scores[kind].merge(&Score::of(target, actual, None));
                    }
                }
            }
        }
    }
    println!("{:<24} {:>10} {:>18} {:>10}", "WQL", "in runs", "the day after", "elsewhere");
    for (name, scores) in NAMES.iter().zip(scores) {
        let [runs, after, rest] = scores.map(|s| s.figures().wql.unwrap_or(f64::NAN));
        println!("{name:<24} {runs:>10.4} {after:>18.4} {rest:>10.4}");
    }
}
