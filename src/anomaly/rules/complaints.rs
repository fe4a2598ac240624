//! Far more complaints about network trouble than usual at this time of the week.

use super::{OFF_BY_MIN, SCORE_MIN, ScopeCase, ScopeRule, WINDOW_WEIGHT};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, hundredths};
use crate::anomaly::usual::Usual;
use crate::domain::Topic;

/// Topics of network trouble.
pub(in crate::anomaly) const TROUBLE: [Topic; 3] = [Topic::Outage, Topic::Coverage, Topic::Slow];

/// All of these topics together, and each topic by itself.
const GROUPS: [&[Topic]; 4] = [&TROUBLE, &[TROUBLE[0]], &[TROUBLE[1]], &[TROUBLE[2]]];

/// Compares tickets about network trouble with the usual number.
pub(super) struct Complaints;

impl ScopeRule for Complaints {
    fn weight(&self) -> u32 {
        WINDOW_WEIGHT
    }

    fn tests(&self, _: &ScopeCase<'_>) -> usize {
        GROUPS.len()
    }

    fn check(&self, case: &ScopeCase<'_>) -> Option<Anomaly> {
        let (topics, actual, usual, score) = worst(case)?;
        Some(Anomaly {
            series: case.scope.all_channels(),
            window: case.window,
            kind: AnomalyKind::Complaints,
            score: hundredths(score),
            actual,
            expected: hundredths(usual.count),
            detail: Detail::Complaints {
                topics: topics.to_vec(),
                alarms: case.alarms.cloned().unwrap_or_default(),
            }
            .into(),
        })
    }
}

/// The combination of topics with the highest score, if it is an anomaly: topics, tickets, usual number, and score.
fn worst(case: &ScopeCase<'_>) -> Option<(&'static [Topic], f64, Usual, f64)> {
    let index = case.index();
    let mut best: Option<(&'static [Topic], f64, Usual, f64)> = None;
    for topics in GROUPS {
        let actual = case.history.sum(index, topics)?;
        if actual < OFF_BY_MIN {
            continue;
        }
        let Some(usual) = case.history.usual(index, topics, case.width) else { continue };
        let score = usual.surprise(actual);
        if actual - usual.mean < OFF_BY_MIN || score < SCORE_MIN {
            continue;
        }
        // If scores are equal, prefer the narrower combination.
        if best.is_none_or(|best| score >= best.3) {
            best = Some((topics, actual, usual, score));
        }
    }
    best
}
