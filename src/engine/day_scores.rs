//! Scores of a day on their way into the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Score;
use crate::store::ByLead;

/// Scores of one day by lead in minutes, each by position in the series.
#[derive(Debug)]
pub struct DayScores {
    /// Midnight, UTC.
    pub day: Timestamp,
    series: Arc<[SeriesKey]>,
    by_lead: BTreeMap<u32, Vec<Score>>,
}

impl DayScores {
    /// Scores of that day and these series by lead, added to `all` where they are not there yet.
    pub fn of<'a>(
        all: &'a mut Vec<Self>,
        day: Timestamp,
        series: &Arc<[SeriesKey]>,
    ) -> &'a mut BTreeMap<u32, Vec<Score>> {
        let known = all.iter().position(|s| s.day == day && Arc::ptr_eq(&s.series, series));
        let known = known.unwrap_or_else(|| {
            all.push(Self { day, series: series.clone(), by_lead: BTreeMap::new() });
            all.len() - 1
        });
        &mut all[known].by_lead
    }

    /// Each series that was scored, made one at a time: thousands are large.
    pub fn by_series(&self) -> impl Iterator<Item = (&SeriesKey, ByLead)> {
        self.series.iter().enumerate().filter_map(|(number, series)| {
            let of_series = self.by_lead.iter().map(|(lead, scores)| (*lead, scores[number]));
            let scored: ByLead = of_series.filter(|(_, score)| score.n > 0).collect();
            (!scored.is_empty()).then_some((series, scored))
        })
    }
}
