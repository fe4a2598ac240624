//! Sentiments of tickets' texts by series and window.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use super::{Change, Reader, StoreError, Tx, columns};
use crate::domain::{Sentiment, SeriesKey, Timestamp};
use crate::tickets::SentimentCounts;

/// Sentiments
impl Tx<'_> {
    /// Adds tickets to the windows in which they were created. The assessment of a new ticket is stored in the same
    /// transaction, so that no ticket counts twice.
    pub(super) fn count_sentiments(
        &mut self,
        tickets: &[(SeriesKey, Timestamp, Sentiment)],
    ) -> Result<(), StoreError> {
        let mut windows: BTreeMap<(&SeriesKey, Timestamp), SentimentCounts> = BTreeMap::new();
        for (series, at, sentiment) in tickets {
            windows.entry((series, self.width.floor(*at))).or_default().add(*sentiment);
        }
        for ((SeriesKey { region, service, channel }, start), counts) in windows {
            self.run(
                "INSERT INTO sentiment_windows
                     (region, service, channel, start, positive, neutral, negative)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET positive = positive + excluded.positive,
                     neutral = neutral + excluded.neutral, negative = negative + excluded.negative",
                params![
                    region.as_str(),
                    service.as_str(),
                    channel.as_str(),
                    start.millis(),
                    counts.positive,
                    counts.neutral,
                    counts.negative
                ],
            )?;
            self.changed(Change::Service(start));
        }
        Ok(())
    }
}

/// Sentiments
impl Reader {
    /// Sentiments of the tickets of a series that were created in `from..to`, by start of the window, oldest first. Windows
    /// without texts are left out.
    pub fn sentiments(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, SentimentCounts)>, StoreError> {
        self.read(|conn| {
            let SeriesKey { region, service, channel } = series;
            let mut found = conn.prepare_cached(
                "SELECT start, positive, neutral, negative FROM sentiment_windows
                 WHERE region = ?1 AND service = ?2 AND channel = ?3 AND start >= ?4 AND start < ?5
                 ORDER BY start",
            )?;
            let (region, service, channel) = (region.as_str(), service.as_str(), channel.as_str());
            let (from, to) = (from.millis(), to.millis());
            let mut rows = found.query(params![region, service, channel, from, to])?;
            let mut windows = Vec::new();
            while let Some(row) = rows.next()? {
                windows.push((columns::time(row, 0)?, counts(row, 1)?));
            }
            Ok(windows)
        })
    }

    /// Sentiments of the tickets that were created in `from..to`, summed by series.
    pub fn sentiments_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<SeriesKey, SentimentCounts>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT region, service, channel, positive, neutral, negative FROM sentiment_windows
                 WHERE start >= ?1 AND start < ?2",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut sums: BTreeMap<SeriesKey, SentimentCounts> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                sums.entry(columns::series(row, 0)?).or_default().plus(&counts(row, 3)?);
            }
            Ok(sums)
        })
    }

    /// Start of the first window with texts; `None` if there are none.
    pub fn sentiments_since(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|conn| {
            let first = "SELECT min(start) FROM sentiment_windows";
            let first: Option<i64> = conn.query_row(first, [], |row| row.get(0))?;
            Ok(first.map(Timestamp::from_millis))
        })
    }
}

fn counts(row: &Row<'_>, column: usize) -> rusqlite::Result<SentimentCounts> {
    Ok(SentimentCounts {
        positive: row.get(column)?,
        neutral: row.get(column + 1)?,
        negative: row.get(column + 2)?,
    })
}
