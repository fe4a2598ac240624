//! Where a partition resumes: from its commit, the offsets that the broker has, and the id of its topic.
//!
//! A commit belongs to one generation of a topic. The counts of a new generation are added to those of the previous one, and
//! must never replace them: see [`SourceId::in_generation`]. A generation is the topic's id, and after a gap also the offset at
//! which counting resumed: `id~offset`.

use super::commit::{decode_commit, generation_of};
use super::counted::Counted;
use super::settings::KafkaProblem;
use crate::domain::{Offset as Position, SourceId, Timestamp};
use crate::window::CommitPoint;

/// Separates the topic's id from the offset after a gap.
const GAP: char = '~';

/// The topic's id and the offset after the last gap in a generation, see the documentation of the file.
pub(super) fn gap_of(generation: &str) -> (Option<&str>, Option<Position>) {
    let (id, gap) = match generation.split_once(GAP) {
        Some((id, gap)) => (id, gap.parse().ok()),
        None => (generation, None),
    };
    (Some(id).filter(|id| !id.is_empty()), gap)
}

/// What is known of a partition when it is assigned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// First offset that the broker has, and the offset after the last.
    pub low: Position,
    pub high: Position,
    /// `None` if the broker has no ids of topics.
    pub topic_id: Option<&'a str>,
    /// Whether the broker may delete single records: reading again may then return fewer records than were counted.
    pub is_compacted: bool,
    /// Committed offset and its metadata.
    pub commit: Option<(Position, &'a str)>,
    /// Without a commit: how far the group has counted, if it has.
    pub counted: Option<&'a Counted>,
}

/// A topic that was deleted. Another one has its name now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The topic's id, if it is known.
    pub id: Option<String>,
    /// Offset up to which its partition was counted.
    pub counted_upto: Position,
    /// When the partition was last known to be read to its end.
    pub caught_up_at: Option<Timestamp>,
}

/// Where a partition resumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Offset of the next record.
    pub at: Position,
    /// State of the counting before this offset, if there was any.
    pub point: Option<CommitPoint>,
    /// Generation of the topic, if the broker provides it.
    pub generation: Option<String>,
    /// Number of records that the broker deleted before they were counted.
    pub gone: i64,
    /// Whether the commit point must be committed before anything is counted.
    pub commits_first: bool,
    /// The topic that was counted before, if it was deleted and created again since.
    pub replaced: Option<Replaced>,
    /// Whether the group has counted the partition, but the broker has no commit any more.
    pub lost_commit: bool,
}

/// Decides where a partition resumes.
///
/// # Errors [`KafkaProblem`] if counts could become wrong; it says what to do.
pub(super) fn resume(
    source: &SourceId,
    group: &str,
    known: &Known<'_>,
) -> Result<Resume, KafkaProblem> {
    let Known { low, high, topic_id, is_compacted, commit, counted } = *known;
    let generation = topic_id.map(str::to_owned);
    let fresh = Resume {
        at: low,
        point: None,
        generation: generation.clone(),
        gone: 0,
        commits_first: false,
        replaced: None,
        lost_commit: false,
    };
    let Some((resume_at, metadata)) = commit else {
        return match counted {
            Some(counted) => without_commit(source, known, counted, fresh),
            None => Ok(fresh),
        };
    };
    let point = decode_commit(resume_at, metadata).map_err(|error| {
        KafkaProblem(match error.is_foreign() {
            false => format!("{source}: {error}"),
            true => format!(
                "{source}: another program used the consumer group {group}: offset {resume_at} was committed without \
                 surgecast's metadata, so it is unknown what was counted, and the partition is not read. Set another \
                 kafka.group, or stop the other program and run `surgecast frontier reset --topic {} --to earliest`",
                source.topic_name()
            ),
        })
    })?;
    let made = generation_of(metadata);
    let next = point.resume_at.max(point.decided_upto + 1);
    let replaced = |id: Option<&str>| {
        let id = id.map(str::to_owned);
        Some(Replaced { id, counted_upto: next, caught_up_at: None })
    };
    let made_of = made.and_then(|made| gap_of(made).0);
    if let (Some(before), Some(id)) = (made_of, topic_id)
        && before != id
    {
        return Ok(Resume { gone: low, replaced: replaced(Some(before)), ..fresh });
    }
    if next > high {
        return match (made, topic_id) {
            // The commit of a release that did not know ids.
            (None, Some(id)) => Ok(Resume {
                point: Some(CommitPoint::start(low)),
                generation: Some(format!("{id}{GAP}{low}")),
                gone: low,
                commits_first: true,
                replaced: replaced(None),
                ..fresh
            }),
            _ => Err(ends_before(source, high, next)),
        };
    }
    let rereads = resume_at < next;
    if resume_at >= low && !(is_compacted && rereads) {
        let generation = made.map(str::to_owned).or(generation);
        return Ok(Resume { at: resume_at, point: Some(point), generation, ..fresh });
    }
    Ok(after_gap(known, point, fresh))
}

/// Goes on at the first record that the broker has and that was not counted. The counts before it stay.
fn after_gap(known: &Known<'_>, point: CommitPoint, fresh: Resume) -> Resume {
    let next = point.resume_at.max(point.decided_upto + 1);
    let at = known.low.max(next);
    Resume {
        at,
        point: Some(point.after_gap(at)),
        generation: Some(format!("{}{GAP}{at}", known.topic_id.unwrap_or_default())),
        gone: at - next,
        commits_first: true,
        ..fresh
    }
}

/// Decides where a partition resumes that was counted, but whose commit the broker no longer has: brokers delete the
/// offsets of a group that was away for long, and those of a deleted topic.
fn without_commit(
    source: &SourceId,
    known: &Known<'_>,
    counted: &Counted,
    fresh: Resume,
) -> Result<Resume, KafkaProblem> {
    let Known { low, high, topic_id, is_compacted, .. } = *known;
    let next = counted.decided_upto + 1;
    let (made_of, gap) = counted.generation.as_deref().map_or((None, None), gap_of);
    if let (Some(before), Some(id)) = (made_of, topic_id)
        && before != id
    {
        let id = Some(before.to_owned());
        let replaced = Replaced { id, counted_upto: next, caught_up_at: counted.caught_up_at };
        return Ok(Resume { gone: low, replaced: Some(replaced), ..fresh });
    }
    if next > high {
        return Err(ends_before(source, high, next));
    }
    // From the first record on, the same is counted again. Of a partition that lost its first records, less would be.
    if low == 0 && gap.is_none() && !is_compacted {
        return Ok(Resume { lost_commit: next > 0, ..fresh });
    }
    Ok(Resume { lost_commit: true, ..after_gap(known, counted.point(), fresh) })
}

fn ends_before(source: &SourceId, high: Position, next: Position) -> KafkaProblem {
    KafkaProblem(format!(
        "{source} ends at offset {high}, but was counted up to {next}: its topic was deleted and created \
         again, or a broker lost records. Give the topic another name, or use another kafka.group"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "00000000000000010000000000000001";
    const NEW: &str = "00000000000000020000000000000002";

    fn decide(
        low: i64,
        high: i64,
        id: Option<&str>,
        commit: Option<(i64, &str)>,
    ) -> Result<Resume, String> {
        let known = Known { low, high, topic_id: id, is_compacted: false, commit, counted: None };
        resume(&SourceId::new("t", 0), "noc", &known).map_err(|problem| problem.0)
    }

    #[test]
    fn each_case_resumes_where_counts_add_up() {
        let meta = |decided: i64, made: &str| {
            let made = if made.is_empty() { String::new() } else { format!(" made={made}") };
            format!("v1 closed=900000 decided={decided}{made}")
        };
        let gap = format!("{OLD}~40");
        // low, high, id, committed offset and decided offset and generation; then: at, generation, gone, new topic
        let cases = [
            (0, 9, Some(OLD), None, (0, Some(OLD.to_owned()), 0, false)),
            (5, 9, None, None, (5, None, 0, false)),
            (0, 9, Some(OLD), Some((4, 8, OLD)), (4, Some(OLD.into()), 0, false)),
            // A commit of the release before, and a broker without ids.
            (0, 9, Some(OLD), Some((4, 8, "")), (4, Some(OLD.into()), 0, false)),
            (0, 9, None, Some((4, 8, "")), (4, None, 0, false)),
            // Created again: shorter, longer, and with a beginning that is gone.
            (0, 3, Some(NEW), Some((4, 8, OLD)), (0, Some(NEW.into()), 0, true)),
            (0, 99, Some(NEW), Some((4, 8, OLD)), (0, Some(NEW.into()), 0, true)),
            (7, 99, Some(NEW), Some((4, 8, OLD)), (7, Some(NEW.into()), 7, true)),
            (0, 3, Some(NEW), Some((4, 8, &gap)), (0, Some(NEW.into()), 0, true)),
            (2, 3, Some(NEW), Some((4, 8, "")), (2, Some(format!("{NEW}~2")), 2, true)),
            // Retention: up to counted records, and beyond them.
            (6, 50, Some(OLD), Some((4, 8, OLD)), (9, Some(format!("{OLD}~9")), 0, false)),
            (9, 50, Some(OLD), Some((4, 8, OLD)), (9, Some(format!("{OLD}~9")), 0, false)),
            (40, 50, Some(OLD), Some((4, 8, OLD)), (40, Some(gap.clone()), 31, false)),
            (40, 50, None, Some((4, 8, "")), (40, Some("~40".into()), 31, false)),
            // After a gap, also one that was found before the broker told ids.
            (40, 50, Some(OLD), Some((40, 45, "~40")), (40, Some("~40".into()), 0, false)),
            (40, 50, Some(OLD), Some((40, 45, &gap)), (40, Some(gap.clone()), 0, false)),
        ];
        for (low, high, id, commit, (at, generation, gone, is_new_topic)) in cases {
            let metadata = commit.map(|(_, decided, made)| meta(decided, made));
            let committed = commit.zip(metadata.as_deref()).map(|((at, ..), text)| (at, text));
            let found = decide(low, high, id, committed).expect("it resumes");
            let case = format!("{low} {high} {id:?} {commit:?}: {found:?}");
            assert_eq!(
                (found.at, found.gone, found.replaced.is_some()),
                (at, gone, is_new_topic),
                "{case}"
            );
            assert_eq!(found.generation, generation, "{case}");
            if let Some(point) = found.point {
                assert_eq!(point.resume_at, at, "{case}");
            }
            let is_gap = found.generation.as_deref().is_some_and(|made| made.contains(GAP));
            let was_gap = commit.is_some_and(|(_, _, made)| made.contains(GAP));
            assert_eq!(found.commits_first, is_gap && !was_gap, "{case}");
        }
    }

    #[test]
    fn a_compacted_topic_is_not_read_again() {
        let meta = format!("v1 closed=900000 decided=8 made={OLD}");
        let of = |low: i64, at: i64| {
            let commit = Some((at, meta.as_str()));
            let known = Known {
                low,
                high: 50,
                topic_id: Some(OLD),
                is_compacted: true,
                commit,
                counted: None,
            };
            resume(&SourceId::new("t", 0), "noc", &known).expect("it resumes")
        };
        let (open, none_open, retained) = (of(0, 4), of(0, 9), of(20, 4));
        assert_eq!((open.at, open.gone, open.commits_first), (9, 0, true));
        assert_eq!(open.generation, Some(format!("{OLD}~9")));
        assert_eq!((none_open.at, none_open.commits_first), (9, false));
        assert_eq!(none_open.generation, Some(OLD.to_owned()));
        assert_eq!((retained.at, retained.gone, retained.commits_first), (20, 11, true));
    }

    #[test]
    fn without_its_commit_a_partition_goes_on_after_what_was_counted() {
        let decide = |low: i64, high: i64, id, made: &str, upto: i64, is_compacted: bool| {
            let counted = Counted {
                generation: (!made.is_empty()).then(|| made.to_owned()),
                closed: Timestamp::from_secs(900),
                decided_upto: upto,
                caught_up_at: Some(Timestamp::from_secs(950)),
            };
            let counted = Some(&counted);
            let known = Known { low, high, topic_id: id, is_compacted, commit: None, counted };
            resume(&SourceId::new("t", 0), "noc", &known).map_err(|problem| problem.0)
        };
        let gap = |at: i64| Some(format!("{OLD}~{at}"));
        let same = || Some(OLD.to_owned());
        let gap_before = format!("{OLD}~7");
        // low, generation and largest offset that was counted, compacted; then: at, generation, gone
        for (low, made, upto, is_compacted, at, generation, gone) in [
            // Everything can be counted again, and nothing was counted yet.
            (0, OLD, 8, false, 0, same(), 0),
            (0, OLD, -1, false, 0, same(), 0),
            // The first records are gone, but were counted; or not all of them were.
            (5, OLD, 8, false, 9, gap(9), 0),
            (9, OLD, 8, false, 9, gap(9), 0),
            (13, OLD, 8, false, 13, gap(13), 4),
            (13, &gap_before, 8, false, 13, gap(13), 4),
            (3, OLD, -1, false, 3, gap(3), 3),
            // Counts before a gap, and those of deleted records, cannot be counted again.
            (0, &gap_before, 8, false, 9, gap(9), 0),
            (0, OLD, 8, true, 9, gap(9), 0),
            // Counted by a release that did not know ids.
            (5, "", 8, false, 9, gap(9), 0),
        ] {
            let found = decide(low, 20, Some(OLD), made, upto, is_compacted).expect("it resumes");
            let case = format!("{low} {made} {upto}: {found:?}");
            assert_eq!(
                (found.at, &found.generation, found.gone),
                (at, &generation, gone),
                "{case}"
            );
            assert_eq!(found.lost_commit, upto >= 0 || low > 0, "{case}");
            assert_eq!(found.commits_first, at > 0, "{case}");
            assert_eq!(found.replaced, None, "{case}");
            if let Some(point) = found.point {
                assert_eq!((point.resume_at, point.decided_upto), (at, at - 1), "{case}");
                assert_eq!(point.closed, Timestamp::from_secs(900), "late events stay late");
            }
        }
        // The broker deletes the offsets of a topic together with the topic.
        let found = decide(2, 20, Some(NEW), OLD, 8, false).expect("it resumes");
        assert_eq!((found.at, found.gone, found.generation), (2, 2, Some(NEW.to_owned())));
        let caught_up_at = Some(Timestamp::from_secs(950));
        let replaced = Replaced { id: Some(OLD.into()), counted_upto: 9, caught_up_at };
        assert_eq!(found.replaced, Some(replaced));
        let refused = decide(0, 5, None, "", 8, false).expect_err("refused");
        assert!(refused.contains("t[0] ends at offset 5, but was counted up to 9"), "{refused}");
    }

    #[test]
    fn what_cannot_be_counted_on_is_refused_with_the_way_out() {
        let lost = decide(0, 5, Some(OLD), Some((4, &format!("v1 closed=0 decided=8 made={OLD}"))));
        assert!(
            lost.expect_err("refused").contains("t[0] ends at offset 5, but was counted up to 9")
        );
        let lost = decide(0, 5, None, Some((4, "v1 closed=0 decided=8")));
        assert!(lost.expect_err("refused").contains("another kafka.group"));
        for metadata in ["", "consumer-1", "{\"offset\":4}", "NULL", "vx"] {
            let refused = decide(0, 9, Some(OLD), Some((4, metadata))).expect_err("refused");
            for part in
                ["another program", "group noc", "another kafka.group", "frontier reset --topic t"]
            {
                assert!(refused.contains(part), "{refused}");
            }
        }
        let later = decide(0, 9, Some(OLD), Some((4, "v2 closed=0"))).expect_err("refused");
        assert!(later.contains("unknown version") && !later.contains("another program"), "{later}");
    }
}
