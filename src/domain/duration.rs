//! Durations: common ones as constants, and their text form: `90s`, `15m`, `6h`, `1h30m`, `7d`.

use std::time::Duration;

use thiserror::Error;

/// 60 seconds.
pub const MINUTE: Duration = Duration::from_secs(60);
/// 60 minutes.
pub const HOUR: Duration = Duration::from_secs(3600);
/// 24 hours: a UTC day. A civil day may be 23 or 25 hours long, see `Zone`.
pub const DAY: Duration = Duration::from_secs(86_400);
/// Seven days of 24 hours.
pub const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// The error for a text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a length of time: use a whole number and ms, s, m, h, d or w, such as 90s, 15m or 1h30m"
)]
pub struct DurationError(String);

/// Reads one or more `<whole number><unit>` in any order, and adds them up.
///
/// # Errors
/// [`DurationError`] for any other text, also for a number without a unit, and for more than 100 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let error = || DurationError(text.chars().take(40).collect());
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return Err(error());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let number: u64 = rest[..digits].parse().map_err(|_| error())?;
        let tail = &rest[digits..];
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let unit_ms: u64 = match &tail[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(error()),
        };
        let part = Duration::from_millis(number.checked_mul(unit_ms).ok_or_else(error)?);
        sum = sum.checked_add(part).ok_or_else(error)?;
        rest = tail[letters..].trim_start();
    }
    if sum.as_secs() <= 100 * 366 * 86_400 { Ok(sum) } else { Err(error()) }
}

/// The shortest text that [`parse_duration`] reads as `length`, to the millisecond.
pub fn format_duration(length: Duration) -> String {
    let mut ms = length.as_millis();
    let mut text = String::new();
    for (unit_ms, unit) in
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")]
    {
        if ms >= unit_ms {
            text.push_str(&format!("{}{unit}", ms / unit_ms));
            ms %= unit_ms;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_parsed_or_refused() {
        for (text, secs) in
            [("300s", 300), ("15m", 900), ("1h30m", 5400), ("7d", 604_800), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in
            ["", "15", "m", "-5m", "1.5h", "5 parsecs", "99999999999999999999s", "9999w9999w"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_duration_parses_to_itself(ms in 0..3_000_000_000_000_u64) {
            let length = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(length)), Ok(length));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,20}") {
            let _ = parse_duration(&text);
        }
    }
}
