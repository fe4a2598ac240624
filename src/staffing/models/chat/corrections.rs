//! A table of the differences between the exact chain and the birth–death chain.
//!
//! The difference is small, vanishes in overload, and hardly depends on the load: a few solutions of the exact chain for each
//! number of agents are enough, and everything else is computed from the birth–death chain in microseconds.

use super::chain::Chain;
use super::{EXACT_STATES_MAX, Rates};

/// Position of the first solution, far in overload. A position is `√n · ln(load / capacity)`.
const FIRST: f64 = 4.0;
/// Distance of two adjacent solutions.
const DISTANCE: f64 = 0.3;
/// Relative precision of the solutions' completion rates.
const PRECISION: f64 = 1e-7;
/// Weight of the states with a free place at which the table ends: one chat in a million waits.
const NOBODY_WAITS: f64 = 1e6;

/// For each number of agents for which the exact chain is solved: the logarithm of the ratio of two weights of the states with
/// a free place, that of the exact chain and that of the birth–death chain.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatCorrections {
    rates: Rates,
    /// By number of agents, from 2; within it by position, descending. With one agent there is no difference.
    by_agents: Vec<Vec<f64>>,
}

impl ChatCorrections {
    /// Solves the exact chain for up to this number of agents; for fewer, if the chain would have too many states.
    pub fn build(rates: &Rates, agents_max: u32) -> Self {
        let chains = (2..=agents_max).map(|n| (n, Chain::new(n, rates, EXACT_STATES_MAX)));
        let exact = chains.take_while(|(_, chain)| chain.is_exact());
        Self { rates: *rates, by_agents: exact.map(|(n, chain)| along(n, &chain, rates)).collect() }
    }

    /// The rates that it is for.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The largest number of agents in the table.
    pub fn agents_max(&self) -> u32 {
        self.by_agents.len() as u32 + 1
    }

    /// The factor on the weight of the birth–death chain, for `n` agents and a load in chats that are handled alone.
    pub(super) fn factor(&self, n: u32, load: f64) -> f64 {
        let known = n.checked_sub(2).and_then(|at| self.by_agents.get(at as usize));
        let Some(known) = known.filter(|known| !known.is_empty()) else { return 1.0 };
        let last = known.len() - 1;
        let place = f64::from(n).sqrt() * (load / (f64::from(n) * self.rates.full())).ln();
        let at = ((FIRST - place) / DISTANCE).clamp(0.0, last as f64);
        let whole = at.floor().min(last.saturating_sub(1) as f64);
        let x = at - whole;
        // Between four places, by a cubic; beyond the ends as at the ends.
        let whole = whole as usize;
        let near = |next: usize| known[(whole + next).saturating_sub(1).min(last)];
        let [a, b, c, d] = [0, 1, 2, 3].map(near);
        let cubic = -a * x * (x - 1.0) * (x - 2.0) / 6.0
            + b * (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0
            - c * (x + 1.0) * x * (x - 2.0) / 2.0
            + d * (x + 1.0) * x * (x - 1.0) / 6.0;
        cubic.exp()
    }
}

/// Solutions for one number of agents, each starting from the previous one.
fn along(n: u32, chain: &Chain, rates: &Rates) -> Vec<f64> {
    let capacity = f64::from(n) * rates.full();
    let mut solution = chain.start();
    let mut known = Vec::new();
    loop {
        let place = FIRST - DISTANCE * known.len() as f64;
        let load = capacity * (place / f64::from(n).sqrt()).exp();
        let below = chain.below_near(load, &mut solution, PRECISION);
        known.push((below / chain.below_even(load)).ln());
        if below > NOBODY_WAITS {
            return known;
        }
    }
}
