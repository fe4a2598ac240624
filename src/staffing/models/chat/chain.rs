//! The Markov chain of chats in progress, up to the state in which every agent has as many as possible.

use std::collections::HashMap;
use std::ops::Range;

use super::Rates;

/// Maximum number of sweeps; ten to thirty are usual. After that the solution is used as it is.
const SWEEPS_MAX: usize = 2_000;
/// A weight that is so large that nobody ever waits.
const NEVER_FULL: f64 = 1e250;

/// Number of agents by their number of chats: index `j − 1` is for `j` chats.
type State = [u16; Rates::CHATS_MAX];

/// The chain of `n` agents; its states are sorted by chats in progress.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// By chats in progress, from none to the maximum: the completion rate if chats are spread evenly, in units of the rate of
    /// one chat that is handled alone.
    even: Vec<f64>,
    /// By chats in progress: index of the first state, and the end of the last states. Empty if there are too many states.
    levels: Vec<usize>,
    states: Vec<Links>,
    /// Completions of all states.
    down: Vec<Completion>,
}

/// The transitions from a state.
#[derive(Clone, Debug)]
struct Links {
    /// The state of the next level after an arrival.
    up: usize,
    /// Indexes of its completions.
    down: Range<usize>,
    /// Sum of the rates of its completions.
    rate: f64,
}

/// A state of the previous level, and the rate at which completed chats lead to it.
#[derive(Clone, Copy, Debug)]
struct Completion {
    to: usize,
    rate: f64,
}

/// A solution of the chain at one load. The solution for a similar load is a good start for the next one.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    /// For each state, its share of its level.
    shares: Vec<f64>,
    /// For each level, its mean completion rate.
    rates: Vec<f64>,
}

impl Chain {
    /// A chain that is exact if it has up to `states_max` states.
    pub(super) fn new(n: u32, rates: &Rates, states_max: usize) -> Self {
        let agents = n as usize;
        let even = (0..=agents * rates.most()).map(|chats| {
            let (each, more) = (chats / agents, chats % agents);
            (agents - more) as f64 * rates.of(each) + more as f64 * rates.of(each + 1)
        });
        let chain =
            Self { even: even.collect(), levels: Vec::new(), states: Vec::new(), down: Vec::new() };
        // With one chat at once or one agent, the even spread is the only one.
        let exact = agents > 1
            && rates.most() > 1
            && states(agents, rates.most(), states_max) <= states_max;
        if exact { chain.linked(agents, rates) } else { chain }
    }

    /// Whether it has the states of the exact chain.
    pub(super) fn is_exact(&self) -> bool {
        !self.states.is_empty()
    }

    /// Adds all states and their transitions.
    fn linked(mut self, agents: usize, rates: &Rates) -> Self {
        let mut by_level = vec![Vec::new(); self.even.len()];
        spread(agents, rates.most(), [0; Rates::CHATS_MAX], 0, &mut by_level);
        let index: HashMap<State, usize> = by_level.iter().flatten().copied().zip(0..).collect();
        let at = |state: &State| index.get(state).copied().unwrap_or(0);
        for states in &by_level {
            self.levels.push(self.states.len());
            for state in states {
                let from = self.down.len();
                for (less, rate) in completions(state, rates) {
                    self.down.push(Completion { to: at(&less), rate });
                }
                let down = from..self.down.len();
                let rate = self.down[down.clone()].iter().map(|completion| completion.rate).sum();
                let up = at(&arrival(state, agents, rates.most()));
                self.states.push(Links { up, down, rate });
            }
        }
        self.levels.push(self.states.len());
        self
    }

    /// Weight of all states with a free place, relative to the full state, if chats are spread evenly. `load` is arrivals × the
    /// time of a chat that is handled alone.
    pub(super) fn below_even(&self, load: f64) -> f64 {
        weight_below(&self.even, load)
    }

    /// Weight of all states with a free place, relative to the full state; exact if this chain is.
    pub(super) fn below(&self, load: f64) -> f64 {
        if !self.is_exact() {
            return self.below_even(load);
        }
        self.below_near(load, &mut self.start(), 1e-13)
    }

    /// A start for the iteration at any load.
    pub(super) fn start(&self) -> Solution {
        let mut shares = vec![0.0; self.states.len()];
        for level in self.levels.windows(2) {
            shares[level[0]..level[1]].fill(1.0 / (level[1] - level[0]) as f64);
        }
        Solution { shares, rates: self.even.clone() }
    }

    /// [`below`](Self::below) of the exact chain, from a solution that it replaces. Completion rates of all levels are
    /// within about `precision` of themselves.
    ///
    /// The weights of states within a level are improved by sweeps. The weights of levels follow exactly from the balance
    /// between a level and the next. This converges in few sweeps (aggregation and disaggregation).
    pub(super) fn below_near(&self, load: f64, solution: &mut Solution, precision: f64) -> f64 {
        let last = self.even.len() - 1;
        for _ in 0..SWEEPS_MAX {
            let mut change = 0.0f64;
            for k in (1..last).chain((1..last).rev()) {
                let rate = self.weigh(k, load, solution);
                change = change.max((rate / solution.rates[k] - 1.0).abs());
                solution.rates[k] = rate;
            }
            if change < precision {
                break;
            }
        }
        weight_below(&solution.rates, load)
    }

    /// Replaces the shares of the states of a level by those that follow from the adjacent levels. Returns the completion rate
    /// of the level.
    fn weigh(&self, k: usize, load: f64, solution: &mut Solution) -> f64 {
        let (from, to) = (self.levels[k], self.levels[k + 1]);
        let (before, rest) = solution.shares.split_at_mut(from);
        let (own, after) = rest.split_at_mut(to - from);
        own.fill(0.0);
        let inflow = solution.rates[k];
        let below = self.levels[k - 1];
        for (links, share) in self.states[below..from].iter().zip(&before[below..]) {
            own[links.up - from] += inflow * share;
        }
        let outflow = load / solution.rates[k + 1];
        for (links, share) in self.states[to..self.levels[k + 2]].iter().zip(after) {
            let flow = outflow * *share;
            for completion in &self.down[links.down.clone()] {
                own[completion.to - from] += flow * completion.rate;
            }
        }
        let (mut total, mut rate) = (0.0, 0.0);
        for (share, links) in own.iter_mut().zip(&self.states[from..to]) {
            *share /= load + links.rate;
            total += *share;
            rate += *share * links.rate;
        }
        own.iter_mut().for_each(|share| *share /= total);
        rate / total
    }
}

/// Weight of all levels except the last, relative to the last, computed from their completion rates.
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

/// The state after an arrival: the chat goes to an agent with the fewest chats.
fn arrival(state: &State, agents: usize, most: usize) -> State {
    let mut up = *state;
    let busy: u16 = state[..most].iter().sum();
    if usize::from(busy) < agents {
        up[0] += 1;
    } else if let Some(j) = (0..most - 1).find(|j| state[*j] > 0) {
        up[j] -= 1;
        up[j + 1] += 1;
    }
    up
}

/// The states after a completed chat, with their rates.
fn completions(state: &State, rates: &Rates) -> impl Iterator<Item = (State, f64)> {
    (0..rates.most()).filter(|j| state[*j] > 0).map(|j| {
        let mut less = *state;
        less[j] -= 1;
        if j > 0 {
            less[j - 1] += 1;
        }
        (less, f64::from(state[j]) * rates.of(j + 1))
    })
}

/// Adds every state in which `left` agents have at most `most` chats each.
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
