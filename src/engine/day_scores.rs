//! Scores of a day, gathered before they are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Score;
use crate::store::ByLead;

/// Scores of one day by lead in minutes. Each list is in the order of `series`.
#[derive(Debug)]
pub struct DayScores {
    /// Midnight, UTC.
    pub day: Timestamp,
    series: Arc<[SeriesKey]>,
    by_lead: BTreeMap<u32, Vec<Score>>,
}

impl DayScores {
    /// The scores in `all` of that day and these series, by lead in minutes. Adds an entry if there is none.
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

    /// The scores of each series that has some. They are made one at a time, to save memory.
    pub fn by_series(&self) -> impl Iterator<Item = (&SeriesKey, ByLead)> {
        self.series.iter().enumerate().filter_map(|(number, series)| {
            let of_series = self.by_lead.iter().map(|(lead, scores)| (*lead, scores[number]));
            let scored: ByLead = of_series.filter(|(_, score)| score.n > 0).collect();
            (!scored.is_empty()).then_some((series, scored))
        })
    }
}
