//! Tickets of a window that were read back from elsewhere, beside those that were counted here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::SeriesKey;

/// The two counts of a restored window. They are never added, because both may contain the same tickets: sources may be read again
/// from their beginning. So the larger one is the count of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Tickets that were restored.
    pub tickets: u32,
    /// Tickets that were counted here; `None` if the window was not finalized here, or was missing.
    pub counted: Option<u32>,
}

impl Restored {
    /// The count of the window.
    pub fn larger(self) -> u32 {
        self.counted.map_or(self.tickets, |counted| counted.max(self.tickets))
    }

    /// After a further restoration of the window.
    #[must_use]
    pub fn restore(self, tickets: u32) -> Self {
        Self { tickets: self.tickets.max(tickets), ..self }
    }

    /// After the window was finalized or revised. A missing window has no count: an earlier one stays.
    #[must_use]
    pub fn count(self, counted: Option<u32>) -> Self {
        Self { counted: counted.or(self.counted), ..self }
    }
}

/// Counts of a window by series, `None` where the count is missing, with restored ones where these are larger.
pub fn with_restored(
    counted: &[(SeriesKey, Option<u32>)],
    restored: &BTreeMap<SeriesKey, u32>,
) -> Vec<(SeriesKey, Option<u32>)> {
    let larger = |series: &SeriesKey, counted: Option<u32>| match restored.get(series) {
        Some(tickets) => Some(Restored { tickets: *tickets, counted }.larger()),
        None => counted,
    };
    counted.iter().map(|(series, counted)| (series.clone(), larger(series, *counted))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn neither_count_is_added_to_the_other_or_replaces_it() {
        let window = Restored { tickets: 300, counted: None };
        assert_eq!(window.larger(), 300);
        // A late event.
        assert_eq!(window.count(Some(1)).larger(), 300);
        // The source is read again.
        assert_eq!(window.count(Some(1)).count(Some(300)).larger(), 300);
        // It has tickets that were not restored.
        assert_eq!(window.count(Some(310)).larger(), 310);
        // It was silent.
        assert_eq!(window.count(Some(2)).count(None), window.count(Some(2)));
    }

    #[test]
    fn a_missing_window_has_the_restored_count() {
        let series = |text: &str| SeriesKey::parse(text).expect("series");
        let [a, b, c] = ["north/tv/phone", "south/tv/phone", "west/tv/phone"].map(series);
        let counted = [(a.clone(), None), (b.clone(), Some(4)), (c.clone(), None)];
        let restored = BTreeMap::from([(a.clone(), 7), (b.clone(), 3)]);
        let found = with_restored(&counted, &restored);
        assert_eq!(found, [(a, Some(7)), (b, Some(4)), (c, None)]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Restore(u32),
        Count(Option<u32>),
    }

    fn after(steps: &[Step]) -> Restored {
        let start = Restored { tickets: 0, counted: None };
        steps.iter().fold(start, |window, step| match step {
            Step::Restore(tickets) => window.restore(*tickets),
            Step::Count(counted) => window.count(*counted),
        })
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let restored = (0u32..100).prop_map(Step::Restore);
        let counted = proptest::option::of(0u32..100).prop_map(Step::Count);
        proptest::collection::vec(prop_oneof![restored, counted], 0..12)
    }

    proptest! {
        #[test]
        fn the_order_of_restoring_and_counting_changes_nothing(steps in steps()) {
            let (first, then): (Vec<Step>, Vec<Step>) =
                steps.iter().cloned().partition(|step| matches!(step, Step::Restore(_)));
            let sorted: Vec<Step> = first.iter().chain(&then).cloned().collect();
            let other: Vec<Step> = then.iter().chain(first.iter().rev()).cloned().collect();
            prop_assert_eq!(after(&steps), after(&sorted));
            prop_assert_eq!(after(&steps), after(&other));
        }

        #[test]
        fn a_repeated_step_changes_nothing(steps in steps()) {
            for step in &steps {
                let once = [steps.clone(), vec![step.clone()]].concat();
                let twice = [once.clone(), vec![step.clone()]].concat();
                prop_assert_eq!(after(&once), after(&twice));
            }
        }

        #[test]
        fn the_count_is_at_least_what_was_restored_and_never_the_sum(steps in steps()) {
            let window = after(&steps);
            let numbers = steps.iter().map(|step| match step {
                Step::Restore(n) => *n,
                Step::Count(n) => n.unwrap_or(0),
            });
            prop_assert!(window.larger() >= window.tickets);
            prop_assert!(window.larger() <= numbers.max().unwrap_or(0));
        }
    }
}
