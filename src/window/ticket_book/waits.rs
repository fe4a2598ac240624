//! How long contacts waited: counts by length, which can be added up and give medians.

use serde::{Deserialize, Serialize};

/// Waits below this are counted by the second.
const EXACT: u64 = 128;
/// Number of classes for each doubling of a longer wait: its length is known to 1/64.
const PARTS: u64 = 64;

/// Waits in whole seconds. Waits of up to two minutes are exact, longer ones have a precision of 1.6 %.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Class and number of waits, in order of the classes.
    classes: Vec<(u16, u32)>,
}

impl Waits {
    /// Adds one wait.
    pub fn add(&mut self, seconds: u64) {
        self.add_class(class(seconds), 1);
    }

    /// Adds other waits.
    pub fn plus(&mut self, other: &Self) {
        other.classes.iter().for_each(|(class, count)| self.add_class(*class, *count));
    }

    /// Subtracts other waits, as far as they are included.
    pub fn minus(&mut self, other: &Self) {
        for (class, count) in &other.classes {
            if let Ok(at) = self.classes.binary_search_by_key(class, |own| own.0) {
                self.classes[at].1 = self.classes[at].1.saturating_sub(*count);
            }
        }
        self.classes.retain(|(_, count)| *count > 0);
    }

    fn add_class(&mut self, class: u16, count: u32) {
        match self.classes.binary_search_by_key(&class, |own| own.0) {
            Ok(at) => self.classes[at].1 = self.classes[at].1.saturating_add(count),
            Err(at) => self.classes.insert(at, (class, count)),
        }
    }

    /// Number of waits.
    pub fn count(&self) -> u64 {
        self.classes.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// The smallest wait, in seconds, that at least this share (0–1) of contacts did not exceed; `None` without waits.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let total = self.count();
        let rank = ((share * total as f64 - 1e-9).ceil().max(1.0)) as u64;
        let mut below = 0;
        self.classes.iter().find_map(|(class, count)| {
            below += u64::from(*count);
            (below >= rank).then(|| seconds(*class))
        })
    }
}

/// The class of a wait. Its numbers fit for waits of many years.
fn class(seconds: u64) -> u16 {
    if seconds < EXACT {
        return seconds as u16;
    }
    let doublings = u64::from((seconds / EXACT).ilog2());
    let part = (seconds >> (doublings + 1)) - PARTS;
    u16::try_from(EXACT + doublings * PARTS + part).unwrap_or(u16::MAX)
}

/// The wait in the middle of a class, in seconds.
fn seconds(class: u16) -> u64 {
    let class = u64::from(class);
    if class < EXACT {
        return class;
    }
    let (doublings, part) = ((class - EXACT) / PARTS, (class - EXACT) % PARTS);
    let width = 1_u64 << (doublings + 1).min(56);
    (PARTS + part).saturating_mul(width).saturating_add((width - 1) / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_known_to_a_part_of_its_length(wait in 0..40_000_000_u64) {
            let found = seconds(class(wait));
            let most = if wait < EXACT { 0 } else { wait / PARTS };
            prop_assert!(found.abs_diff(wait) <= most, "{wait}: {found}");
        }

        #[test]
        fn longer_waits_are_in_later_classes(wait in 0..40_000_000_u64) {
            prop_assert!(class(wait) <= class(wait + 1));
        }

        #[test]
        fn what_was_added_can_be_taken_away(
            first in prop::collection::vec(0..5_000_u64, 0..20),
            second in prop::collection::vec(0..5_000_u64, 0..20),
        ) {
            let of = |waits: &[u64]| {
                let mut all = Waits::default();
                waits.iter().for_each(|wait| all.add(*wait));
                all
            };
            let mut sum = of(&first);
            sum.plus(&of(&second));
            prop_assert_eq!(sum.count(), (first.len() + second.len()) as u64);
            sum.minus(&of(&second));
            prop_assert_eq!(sum, of(&first));
        }

        /// Short waits are exact, so a quantile is the wait with the corresponding rank.
        #[test]
        fn quantiles_of_short_waits_are_exact(
            mut waits in prop::collection::vec(0..EXACT, 1..50),
            share in 0.0..=1.0_f64,
        ) {
            let mut all = Waits::default();
            waits.iter().for_each(|wait| all.add(*wait));
            waits.sort_unstable();
            let found = all.quantile(share).expect("there are some");
            let below = waits.iter().filter(|wait| **wait <= found).count() as f64;
            let before = waits.iter().filter(|wait| **wait < found).count() as f64;
            prop_assert!(below >= share * waits.len() as f64 - 1e-6);
            prop_assert!(before < (share * waits.len() as f64).max(1.0) + 1e-6);
        }
    }

    #[test]
    fn no_waits_have_no_median() {
        assert_eq!(Waits::default().quantile(0.5), None);
    }
}
