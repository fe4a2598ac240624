//! The two-humps family: complaints of customers who notice at once, and of those who notice later.

use super::incident::{Incident, LONGEST};
use crate::domain::Timestamp;

/// Minutes from the onset to the peaks of the humps, and shapes of their gamma curves.
const HUMPS: [(f64, f64); 2] = [(20.0, 3.0), (160.0, 8.0)];
/// Strength of complaints that last as long as the fault.
const STEADY: f64 = 0.3;
/// After the end: share of complaints that decay fast, and both time constants, minutes.
const FAST_SHARE: f64 = 0.7;
const FADES: [f64; 2] = [25.0, 300.0];
/// Factor on the share of customers who notice: half of that in the default family.
pub(super) const NOTICING_FACTOR: f64 = 0.5;

/// Strength of an incident in a channel at an instant. The second hump is larger in chat and e-mail than by phone.
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
    let since_end = minutes(i.ends.max(i.felt_from));
    let left = FAST_SHARE * (-since_end / FADES[0]).exp()
        + (1.0 - FAST_SHARE) * (-since_end / FADES[1]).exp();
    (first * early.max(steady) + second * late) * left
}

/// A gamma density relative to its peak, at `ratio` times the position of the peak.
fn hump(ratio: f64, shape: f64) -> f64 {
    (ratio * (1.0 - ratio).exp()).powf(shape)
}
