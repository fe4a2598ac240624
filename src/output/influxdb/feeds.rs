//! `feed`: the present state of each source. It changes with time alone, so the sink writes it once a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::{Fields, Line, line, nanos, tag};
use crate::domain::{DAY, Offset, Reason, SourceId, Timestamp};
use crate::store::{Reader, StoreError};
use crate::telemetry::Metrics;

/// Interval of the points of a source.
const EVERY: Duration = Duration::from_secs(60);
/// Dead letters are counted over this time.
const REJECTED_WITHIN: Duration = DAY;

/// When each source last advanced.
#[derive(Default)]
pub struct Feeds {
    written_at: Option<Timestamp>,
    /// The newest offset that was counted, and when it was first seen.
    moved: BTreeMap<SourceId, (Offset, Timestamp)>,
}

impl Feeds {
    /// A point for each source; none if the last points are not old enough.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn lines(
        &mut self,
        reader: &Reader,
        metrics: &Metrics,
        now: Timestamp,
    ) -> Result<Vec<Line>, StoreError> {
        // The clock may have been set back.
        let is_due = |at: Timestamp| now < at || now.since(at) >= EVERY;
        if !self.written_at.is_none_or(is_due) {
            return Ok(Vec::new());
        }
        let letters = reader.dead_letters_by_source(now - REJECTED_WITHIN)?;
        let mut lines = Vec::new();
        for record in reader.sources()? {
            // After a start the end of the last closed window stands in for the last movement.
            let fresh = (record.decided_upto, record.closed.min(now));
            let moved = self.moved.entry(record.source.clone()).or_insert(fresh);
            if moved.0 != record.decided_upto {
                *moved = (record.decided_upto, now);
            }
            let of = |reason: Reason| {
                letters.get(&(record.source.clone(), reason)).copied().unwrap_or(0)
            };
            let mut fields = Fields::new();
            if let Some(lag) = metrics.lag_of(&record.source) {
                fields = fields.integer("lag", lag);
            }
            // Before its first event a source has closed no window.
            if record.closed > Timestamp::MIN {
                fields = fields
                    .integer("frontier_age", seconds(now, record.closed))
                    .integer("silent_for", seconds(now, moved.1));
            }
            let reasons = Reason::EVERY.into_iter().filter(|reason| *reason != Reason::Late);
            fields = fields.integer("rejected", reasons.clone().map(of).sum::<i64>());
            for reason in reasons {
                fields = fields.integer(reason.as_str(), of(reason));
            }
            fields = fields
                .integer("late", of(Reason::Late))
                .integer("heard", seconds(now, record.reported_at));
            let tags = line("feed").tag("source", &tag(&record.source.to_string()));
            lines.extend(fields.at(tags, nanos(now)));
        }
        self.written_at = Some(now);
        Ok(lines)
    }

    /// Called when the last points were not accepted: they are written again at once.
    pub fn again(&mut self) {
        self.written_at = None;
    }
}

fn seconds(now: Timestamp, then: Timestamp) -> i64 {
    i64::try_from(now.since(then).as_secs()).unwrap_or(i64::MAX)
}
