//! Topics and phrases of finalized windows, for the store and for [`Complaints`].

use std::collections::{BTreeMap, BTreeSet};

use super::effects::{Effects, StoreChange};
use crate::anomaly::{AlarmGroup, AlarmSummary, AnomalyRules, Complaints};
use crate::domain::{Scope, SeriesKey, Timestamp};
use crate::store::PHRASES_KEPT;
use crate::window::{AggregationKey, AlarmBook, Counts, FinalizedWindow, text_counts};

/// Groups of alarms that a sentence names.
const GROUPS_MAX: usize = 3;

/// Keeps each scope's most frequent phrases, [`PHRASES_KEPT`] of them. All other keys stay.
pub fn thin(cells: &mut Vec<(AggregationKey, Counts)>) {
    let mut by_scope: BTreeMap<&Scope, Vec<(u32, &str)>> = BTreeMap::new();
    for (cell, counts) in cells.iter() {
        if let AggregationKey::Phrase(scope, phrase) = cell {
            by_scope.entry(scope).or_default().push((counts.tickets, phrase));
        }
    }
    let mut gone: BTreeSet<AggregationKey> = BTreeSet::new();
    for (scope, mut phrases) in by_scope {
        phrases.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let rest = phrases.into_iter().skip(PHRASES_KEPT);
        gone.extend(rest.map(|(_, phrase)| AggregationKey::Phrase(scope.clone(), phrase.into())));
    }
    if !gone.is_empty() {
        cells.retain(|(cell, _)| !gone.contains(cell));
    }
}

/// Takes the topics and phrases of a finalized window. Leaves without a count are missing.
pub fn push(
    complaints: &mut Complaints,
    window: &FinalizedWindow,
    leaves: &[(SeriesKey, Option<u32>)],
) {
    let spoken = text_counts(window.counts.iter().map(|(cell, counts)| (cell, counts)));
    let missing = leaves.iter().filter(|(_, count)| count.is_none());
    let missing: BTreeSet<Scope> = missing.map(|(series, _)| series.scope()).collect();
    complaints.push(window.window, &spoken, &missing);
}

/// Takes the revision of a finalized window. `finalized` returns a key's counts before the revision.
pub fn revise(
    complaints: &mut Complaints,
    window: &FinalizedWindow,
    finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
) {
    let start = window.window;
    for (cell, counts) in &window.counts {
        match cell {
            AggregationKey::Tickets(series) => {
                let before = finalized(cell, start).topics;
                complaints.revise(&series.scope(), start, &before, &counts.topics);
            }
            AggregationKey::Phrase(scope, phrase) => {
                complaints.restore_phrase(scope, start, phrase, counts.tickets);
            }
            AggregationKey::Alarms(_) | AggregationKey::Maintenance => {}
        }
    }
}

/// Anomalies among the complaints of a window.
pub fn judge(
    effects: &mut Effects<'_>,
    complaints: &Complaints,
    alarms: &AlarmBook,
    window: Timestamp,
    rules: &AnomalyRules,
) {
    let anomalies = complaints.judge(window, &summaries(alarms), rules);
    effects.changes.extend(anomalies.into_iter().map(StoreChange::Anomaly));
}

/// Active alarms by scope.
fn summaries(book: &AlarmBook) -> BTreeMap<Scope, AlarmSummary> {
    let mut groups: BTreeMap<&Scope, BTreeMap<_, usize>> = BTreeMap::new();
    for alarm in book.active_alarms() {
        let what = (alarm.severity, alarm.alarm_type.as_deref());
        *groups.entry(&alarm.scope).or_default().entry(what).or_default() += 1;
    }
    let summaries = groups.into_iter().map(|(scope, groups)| {
        let named = groups.iter().take(GROUPS_MAX);
        let named = named.map(|((severity, alarm_type), n)| AlarmGroup {
            n: *n,
            severity: *severity,
            alarm_type: alarm_type.map(str::to_owned),
        });
        let more = groups.values().skip(GROUPS_MAX).sum();
        (scope.clone(), AlarmSummary { groups: named.collect(), more })
    });
    summaries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrases_that_most_say_are_kept() {
        let scope = SeriesKey::parse("north/tv/phone").expect("series").scope();
        let counts = |tickets| Counts { tickets, ..Counts::default() };
        let mut cells: Vec<_> = (0..40u32)
            .map(|n| {
                (AggregationKey::Phrase(scope.clone(), format!("p{n:02}").into()), counts(n / 2))
            })
            .collect();
        cells.push((AggregationKey::Maintenance, counts(0)));
        thin(&mut cells);
        assert_eq!(cells.len(), PHRASES_KEPT + 1);
        assert!(cells.iter().all(|(cell, n)| !cell.is_secondary() || n.tickets >= 12));
    }
}
