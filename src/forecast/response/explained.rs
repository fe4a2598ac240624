//! Tickets attributed to episodes and planned work.

use std::collections::HashMap;

use super::observations::Observations;

/// Tickets attributed to earlier episodes and work at the same site.
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

    /// Raises a window's tickets to at least `tickets`.
    pub(super) fn raise(&mut self, leaf: usize, leaves: usize, index: i64, tickets: f64) {
        self.by_leaf.resize_with(leaves, HashMap::new);
        let known = self.by_leaf[leaf].entry(index).or_default();
        *known = known.max(tickets);
    }

    pub(super) fn add(&mut self, observations: &Observations, tickets: &[Vec<f64>]) {
        self.by_leaf.resize_with(tickets.len(), HashMap::new);
        for (known, tickets) in self.by_leaf.iter_mut().zip(tickets) {
            for (index, tickets) in (observations.first..).zip(tickets) {
                if *tickets > 1e-3 {
                    *known.entry(index).or_default() += tickets;
                }
            }
        }
    }
}
