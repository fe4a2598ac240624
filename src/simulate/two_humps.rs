//! Complaints in two humps: those whom it hits at once, and those who hear of it or come home to it.

use super::incident::{Incident, LONGEST};
use crate::domain::Timestamp;

/// Minutes after the fault is felt at which the humps are highest, and the shapes of their gamma curves.
const HUMPS: [(f64, f64); 2] = [(20.0, 3.0), (160.0, 8.0)];
/// Complaints that go on as long as the fault does, beside the humps.
const STEADY: f64 = 0.3;
/// Of what comes once the fault is gone: the share that ends soon, and time constants, minutes.
const SOON: f64 = 0.7;
const FADES: [f64; 2] = [25.0, 300.0];
/// Half as many notice as in the default family.
pub(super) const NOTICE: f64 = 0.5;

/// Strength of an incident in a channel at an instant. The second hump comes in writing more than by phone.
pub(super) fn strength(i: &Incident, channel: &str, at: Timestamp) -> f64 {
    if i.size <= 0.0 || at < i.felt_from || at > i.starts + LONGEST {
        return 0.0;
    }
    let [first, second] = match channel {
        "chat" => [0.8, 1.3],
        "email" => [0.3, 0.9],
        _ => [1.0, 0.4],
    };
    let minutes = |from: Timestamp| at.since(from).as_secs_f64() / 60.0;
    let since = minutes(i.felt_from);
    let [early, late] = HUMPS.map(|(top, shape)| hump(since / top, shape));
    let steady = STEADY * (1.0 - (-since / HUMPS[0].0).exp());
    let gone = minutes(i.ends.max(i.felt_from));
    let left = SOON * (-gone / FADES[0]).exp() + (1.0 - SOON) * (-gone / FADES[1]).exp();
    (first * early.max(steady) + second * late) * left
}

/// A gamma density over its highest value, at `ratio` times the place of that.
fn hump(ratio: f64, shape: f64) -> f64 {
    (ratio * (1.0 - ratio).exp()).powf(shape)
}
