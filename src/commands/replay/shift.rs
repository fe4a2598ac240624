//! Reads and shifts the times of an event, and leaves the rest of its text unchanged.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{Timestamp, read_instant};

/// The times of a line, as written in the file.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    ts: &'a RawValue,
    #[serde(borrow, default)]
    starts_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ends_at: Option<&'a RawValue>,
}

/// The event time of a line; `None` for a line that the server will reject.
pub(super) fn event_time(line: &str) -> Option<Timestamp> {
    let raw: Raw<'_> = serde_json::from_str(line).ok()?;
    read(raw.ts)
}

/// The line with `ts`, `starts_at` and `ends_at` shifted by `shift_ms`, otherwise unchanged.
/// An invalid time stays as it is, and the server rejects it.
pub(super) fn shifted(line: &str, shift_ms: i64) -> String {
    let Ok(raw) = serde_json::from_str::<Raw<'_>>(line) else { return line.to_owned() };
    let mut places: Vec<(usize, &str, String)> = [Some(raw.ts), raw.starts_at, raw.ends_at]
        .into_iter()
        .flatten()
        .filter_map(|value| {
            let moved = Timestamp::from_millis(read(value)?.millis() + shift_ms);
            let is_text = value.get().starts_with('"');
            let new = if is_text { format!("\"{moved}\"") } else { moved.millis().to_string() };
            // The value is a slice of the line: the distance of the two pointers is its position.
            let at = (value.get().as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
            Some((at, value.get(), new))
        })
        .collect();
    places.sort_by_key(|(at, ..)| *at);
    let mut moved = String::with_capacity(line.len() + 16);
    let mut done = 0;
    for (at, old, new) in places {
        moved.push_str(line.get(done..at).unwrap_or_default());
        moved.push_str(&new);
        done = at + old.len();
    }
    moved.push_str(line.get(done..).unwrap_or_default());
    moved
}

fn read(value: &RawValue) -> Option<Timestamp> {
    let text = value.get();
    if text.starts_with('"') {
        read_instant(&serde_json::from_str::<String>(text).ok()?).ok()
    } else {
        Timestamp::from_epoch(text.parse().ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_shifted() {
        let line = r#"{ "text":"ts: \"2026\"","ts" : "2026-01-01T02:05:00+08:00","ends_at":1767312000, "n":1e5,"starts_at":"20260102T030000+03"}"#;
        let moved = shifted(line, 2 * 86_400_000);
        assert_eq!(
            moved,
            r#"{ "text":"ts: \"2026\"","ts" : "2026-01-02T18:05:00Z","ends_at":1767484800000, "n":1e5,"starts_at":"2026-01-04T00:00:00Z"}"#
        );
        assert_eq!(
            event_time(&moved).map(|ts| ts.to_string()),
            Some("2026-01-02T18:05:00Z".into())
        );
        assert_eq!(shifted(r#"{"ts":"soon"}"#, 1), r#"{"ts":"soon"}"#);
        assert_eq!((shifted("no json", 1), event_time("no json")), ("no json".into(), None));
    }
}
