//! Leads in three buckets: up to one hour, up to three hours, and longer.

/// Number of buckets.
pub const LEADS: usize = 3;
/// Upper ends of the buckets, minutes.
const BUCKETS: [u32; LEADS] = [60, 180, u32::MAX];

/// The bucket of a forecast point that starts `lead_minutes` after the origin.
pub fn bucket(lead_minutes: u32) -> usize {
    BUCKETS.iter().position(|end| lead_minutes < *end).unwrap_or(LEADS - 1)
}
