//! Figures of a recommendation: levels of service with and without it, confidence and cost.

use super::grid::people;
use super::plan::Draft;
use super::{AdviceReason, AdviceRules, Desk, DeskWindow, Kind, Level, Recommendation, Service};

/// Figures of a draft.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) confidence: f64,
    pub(super) level_with: f64,
    pub(super) level_without: f64,
    pub(super) cost: f64,
    pub(super) arrivals: f64,
    pub(super) why: AdviceReason,
}

/// Computes the figures of a draft. `agreed` is what people will do anyway.
pub(super) fn figures(
    draft: &Draft,
    desk: &Desk,
    agreed: &[&Recommendation],
    rules: &AdviceRules,
    service: &mut dyn Service,
) -> Figures {
    let before: Vec<f64> = desk
        .windows
        .iter()
        .map(|window| {
            let known = people(desk, window, agreed.iter().copied());
            f64::from(known.unwrap_or(window.needed))
        })
        .collect();
    let is_within = |window: &DeskWindow| draft.from <= window.start && window.start < draft.to;
    let more = f64::from(draft.people) * if draft.kind == Kind::OfferLeave { -1.0 } else { 1.0 };
    let after: Vec<f64> = desk
        .windows
        .iter()
        .zip(&before)
        .map(|(window, people)| (people + if is_within(window) { more } else { 0.0 }).max(0.0))
        .collect();
    let factor = if draft.kind == Kind::Announcement { 1.0 - rules.deflected() } else { 1.0 };
    let without = mean(desk, &service.levels(draft.desk, &before, 1.0), is_within);
    let with = mean(desk, &service.levels(draft.desk, &after, factor), is_within);
    let confidence = if draft.kind == Kind::OfferLeave { with.met } else { 1.0 - without.met };
    let hours = draft.to.since(draft.from).as_secs_f64() / 3600.0;
    let arrivals: f64 =
        desk.windows.iter().filter(|window| is_within(window)).map(|w| w.arrivals).sum();
    Figures {
        confidence: share(confidence),
        level_with: share(with.expected),
        level_without: share(without.expected),
        cost: hundredths(rules.cost(draft.kind) * hours * f64::from(draft.people)),
        arrivals: hundredths(arrivals),
        why: why(draft, (desk, rules), &before, is_within),
    }
}

/// Levels of the windows within a stretch, weighted by their contacts.
fn mean(desk: &Desk, levels: &[Level], is_within: impl Fn(&DeskWindow) -> bool) -> Level {
    let mut sum = (0.0, 0.0, 0.0);
    for (window, level) in desk.windows.iter().zip(levels).filter(|(window, _)| is_within(window)) {
        // A window without contacts counts a little, so that a stretch of them has a level.
        let weight = window.arrivals + 1e-6;
        sum = (sum.0 + weight, sum.1 + weight * level.expected, sum.2 + weight * level.met);
    }
    if sum.0 <= 0.0 {
        return Level { expected: 1.0, met: 1.0 };
    }
    Level { expected: sum.1 / sum.0, met: sum.2 / sum.0 }
}

fn why(
    draft: &Draft,
    (desk, rules): (&Desk, &AdviceRules),
    people: &[f64],
    is_within: impl Fn(&DeskWindow) -> bool,
) -> AdviceReason {
    let leaves = draft.kind == Kind::OfferLeave;
    let needed = |window: &DeskWindow| if leaves { window.needed_high } else { window.needed };
    let reserve = |window: &DeskWindow| if leaves { 0 } else { window.reserve(rules.reserve()) };
    // The number of people in a recommendation includes the reserve.
    let gap = |(window, people): &(&DeskWindow, &f64)| {
        f64::from(needed(window) + reserve(window)) - **people
    };
    let worst = desk
        .windows
        .iter()
        .zip(people)
        .filter(|(window, _)| is_within(window))
        // The first of equally bad windows.
        .reduce(|a, b| if gap(&b) > gap(&a) { b } else { a });
    let (at, needed, scheduled, reserve) = worst
        .map_or((draft.from, 0, 0, 0), |(window, people)| {
            (window.start, needed(window), *people as u32, reserve(window))
        });
    match (&desk.outage, draft.kind) {
        (Some(cause), Kind::Announcement) => {
            AdviceReason::Outage { cause: cause.clone(), agents: needed.saturating_sub(scheduled) }
        }
        (_, Kind::OfferLeave) => AdviceReason::Spare { at, needed, scheduled },
        _ if reserve == 0 => AdviceReason::Short { at, needed, scheduled },
        _ => AdviceReason::ShortWithReserve { at, needed, scheduled, reserve },
    }
}

/// Rounds like the service levels of plans.
fn share(value: f64) -> f64 {
    (value.clamp(0.0, 1.0) * 1e4).round() / 1e4
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
