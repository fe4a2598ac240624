//! Times in input files: RFC 3339, or civil time in one zone.

use chrono::NaiveDateTime;

use crate::domain::{Timestamp, Zone};

/// Accepted formats of civil time.
const FORMS: [&str; 4] =
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

/// Reads a time. A civil time that does not exist (the clocks go forward) moves on by the skipped hour. A civil time
/// that occurs twice (the clocks go back) is the earlier instant, unless `last`, the previous row's time, is not before it:
/// a series in order has both instants.
///
/// # Errors
/// A text with the accepted formats.
pub fn parse(text: &str, zone: Zone, last: Option<Timestamp>) -> Result<Timestamp, String> {
    if let Ok(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    let civil = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let Some(civil) = civil else {
        let shown: String = text.chars().take(40).collect();
        return Err(format!(
            "`{shown}` is not a time such as 2026-01-31T08:00:00Z or 2026-01-31 08:00:00, from 1990 to 2100"
        ));
    };
    let (earlier, later) = zone.instants(civil);
    let at = if last.is_some_and(|last| earlier <= last) { later } else { earlier };
    if (Timestamp::MIN..Timestamp::MAX).contains(&at) {
        Ok(at)
    } else {
        Err(format!("`{text}` lies outside 1990 to 2100"))
    }
}
