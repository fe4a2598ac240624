//! Learning from past episodes: expectation–maximisation over whether each was felt, when and how much.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::curve::Curve;
use super::ending::EndingSums;
use super::episode::{Episode, FIGURES, Kind, PLAIN};
use super::filter::{EVIDENCE_HOURS, Posterior};
use super::ground::Ground;
use super::kernel::{DAWN, KNOTS, Kernel};
use super::law::{Law, Score, real_figures, row, size_figures};
use super::onset::{LAGS, MORNING, Onset, Slot, minutes_between, shares};
use super::prior::Prior;
use super::solve::{Row, Start, dot, linear, log_odds, logistic};
use super::track::Track;
use chrono::Timelike;

/// Rounds of learning: those of a first look, and those after it.
pub(super) const FIRST: Range<usize> = 0..4;
pub(super) const THEN: Range<usize> = 4..9;
/// Episodes that are learned from: enough for every figure, and no more work than seconds.
pub(super) const EPISODES_MAX: usize = 2000;
/// The same times their series.
pub(super) const TRACKS_MAX: usize = 8000;
/// Candidates for how far an incident's tickets follow the hour's own volume, and the round that chooses.
const DAYTIME_ROUND: usize = 2;
const DAYTIME_EPISODES: usize = 600;
const DAYTIME: [f64; 4] = [0.0, 0.35, 0.7, 1.0];
/// How far the prior's curves may be trusted, in multiples of its own weight, and the round that chooses.
const TRUST: [f64; 3] = [1.0 / 3.0, 1.0, 3.0];
const TRUST_ROUND: usize = 4;
/// Share of an episode's tickets by which its size is usually misjudged.
const SIZE_ERROR: f64 = 0.3;
/// No night holds back more, in multiples of the start's.
const BACKLOG_MOST: f64 = 6.0;
/// How far one type's score may lie from another's: log-odds, and ln size.
const TYPE_SPREAD: (f64, f64) = (1.0, 0.3);
/// The same of services and of scopes.
const GROUP_SPREAD: (f64, f64) = (0.5, 0.25);

/// Sums of one round.
struct Sums {
    rows: Vec<Row>,
    groups: Vec<usize>,
    real: Vec<f64>,
    ln_size: Vec<(f64, f64)>,
    fault: [f64; LAGS.len()],
    overrun: [f64; LAGS.len()],
    morning: [f64; MORNING.len()],
    /// By local hour: weight of onsets in the morning, and of all.
    night: [(f64, f64); 24],
    /// By kernel.
    kernels: Vec<KernelSums>,
    ending: EndingSums,
    /// While people sleep, by day's tickets over the variance: tickets that came, and those that would have by day.
    asleep: (f64, f64),
    evidence: f64,
}

/// One channel's curves.
#[derive(Clone, Debug, Default)]
struct KernelSums {
    up: Curve<{ KNOTS.len() }>,
    down: Curve<{ KNOTS.len() }>,
    dawn: Curve<{ DAWN.len() }>,
}

/// Improves a law by the episodes of a past.
pub(super) fn learn(
    law: &mut Law,
    prior: &Prior,
    ground: &Ground<'_>,
    episodes: &[&Episode],
    rounds: Range<usize>,
) {
    let start = Law::of_prior(prior, law.channels.keys());
    let mut trust = 1.0;
    for round in rounds {
        if round == DAYTIME_ROUND {
            let few: Vec<&Episode> = episodes.iter().take(DAYTIME_EPISODES).copied().collect();
            let found = DAYTIME.map(|daytime| {
                let candidate = Law { daytime, ..law.clone() };
                (daytime, gather(&candidate, ground, &few).evidence)
            });
            law.daytime = likeliest(&found).unwrap_or(0.0);
        }
        if round == TRUST_ROUND {
            trust = trusted(law, &start, prior, ground, episodes);
        }
        let sums = gather(law, ground, episodes);
        improve(law, &start, prior, ground, &sums);
        improve_kernels(law, &start, prior.kernel.weight * trust, &sums);
    }
}

/// How far to trust the prior's curves: as those learned from every other week foretell the tickets of the rest best.
fn trusted(
    law: &Law,
    start: &Law,
    prior: &Prior,
    ground: &Ground<'_>,
    episodes: &[&Episode],
) -> f64 {
    let is_even = |e: &&Episode| e.starts.secs().div_euclid(7 * 86_400) % 2 == 0;
    let (even, odd): (Vec<&Episode>, Vec<&Episode>) =
        episodes.iter().copied().partition(|e| is_even(e));
    let halves = [(gather(law, ground, &even), &odd), (gather(law, ground, &odd), &even)];
    let scored = TRUST.map(|trust| {
        let evidence = halves.iter().map(|(sums, others)| {
            let mut candidate = law.clone();
            improve_kernels(&mut candidate, start, prior.kernel.weight * trust / 2.0, sums);
            gather(&candidate, ground, others).evidence
        });
        (trust, evidence.sum::<f64>())
    });
    likeliest(&scored).unwrap_or(1.0)
}

/// The candidate with the most evidence: (candidate, evidence) each.
fn likeliest(scored: &[(f64, f64)]) -> Option<f64> {
    scored.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(candidate, _)| *candidate)
}

/// Tickets of earlier episodes of the same site that a later one need not explain.
#[derive(Default)]
pub(super) struct Explained {
    /// By leaf: tickets by window.
    by_leaf: Vec<HashMap<i64, f64>>,
}

impl Explained {
    pub(super) fn at(&self, leaf: usize, index: i64) -> f64 {
        self.by_leaf.get(leaf).and_then(|w| w.get(&index)).copied().unwrap_or(0.0)
    }

    /// Tickets by window of a leaf.
    pub(super) fn windows(&self, leaf: usize) -> impl Iterator<Item = (i64, f64)> + '_ {
        let windows = self.by_leaf.get(leaf).into_iter().flatten();
        windows.map(|(index, tickets)| (*index, *tickets))
    }

    /// Sets a window's tickets to at least so many.
    pub(super) fn raise(&mut self, leaf: usize, leaves: usize, index: i64, tickets: f64) {
        self.by_leaf.resize_with(leaves, HashMap::new);
        let known = self.by_leaf[leaf].entry(index).or_default();
        *known = known.max(tickets);
    }

    pub(super) fn add(&mut self, track: &Track, tickets: &[Vec<f64>]) {
        self.by_leaf.resize_with(tickets.len(), HashMap::new);
        for (known, tickets) in self.by_leaf.iter_mut().zip(tickets) {
            for (index, tickets) in (track.first..).zip(tickets) {
                if *tickets > 1e-3 {
                    *known.entry(index).or_default() += tickets;
                }
            }
        }
    }
}

fn gather(law: &Law, ground: &Ground<'_>, episodes: &[&Episode]) -> Sums {
    let mut sums = Sums {
        rows: Vec::with_capacity(episodes.len()),
        groups: Vec::with_capacity(episodes.len()),
        real: Vec::with_capacity(episodes.len()),
        ln_size: Vec::with_capacity(episodes.len()),
        fault: [0.0; LAGS.len()],
        overrun: [0.0; LAGS.len()],
        morning: [0.0; MORNING.len()],
        night: [(0.0, 0.0); 24],
        kernels: vec![KernelSums::default(); law.kernels.len()],
        ending: EndingSums::default(),
        asleep: (0.0, 0.0),
        evidence: 0.0,
    };
    let mut explained = Explained::default();
    let mut before = None;
    for episode in episodes {
        if before.replace(episode.site) != Some(episode.site) {
            explained = Explained::default();
        }
        let site = &ground.sites[episode.site];
        let others = |leaf: usize, index: i64| explained.at(leaf, index);
        let track = Track::new(ground, site, episode, EVIDENCE_HOURS, law, &others);
        let posterior = Posterior::new(law, ground, site, episode, &track);
        sums.evidence += posterior.evidence;
        sums.rows.push(row(episode));
        sums.groups.push(episode.site);
        sums.real.push(posterior.real);
        sums.ln_size.push(posterior.ln_size);
        sums.ending.add(episode, ground.now(), posterior.real);
        let hour = site.zone.local(episode.starts).hour() as usize;
        for (state, weight, _) in posterior.by_onset() {
            let weight = weight * posterior.real;
            match (state.slot, episode.kind) {
                (Slot::Lag(i), Kind::Fault) => sums.fault[i] += weight,
                (Slot::Lag(i), Kind::Overrun) => sums.overrun[i] += weight,
                (Slot::Morning(i), _) => {
                    sums.morning[i] += weight;
                    sums.night[hour].0 += weight;
                }
            }
            sums.night[hour].1 += weight;
        }
        if posterior.real > 0.05 {
            let tickets = posterior.expected(law, ground, episode, &track);
            attribute(&mut sums, law, ground, episode, &track, &posterior);
            explained.add(&track, &tickets);
        }
    }
    sums
}

/// Adds to each curve's equations what came beyond the baseline, window by window, the other curves being as they
/// were thought to be.
fn attribute(
    sums: &mut Sums,
    law: &Law,
    ground: &Ground<'_>,
    episode: &Episode,
    track: &Track,
    posterior: &Posterior,
) {
    let offset = minutes_between(episode.starts, ground.width.start(track.first));
    let minutes = ground.minutes();
    for (state, weight, size) in posterior.by_onset().filter(|(_, weight, _)| *weight > 0.01) {
        let course = posterior.course(&state);
        let end = course.end.max(course.onset + law.ending.hold);
        let night = course.held(end);
        for leaf in &track.leaves {
            let kernel = &law.kernels[leaf.kernel];
            for window in 0..track.windows {
                let middle = offset + (window as f64 + 0.5) * minutes;
                let (since, after) = (middle - course.onset, middle - end);
                let count = leaf.count[window];
                if since <= 0.0 || count.is_nan() {
                    continue;
                }
                let (rise, fall) = (kernel.rise(since), kernel.fall(after));
                let woken = middle - course.wake;
                let held = night * kernel.dawn(woken);
                let full = size * leaf.unit[window];
                let asleep = course.asleep(middle);
                let awake = full * law.awake(asleep);
                let (expected, excess) = (leaf.expected[window], awake * rise * fall + full * held);
                // Of a large one the size is not known to the ticket.
                let variance = expected
                    + leaf.dispersion * expected.powi(2)
                    + excess
                    + (SIZE_ERROR * excess).powi(2);
                let weight = posterior.real * weight / variance.max(0.05);
                let came = count - expected;
                let standing = came - full * held;
                let by_day = full * rise * fall;
                if asleep >= 1.0 {
                    sums.asleep.0 += weight * by_day * standing;
                    sums.asleep.1 += weight * by_day * by_day;
                }
                let sums = &mut sums.kernels[leaf.kernel];
                sums.up.add(&KNOTS, since, (standing, awake * fall), weight);
                if after > 0.0 {
                    sums.down.add(&KNOTS, after, (standing, awake * rise), weight);
                }
                if woken > 0.0 && woken < DAWN[DAWN.len() - 1] {
                    let waited = came - awake * rise * fall;
                    sums.dawn.add(&DAWN, woken, (waited, full * night), weight);
                }
            }
        }
    }
}

fn improve(law: &mut Law, start: &Law, prior: &Prior, ground: &Ground<'_>, sums: &Sums) {
    improve_scores(law, prior, ground, sums);
    law.onset = onset(&start.onset, prior, sums);
    let (came, by_day) = sums.asleep;
    let weight = prior.kernel.weight;
    law.night = ((came + weight * start.night) / (by_day + weight)).clamp(0.02, 2.0);
    law.ending = start.ending.learned(&sums.ending, prior.ending.weight);
}

/// `weight`: tickets that the curves to start from are worth at each knot.
fn improve_kernels(law: &mut Law, start: &Law, weight: f64, sums: &Sums) {
    let light = weight / 4.0;
    let backlog = backlog(start, light, sums);
    for ((kernel, start), sums) in law.kernels.iter_mut().zip(&start.kernels).zip(&sums.kernels) {
        let up = sums.up.solved(&kernel.up, &start.up, 1, weight);
        let down = sums.down.solved(&kernel.down, &start.down, 1, weight);
        let morning = start.dawn.map(|strength| backlog * strength);
        let dawn = sums.dawn.solved(&kernel.dawn, &morning, 0, light);
        *kernel = Kernel::new(up, down, dawn);
    }
}

/// What the night holds back of all channels, in multiples of the start's: whether it does so at all is soon seen in all of
/// them together, long before each channel's course is.
fn backlog(start: &Law, weight: f64, sums: &Sums) -> f64 {
    let (mut came, mut square) = (weight, weight);
    for (start, sums) in start.kernels.iter().zip(&sums.kernels) {
        let (more, own) = sums.dawn.amount(&start.dawn);
        came += more;
        square += own;
    }
    (came / square).clamp(0.0, BACKLOG_MOST)
}

fn onset(start: &Onset, prior: &Prior, sums: &Sums) -> Onset {
    let mut night = start.night;
    for (share, (morning, all)) in night.iter_mut().zip(sums.night) {
        let weight = prior.night.weight;
        *share = ((morning + weight * *share) / (all + weight)).clamp(0.0, 0.98);
    }
    Onset {
        fault: histogram(prior.onset.weight, &start.fault, &sums.fault),
        overrun: histogram(prior.onset.weight, &start.overrun, &sums.overrun),
        morning: histogram(prior.night.weight, &start.morning, &sums.morning),
        night,
    }
}

/// Shares from weights, each smoothed over its neighbours, pulled towards those at the start.
fn histogram<const N: usize>(weight: f64, start: &[f64; N], sums: &[f64; N]) -> [f64; N] {
    shares(std::array::from_fn(|i| {
        let (before, after) = (sums[i.saturating_sub(1)], sums[(i + 1).min(N - 1)]);
        0.5 * sums[i] + 0.25 * (before + after) + weight * start[i]
    }))
}

fn improve_scores(law: &mut Law, prior: &Prior, ground: &Ground<'_>, sums: &Sums) {
    let columns = FIGURES + law.classes.names.len();
    let padded = |figures: [f64; FIGURES], others: f64| {
        let mut all = vec![others; columns];
        all[..FIGURES].copy_from_slice(&figures);
        all
    };
    let r = &prior.real;
    let mean = padded(real_figures(r), 0.0);
    let mut figures = [r.spread.powi(-2); FIGURES];
    figures[PLAIN..].fill((2.0 * r.spread).powi(-2));
    let precision = padded(figures, TYPE_SPREAD.0.powi(-2));
    let start = Start { mean: &mean, precision: &precision };
    let coefficients = log_odds(&sums.rows, &sums.real, &start, &mean);
    let residual = |i: usize, score: f64| {
        let p = logistic(score);
        (sums.real[i] - p, p * (1.0 - p))
    };
    let scores: Vec<f64> = sums.rows.iter().map(|row| dot(row, &coefficients)).collect();
    law.real = grouped(ground, sums, coefficients, &scores, GROUP_SPREAD.0, &residual);

    let s = &prior.size;
    let mean = padded(size_figures(s), 0.0);
    let spread = law.size_spread.powi(2);
    let mut figures = [10.0; FIGURES];
    figures[0] = s.weight / spread;
    let precision = padded(figures, TYPE_SPREAD.1.powi(-2));
    let start = Start { mean: &mean, precision: &precision };
    let y: Vec<f64> = sums.ln_size.iter().map(|(mean, _)| *mean).collect();
    let weight: Vec<f64> = sums.real.iter().map(|real| real / spread).collect();
    let coefficients = linear(&sums.rows, &y, &weight, &start);
    let scores: Vec<f64> = sums.rows.iter().map(|row| dot(row, &coefficients)).collect();
    let residual =
        |i: usize, score: f64| (sums.real[i] / spread * (y[i] - score), sums.real[i] / spread);
    let (mut square, mut n) = (s.weight * s.spread.powi(2), s.weight);
    for (i, score) in scores.iter().enumerate() {
        square += sums.real[i] * ((y[i] - score).powi(2) + sums.ln_size[i].1);
        n += sums.real[i];
    }
    law.size_spread = (square / n).sqrt().clamp(0.2, 1.5);
    law.size = grouped(ground, sums, coefficients, &scores, GROUP_SPREAD.1, &residual);
}

/// Adds what services and then scopes have of their own, pulled towards nothing. `residual`: slope and
/// curvature of a row's likelihood at a score.
fn grouped(
    ground: &Ground<'_>,
    sums: &Sums,
    coefficients: Vec<f64>,
    scores: &[f64],
    spread: f64,
    residual: &dyn Fn(usize, f64) -> (f64, f64),
) -> Score {
    let mut score = Score { coefficients, ..Score::default() };
    let mut services: BTreeMap<_, (f64, f64)> = BTreeMap::new();
    for (i, site) in sums.groups.iter().enumerate() {
        let (slope, curve) = residual(i, scores[i]);
        let sum = services.entry(&ground.sites[*site].scope.service).or_default();
        *sum = (sum.0 + slope, sum.1 + curve);
    }
    let step = |(slope, curve): (f64, f64)| {
        (slope / (curve + spread.powi(-2))).clamp(-2.0 * spread, 2.0 * spread)
    };
    score.services = services.into_iter().map(|(name, sum)| (name.clone(), step(sum))).collect();
    let mut scopes: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (i, site) in sums.groups.iter().enumerate() {
        let service = score.services[&ground.sites[*site].scope.service];
        let (slope, curve) = residual(i, scores[i] + service);
        let sum = scopes.entry(*site).or_default();
        *sum = (sum.0 + slope, sum.1 + curve);
    }
    let named = scopes.into_iter().map(|(site, sum)| (ground.sites[site].scope.clone(), step(sum)));
    score.scopes = named.collect();
    score
}
