//! The times of an event: found without reading the rest, moved without touching the rest.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::Timestamp;

/// Times as they stand in a line.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    ts: &'a RawValue,
    #[serde(borrow, default)]
    starts_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ends_at: Option<&'a RawValue>,
}

/// The event time of a line, and the line with all its times moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub ts: Timestamp,
}

/// The event time of a line; `None` for what the server will reject anyway.
pub(super) fn times(line: &str) -> Option<Times> {
    let raw: Raw<'_> = serde_json::from_str(line).ok()?;
    Some(Times { ts: read(raw.ts)? })
}

/// The line with `ts`, `starts_at` and `ends_at` moved by `shift_ms`; everything else as it was.
/// A time that cannot be read stays as it is, for the server to reject.
pub(super) fn shifted(line: &str, shift_ms: i64) -> String {
    let Ok(raw) = serde_json::from_str::<Raw<'_>>(line) else { return line.to_owned() };
    let mut places: Vec<(usize, &str, String)> = [Some(raw.ts), raw.starts_at, raw.ends_at]
        .into_iter()
        .flatten()
        .filter_map(|value| {
            let moved = Timestamp::from_millis(read(value)?.millis() + shift_ms);
            let is_text = value.get().starts_with('"');
            let new = if is_text { format!("\"{moved}\"") } else { moved.millis().to_string() };
            // The value is a slice of the line: the distance of the two is its place.
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
        Timestamp::parse(&serde_json::from_str::<String>(text).ok()?).ok()
    } else {
        Timestamp::from_epoch(text.parse().ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_move() {
        let line = r#"{ "text":"ts: \"2026\"","ts" : "2026-01-01T02:05:00+08:00","ends_at":1767312000, "n":1e5,"starts_at":"2026-01-02T00:00:00Z"}"#;
        let moved = shifted(line, 2 * 86_400_000);
        assert_eq!(
            moved,
            r#"{ "text":"ts: \"2026\"","ts" : "2026-01-02T18:05:00Z","ends_at":1767484800000, "n":1e5,"starts_at":"2026-01-04T00:00:00Z"}"#
        );
        assert_eq!(times(&moved).map(|t| t.ts.to_string()), Some("2026-01-02T18:05:00Z".into()));
        assert_eq!(shifted(r#"{"ts":"soon"}"#, 1), r#"{"ts":"soon"}"#);
        assert_eq!((shifted("no json", 1), times("no json")), ("no json".into(), None));
    }
}
