//! Chat: agents who handle several contacts at once. The more contacts an agent has, the longer each of them takes.

mod chain;
mod corrections;

use std::time::Duration;

use chain::Chain;
pub use corrections::ChatCorrections;

use super::{Answer, Demand, ModelTerms, Queue};
use crate::staffing::basis::Goal;
use crate::staffing::error::ProfileError;
use crate::staffing::target::ServiceTarget;

/// Maximum number of states for which the chain is solved exactly.
pub const EXACT_STATES_MAX: usize = 5_000;

/// How fast an agent completes chats: with `j` chats at once, `of(j)` times as many per hour as with one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    rates: [f64; Self::CHATS_MAX],
    most: usize,
}

impl Rates {
    /// Maximum number of chats that an agent can have at once.
    pub const CHATS_MAX: usize = 10;
    /// Published planning figures. More than five chats at once bring no gain.
    const USUAL: [f64; 5] = [1.0, 1.7, 2.5, 2.9, 3.5];

    /// The usual rates for up to `most` chats at once.
    pub fn usual(most: u32) -> Self {
        let most = (most as usize).clamp(1, Self::CHATS_MAX);
        let rates = std::array::from_fn(|at| Self::USUAL[at.min(Self::USUAL.len() - 1)]);
        Self { rates, most }
    }

    /// Rates for 1, 2, … chats at once; `None` unless the first rate is 1 and the rates do not decrease.
    pub fn new(rates: &[f64]) -> Option<Self> {
        let rising = rates.windows(2).all(|pair| pair[0] <= pair[1]);
        let finite = rates.iter().all(|rate| rate.is_finite());
        let valid = rates.len() <= Self::CHATS_MAX && rates.first() == Some(&1.0);
        (valid && rising && finite).then(|| {
            let rate = |at: usize| rates.get(at).or(rates.last()).copied().unwrap_or(1.0);
            Self { rates: std::array::from_fn(rate), most: rates.len() }
        })
    }

    /// Maximum number of chats at once.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The rate of an agent with `chats` chats.
    pub fn of(&self, chats: usize) -> f64 {
        chats.min(self.most).checked_sub(1).map_or(0.0, |at| self.rates[at])
    }

    /// The rate of an agent with the maximum number of chats.
    pub fn full(&self) -> f64 {
        self.of(self.most)
    }
}

/// Customers who wait for an agent with room for one more chat, and leave after an exponential patience. The next chat goes to
/// the agent with the fewest chats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chat {
    /// Mean time after which a customer who waits leaves.
    pub patience: Duration,
    pub rates: Rates,
}

impl Queue for Chat {
    fn of_terms(terms: &ModelTerms) -> Result<Self, ProfileError> {
        let Some(patience) = terms.patience else {
            let text = "is missing: chat asks how long customers wait, such as 300s".into();
            return Err(ProfileError { key: "patience", text });
        };
        Ok(Self { patience, rates: terms.rates.unwrap_or(Rates::usual(terms.concurrency)) })
    }

    fn name(&self) -> &'static str {
        "chat"
    }

    fn goals(&self, target: &ServiceTarget) -> Vec<Goal> {
        vec![
            Goal::Answered { share: target.fraction, seconds: target.within.as_secs() },
            Goal::Patience { seconds: self.patience.as_secs() },
        ]
    }

    fn efficiency(&self, _: u32) -> f64 {
        self.rates.full()
    }

    fn answer(&self, demand: &Demand, n: u32) -> Answer {
        self.at(n)(demand)
    }

    fn at(&self, n: u32) -> Box<dyn Fn(&Demand) -> Answer + '_> {
        if n == 0 {
            return Box::new(|_| Answer::nobody(self.patience));
        }
        let chain = Chain::new(n, &self.rates, EXACT_STATES_MAX);
        self.answers(n, move |load| chain.below(load))
    }
}

impl Chat {
    /// Results at `n` positions, computed in microseconds: those of the birth–death chain, with `corrections` if available.
    pub(in crate::staffing) fn fast_at<'a>(
        &'a self,
        n: u32,
        corrections: Option<&'a ChatCorrections>,
    ) -> Box<dyn Fn(&Demand) -> Answer + 'a> {
        if n == 0 {
            return self.at(0);
        }
        let chain = Chain::new(n, &self.rates, 0);
        self.answers(n, move |load| {
            let factor = corrections.map_or(1.0, |corrections| corrections.factor(n, load));
            chain.below_even(load) * factor
        })
    }

    /// Results computed from the weight of all states with a free place, relative to the full state, as a function of the load
    /// of chats that are handled alone.
    fn answers<'a>(
        &'a self,
        n: u32,
        below: impl Fn(f64) -> f64 + 'a,
    ) -> Box<dyn Fn(&Demand) -> Answer + 'a> {
        Box::new(move |demand| {
            // The demand's handling time is that of an agent with as many chats as possible.
            let alone = demand.load() * self.rates.full();
            Answer::of_line(demand, f64::from(n) / demand.aht, self.patience, below(alone))
        })
    }
}
