//! Tickets of a site since an episode began, beside what was to be expected; and how restless a day is by itself.

use super::episode::Episode;
use super::ground::{Ground, Site};
use super::law::Law;

/// Hours before the episode that today's level is taken from, and tickets that weigh as much as the baseline.
const LEVEL_HOURS: i64 = 4;
const LEVEL_WEIGHT: f64 = 30.0;
/// Hours over which it is looked how far a level holds, and windows between two looks.
const HOLDS_HOURS: i64 = 6;
const LOOK_EVERY: usize = 29;
/// Spread of the ln of a level before anything is known, and looks that weigh as much.
pub(super) const RESTLESS: f64 = 0.1;
const RESTLESS_LOOKS: f64 = 100.0;
const RESTLESS_MOST: f64 = 0.4;

/// Tickets of a site since an episode began.
pub(super) struct Track {
    /// Window of the episode's start.
    pub(super) first: i64,
    pub(super) windows: usize,
    per_hour: usize,
    pub(super) leaves: Vec<TrackLeaf>,
}

pub(super) struct TrackLeaf {
    pub(super) kernel: usize,
    pub(super) dispersion: f64,
    /// Whether its tickets are looked at to tell how the episode goes.
    pub(super) tells: bool,
    /// Tickets, NaN where missing.
    pub(super) count: Vec<f64>,
    /// Expected without the episode.
    pub(super) expected: Vec<f64>,
    /// What size 1 at full strength would bring.
    pub(super) unit: Vec<f64>,
    /// Running sums of the three over windows that have a count.
    running: Vec<[f64; 3]>,
}

impl TrackLeaf {
    /// Tickets, expected ones and units of the windows `from..to` that have a count.
    pub(super) fn sums(&self, from: usize, to: usize) -> [f64; 3] {
        std::array::from_fn(|i| self.running[to][i] - self.running[from][i])
    }

    fn run(mut self) -> Self {
        let mut sum = [0.0; 3];
        self.running.push(sum);
        for ((count, expected), unit) in self.count.iter().zip(&self.expected).zip(&self.unit) {
            if !count.is_nan() {
                sum = [sum[0] + count, sum[1] + expected, sum[2] + unit];
            }
            self.running.push(sum);
        }
        self
    }
}

impl Track {
    /// `others`: tickets that other episodes and planned work account for, by leaf and window.
    pub(super) fn new(
        ground: &Ground<'_>,
        site: &Site<'_>,
        episode: &Episode,
        hours: i64,
        law: &Law,
        others: &dyn Fn(usize, i64) -> f64,
    ) -> Self {
        let per_hour = ground.width.per_hour() as i64;
        let first = ground.width.index(episode.starts);
        let last = (first + hours * per_hour).min(ground.origin);
        let level = level(ground, site, first - LEVEL_HOURS * per_hour..first, others);
        let leaves = site.leaves.iter().enumerate().map(|(number, leaf)| {
            let windows = first..last;
            let expected: Vec<f64> = windows.clone().map(|i| leaf.expected(i) * level).collect();
            TrackLeaf {
                kernel: leaf.kernel,
                tells: leaf.tells,
                dispersion: f64::from(leaf.base.dispersion).clamp(1e-3, 1.0),
                count: windows
                    .clone()
                    .map(|i| leaf.count(i, ground.origin).unwrap_or(f64::NAN))
                    .collect(),
                unit: expected.iter().map(|e| leaf.unit(*e, law.daytime)).collect(),
                expected: windows.zip(&expected).map(|(i, e)| e + others(number, i)).collect(),
                running: Vec::with_capacity(expected.len() + 1),
            }
            .run()
        });
        let windows = usize::try_from(last - first).unwrap_or(0);
        Self { first, windows, per_hour: per_hour as usize, leaves: leaves.collect() }
    }

    /// ln of how much likelier the tickets are where `factor` times as many are to be expected, by hours.
    pub(super) fn gain(&self, factor: f64) -> f64 {
        let (more, hour) = (factor - 1.0, self.per_hour);
        let leaves = self.leaves.iter().filter(|leaf| leaf.tells);
        let gains = leaves.flat_map(|leaf| {
            (0..self.windows).step_by(hour).map(move |from| {
                let [count, expected, _] = leaf.sums(from, (from + hour).min(self.windows));
                let size = 1.0 / leaf.dispersion;
                let all = more * expected / (expected + size);
                count * factor.ln() - (count + size) * all.ln_1p()
            })
        });
        gains.sum()
    }
}

/// Busyness just before the episode: a busy day is no incident.
fn level(
    ground: &Ground<'_>,
    site: &Site<'_>,
    windows: std::ops::Range<i64>,
    others: &dyn Fn(usize, i64) -> f64,
) -> f64 {
    let (mut came, mut said) = (0.0, 0.0);
    for index in windows {
        for (number, leaf) in site.leaves.iter().enumerate() {
            if let Some(count) = leaf.count(index, ground.origin) {
                came += (count - others(number, index)).max(0.0);
                said += leaf.expected(index);
            }
        }
    }
    shrunk(came, said)
}

/// The level of tickets that came, pulled towards the baseline's.
fn shrunk(came: f64, said: f64) -> f64 {
    ((came + LEVEL_WEIGHT) / (said + LEVEL_WEIGHT)).clamp(0.6, 1.6)
}

/// How far a level strays within hours beyond what chance does to counts: standard deviation of its ln, from looks at
/// all sites and times between windows `from` and the origin. By medians: outages are rare.
pub(super) fn restless(ground: &Ground<'_>, from: i64) -> f64 {
    let per_hour = ground.width.per_hour() as i64;
    let (before, after) = (LEVEL_HOURS * per_hour, HOLDS_HOURS * per_hour);
    let mut looks = Vec::new();
    for site in &ground.sites {
        for index in (from + before..ground.origin - after).step_by(LOOK_EVERY) {
            let [came, said, earlier] = sums(ground, site, index - before..index);
            let (level, told) = (shrunk(came, said), said + LEVEL_WEIGHT);
            let [came, said, variance] = sums(ground, site, index..index + after);
            let said = said * level;
            if came <= 0.0 || said < LEVEL_WEIGHT {
                continue;
            }
            let noise = variance / said.powi(2) + earlier / told.powi(2);
            looks.push(((came / said).ln().powi(2), noise));
        }
    }
    let found = spread(&looks);
    let n = looks.len() as f64;
    ((n * found + RESTLESS_LOOKS * RESTLESS) / (n + RESTLESS_LOOKS)).clamp(0.02, RESTLESS_MOST)
}

/// The spread beyond chance with which half of the looks lie where half of them should: (squared error, variance by
/// chance) each.
fn spread(looks: &[(f64, f64)]) -> f64 {
    let (mut low, mut high) = (0.0, RESTLESS_MOST);
    for _ in 0..16 {
        let middle = f64::midpoint(low, high);
        let within =
            |(square, noise): &&(f64, f64)| *square < MEDIAN_OF_SQUARES * (noise + middle.powi(2));
        if 2 * looks.iter().filter(within).count() < looks.len() {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Median of a squared standard normal.
const MEDIAN_OF_SQUARES: f64 = 0.455;

/// Tickets, expected ones and their variance, of all leaves.
fn sums(ground: &Ground<'_>, site: &Site<'_>, windows: std::ops::Range<i64>) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for index in windows {
        for leaf in &site.leaves {
            let Some(count) = leaf.count(index, ground.origin) else { continue };
            let expected = leaf.expected(index);
            let all = [count, expected, leaf.variance(expected)];
            sums.iter_mut().zip(all).for_each(|(sum, x)| *sum += x);
        }
    }
    sums
}
