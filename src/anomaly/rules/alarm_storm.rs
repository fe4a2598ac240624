//! Far more new alarms in a region and service than usual at this time of day.

use super::{SCORE_MIN, StateCase, StateRule};
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, hundredths};
use crate::anomaly::usual::Usual;

/// Least ratio of the alarms of an hour to the usual number that is a storm.
pub const STORM_TIMES: f64 = 5.0;
/// Minimum number of alarms of a storm.
pub const STORM_ALARMS: f64 = 20.0;

/// Compares the alarms of the last hour with the same hour of the last days.
pub(super) struct AlarmStorm;

impl StateRule for AlarmStorm {
    fn tests(&self, case: &StateCase<'_>) -> usize {
        // Scopes without alarms are tests too.
        case.scores.len().max(case.alarms.len())
    }

    fn check(&self, case: &StateCase<'_>) -> Vec<Anomaly> {
        let found = case.alarms.iter().filter_map(|alarms| {
            let (times, raised) = (alarms.times_usual()?, f64::from(alarms.raised));
            if times < STORM_TIMES || raised < STORM_ALARMS {
                return None;
            }
            let score = Usual::of(&mut alarms.days.clone())?.surprise(raised);
            (score >= SCORE_MIN).then(|| Anomaly {
                series: alarms.scope.all_channels(),
                window: case.window,
                kind: AnomalyKind::AlarmStorm,
                score: hundredths(score),
                actual: raised,
                expected: alarms.usual().unwrap_or_default(),
                detail: Detail::AlarmStorm.into(),
            })
        });
        found.collect()
    }
}
