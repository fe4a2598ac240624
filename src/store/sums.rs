//! Sums over the ledger: scores of a series by lead, surges and warnings by series.

use std::collections::BTreeMap;

use super::{Filter, Reader, StoreError};
use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::Score;
use crate::forecast::surge::SurgeCounts;

/// Sums of the ledger for one series.
pub struct Sums {
    pub overall: Score,
    /// By lead in minutes.
    pub by_lead: BTreeMap<u32, Score>,
}

/// Sums the scores of the days in `from..to`.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn sums(
    reader: &Reader,
    series: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
) -> Result<Sums, StoreError> {
    let mut sums = Sums { overall: Score::default(), by_lead: BTreeMap::new() };
    for (_, lead, score) in reader.scores(series, from, to)? {
        sums.overall.merge(&score);
        sums.by_lead.entry(lead).or_default().merge(&score);
    }
    Ok(sums)
}

/// Counts surges that began, and warnings that were first issued, in `span`, by series and lead.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn surges(
    reader: &Reader,
    filter: &Filter,
    span: (Timestamp, Timestamp),
) -> Result<SurgeCounts, StoreError> {
    let mut counts = SurgeCounts::default();
    reader.surges(filter, span, Timestamp::MIN)?.iter().for_each(|surge| counts.surge(surge));
    reader
        .warnings(filter, span, Timestamp::MIN)?
        .iter()
        .for_each(|warning| counts.warning(warning));
    Ok(counts)
}
