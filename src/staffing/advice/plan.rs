//! Drafts of recommendations: the recommendations that would be made if there were none yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::grid::{Grid, Row};
use super::solve::{Flows, Offer, flows};
use super::stretch::{self, Profile, Stretch};
use super::{AdviceRules, Desk, Kind, Recommendation, RecommendationState};
use crate::domain::{HOUR, Timestamp, Zone};

/// Maximum number of stretches of one kind and pair of teams.
const STRETCHES_MAX: usize = 2;
/// Minimum length of leave in hours.
const LEAVE_HOURS: f64 = 2.0;
/// Existing recommendations are cheaper by this factor, so that the next solution is similar to the last one.
const STICKY: f64 = 0.8;

/// A recommendation without its figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) desk: usize,
    pub(super) source: Option<usize>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) people: u32,
    /// Hours of missing people, or of people to spare.
    pub(super) hours: f64,
}

/// A kind, the desk that gets people, and the one that gives them.
type Slot = (Kind, usize, Option<usize>);

/// The inputs of drafts.
pub(super) struct Situation<'a> {
    pub(super) desks: &'a [Desk],
    pub(super) grid: &'a Grid,
    /// All recommendations of these days.
    pub(super) known: &'a [Recommendation],
    pub(super) rules: &'a AdviceRules,
    pub(super) now: Timestamp,
}

impl Situation<'_> {
    /// Drafts. Those that bring people come first.
    pub(super) fn drafts(&self) -> Vec<Draft> {
        let mut spare: Vec<Vec<u32>> = self.grid.rows.iter().map(|row| row.spare.clone()).collect();
        let mut free: Vec<Vec<u32>> = self.grid.rows.iter().map(|row| row.free.clone()).collect();
        let mut left: Vec<Vec<u32>> = self.grid.rows.iter().map(|row| row.short.clone()).collect();
        self.hold_back(&mut spare, &mut free);
        let mut drafts = Vec::new();
        for ((kind, desk, source), wanted) in self.wanted(&spare) {
            let mut wanted = wanted;
            for _ in 0..STRETCHES_MAX {
                let room = match source {
                    Some(source) => spare[source].clone(),
                    None => self.room(kind, desk),
                };
                let room = self.in_time(kind, &room);
                let Some(found) = self.stretch(kind, &wanted, &room) else { break };
                for at in found.steps() {
                    wanted[at] = wanted[at].saturating_sub(found.people);
                    left[desk][at] = left[desk][at].saturating_sub(found.people);
                    if let Some(source) = source {
                        spare[source][at] = spare[source][at].saturating_sub(found.people);
                        free[source][at] = free[source][at].saturating_sub(found.people);
                    }
                }
                drafts.push(self.draft(kind, desk, source, found));
            }
        }
        drafts.extend(self.announcements(&left));
        drafts.extend(self.leave(&free, &drafts));
        drafts
    }

    /// Prevents people from leaving a desk in a step in which the desk gets people.
    fn hold_back(&self, spare: &mut [Vec<u32>], free: &mut [Vec<u32>]) {
        for (at, desk) in self.desks.iter().enumerate() {
            let gets = self
                .known
                .iter()
                .filter(|own| own.is_open(self.now) && own.kind.brings() && own.team == desk.name);
            for own in gets {
                for step in self.grid.within(own.from, own.to) {
                    spare[at][step] = 0;
                    free[at][step] = 0;
                }
            }
        }
    }

    /// Number of wanted people by slot and step.
    fn wanted(&self, spare: &[Vec<u32>]) -> BTreeMap<Slot, Vec<u32>> {
        let mut wanted: BTreeMap<Slot, Vec<u32>> = BTreeMap::new();
        let steps = self.grid.steps.len();
        for step in 0..steps {
            let short: Vec<u32> = self.grid.rows.iter().map(|row| row.wanted[step]).collect();
            if short.iter().all(|n| *n == 0) {
                continue;
            }
            let spare: Vec<u32> = spare.iter().map(|own| own[step]).collect();
            let slots = self.slots(step, &short, &spare);
            let offers: Vec<Offer> = slots.iter().map(|(_, offer)| *offer).collect();
            let found = flows(&Flows { short: &short, spare: &spare, offers: &offers });
            for ((slot, _), people) in slots.iter().zip(found) {
                if people > 0 {
                    wanted.entry(*slot).or_insert_with(|| vec![0; steps])[step] = people;
                }
            }
        }
        wanted
    }

    /// All slots that can bring people in a step.
    fn slots(&self, step: usize, short: &[u32], spare: &[u32]) -> Vec<(Slot, Offer)> {
        let mut slots = Vec::new();
        let missing = |desk: usize| short[desk] > 0;
        for (from, desk) in self.desks.iter().enumerate().filter(|(from, _)| spare[*from] > 0) {
            for to in desk.helps.iter().copied().filter(|to| missing(*to) && *to != from) {
                slots.extend(self.offer((Kind::Move, to, Some(from)), step, spare[from]));
            }
        }
        for to in (0..self.desks.len()).filter(|to| missing(*to)) {
            for kind in [Kind::Overtime, Kind::CallIn] {
                slots.extend(self.offer((kind, to, None), step, self.room(kind, to)[step]));
            }
        }
        slots
    }

    /// An offer, if it can begin by then and has a value.
    fn offer(&self, slot: Slot, step: usize, most: u32) -> Option<(Slot, Offer)> {
        let (kind, to, from) = slot;
        let span = self.grid.steps[step];
        let in_time = span.start >= self.now + self.rules.lead(kind);
        let stands = self.of_slot(slot).any(|own| own.is_proposed() && own.covers(span.start));
        let refused = self
            .of_slot(slot)
            .any(|own| own.state == RecommendationState::Declined && own.covers(span.start));
        let cost = self.rules.cost(kind) * if stands { STICKY } else { 1.0 };
        let worth = self.rules.shortage_cost - cost;
        let offer = Offer { to, from, most, worth };
        (in_time && !refused && most > 0 && worth > 0.0).then_some((slot, offer))
    }

    /// The recommendations of a slot.
    fn of_slot(&self, (kind, desk, source): Slot) -> impl Iterator<Item = &Recommendation> {
        let team = &self.desks[desk].name;
        let source = source.map(|source| self.desks[source].name.as_str());
        self.known.iter().filter(move |own| {
            own.kind == kind && own.team == *team && own.source.as_deref() == source
        })
    }

    /// Maximum number of people from outside, by step.
    fn room(&self, kind: Kind, desk: usize) -> Vec<u32> {
        let (row, own) = (&self.grid.rows[desk], &self.desks[desk]);
        let share = |n: u32, share: f64| (f64::from(n) * share + 1e-9) as u32;
        let mut room: Vec<u32> = match kind {
            Kind::CallIn => vec![share(row.largest, self.rules.call_in_share); row.short.len()],
            Kind::Overtime => {
                row.just_ended.iter().map(|n| share(*n, self.rules.overtime_share)).collect()
            }
            _ => vec![0; row.short.len()],
        };
        let agreed = self.of_slot((kind, desk, None)).filter(|own| own.is_agreed());
        for known in agreed {
            for step in self.grid.within(known.from, known.to) {
                room[step] = room[step].saturating_sub(known.agents);
            }
        }
        if kind == Kind::Overtime {
            let days = self.days_of(&own.name, |kind| kind == Kind::OfferLeave);
            for (at, step) in self.grid.steps.iter().enumerate() {
                if days.contains(&day(own.zone, step.start)) {
                    room[at] = 0;
                }
            }
        }
        room
    }

    /// The limits of a kind, restricted to the steps that it can still reach.
    fn in_time(&self, kind: Kind, room: &[u32]) -> Vec<u32> {
        let first = self.now + self.rules.lead(kind);
        let steps = self.grid.steps.iter().zip(room);
        steps.map(|(step, room)| if step.start >= first { *room } else { 0 }).collect()
    }

    fn stretch(&self, kind: Kind, wanted: &[u32], room: &[u32]) -> Option<Stretch> {
        let hours: Vec<f64> = self.grid.steps.iter().map(super::grid::Step::hours).collect();
        let cost = self.rules.cost(kind) / self.rules.shortage_cost.max(1e-9);
        let least_hours = self.rules.least_length.as_secs_f64() / HOUR.as_secs_f64();
        stretch::best(&Profile {
            wanted,
            room,
            hours: &hours,
            least_hours,
            least_people: self.rules.least_agents,
            excess: cost.clamp(0.1, 1.0),
        })
    }

    fn draft(&self, kind: Kind, desk: usize, source: Option<usize>, found: Stretch) -> Draft {
        let (from, to) = self.span(found.from, found.to);
        let hours = to.since(from).as_secs_f64() / 3600.0 * f64::from(found.people);
        Draft { kind, desk, source, from, to, people: found.people, hours }
    }

    fn span(&self, from: usize, to: usize) -> (Timestamp, Timestamp) {
        (self.grid.steps[from].start, self.grid.steps[to - 1].end)
    }

    /// Announcements for outages that leave agents missing who cannot be replaced.
    fn announcements(&self, left: &[Vec<u32>]) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let first = self.now + self.rules.lead(Kind::Announcement);
        for (at, desk) in self.desks.iter().enumerate() {
            let refused = |step: usize| {
                self.of_slot((Kind::Announcement, at, None)).any(|own| {
                    own.state == RecommendationState::Declined
                        && own.covers(self.grid.steps[step].start)
                })
            };
            let missing = |step: &usize| {
                let is_late = self.grid.steps[*step].end <= first;
                left[at][*step] >= self.rules.least_agents && !is_late && !refused(*step)
            };
            let steps: Vec<usize> = (0..left[at].len()).filter(missing).collect();
            let (Some(from), Some(to)) = (steps.first(), steps.last()) else { continue };
            if !desk.can_announce || desk.outage.is_none() || self.rules.deflection.1 <= 0.0 {
                continue;
            }
            let (from, to) = self.span(*from, *to + 1);
            let hours = steps.iter().map(|at| self.grid.steps[*at].hours()).sum();
            let kind = Kind::Announcement;
            drafts.push(Draft { kind, desk: at, source: None, from, to, people: 0, hours });
        }
        drafts
    }

    /// Leave where there are agents without work even in a high forecast, and nobody is asked to stay longer or to come in on
    /// that day.
    fn leave(&self, free: &[Vec<u32>], drafts: &[Draft]) -> Vec<Draft> {
        let mut leave = Vec::new();
        for (at, desk) in self.desks.iter().enumerate() {
            let row = &self.grid.rows[at];
            let mut busy = self.days_of(&desk.name, Kind::brings);
            for draft in drafts.iter().filter(|draft| draft.desk == at) {
                busy.extend(days(desk.zone, draft.from, draft.to));
            }
            for (step, short) in self.grid.steps.iter().zip(&row.short) {
                if *short > 0 {
                    busy.insert(day(desk.zone, step.start));
                }
            }
            let room = self.in_time(Kind::OfferLeave, &self.leave_room(at, row, &free[at]));
            let steps = self.grid.steps.iter().zip(room);
            let room: Vec<u32> = steps
                .map(|(step, n)| if busy.contains(&day(desk.zone, step.start)) { 0 } else { n })
                .collect();
            let hours: Vec<f64> = self.grid.steps.iter().map(super::grid::Step::hours).collect();
            let least_hours = LEAVE_HOURS.max(self.rules.least_length.as_secs_f64() / 3600.0);
            let found = stretch::best(&Profile {
                wanted: &room,
                room: &room,
                hours: &hours,
                least_hours,
                least_people: self.rules.least_agents,
                excess: 1.0,
            });
            leave.extend(found.map(|found| self.draft(Kind::OfferLeave, at, None, found)));
        }
        leave
    }

    /// Number of people who may be offered leave, by step; zero if leave was declined.
    fn leave_room(&self, desk: usize, row: &Row, free: &[u32]) -> Vec<u32> {
        let share = self.rules.leave_share;
        let most = |n: u32| (f64::from(n) * share + 1e-9) as u32;
        let mut room: Vec<u32> =
            row.scheduled.iter().zip(free).map(|(n, free)| most(*n).min(*free)).collect();
        for own in self.of_slot((Kind::OfferLeave, desk, None)) {
            let is_declined = own.state == RecommendationState::Declined;
            let taken = if is_declined { u32::MAX } else { own.agents };
            if is_declined || own.is_agreed() {
                for step in self.grid.within(own.from, own.to) {
                    room[step] = room[step].saturating_sub(taken);
                }
            }
        }
        room
    }

    /// Days for which a desk was offered something of this kind, whatever the answer.
    fn days_of(&self, desk: &str, kind: impl Fn(Kind) -> bool) -> BTreeSet<NaiveDate> {
        let offered = self.known.iter().filter(|own| own.team == desk && kind(own.kind));
        offered.flat_map(|own| days(own.zone, own.from, own.to)).collect()
    }
}

/// The civil day of an instant.
fn day(zone: Zone, at: Timestamp) -> NaiveDate {
    zone.local(at).date()
}

/// The civil days of a stretch.
fn days(zone: Zone, from: Timestamp, to: Timestamp) -> impl Iterator<Item = NaiveDate> {
    let last = day(zone, Timestamp::from_millis(to.millis() - 1));
    day(zone, from).iter_days().take_while(move |day| *day <= last)
}
