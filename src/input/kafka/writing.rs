//! The report that is being written to the log. Once it is there, its offsets are committed.

use std::collections::BTreeMap;

use super::parts::Unfinished;
use crate::domain::SourceId;
use crate::input::tally::Tally;
use crate::kafka::{Consumer, KafkaProblem};
use crate::telemetry::fail;
use crate::window::CommitPoint;

/// The report that is being written, if there is one, and what the next commit contains.
#[derive(Default)]
pub(super) struct Writing {
    pub(super) unfinished: Option<Unfinished>,
    /// Of reports that are in the log and not committed.
    points: BTreeMap<SourceId, CommitPoint>,
    /// What the metrics count after the commit, by partition.
    tallies: Vec<(SourceId, Tally)>,
    /// Whether the last commit failed.
    has_failed: bool,
}

impl Writing {
    /// Whether there is a report, and all its messages are in the log.
    pub(super) fn is_done(&self) -> bool {
        self.unfinished.as_ref().is_some_and(|unfinished| unfinished.in_flight.is_done())
    }

    /// Leaves a partition out: its next owner begins at the commit before, and may have made another one since.
    pub(super) fn leave_out(&mut self, source: &SourceId) {
        let is_other = |counted: &SourceId| {
            (counted.topic_name(), counted.partition) != (source.topic_name(), source.partition)
        };
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.points.retain(|(counted, _)| is_other(counted));
            unfinished.tallies.retain(|(counted, _)| is_other(counted));
        }
        self.points.retain(|counted, _| is_other(counted));
        self.tallies.retain(|(counted, _)| is_other(counted));
    }

    /// Waits until the messages of the report are in the log, then commits its offsets.
    pub(super) fn finish(&mut self, consumer: &Consumer) -> Result<(), KafkaProblem> {
        let Some(unfinished) = self.unfinished.take() else { return Ok(()) };
        let Unfinished { in_flight, points, tallies, span } = unfinished;
        let _entered = span.enter();
        in_flight.wait().inspect_err(|_| fail(&span, "log"))?;
        self.points.extend(points);
        self.tallies.extend(tallies);
        let points: Vec<_> =
            self.points.iter().map(|(s, point)| (s.clone(), point.clone())).collect();
        if !points.is_empty()
            && let Err(problem) = consumer.commit(&points)
        {
            fail(&span, "commit");
            if !std::mem::replace(&mut self.has_failed, true) {
                tracing::warn!(%problem, "kafka: commit of offsets failed, the next commit includes them");
            }
            return Ok(());
        }
        self.has_failed = false;
        self.points.clear();
        // Without a commit, a new session counts these events again.
        self.tallies.drain(..).for_each(|(_, tally)| tally.publish());
        Ok(())
    }
}
