//! The progress of a sink, in terms that are the same for every instance.
//!
//! Each store numbers its changes independently. But which changes exist follows from two positions that are the same for all
//! instances: how far the log was read, and the end of the last final window. The leader replicates these positions, and
//! standbys look up which of their own changes they cover.

use serde::{Deserialize, Serialize};

use crate::domain::{Offset, Timestamp};

/// Maximum number of entries: an hour of one commit a second. The progress of a sink that is further behind is not replicated.
const ENTRIES_MAX: usize = 4096;

/// The position in the input from which changes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Next offset of the replicated log.
    pub log: Offset,
    /// End of the last finalized window; [`Timestamp::MIN`] before the first.
    #[serde(rename = "settled_upto")]
    pub finalized_upto: Timestamp,
}

/// Progress and newest change after each commit, oldest first. Neither part of [`Progress`] ever decreases.
#[derive(Default)]
pub struct ProgressIndex(Vec<(Progress, i64)>);

impl ProgressIndex {
    /// Records that the changes up to `seq` are exactly those that follow from `progress`.
    pub fn note(&mut self, progress: Progress, seq: i64) {
        // Keep two entries of a change: the first progress at which it was the newest, and the last.
        if let [.., (_, before), (last, same)] = &mut self.0[..]
            && *before == seq
            && *same == seq
        {
            *last = progress;
            return;
        }
        if self.0.len() == ENTRIES_MAX {
            self.0.drain(..ENTRIES_MAX / 8);
        }
        self.0.push((progress, seq));
    }

    /// The largest progress whose changes are all among those up to `seq`.
    pub fn progress(&self, seq: i64) -> Option<Progress> {
        let after = self.0.partition_point(|(_, last)| *last <= seq);
        Some(self.0[..after].last()?.0)
    }

    /// The largest change up to which all changes follow from `progress`.
    pub fn seq(&self, progress: Progress) -> Option<i64> {
        let is_known = |(own, _): &(Progress, i64)| {
            own.log <= progress.log && own.finalized_upto <= progress.finalized_upto
        };
        let after = self.0.partition_point(is_known);
        Some(self.0[..after].last()?.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn progress(log: i64, finalized: i64) -> Progress {
        Progress { log, finalized_upto: Timestamp::from_secs(finalized) }
    }

    proptest! {
        /// Two instances read the same log in transactions of their own. Each message makes one change. Each instance
        /// also makes changes of its own, so their numbers differ.
        #[test]
        fn a_change_that_was_not_written_never_counts_as_written(
            steps in proptest::array::uniform2(proptest::collection::vec((1i64..40, 0i64..3), 1..300)),
            written in 0i64..700,
        ) {
            let read = |steps: &[(i64, i64)]| {
                let (mut index, mut log, mut seq) = (ProgressIndex::default(), 0, 0);
                let mut seq_of = vec![];
                for (messages, other) in steps {
                    for _ in 0..*messages {
                        seq += 1;
                        seq_of.push(seq);
                    }
                    log += messages;
                    seq += other;
                    index.note(progress(log, log / 10), seq);
                }
                (index, seq_of)
            };
            let [leader, standby] = [&steps[0], &steps[1]].map(|steps| read(steps));
            if let Some(seq) = leader.0.progress(written).and_then(|sent| standby.0.seq(sent)) {
                for (message, own) in standby.1.iter().enumerate().filter(|(_, own)| **own <= seq) {
                    prop_assert!(leader.1[message] <= written, "{message}: {own}");
                }
            }
        }
    }

    #[test]
    fn the_replicated_log_keeps_its_field_names() {
        let json = serde_json::to_value(progress(5, 7)).expect("JSON");
        let names: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["log", "settled_upto"]);
    }

    #[test]
    fn old_progress_is_unknown() {
        let mut index = ProgressIndex::default();
        for n in 1..=100_000 {
            index.note(progress(n, 0), n);
        }
        assert!(index.0.len() <= ENTRIES_MAX);
        assert_eq!((index.seq(progress(5000, 0)), index.progress(5000)), (None, None));
        assert_eq!(index.seq(progress(99_000, 0)), Some(99_000));
        // Nothing changes for a while.
        (100_000..100_100).for_each(|n| index.note(progress(n, n / 100_050), 100_000));
        assert_eq!(index.progress(100_001), Some(progress(100_099, 1)));
        assert_eq!(index.seq(progress(100_000, 0)), Some(100_000));
        assert_eq!(index.seq(progress(100_000, -1)), None);
    }
}
