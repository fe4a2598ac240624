//! The Markov chain of chats in progress, up to the state in which every agent has as many as possible.

use std::collections::HashMap;

use super::Rates;

/// Sweeps after which the exact chain is taken as it is; ten to thirty are usual.
const SWEEPS_MAX: usize = 2_000;
/// Relative change of completion rates below which it has converged.
const CONVERGED: f64 = 1e-13;
/// A weight so large that nobody ever waits.
const NEVER_FULL: f64 = 1e250;

/// Agents by how many chats they have: at place `j − 1` those with `j`.
type State = [u16; Rates::CHATS_MAX];

/// The chain of `n` agents; its states are sorted by chats in progress.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// By chats in progress, from none to all places: the completion rate, chats by the time of one handled alone, of
    /// chats that are spread evenly.
    even: Vec<f64>,
    /// By chats in progress; empty where there are too many states.
    levels: Vec<Level>,
}

/// The states with the same number of chats in progress.
#[derive(Clone, Debug, Default)]
struct Level {
    states: Vec<Links>,
}

#[derive(Clone, Debug)]
struct Links {
    /// The state of the next level that an arrival leads to.
    up: usize,
    /// States of the level before, with their rates.
    down: Vec<(usize, f64)>,
    /// All completions.
    rate: f64,
}

impl Chain {
    /// Exact for up to `states_max` states.
    pub(super) fn new(n: u32, rates: &Rates, states_max: usize) -> Self {
        let agents = n as usize;
        let even = (0..=agents * rates.most()).map(|chats| {
            let (each, more) = (chats / agents, chats % agents);
            (agents - more) as f64 * rates.of(each) + more as f64 * rates.of(each + 1)
        });
        // With one chat at once, the even spread is the only one.
        let exact = rates.most() > 1 && states(agents, rates.most(), states_max) <= states_max;
        let levels = if exact { levels(agents, rates) } else { Vec::new() };
        Self { even: even.collect(), levels }
    }

    /// Weight of all states with a free place, relative to the full one. `load` is arrivals × the time of a chat that is
    /// handled alone.
    ///
    /// States within a level are weighed by sweeps; levels by the balance between a level and the next, exactly. That
    /// converges in few sweeps (aggregation and disaggregation).
    pub(super) fn below(&self, load: f64) -> f64 {
        if self.levels.is_empty() {
            return weight_below(&self.even, load);
        }
        let even = |level: &Level| vec![1.0 / level.states.len() as f64; level.states.len()];
        let mut shares: Vec<Vec<f64>> = self.levels.iter().map(even).collect();
        let mut rates: Vec<f64> = self.levels.iter().zip(&shares).map(|(l, s)| l.rate(s)).collect();
        let last = self.levels.len() - 1;
        for _ in 0..SWEEPS_MAX {
            let mut change = 0.0f64;
            for k in (1..last).chain((1..last).rev()) {
                shares[k] = self.share(k, load, &shares, &rates);
                let rate = self.levels[k].rate(&shares[k]);
                change = change.max((rate / rates[k] - 1.0).abs());
                rates[k] = rate;
            }
            if change < CONVERGED {
                break;
            }
        }
        weight_below(&rates, load)
    }

    /// The shares of a level's states, from those of its neighbours.
    fn share(&self, k: usize, load: f64, shares: &[Vec<f64>], rates: &[f64]) -> Vec<f64> {
        let level = &self.levels[k];
        let mut share = vec![0.0; level.states.len()];
        for (links, weight) in self.levels[k - 1].states.iter().zip(&shares[k - 1]) {
            share[links.up] += rates[k] * weight;
        }
        for (links, weight) in self.levels[k + 1].states.iter().zip(&shares[k + 1]) {
            for (to, rate) in &links.down {
                share[*to] += load / rates[k + 1] * rate * weight;
            }
        }
        for (slot, links) in share.iter_mut().zip(&level.states) {
            *slot /= load + links.rate;
        }
        let total: f64 = share.iter().sum();
        share.iter_mut().for_each(|slot| *slot /= total);
        share
    }
}

impl Level {
    fn rate(&self, shares: &[f64]) -> f64 {
        self.states.iter().zip(shares).map(|(links, share)| links.rate * share).sum()
    }
}

/// Weight of all levels but the last, relative to it, by their completion rates.
fn weight_below(rates: &[f64], load: f64) -> f64 {
    let (mut weight, mut below) = (1.0, 0.0);
    for rate in rates[1..].iter().rev() {
        weight *= rate / load;
        below += weight;
        if below > NEVER_FULL {
            return f64::INFINITY;
        }
    }
    below
}

/// Ways to give each of `n` agents 0 to `most` chats; stops counting beyond `limit`.
fn states(n: usize, most: usize, limit: usize) -> usize {
    let mut ways = 1usize;
    for j in 1..=most {
        ways = ways.saturating_mul(n + j) / j;
        if ways > limit {
            return ways;
        }
    }
    ways
}

fn levels(n: usize, rates: &Rates) -> Vec<Level> {
    let most = rates.most();
    let mut by_level: Vec<Vec<State>> = vec![Vec::new(); n * most + 1];
    spread(n, most, [0; Rates::CHATS_MAX], 0, &mut by_level);
    let index: HashMap<State, usize> =
        by_level.iter().flat_map(|states| states.iter().copied().zip(0..)).collect();
    let at = |state: &State| index.get(state).copied().unwrap_or(0);
    let links = |state: &State| {
        let busy: u16 = state[..most].iter().sum();
        let mut up = *state;
        // Least loaded: an agent without a chat, else one of those with fewest.
        if usize::from(busy) < n {
            up[0] += 1;
        } else if let Some(j) = (0..most - 1).find(|j| state[*j] > 0) {
            up[j] -= 1;
            up[j + 1] += 1;
        }
        let completing = (0..most).filter(|j| state[*j] > 0);
        let down: Vec<(usize, f64)> = completing
            .map(|j| {
                let mut less = *state;
                less[j] -= 1;
                if j > 0 {
                    less[j - 1] += 1;
                }
                (at(&less), f64::from(state[j]) * rates.of(j + 1))
            })
            .collect();
        let rate = down.iter().map(|(_, rate)| rate).sum();
        Links { up: at(&up), down, rate }
    };
    let level = |states: &Vec<State>| Level { states: states.iter().map(links).collect() };
    by_level.iter().map(level).collect()
}

/// Adds every state that gives `left` agents `most` chats or fewer.
fn spread(left: usize, most: usize, state: State, chats: usize, by_level: &mut [Vec<State>]) {
    if most == 0 {
        by_level[chats].push(state);
        return;
    }
    for with in 0..=left {
        let mut state = state;
        state[most - 1] = u16::try_from(with).unwrap_or(u16::MAX);
        spread(left - with, most - 1, state, chats + with * most, by_level);
    }
}
