//! A source that has sent nothing for far longer than usual.

use std::collections::BTreeMap;

use super::{SCORE_MIN, StateCase, StateRule};
use crate::anomaly::states::SourceState;
use crate::anomaly::types::{Anomaly, AnomalyKind, Detail, SCORE_MAX, hundredths};
use crate::domain::{DAY, Name, SeriesKey};

/// Least ratio of a silence to the longest usual one that is an anomaly.
pub const SILENT_TIMES: f64 = 3.0;
/// Shortest silence, minutes.
pub const SILENT_MINUTES: f64 = 60.0;
/// A silence that has lasted this much longer than the limit is known, and no longer an anomaly; minutes.
const KNOWN_AFTER: f64 = DAY.as_secs() as f64 / 60.0;
/// Number of days whose silences define what is usual.
const DAYS: u32 = 14;

/// Compares the silence of each source with its usual silences. All silent sources together are one anomaly, for all regions
/// and services.
pub(super) struct SilentSource;

impl StateRule for SilentSource {
    fn tests(&self, case: &StateCase<'_>) -> usize {
        case.sources.len()
    }

    fn check(&self, case: &StateCase<'_>) -> Vec<Anomaly> {
        let mut silent: BTreeMap<&str, (f64, &SourceState)> = BTreeMap::new();
        for source in case.sources {
            let Some(score) = score(source, case).filter(|score| *score >= SCORE_MIN) else {
                continue;
            };
            let worst = silent.entry(source.source.topic_name()).or_insert((score, source));
            if score > worst.0 {
                *worst = (score, source);
            }
        }
        let worst = silent.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let anomaly = worst.map(|(name, (score, source))| Anomaly {
            series: SeriesKey::new(Name::all(), Name::all(), Name::all()),
            window: case.window,
            kind: AnomalyKind::SilentSource,
            score: hundredths(*score),
            actual: source.minutes(case.end()).round(),
            expected: source.usual.unwrap_or_default().as_secs_f64() / 60.0,
            detail: Detail::SilentSource {
                source: (*name).to_owned(),
                others: silent.len() as u32 - 1,
            }
            .into(),
        });
        anomaly.into_iter().collect()
    }
}

/// The score of a silence. Let p be the probability that a silence is at least as long as the second longest usual one: two of
/// the last windows with events. If silences are distributed exponentially, a silence that is x times as long has the
/// probability p^x.
fn score(source: &SourceState, case: &StateCase<'_>) -> Option<f64> {
    let now = case.end();
    let (times, minutes) = (source.times_usual(now)?, source.minutes(now));
    let usual = source.usual?.as_secs_f64() / 60.0;
    let is_known = minutes > SILENT_TIMES * usual + KNOWN_AFTER;
    if times < SILENT_TIMES || minutes < SILENT_MINUTES || is_known {
        return None;
    }
    let windows = (source.windows as usize).min(case.width.per(DAY * DAYS)).max(2);
    Some((times * (windows as f64 / 2.0).log10()).min(SCORE_MAX))
}
