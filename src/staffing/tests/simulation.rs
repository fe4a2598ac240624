//! A simulation of single contacts, agents and events that is independent of the formulas. The models are compared with it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A call centre whose agents handle several contacts at once.
pub struct Centre {
    /// Handling time in seconds of a contact that an agent handles alone.
    pub aht: f64,
    /// Completions with one, two, … contacts at once, relative to one.
    pub rates: Vec<f64>,
    pub patience: f64,
    /// Share of the customers who hang up that call again, after ten minutes on average.
    pub redial: f64,
    pub within: f64,
}

/// The results for customers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub offered: f64,
    pub waited: f64,
    pub answered_in_time: f64,
    pub gone: f64,
}

impl Tally {
    pub fn shares(&self) -> [f64; 3] {
        [self.answered_in_time, self.waited, self.gone].map(|n| n / self.offered)
    }
}

struct Waiting {
    arrived_at: f64,
    hangs_up: f64,
    batch: usize,
}

impl Centre {
    /// Simulates contacts that arrive between `from` and `to`, in batches of `width` seconds. `arrivals` is the rate per
    /// second, at most `most`; `agents` is the number of agents at a time. If the number falls, the remaining agents finish
    /// their contacts.
    pub fn run(
        &self,
        seed: u64,
        (from, to, width): (f64, f64, f64),
        (arrivals, most): (&dyn Fn(f64) -> f64, f64),
        agents: &dyn Fn(f64) -> usize,
    ) -> Vec<Tally> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut tallies = vec![Tally::default(); ((to - from) / width).ceil() as usize];
        let mut chats: Vec<usize> = Vec::new();
        let mut queue: VecDeque<Waiting> = VecDeque::new();
        let mut again: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        let mut now = 0.0;
        let mut exponential = |mean: f64| -mean * (1.0 - rng.random::<f64>()).ln();
        let mut uniform = {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
            move || rng.random::<f64>()
        };
        let milliseconds = |t: f64| (t * 1000.0) as u64;
        while now < to {
            let present = agents(now);
            chats.retain({
                let mut at = 0;
                move |held| {
                    at += 1;
                    at <= present || *held > 0
                }
            });
            chats.resize(chats.len().max(present), 0);
            let speed =
                |held: usize| held.checked_sub(1).map_or(0.0, |at| self.rates[at]) / self.aht;
            let serve: f64 = chats.iter().map(|held| speed(*held)).sum();
            let next = now + exponential(1.0 / (most + serve));
            let hang_up = queue.iter().map(|w| w.hangs_up).fold(f64::INFINITY, f64::min);
            let redial = again.peek().map_or(f64::INFINITY, |Reverse(t)| *t as f64 / 1000.0);
            let batch = |t: f64| (((t - from) / width) as usize).min(tallies_last(to, from, width));
            let mut comes = false;
            if hang_up < next && hang_up < redial {
                now = hang_up;
                if let Some(at) = queue.iter().position(|w| w.hangs_up == hang_up) {
                    let left = queue.remove(at).expect("just found");
                    if left.arrived_at >= from {
                        tallies[left.batch].gone += 1.0;
                    }
                    if uniform() < self.redial {
                        again.push(Reverse(milliseconds(now + exponential(600.0))));
                    }
                }
            } else if redial < next {
                now = redial;
                again.pop();
                comes = true;
            } else {
                now = next;
                let mut draw = uniform() * (most + serve);
                if draw < most {
                    comes = draw < arrivals(now);
                } else {
                    draw -= most;
                    let done = chats.iter().position(|held| {
                        draw -= speed(*held);
                        draw < 0.0
                    });
                    if let Some(agent) = done {
                        chats[agent] -= 1;
                    }
                }
            }
            if comes {
                if now >= from && now < to {
                    tallies[batch(now)].offered += 1.0;
                }
                let hangs_up = now + exponential(self.patience);
                let at = if now >= from { batch(now) } else { 0 };
                queue.push_back(Waiting { arrived_at: now, hangs_up, batch: at });
            }
            // Who waits longest gets the agent with the fewest contacts.
            let present = agents(now).min(chats.len());
            while let Some(agent) = (0..present).min_by_key(|agent| chats[*agent])
                && chats[agent] < self.rates.len()
                && chats.iter().filter(|held| **held > 0).count()
                    < present + usize::from(chats[agent] > 0)
                && let Some(first) = queue.pop_front()
            {
                chats[agent] += 1;
                if first.arrived_at >= from && first.arrived_at < to {
                    let tally = &mut tallies[first.batch];
                    let wait = now - first.arrived_at;
                    tally.answered_in_time += f64::from(u8::from(wait <= self.within));
                    tally.waited += f64::from(u8::from(wait > 0.0));
                }
            }
        }
        for tally in &mut tallies {
            tally.waited += tally.gone;
        }
        tallies
    }

    /// Shares of contacts that are answered in time, that wait, and that hang up, each with four standard errors.
    pub fn steady(&self, seed: u64, per_hour: f64, agents: usize, hours: f64) -> [(f64, f64); 3] {
        let rate = per_hour / 3600.0;
        let (from, width) = (7200.0, hours * 3600.0 / 40.0);
        let to = from + hours * 3600.0;
        let batches = self.run(seed, (from, to, width), (&|_| rate, rate), &|_| agents);
        let shares: Vec<[f64; 3]> = batches.iter().map(Tally::shares).collect();
        std::array::from_fn(|at| {
            let n = shares.len() as f64;
            let mean = shares.iter().map(|s| s[at]).sum::<f64>() / n;
            let variance = shares.iter().map(|s| (s[at] - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (mean, 4.0 * (variance / n).sqrt() + 1e-4)
        })
    }
}

fn tallies_last(to: f64, from: f64, width: f64) -> usize {
    ((to - from) / width).ceil() as usize - 1
}
