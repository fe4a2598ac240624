//! How far a sink has come, in words that every instance understands.
//!
//! Each store numbers its changes by itself. What they follow from is the same for all: how far the log was read, and up to
//! where windows are final. The forecaster that leads sends that; standbys look up which of their changes it means.

use serde::{Deserialize, Serialize};

use crate::domain::{Offset, Timestamp};

/// ProgressIndex that are kept, an hour of commits once a second. A sink that is further behind is not spoken of.
const ENTRIES_MAX: usize = 4096;

/// What changes follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Where the log goes on.
    pub log: Offset,
    /// End of the last final window, [`Timestamp::MIN`] before the first.
    #[serde(rename = "settled_upto")]
    pub finalized_upto: Timestamp,
}

/// The newest change after commits, oldest first; neither part of [`Progress`] ever falls.
#[derive(Default)]
pub struct ProgressIndex(Vec<(Progress, i64)>);

impl ProgressIndex {
    /// With `seq` as the newest, there is every change that follows from `progress`, and none that follows from more of
    /// the log or of the windows.
    pub fn note(&mut self, progress: Progress, seq: i64) {
        // The first place of a change is what it follows from, the last one how much more brought none.
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

    /// From what all changes follow that are among those up to `seq`.
    pub fn progress(&self, seq: i64) -> Option<Progress> {
        let after = self.0.partition_point(|(_, last)| *last <= seq);
        Some(self.0[..after].last()?.0)
    }

    /// Up to which change all follow from `progress`.
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

    fn progress(log: i64, settled: i64) -> Progress {
        Progress { log, finalized_upto: Timestamp::from_secs(settled) }
    }

    proptest! {
        /// Two read the same log of 300 messages, each of which changes one thing, in transactions of their own, and
        /// number what changes after other things of their own.
        #[test]
        fn no_change_is_taken_for_written_that_is_not(
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
            let [leads, follows] = [&steps[0], &steps[1]].map(|steps| read(steps));
            if let Some(seq) = leads.0.progress(written).and_then(|told| follows.0.seq(told)) {
                for (message, own) in follows.1.iter().enumerate().filter(|(_, own)| **own <= seq) {
                    prop_assert!(leads.1[message] <= written, "{message}: {own}");
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
    fn of_what_is_long_ago_nothing_is_known() {
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
