//! Gain of nowcasts over the forecasts that they replace, on the simulated operator.
//!
//! `cargo bench --bench nowcasts -- [SEEDS] [FAMILY] [WEEKS]`, such as `1,2,3 long-tail 4`: the weeks are scored, after eight
//! weeks of history. Every open window is examined once a minute, as in the service. If its partial count is improbable, the
//! window is completed and used as known for a new forecast. The first such forecast is compared with the previous one over
//! the same windows. Alarms are not included; `--bench outages` measures their effect.

#[path = "outages/world.rs"]
#[allow(dead_code, reason = "the other bench uses the rest")]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use surgecast::domain::SeriesKey;
use surgecast::forecast::{
    Ensemble, Figures, ForecastPoint, History, Part, PartialCount, Past, Score, Vintage, completed,
    is_far_off,
};
use surgecast::simulate::Family;
use world::{Arguments, DAY, WEEK, WIDTH, World};

const HISTORY: i64 = 8;
const MINUTE: Duration = Duration::from_secs(60);
const MINUTES: u32 = WIDTH.secs() / 60;
/// First window of each group of forecast points; 0 is the open window.
const GROUPS: [(&str, usize); 4] =
    [("the open window", 0), ("up to 1 h ahead", 1), ("1 to 3 h", 5), ("3 to 6 h", 13)];

/// Scores of nowcasts and of the forecasts that they replace, by group.
type Sums = [[Score; 2]; GROUPS.len()];

/// The completed window at the first minute at which its partial count is improbable.
fn first_look(target: &ForecastPoint, count: f64, rng: &mut ChaCha8Rng) -> Option<ForecastPoint> {
    let mut minutes: Vec<f64> =
        (0..count as usize).map(|_| rng.random_range(0.0..f64::from(MINUTES))).collect();
    minutes.sort_by(f64::total_cmp);
    (1..=MINUTES).find_map(|minute| {
        let count = minutes.partition_point(|at| *at < f64::from(minute));
        let upto = target.start + MINUTE * minute;
        let seen = PartialCount { start: target.start, count: count as f64, upto };
        is_far_off(target, &seen, WIDTH, MINUTE).then(|| completed(target, &seen, WIDTH))
    })
}

fn score(sums: &mut Sums, history: &History, (now, before): (&[ForecastPoint], &[ForecastPoint])) {
    for (step, (now, before)) in now.iter().zip(before).enumerate() {
        let group = GROUPS.iter().rposition(|(_, first)| step >= *first).unwrap_or(0);
        let actual = f64::from(history.get(WIDTH.index(now.start)));
        for (sum, target) in sums[group].iter_mut().zip([now, before]) {
            sum.merge(&Score::of(target, actual, None));
        }
    }
}

fn run(seed: u64, family: Family, weeks: i64, sums: &mut Sums) {
    let world = World::new(seed, family, HISTORY + weeks);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let leaves = world.series.iter().filter(|(key, _)| !key.is_roll_up());
    let leaves: BTreeMap<SeriesKey, History> =
        leaves.map(|(k, h)| (k.clone(), h.clone())).collect();
    let past = Past { series: &leaves, alarms: &[], work: &[], ..world.past() };
    let (starts, mut model) = (world.first + HISTORY * WEEK, Ensemble::default());
    for origin in starts..world.end - 25 {
        if (origin - starts) % DAY == 0 {
            model = Ensemble::fitted(&past, origin, Part::WHOLE);
        }
        let mut heads: BTreeMap<SeriesKey, (ForecastPoint, Vintage)> = BTreeMap::new();
        let mut learned: BTreeMap<SeriesKey, History> = BTreeMap::new();
        for before in model.vintages(&past, origin, Part::WHOLE) {
            let history = &leaves[&before.series];
            let count = f64::from(history.get(origin));
            if let Some(head) = first_look(&before.targets[0], count, &mut rng) {
                let mut history = history.clone();
                history.set(origin, head.mean as f32);
                learned.insert(before.series.clone(), history);
                heads.insert(before.series.clone(), (head, before));
            }
        }
        let again = Past { series: &learned, ..past };
        for vintage in model.vintages(&again, origin + 1, Part::WHOLE) {
            let Some((head, before)) = heads.remove(&vintage.series) else { continue };
            let now: Vec<ForecastPoint> = std::iter::once(head).chain(vintage.targets).collect();
            score(sums, &leaves[&vintage.series], (&now, &before.targets));
        }
    }
}

fn main() {
    let Arguments { seeds, families, weeks } = Arguments::new(2);
    for family in families {
        let mut sums = Sums::default();
        seeds.iter().for_each(|seed| run(*seed, family, weeks, &mut sums));
        let found = sums[0][0].n;
        println!("{family}, seeds {seeds:?}, {weeks} weeks each: {found} nowcasts");
        let line = |name: &str, [wql, bias, inside80, inside95]: [String; 4]| {
            println!("  {name:<18} {wql:>17} {bias:>17} {inside80:>13} {inside95:>13}");
        };
        line("", ["WQL", "bias", "80 % band", "95 % band"].map(String::from));
        for ((name, _), sums) in GROUPS.iter().zip(sums) {
            let figures = sums.map(|sum| sum.figures());
            let pair = |of: fn(&Figures) -> Option<f64>| {
                let [now, before] = figures.each_ref().map(|f| of(f).unwrap_or(f64::NAN));
                format!("{now:.3} ({before:.3})")
            };
            line(
                name,
                [pair(|f| f.wql), pair(|f| f.bias), pair(|f| f.coverage80), pair(|f| f.coverage95)],
            );
        }
        println!("  in brackets: the forecasts that they replaced");
    }
}
