//! The default family: complaints rise and fall exponentially.

use super::incident::{Incident, LONGEST};
use crate::domain::Timestamp;

/// Strength of an incident in a channel at an instant, from 0 to about 1.
///
/// Time constants of rise and fall are 15 and 45 minutes for phone, 25 and 60 for chat, 90 and 240 for e-mail.
pub fn strength(incident: &Incident, channel: &str, at: Timestamp) -> f64 {
    if incident.size <= 0.0 || at < incident.felt_from || at > incident.starts + LONGEST {
        return 0.0;
    }
    let (weight, rise, fall) = match channel {
        "chat" => (0.8, 25.0, 60.0),
        "email" => (0.6, 90.0, 240.0),
        _ => (1.0, 15.0, 45.0),
    };
    let since = at.since(incident.felt_from).as_secs_f64() / 60.0;
    // Customers who notice late complain for a while, even if the fault has ended.
    let lasts = (incident.ends.since(incident.felt_from).as_secs_f64() / 60.0).max(30.0);
    let up = 1.0 - (-since.min(lasts) / rise).exp();
    let down = if since > lasts { (-(since - lasts) / fall).exp() } else { 1.0 };
    weight * up * down
}
