//! The life of recommendations. Numbers change seldom, because a person who has begun to act must be able to rely on them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::grid::Grid;
use super::judge;
use super::life::WITHDRAWN_AFTER;
use super::plan::{Draft, Situation};
use super::{
    AdviceRules, Answer, Desk, Kind, Outcome, Recommendation, RecommendationState, Service,
    Uncovered,
};
use crate::domain::{DAY, Timestamp, WindowWidth};

/// Minimum probability of a recommendation.
const CONFIDENCE_MIN: f64 = 0.5;
/// Maximum number of drafts that are judged for each recommendation that may be added. Drafts with the largest gap are judged
/// first.
const JUDGED_PER_PLACE: usize = 4;
/// How long answers and offers are remembered.
const REMEMBERED: Duration = Duration::from_secs(2 * DAY.as_secs());

/// Recommendations of the last two days.
#[derive(Clone, Debug, Default)]
pub struct Book {
    known: Vec<Recommendation>,
    uncovered: Vec<Uncovered>,
}

/// Desks as of one issue, and what is derived from them.
pub(super) struct Look<'a> {
    pub(super) desks: &'a [Desk],
    pub(super) grid: Grid,
    pub(super) rules: &'a AdviceRules,
    pub(super) now: Timestamp,
}

impl Book {
    /// How far back [`Self::restore`] needs recommendations.
    pub const REACH: Duration = REMEMBERED;

    /// Restores stored recommendations.
    pub fn restore(known: Vec<Recommendation>, uncovered: Vec<Uncovered>) -> Self {
        Self { known, uncovered }
    }

    /// All remembered recommendations.
    pub fn all(&self) -> &[Recommendation] {
        &self.known
    }

    /// Missing agents for whom there is no recommendation.
    pub fn uncovered(&self) -> &[Uncovered] {
        &self.uncovered
    }

    /// Examines the plans issued at `now`. Returns the recommendations that changed. The same inputs always lead to the same
    /// result.
    pub fn step(
        &mut self,
        desks: &[Desk],
        (width, now): (WindowWidth, Timestamp),
        rules: &AdviceRules,
        service: &mut dyn Service,
    ) -> Vec<Recommendation> {
        let before: BTreeMap<String, Recommendation> =
            self.known.iter().map(|own| (own.id.clone(), own.clone())).collect();
        self.known.retain(|own| own.to + REMEMBERED > now);
        for own in self.known.iter_mut().filter(|own| own.is_proposed()) {
            let is_over = if own.kind == Kind::Announcement { own.to } else { own.from } <= now;
            if is_over {
                own.end(RecommendationState::Expired, now);
            }
        }
        let agreed: Vec<Recommendation> =
            self.known.iter().filter(|own| own.is_agreed()).cloned().collect();
        let agreed: Vec<&Recommendation> = agreed.iter().collect();
        let grid = Grid::new(desks, &agreed, (width, rules));
        let look = Look { desks, grid, rules, now };
        let situation = Situation { desks, grid: &look.grid, known: &self.known, rules, now };
        let mut drafts = situation.drafts();
        drafts.sort_by(|a, b| {
            let leaves = |draft: &Draft| draft.kind == Kind::OfferLeave;
            leaves(a).cmp(&leaves(b)).then_with(|| b.hours.total_cmp(&a.hours))
        });
        let fresh = self.take(&look, drafts, &agreed, service);
        self.withdraw_unsafe(&look);
        self.add(&look, fresh, &agreed, service);
        // As the store returns them.
        self.known.sort_by(|a, b| (a.issued_at, &a.id).cmp(&(b.issued_at, &b.id)));
        self.uncovered = self.state_uncovered(&look);
        let changed = |own: &&Recommendation| before.get(&own.id) != Some(*own);
        self.known.iter().filter(changed).cloned().collect()
    }

    /// Compares proposals with drafts. Returns the drafts that are new.
    fn take(
        &mut self,
        look: &Look<'_>,
        mut drafts: Vec<Draft>,
        agreed: &[&Recommendation],
        service: &mut dyn Service,
    ) -> Vec<Draft> {
        for at in 0..self.known.len() {
            if !self.known[at].is_proposed() {
                continue;
            }
            let Some(found) = nearest(&self.known[at], &drafts, look.desks) else {
                self.known[at].check_need(look);
                continue;
            };
            let draft = drafts.remove(found);
            if !self.known[at].is_due(&draft, look) {
                continue;
            }
            // It keeps an earlier beginning that was possible when it was made.
            let draft = Draft { from: draft.from.min(self.known[at].from), ..draft };
            // If only the end has moved, keep the number.
            let wanted = self.known[at].number(draft.people);
            let people = wanted.min(self.most(look, &draft, Some(&self.known[at].id)));
            if draft.kind != Kind::Announcement && people < look.rules.least_agents {
                continue;
            }
            let draft = Draft { people, ..draft };
            let desk = &look.desks[draft.desk];
            let figures = judge::figures(&draft, desk, agreed, look.rules, service);
            self.known[at].change(&draft, figures, look.now);
        }
        drafts
    }

    /// The maximum number of people of a draft, given the other proposals: limited by the people who are missing, and by the
    /// people whom its source can give.
    fn most(&self, look: &Look<'_>, draft: &Draft, but: Option<&str>) -> u32 {
        let others = || {
            let others = self.known.iter().filter(|own| own.is_proposed());
            others.filter(move |own| but != Some(own.id.as_str()))
        };
        let gives = match draft.kind {
            Kind::Move => draft.source,
            Kind::OfferLeave => Some(draft.desk),
            _ => None,
        };
        let mut most = u32::MAX;
        if let Some(at) = gives {
            let own = &look.grid.rows[at];
            let has = if draft.kind == Kind::Move { &own.spare } else { &own.free };
            let name = &look.desks[at].name;
            for step in look.grid.within(draft.from, draft.to) {
                let taken = taken(others(), name, look.grid.steps[step].start);
                most = most.min(has[step].saturating_sub(taken));
            }
        }
        if draft.kind.brings() {
            let (row, name) = (&look.grid.rows[draft.desk], &look.desks[draft.desk].name);
            let left = look.grid.within(draft.from, draft.to).map(|step| {
                let brought = brought(others(), name, look.grid.steps[step].start);
                row.wanted[step].saturating_sub(brought)
            });
            most = most.min(left.max().unwrap_or(0));
        }
        most
    }

    /// Withdraws proposals by which a team would give agents whom it now needs itself.
    fn withdraw_unsafe(&mut self, look: &Look<'_>) {
        for (at, desk) in look.desks.iter().enumerate() {
            for (step, span) in look.grid.steps.iter().enumerate() {
                let spare = look.grid.rows[at].spare[step];
                // Those that were made last are withdrawn first.
                while taken(
                    self.known.iter().filter(|own| own.is_proposed()),
                    &desk.name,
                    span.start,
                ) > spare
                {
                    let last = self.known.iter_mut().rfind(|own| {
                        own.is_proposed() && own.covers(span.start) && own.people(&desk.name) < 0
                    });
                    let Some(last) = last else { break };
                    last.end(RecommendationState::Withdrawn, look.now);
                }
            }
        }
    }

    /// Adds drafts that are new, probable enough, and still needed besides the other proposals.
    fn add(
        &mut self,
        look: &Look<'_>,
        drafts: Vec<Draft>,
        agreed: &[&Recommendation],
        service: &mut dyn Service,
    ) {
        let open = self.known.iter().filter(|own| own.is_open(look.now)).count();
        let mut room = look.rules.most.saturating_sub(open);
        // To judge a draft takes time, whether it is then recommended or not.
        let mut judged = JUDGED_PER_PLACE * room;
        for draft in drafts {
            if room == 0 || judged == 0 {
                break;
            }
            if self.was_withdrawn(look, &draft) || self.crosses(look, &draft) {
                continue;
            }
            let people = draft.people.min(self.most(look, &draft, None));
            if draft.kind != Kind::Announcement && people < look.rules.least_agents {
                continue;
            }
            let draft = Draft { people, ..draft };
            let desk = &look.desks[draft.desk];
            judged -= 1;
            let figures = judge::figures(&draft, desk, agreed, look.rules, service);
            if figures.confidence < CONFIDENCE_MIN {
                continue;
            }
            room -= 1;
            let id = self.id(&draft, look);
            self.known.push(Recommendation::new(id, &draft, figures, look));
        }
    }

    /// Whether the same recommendation was withdrawn recently.
    fn was_withdrawn(&self, look: &Look<'_>, draft: &Draft) -> bool {
        self.known.iter().any(|own| {
            own.state == RecommendationState::Withdrawn
                && look.now.since(own.updated_at) < WITHDRAWN_AFTER
                && is_same(own, draft, look.desks)
        })
    }

    /// Whether people would leave a team to which other people are brought, or the other way round.
    fn crosses(&self, look: &Look<'_>, draft: &Draft) -> bool {
        let name = |at: usize| look.desks[at].name.as_str();
        let gains = draft.kind.brings().then(|| name(draft.desk));
        let gives = match draft.kind {
            Kind::Move => draft.source.map(name),
            Kind::OfferLeave => Some(name(draft.desk)),
            _ => None,
        };
        self.known.iter().filter(|own| own.is_open(look.now)).any(|own| {
            let overlaps = own.from < draft.to && draft.from < own.to;
            let against = gains.is_some_and(|desk| own.people(desk) < 0)
                || gives.is_some_and(|desk| own.people(desk) > 0);
            // Agreed changes are part of the roster. Only calling people in may undo them.
            overlaps && against && (own.is_proposed() || draft.kind != Kind::CallIn)
        })
    }

    fn id(&self, draft: &Draft, look: &Look<'_>) -> String {
        let name = |at: usize| look.desks[at].name.replace('/', ".");
        let mut parts = vec![draft.kind.as_str().to_owned()];
        parts.extend(draft.source.map(name));
        parts.push(name(draft.desk));
        parts.push(look.now.secs().to_string());
        let first = parts.join(".");
        let is_free = |id: &String| self.known.iter().all(|own| own.id != *id);
        let mut ids = std::iter::once(first.clone()).chain((2..).map(|n| format!("{first}.{n}")));
        ids.find(is_free).unwrap_or(first)
    }

    /// Agents who are missing despite everything that is proposed or agreed.
    fn state_uncovered(&self, look: &Look<'_>) -> Vec<Uncovered> {
        let mut uncovered: Vec<Uncovered> = Vec::new();
        for (desk, row) in look.desks.iter().zip(&look.grid.rows) {
            let mut open: Option<Uncovered> = None;
            for (step, short) in look.grid.steps.iter().zip(&row.short) {
                let proposed = self.known.iter().filter(|own| own.is_proposed());
                let left = short.saturating_sub(brought(proposed, &desk.name, step.start));
                if left == 0 {
                    uncovered.extend(open.take());
                    continue;
                }
                let known = open.get_or_insert_with(|| Uncovered {
                    team: desk.name.clone(),
                    series: desk.series.clone(),
                    from: step.start,
                    to: step.end,
                    agents: 0,
                });
                known.to = step.end;
                known.agents = known.agents.max(left);
            }
            uncovered.extend(open);
        }
        uncovered.sort_by(|a, b| b.agents.cmp(&a.agents).then_with(|| a.team.cmp(&b.team)));
        uncovered.truncate(look.rules.most);
        uncovered
    }

    /// A recommendation with a person's answer, for [`Self::put`]. `None` if there is no such recommendation, or it is over.
    pub fn answered(
        &self,
        id: &str,
        answer: Answer,
        by: &str,
        at: Timestamp,
    ) -> Option<Recommendation> {
        use RecommendationState::{Accepted, Declined, Done, Proposed};
        let mut own = self.known.iter().find(|own| own.id == id)?.clone();
        let is_over = own.state == Proposed && own.to <= at;
        let state = match (own.state, answer) {
            _ if is_over => return None,
            (Proposed | Accepted, Answer::Accept) => Accepted,
            (Proposed | Accepted | Declined, Answer::Decline) => Declined,
            (Proposed | Accepted | Done, Answer::Done) => Done,
            _ => return None,
        };
        if own.state != state {
            own.state = state;
            own.answered_by = Some(by.to_owned());
            own.answered_at = Some(at);
            own.updated_at = own.updated_at.max(at);
        }
        Some(own)
    }

    /// Takes a recommendation from another instance. It replaces the one with the same id.
    pub fn put(&mut self, own: Recommendation) {
        match self.known.iter_mut().find(|known| known.id == own.id) {
            Some(known) => *known = own,
            None => self.known.push(own),
        }
    }

    /// Takes note of a new roster for these desks and times, which includes what was agreed before. Returns the recommendations
    /// that changed.
    pub fn roster_replaced(
        &mut self,
        spans: &[(String, Timestamp, Timestamp)],
    ) -> Vec<Recommendation> {
        let mut changed = Vec::new();
        for own in self.known.iter_mut().filter(|own| own.is_agreed()) {
            let names = |desk: &str| {
                spans
                    .iter()
                    .any(|(name, from, to)| name == desk && own.from < *to && *from < own.to)
            };
            let of_team = own.in_roster || names(&own.team);
            let of_source = own.in_source_roster || own.source.as_deref().is_some_and(names);
            if (of_team, of_source) != (own.in_roster, own.in_source_roster) {
                (own.in_roster, own.in_source_roster) = (of_team, of_source);
                changed.push(own.clone());
            }
        }
        changed
    }

    /// Recommendations that were agreed and are over, but have no outcome yet.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Recommendation> {
        let is_due =
            move |own: &&Recommendation| own.is_agreed() && own.to <= now && own.outcome.is_none();
        self.known.iter().filter(is_due)
    }

    /// Records the outcome of a recommendation. `None` if there is no such recommendation.
    pub fn follow(&mut self, id: &str, outcome: Outcome) -> Option<Recommendation> {
        let own = self.known.iter_mut().find(|own| own.id == id)?;
        own.outcome = Some(outcome);
        own.updated_at = own.updated_at.max(own.to);
        Some(own.clone())
    }
}

/// People whom proposals take from a desk at an instant.
fn taken<'a>(
    proposals: impl Iterator<Item = &'a Recommendation>,
    desk: &str,
    at: Timestamp,
) -> u32 {
    let people = proposals.filter(|own| own.covers(at)).map(|own| (-own.people(desk)).max(0));
    u32::try_from(people.sum::<i64>()).unwrap_or(u32::MAX)
}

/// People whom proposals bring to a desk at an instant.
fn brought<'a>(
    proposals: impl Iterator<Item = &'a Recommendation>,
    desk: &str,
    at: Timestamp,
) -> u32 {
    let people = proposals.filter(|own| own.covers(at)).map(|own| own.people(desk).max(0));
    u32::try_from(people.sum::<i64>()).unwrap_or(u32::MAX)
}

/// The draft of the same slot that overlaps a proposal most.
fn nearest(own: &Recommendation, drafts: &[Draft], desks: &[Desk]) -> Option<usize> {
    let same = |draft: &Draft| is_same(own, draft, desks);
    let overlap = |draft: &Draft| draft.to.min(own.to).since(draft.from.max(own.from));
    let found = drafts.iter().enumerate().filter(|(_, draft)| same(draft));
    let found = found.map(|(at, draft)| (overlap(draft), at));
    let best = found.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    (!best.0.is_zero()).then_some(best.1)
}

/// Whether a draft is of the same kind and teams.
fn is_same(own: &Recommendation, draft: &Draft, desks: &[Desk]) -> bool {
    draft.kind == own.kind
        && desks[draft.desk].name == own.team
        && draft.source.map(|at| &desks[at].name) == own.source.as_ref()
}
