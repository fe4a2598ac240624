//! Topics and phrases of finalized windows, for the store and for [`Complaints`].

use std::collections::{BTreeMap, BTreeSet};

use super::effects::{Effects, StoreChange};
use crate::anomaly::{AlarmGroup, AlarmSummary, AnomalyRules, Complaints};
use crate::domain::{Scope, SeriesKey, Timestamp};
use crate::store::PHRASES_KEPT;
use crate::window::{AggregationKey, AlarmBook, Counts, FinalizedWindow, text_counts};

/// Maximum number of alarm groups that a sentence names.
const GROUPS_MAX: usize = 3;

/// Keeps the [`PHRASES_KEPT`] most frequent phrases of each scope. All other keys stay.
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
    (window, end): (Timestamp, Timestamp),
    rules: &AnomalyRules,
) {
    let anomalies = complaints.judge(window, &summaries(alarms, end), rules);
    effects.changes.extend(anomalies.into_iter().map(StoreChange::Anomaly));
}

/// Active alarms by scope at the end of a window, and when the last severe one of a scope without active alarms ended.
fn summaries(book: &AlarmBook, end: Timestamp) -> BTreeMap<Scope, AlarmSummary> {
    let mut groups: BTreeMap<&Scope, BTreeMap<_, usize>> = BTreeMap::new();
    for alarm in book.active_alarms() {
        let what = (alarm.severity, alarm.alarm_type.as_deref());
        *groups.entry(&alarm.scope).or_default().entry(what).or_default() += 1;
    }
    let minutes = |at: Timestamp| u32::try_from(end.since(at).as_secs() / 60).unwrap_or(u32::MAX);
    let ended = book.ended().filter(|(scope, _)| !groups.contains_key(scope));
    let ended = ended.map(|(scope, at)| {
        let ended_minutes = Some(minutes(at));
        (scope.clone(), AlarmSummary { ended_minutes, ..AlarmSummary::default() })
    });
    let ended: Vec<(Scope, AlarmSummary)> = ended.collect();
    let summaries = groups.into_iter().map(|(scope, groups)| {
        let named = groups.iter().take(GROUPS_MAX);
        let named = named.map(|((severity, alarm_type), n)| AlarmGroup {
            n: *n,
            severity: *severity,
            alarm_type: alarm_type.map(str::to_owned),
        });
        let more = groups.values().skip(GROUPS_MAX).sum();
        let groups = named.collect();
        (scope.clone(), AlarmSummary { groups, more, ended_minutes: None })
    });
    summaries.chain(ended).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AlarmAction, AlarmEvent, MINUTE, Position, Severity, SourceId};
    use crate::text::{Language, Say, Texts};
    use crate::window::{AlarmRules, ENDED_KEPT};

    /// If complaints come after the end of an alarm, the alert does not say that customers noticed the fault first.
    #[test]
    fn the_end_of_the_last_alarm_is_known() {
        let at = |minutes: i64| Timestamp::from_secs(minutes * 60);
        let [north, south, west] = ["north/tv/phone", "south/tv/phone", "west/tv/phone"]
            .map(|text| SeriesKey::parse(text).expect("series").scope());
        let mut book = AlarmBook::new(AlarmRules { hold_clear: MINUTE, ..AlarmRules::default() });
        let mut offset = 0;
        let mut observe = |id: &str, scope: &Scope, severity, action, minute| {
            offset += 1;
            let source = SourceId::new("alarms", 0);
            let event = AlarmEvent {
                event_id: format!("e{offset}").into(),
                alarm_id: id.into(),
                action,
                ts: at(minute),
                severity,
                scope: scope.clone(),
                device: None,
                alarm_type: None,
                text: None,
                aliases: Box::default(),
            };
            book.observe(&Position { source, offset }, &event);
        };
        use AlarmAction::{Clear, Raise};
        for (id, scope, severity, ended) in [
            ("a", &north, Severity::Major, Some(14)),
            ("b", &north, Severity::Critical, Some(20)),
            ("c", &south, Severity::Minor, Some(20)),
            ("d", &west, Severity::Major, Some(20)),
            ("e", &west, Severity::Warning, None),
        ] {
            observe(id, scope, severity, Raise, 0);
            if let Some(minute) = ended {
                observe(id, scope, severity, Clear, minute);
            }
        }
        book.advance(at(45), |_| ());
        let found = summaries(&book, at(45));
        // Of the minor alarm nothing is said; the west has an active one.
        assert_eq!(found.get(&north).and_then(|own| own.ended_minutes), Some(25));
        assert_eq!(found.get(&south), None);
        assert_eq!(
            found.get(&west).map(|own| (own.groups.len(), own.ended_minutes)),
            Some((1, None))
        );
        let said = |language| found[&north].say(&Texts::new(language));
        assert_eq!(
            said(Language::En),
            "no alarm is active any more: the last critical or major one ended 25 min before the end of this window"
        );
        assert_eq!(
            said(Language::Zh),
            "已没有未清除的告警：最后一条紧急或重要告警在本时段结束前 25 分钟清除"
        );
        let none = AlarmSummary::default().say(&Texts::new(Language::En));
        assert_ne!(said(Language::En), none);
        // Hours later, complaints are not its consequence.
        book.advance(at(20) + ENDED_KEPT, |_| ());
        assert_eq!(summaries(&book, at(20) + ENDED_KEPT).get(&north), None);
    }

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
