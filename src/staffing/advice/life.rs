//! How a recommendation begins, changes and ends. Its numbers change seldom, because a person who has begun to act must be able
//! to rely on them.

use std::time::Duration;

use super::book::Look;
use super::judge::Figures;
use super::plan::Draft;
use super::{Kind, Recommendation, RecommendationState};
use crate::domain::{HOUR, MINUTE, Timestamp};

/// A number that changes further in the same direction changes after this time. If the direction is reversed, it changes after
/// [`TURNS_AFTER`].
const CHANGES_AFTER: Duration = Duration::from_secs(30 * MINUTE.as_secs());
const TURNS_AFTER: Duration = HOUR;
/// Smallest change: in agents, as a share, and in the time of the end.
const CHANGE_MIN: u32 = 2;
const CHANGE_SHARE: f64 = 0.25;
const END_MIN: Duration = HOUR;
/// A recommendation that forecasts no longer require is withdrawn after this time, and not made again for the same time.
pub(super) const WITHDRAWN_AFTER: Duration = Duration::from_secs(30 * MINUTE.as_secs());

impl Recommendation {
    pub(super) fn new(id: String, draft: &Draft, figures: Figures, look: &Look<'_>) -> Self {
        let desk = &look.desks[draft.desk];
        let source = draft.source.map(|at| &look.desks[at]);
        let series = desk.series.iter().chain(source.map_or(&[][..], |desk| &desk.series));
        let is_announcement = draft.kind == Kind::Announcement;
        Self {
            id,
            kind: draft.kind,
            state: RecommendationState::Proposed,
            team: desk.name.clone(),
            source: source.map(|desk| desk.name.clone()),
            series: series.cloned().collect(),
            zone: desk.zone,
            from: draft.from,
            to: draft.to,
            agents: draft.people,
            confidence: figures.confidence,
            level_with: figures.level_with,
            level_without: figures.level_without,
            cost: figures.cost,
            deflection: is_announcement.then_some(look.rules.deflection),
            arrivals: figures.arrivals,
            why: figures.why,
            issued_at: look.now,
            updated_at: look.now,
            changed_at: look.now,
            changes: 0,
            grew: true,
            idle_since: None,
            differs_since: None,
            answered_by: None,
            answered_at: None,
            in_roster: false,
            in_source_roster: false,
            outcome: None,
        }
    }

    pub(super) fn end(&mut self, state: RecommendationState, now: Timestamp) {
        self.state = state;
        self.updated_at = now;
    }

    /// Checks whether forecasts still require it, even if it could not be recommended any more so late.
    pub(super) fn check_need(&mut self, look: &Look<'_>) {
        let desk = look.desks.iter().position(|desk| desk.name == self.team);
        let row = desk.map(|at| &look.grid.rows[at]);
        let is_needed = row.is_some_and(|row| {
            let mut steps = look.grid.within(self.from, self.to);
            match self.kind {
                Kind::OfferLeave => steps.all(|step| row.spare[step] >= self.agents),
                _ => steps.any(|step| row.short[step] > 0),
            }
        });
        if is_needed {
            self.idle_since = None;
        } else {
            self.idle(look);
        }
    }

    /// Handles that forecasts no longer require it. A recommendation that begins soon is kept, because a person may have begun
    /// to act.
    fn idle(&mut self, look: &Look<'_>) {
        let since = *self.idle_since.get_or_insert(look.now);
        let is_frozen = self.from < look.now + look.rules.frozen;
        if look.now.since(since) >= WITHDRAWN_AFTER && !is_frozen {
            self.end(RecommendationState::Withdrawn, look.now);
        }
    }

    /// The new number, given the number of a draft: that number if it differs enough, otherwise the old one.
    pub(super) fn number(&self, other: u32) -> u32 {
        let least = (f64::from(self.agents) * CHANGE_SHARE).ceil() as u32;
        let is_far = other.abs_diff(self.agents) >= CHANGE_MIN.max(least);
        if is_far { other } else { self.agents }
    }

    /// Whether its numbers should change to those of a draft now.
    pub(super) fn is_due(&mut self, draft: &Draft, look: &Look<'_>) -> bool {
        self.idle_since = None;
        let by = self.number(draft.people).abs_diff(self.agents);
        let far =
            |one: Timestamp, other: Timestamp| one.since(other).max(other.since(one)) >= END_MIN;
        let differs = by > 0 || far(draft.to, self.to);
        if !differs {
            self.differs_since = None;
            return false;
        }
        let since = *self.differs_since.get_or_insert(look.now);
        let is_frozen = self.from < look.now + look.rules.frozen;
        let turns = by > 0 && (draft.people > self.agents) != self.grew;
        let wait = if turns { TURNS_AFTER } else { CHANGES_AFTER };
        let is_sure = !turns || look.now.since(since) >= CHANGES_AFTER;
        !is_frozen && is_sure && look.now.since(self.changed_at) >= wait
    }

    pub(super) fn change(&mut self, draft: &Draft, figures: Figures, now: Timestamp) {
        if draft.people != self.agents {
            self.grew = draft.people > self.agents;
            self.changes += 1;
        }
        self.agents = draft.people;
        (self.from, self.to) = (draft.from, draft.to);
        self.confidence = figures.confidence;
        self.level_with = figures.level_with;
        self.level_without = figures.level_without;
        self.cost = figures.cost;
        self.arrivals = figures.arrivals;
        self.why = figures.why;
        (self.updated_at, self.changed_at, self.differs_since) = (now, now, None);
    }
}
