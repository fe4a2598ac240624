//! How customers sound: tickets of the last hour by the sentiment of their text, beside what is usual at this time.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{HOUR, Scope, Timestamp, WEEK};
use crate::stats::median;
use crate::store::{Filter, Reader, StoreError};
use crate::tickets::SentimentCounts;

/// Number of past weeks whose same hour defines what is usual.
const WEEKS: u32 = 4;

/// Tickets of a region and service that were created in the last hour and have a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentimentRow {
    pub region: String,
    pub service: String,
    pub from: String,
    /// End of the last finalized window.
    pub to: String,
    /// Tickets with a text: the sum of the three counts below.
    pub texts: u32,
    pub positive: u32,
    pub neutral: u32,
    pub negative: u32,
    /// Median number of negative tickets in the same hour of up to four past weeks. Null while tickets are known for less than
    /// a week.
    pub usual_negative: Option<f64>,
    /// Median number of tickets with a text in these hours.
    pub usual_texts: Option<f64>,
    /// How many past weeks these are.
    pub weeks: usize,
}

/// Counts of the last hour, and of the same hour of past weeks.
#[derive(Clone, Debug, Default)]
struct Counts {
    now: SentimentCounts,
    before: Vec<SentimentCounts>,
}

impl Counts {
    fn usual(&self, of: impl Fn(&SentimentCounts) -> u32) -> Option<f64> {
        let mut counts: Vec<f64> = self.before.iter().map(|own| f64::from(of(own))).collect();
        median(&mut counts)
    }

    fn usual_negative(&self) -> Option<f64> {
        self.usual(|counts| counts.negative)
    }

    /// Negative tickets above the usual number.
    fn more(&self) -> f64 {
        f64::from(self.now.negative) - self.usual_negative().unwrap_or_default()
    }

    fn has_texts(&self) -> bool {
        self.before.iter().chain([&self.now]).any(|counts| counts.texts() > 0)
    }

    fn row(&self, scope: &Scope, (from, to): (Timestamp, Timestamp)) -> SentimentRow {
        SentimentRow {
            region: scope.region.to_string(),
            service: scope.service.to_string(),
            from: from.to_string(),
            to: to.to_string(),
            texts: self.now.texts(),
            positive: self.now.positive,
            neutral: self.now.neutral,
            negative: self.now.negative,
            usual_negative: self.usual_negative(),
            usual_texts: self.usual(SentimentCounts::texts),
            weeks: self.before.len(),
        }
    }
}

/// Places with texts in the last hour, or in the same hour of past weeks; the most negative tickets beyond the usual first.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn sentiments(reader: &Reader, filter: &Filter) -> Result<Vec<SentimentRow>, StoreError> {
    let next = reader.state::<i64>("next_window")?.map(Timestamp::from_millis);
    let (Some(to), Some(first)) = (next, reader.sentiments_since()?) else { return Ok(Vec::new()) };
    let from = to - HOUR;
    let mut since: BTreeMap<Scope, Timestamp> = BTreeMap::new();
    for (series, backlog) in reader.backlogs(filter)? {
        let own = since.entry(series.scope()).or_insert(backlog.since);
        *own = (*own).min(backlog.since);
    }
    let mut places: BTreeMap<Scope, Counts> =
        since.keys().map(|scope| (scope.clone(), Counts::default())).collect();
    for weeks in 0..=WEEKS {
        let (from, to) = (from - WEEK * weeks, to - WEEK * weeks);
        let mut sums: BTreeMap<Scope, SentimentCounts> = BTreeMap::new();
        for (series, counts) in reader.sentiments_between(from, to)? {
            if filter.admits_series(&series) {
                sums.entry(series.scope()).or_default().plus(&counts);
            }
        }
        for (scope, own) in &mut places {
            let counts = sums.get(scope).copied().unwrap_or_default();
            if weeks == 0 {
                own.now = counts;
            } else if from >= first && since.get(scope).is_some_and(|since| from >= *since) {
                own.before.push(counts);
            }
        }
    }
    let mut found: Vec<(Scope, Counts)> =
        places.into_iter().filter(|(_, own)| own.has_texts()).collect();
    found.sort_by(|a, b| b.1.more().total_cmp(&a.1.more()));
    Ok(found.iter().map(|(scope, own)| own.row(scope, (from, to))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_the_median_of_past_weeks() {
        let counts = |negative| SentimentCounts { negative, neutral: 3, positive: 1 };
        let of = |now, before: &[u32]| Counts {
            now: counts(now),
            before: before.iter().map(|n| counts(*n)).collect(),
        };
        // One week had an outage.
        let own = of(7, &[2, 40, 1, 3]);
        assert_eq!((own.usual_negative(), own.more()), (Some(2.5), 4.5));
        assert_eq!(own.usual(SentimentCounts::texts), Some(6.5));
        let new = of(7, &[]);
        assert_eq!((new.usual_negative(), new.more(), new.has_texts()), (None, 7.0, true));
        assert!(!Counts::default().has_texts());
    }
}
