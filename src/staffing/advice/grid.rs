//! Half hours of all desks: missing agents and agents to spare.

use super::{AdviceRules, Desk, DeskWindow, Recommendation};
use crate::domain::{Timestamp, WindowWidth};

/// Length of a step in seconds; if windows are longer, a step is one window.
const STEP_SECONDS: i64 = 1800;

/// The steps of a horizon, and each desk in each step.
pub(super) struct Grid {
    pub(super) steps: Vec<Step>,
    pub(super) rows: Vec<Row>,
}

/// A half hour of civil time; the first and the last may be shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Step {
    pub(super) fn hours(&self) -> f64 {
        self.end.since(self.start).as_secs_f64() / 3600.0
    }
}

/// A desk, step by step, including what was agreed.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Agents who are missing in the worst window.
    pub(super) short: Vec<u32>,
    /// Agents that are worth bringing if some are missing: the missing ones, and a reserve for the error of the forecast.
    pub(super) wanted: Vec<u32>,
    /// Agents beyond the need in the window with the fewest agents to spare.
    pub(super) spare: Vec<u32>,
    /// Agents beyond the need of a high forecast.
    pub(super) free: Vec<u32>,
    pub(super) scheduled: Vec<u32>,
    pub(super) just_ended: Vec<u32>,
    /// Maximum number of people on the schedule.
    pub(super) largest: u32,
}

/// People on the schedule of a window, including what was agreed; `None` without a roster.
pub(super) fn people<'a>(
    desk: &Desk,
    window: &DeskWindow,
    agreed: impl Iterator<Item = &'a Recommendation>,
) -> Option<u32> {
    let more: i64 = agreed
        .filter(|own| own.covers(window.start))
        .map(|own| own.beside_roster(&desk.name))
        .sum();
    let people = (i64::from(window.scheduled?) + more).max(0);
    Some(u32::try_from(people).unwrap_or(u32::MAX))
}

impl Grid {
    /// The grid of desks whose windows are the same.
    pub(super) fn new(
        desks: &[Desk],
        agreed: &[&Recommendation],
        (width, rules): (WindowWidth, &AdviceRules),
    ) -> Self {
        let longest = desks.iter().max_by_key(|desk| desk.windows.len());
        let starts: Vec<Timestamp> =
            longest.map_or(&[][..], |desk| &desk.windows).iter().map(|w| w.start).collect();
        let mut steps: Vec<Step> = Vec::new();
        for start in starts {
            let end = width.end(start);
            let same = |step: &&mut Step| number(step.start) == number(start);
            match steps.last_mut().filter(same) {
                Some(step) => step.end = end,
                None => steps.push(Step { start, end }),
            }
        }
        let rows = desks.iter().map(|desk| row(desk, agreed, &steps, rules.reserve())).collect();
        Self { steps, rows }
    }

    /// The steps within a stretch.
    pub(super) fn within(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = usize> {
        let covered = move |(_, step): &(usize, &Step)| step.start < to && step.end > from;
        self.steps.iter().enumerate().filter(covered).map(|(at, _)| at)
    }
}

fn number(at: Timestamp) -> i64 {
    at.secs().div_euclid(STEP_SECONDS)
}

/// Computes the row of a desk. `reserve` is a share of the difference between the need of a high forecast and the need of the
/// mean.
fn row(desk: &Desk, agreed: &[&Recommendation], steps: &[Step], reserve: f64) -> Row {
    let mine: Vec<&Recommendation> =
        agreed.iter().copied().filter(|own| own.people(&desk.name) != 0).collect();
    let mut row = Row::default();
    for step in steps {
        let within = |w: &&DeskWindow| step.start <= w.start && w.start < step.end;
        // Without a roster nobody is known to be missing or to spare.
        let known = desk.windows.iter().filter(within).filter_map(|window| {
            let people = people(desk, window, mine.iter().copied())?;
            Some((window, people))
        });
        let known: Vec<(&DeskWindow, u32)> = known.collect();
        let most =
            |of: &dyn Fn(&DeskWindow, u32) -> u32| known.iter().map(|(w, n)| of(w, *n)).max();
        let least =
            |of: &dyn Fn(&DeskWindow, u32) -> u32| known.iter().map(|(w, n)| of(w, *n)).min();
        let if_open = |w: &DeskWindow, n: u32| if w.is_open { n } else { 0 };
        row.short.push(most(&|w, n| if_open(w, w.needed.saturating_sub(n))).unwrap_or(0));
        let wanted = |w: &DeskWindow, n: u32| {
            let gap = w.needed.saturating_sub(n);
            if gap > 0 { gap + w.reserve(reserve) } else { 0 }
        };
        row.wanted.push(most(&|w, n| if_open(w, wanted(w, n))).unwrap_or(0));
        row.spare.push(least(&|w, n| if_open(w, n.saturating_sub(w.needed))).unwrap_or(0));
        row.free.push(least(&|w, n| if_open(w, n.saturating_sub(w.needed_high))).unwrap_or(0));
        row.scheduled.push(least(&|_, n| n).unwrap_or(0));
        row.just_ended.push(least(&|w, _| w.just_ended).unwrap_or(0));
    }
    row.largest = row.scheduled.iter().copied().max().unwrap_or(0);
    row
}
