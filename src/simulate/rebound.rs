//! The rebound family: complaints begin late, last as long as the fault, and return after its end.

use statrs::function::gamma::gamma_lr;

use super::incident::{Incident, LONGEST};
use crate::domain::Timestamp;

/// Shape of the gamma distribution of delays.
const DELAY_SHAPE: f64 = 4.0;
/// The rebound (devices that did not recover, and claims): minutes from the end to its peak, and shape of its gamma curve.
const REBOUND: (f64, f64) = (75.0, 4.0);
/// Share of faults that customers do not notice.
pub(super) const UNNOTICED: f64 = 0.25;

/// Strength of an incident in a channel at an instant.
pub(super) fn strength(i: &Incident, channel: &str, at: Timestamp) -> f64 {
    if i.size <= 0.0 || at < i.felt_from || at > i.starts + LONGEST {
        return 0.0;
    }
    // Strength of the plateau and of the rebound; mean delay and fade, minutes.
    let (plateau, rebound, delay, fade) = match channel {
        "chat" => (0.8, 0.7, 60.0, 20.0),
        "email" => (0.4, 0.8, 120.0, 60.0),
        _ => (1.0, 0.5, 45.0, 15.0),
    };
    let minutes = |from: Timestamp| at.since(from).as_secs_f64() / 60.0;
    let risen = |minutes: f64| {
        if minutes > 0.0 { gamma_lr(DELAY_SHAPE, DELAY_SHAPE * minutes / delay) } else { 0.0 }
    };
    let ends = i.ends.max(i.felt_from);
    let since_end = minutes(ends);
    let ratio = since_end / REBOUND.0;
    let returning = (ratio * (1.0 - ratio).exp()).powf(REBOUND.1);
    let length = ends.since(i.felt_from).as_secs_f64() / 60.0;
    plateau * risen(minutes(i.felt_from)) * (-since_end / fade).exp()
        + rebound * risen(length) * returning
}
