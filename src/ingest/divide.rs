//! Divides a large batch into smaller batches of the same format, for logs that limit the size of a record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::decoded::Decoded;
use super::decoder::Decoder;
use super::headers::Headers;
use super::reject::Reject;
use super::split::split;
use crate::domain::EventKind;

/// How deep the array of events may be in its wrappers, such as `data.alerts`.
const DEPTH_MAX: usize = 4;

impl Decoder {
    /// Divides a batch into objects of at most `bytes_max` bytes. Together they hold exactly its events, in the same order and
    /// with the same ids; `None` if there are no such objects. The same batch is always divided in the same way.
    pub fn divide(
        &self,
        bytes: &[u8],
        hint: Option<EventKind>,
        bytes_max: usize,
    ) -> Option<Vec<Vec<u8>>> {
        let decode = |bytes: &[u8]| self.decode(bytes, &Headers::default(), hint);
        let Ok(Decoded::Many(whole)) = decode(bytes) else { return None };
        let parts = cut(std::str::from_utf8(bytes).ok()?, bytes_max)?;
        // Whatever else the object holds was copied into each part: it must not add or change an event.
        let mut found: Vec<Result<Decoded, Reject>> = Vec::with_capacity(whole.len());
        for part in &parts {
            match decode(part.as_bytes()) {
                Ok(Decoded::Many(all)) => found.extend(all),
                one => found.push(one),
            }
        }
        (found == whole).then(|| parts.into_iter().map(String::into_bytes).collect())
    }
}

/// Copies of an object, each with some elements of its largest array.
fn cut(object: &str, bytes_max: usize) -> Option<Vec<String>> {
    let array = largest_array(object, DEPTH_MAX)?;
    // The array is a slice of the object.
    let start = (array.as_ptr() as usize).checked_sub(object.as_ptr() as usize)?;
    let (before, after) = (object.get(..start)?, object.get(start + array.len()..)?);
    let room = bytes_max.checked_sub(before.len() + after.len() + "[]".len())?;
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let mut used = 0;
    for element in split(array.as_bytes()).ok()? {
        let element = std::str::from_utf8(element).ok()?;
        let length = element.len() + ",".len();
        if length > room {
            return None;
        }
        used += length;
        match groups.last_mut().filter(|_| used <= room) {
            Some(group) => group.push(element),
            None => {
                groups.push(vec![element]);
                used = length;
            }
        }
    }
    // A single element is no batch: some wrappers give it their own id.
    if let [.., before, last] = &mut groups[..]
        && last.len() == 1
        && before.len() > 2
        && let Some(moved) = before.pop()
    {
        last.insert(0, moved);
    }
    let part = |group: Vec<&str>| format!("{before}[{}]{after}", group.join(","));
    Some(groups.into_iter().map(part).collect())
}

/// The longest array that is a field of the object, or of an object within it.
fn largest_array(object: &str, depth: usize) -> Option<&str> {
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(object).ok()?;
    let arrays = fields.into_values().filter_map(|value| match value.get() {
        array if array.starts_with('[') => Some(array),
        inner if inner.starts_with('{') && depth > 1 => largest_array(inner, depth - 1),
        _ => None,
    });
    arrays.max_by_key(|array| array.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TS: &str = "2026-11-28T20:35:55Z";

    fn alert(n: usize) -> Value {
        json!({"status": "firing", "labels": {"alertname": "LinkDown", "instance": format!("dev{n}")},
            "annotations": {"summary": "x".repeat(600)}, "startsAt": TS})
    }

    fn ves(n: usize) -> Value {
        json!({"commonEventHeader": {"domain": "fault", "eventId": format!("f{n}"), "sourceName": format!("dev{n}"),
            "lastEpochMicrosec": 1_795_898_155_000_000_u64},
            "faultFields": {"alarmCondition": "linkDown", "eventSeverity": "MAJOR"}})
    }

    fn many(of: fn(usize) -> Value, n: usize) -> Vec<Value> {
        (0..n).map(of).collect()
    }

    fn divide(value: &Value, bytes_max: usize) -> Option<Vec<Vec<u8>>> {
        Decoder::default().divide(value.to_string().as_bytes(), None, bytes_max)
    }

    #[test]
    fn a_batch_of_each_format_is_divided_into_parts_with_the_same_events() {
        let metric = |n: usize| {
            json!({"name": "snmp_trap", "timestamp": 1_795_898_155, "fields": {"ifIndex": n, "note": "x".repeat(300)},
                "tags": {"oid": ".1.3.6.1.6.3.1.1.5.3", "name": "linkDown", "source": "10.0.0.7"}})
        };
        let alarms: Vec<Value> = (0..200)
            .map(|n| {
                json!({"id": format!("a{n}"), "perceivedSeverity": "major", "alarmedObject": {"id": format!("o{n}")}})
            })
            .collect();
        for value in [
            json!({"version": "4", "groupLabels": {"a": "b]"}, "alerts": many(alert, 100), "receiver": "s"}),
            json!({"eventList": many(ves, 300)}),
            json!({"eventId": "1", "eventTime": TS, "eventType": "AlarmCreateEvent", "event": {"alarm": alarms}}),
            json!({"metrics": (0..200).map(metric).collect::<Vec<_>>()}),
            json!({"specversion": "1.0", "id": "c", "source": "/s", "type": "alerts",
                "data": {"alerts": many(alert, 100)}}),
            // One that cannot be read keeps its place.
            json!({"alerts": ([many(alert, 50), vec![json!({"no": "alert"})], many(alert, 50)].concat())}),
        ] {
            let size = value.to_string().len();
            let parts = divide(&value, 10_000).expect("it is divided");
            assert!(parts.iter().all(|part| part.len() <= 10_000), "{size}");
            assert!(
                (size / 10_000..=size / 5000).contains(&parts.len()),
                "{size}: {}",
                parts.len()
            );
            assert_eq!(divide(&value, 10_000), Some(parts), "in the same way each time");
        }
    }

    #[test]
    fn a_batch_is_not_divided_if_its_events_would_not_stay_the_same() {
        let mut large = many(alert, 5);
        large[3]["annotations"]["summary"] = json!("x".repeat(20_000));
        for value in [
            json!({"alerts": large}),
            // Each part would repeat the event beside the list.
            json!({"event": ves(900), "eventList": many(ves, 300)}),
            // Events without ids are numbered.
            json!({"eventId": "1", "eventTime": TS, "eventType": "CaseCreateEvent",
                "event": {"case": (0..300).map(|n| json!({"description": format!("{n} {}", "x".repeat(90))})).collect::<Vec<_>>()}}),
            alert(1),
            json!({"alerts": [alert(1)]}),
            json!({"x": "x".repeat(20_000), "alerts": many(alert, 5)}),
            json!({"no": "format"}),
        ] {
            let parts = divide(&value, 10_000);
            assert_eq!(parts.map(|parts| parts.len()), None, "{value}");
        }
        assert_eq!(Decoder::default().divide(b"{\"alerts\":[", None, 10_000), None);
    }
}
