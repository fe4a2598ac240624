//! Where a partition resumes: from its commit, the offsets that the broker has, and the id of its topic.
//!
//! A commit belongs to one generation of a topic. The counts of a new generation are added to those of the previous one, and
//! must never replace them: see [`SourceId::in_generation`]. A generation is the topic's id, and after a gap also the offset at
//! which counting resumed: `id~offset`.

use super::commit::{decode_commit, generation_of};
use super::settings::KafkaProblem;
use crate::domain::{Offset as Position, SourceId};
use crate::window::CommitPoint;

/// Separates the topic's id from the offset after a gap.
const GAP: char = '~';

/// The facts about a partition when it is assigned.
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
    /// Whether the topic was deleted and created again since the commit.
    pub is_new_topic: bool,
}

/// Decides where a partition resumes.
///
/// # Errors [`KafkaProblem`] if counts could become wrong; it says what to do.
pub(super) fn resume(
    source: &SourceId,
    group: &str,
    known: &Known<'_>,
) -> Result<Resume, KafkaProblem> {
    let Known { low, high, topic_id, is_compacted, commit } = *known;
    let generation = topic_id.map(str::to_owned);
    let fresh = Resume {
        at: low,
        point: None,
        generation: generation.clone(),
        gone: 0,
        commits_first: false,
        is_new_topic: false,
    };
    let Some((resume_at, metadata)) = commit else { return Ok(fresh) };
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
    let made_of = made.and_then(|made| made.split(GAP).next()).filter(|id| !id.is_empty());
    if let (Some(before), Some(id)) = (made_of, topic_id)
        && before != id
    {
        return Ok(Resume { gone: low, is_new_topic: true, ..fresh });
    }
    let next = point.resume_at.max(point.decided_upto + 1);
    if next > high {
        return match (made, topic_id) {
            // The commit of a release that did not know ids.
            (None, Some(id)) => Ok(Resume {
                point: Some(CommitPoint::start(low)),
                generation: Some(format!("{id}{GAP}{low}")),
                gone: low,
                commits_first: true,
                is_new_topic: true,
                ..fresh
            }),
            _ => Err(KafkaProblem(format!(
                "{source} ends at offset {high}, but was counted up to {next}: its topic was deleted and created \
                 again, or a broker lost records. Give the topic another name, or use another kafka.group"
            ))),
        };
    }
    let rereads = resume_at < next;
    if resume_at >= low && !(is_compacted && rereads) {
        let generation = made.map(str::to_owned).or(generation);
        return Ok(Resume { at: resume_at, point: Some(point), generation, ..fresh });
    }
    let at = low.max(next);
    Ok(Resume {
        at,
        point: Some(point.after_gap(at)),
        generation: Some(format!("{}{GAP}{at}", topic_id.unwrap_or_default())),
        gone: at - next,
        commits_first: true,
        ..fresh
    })
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
        let known = Known { low, high, topic_id: id, is_compacted: false, commit };
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
                (found.at, found.gone, found.is_new_topic),
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
            let known = Known { low, high: 50, topic_id: Some(OLD), is_compacted: true, commit };
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
