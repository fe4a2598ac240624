//! Retry schedule of pages.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::store::{DeliveryOutcome, OutboxRow};

/// Pages are useful only soon: quick retries first, then every five minutes.
const TRIES_S: [u64; 4] = [1, 5, 15, 60];
const LATER: Duration = Duration::from_secs(300);
/// After this time a page is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);

/// When to try again after `attempts` failed tries; `None` when it is time to give up.
pub fn next_try(created_at: Timestamp, now: Timestamp, attempts: u32) -> Option<Timestamp> {
    if now.since(created_at) >= GIVE_UP_AFTER {
        return None;
    }
    let wait = TRIES_S.get(attempts as usize).map_or(LATER, |s| Duration::from_secs(*s));
    Some(now + wait)
}

/// Outcome of a failed delivery.
pub fn after_failure(page: &OutboxRow, now: Timestamp, error: String) -> DeliveryOutcome {
    match next_try(page.created_at, now, page.attempts) {
        Some(at) => DeliveryOutcome::Retry { at, error },
        None => DeliveryOutcome::Dead { at: now, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_quickly_at_first_and_end_after_a_day() {
        let at = |s: i64| Timestamp::from_secs(1_767_225_600 + s);
        let waits: Vec<i64> = (0..6)
            .filter_map(|n| next_try(at(0), at(100), n))
            .map(|next| next.secs() - at(100).secs())
            .collect();
        assert_eq!(waits, [1, 5, 15, 60, 300, 300]);
        assert_eq!(next_try(at(0), at(86_400), 9), None);
    }
}
