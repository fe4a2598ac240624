//! The common envelope of events of all TMF Open APIs.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use sonic_rs::LazyValue;

use crate::domain::Timestamp;
use crate::ingest::acts::{Act, act};
use crate::ingest::batch::{each, elements};
use crate::ingest::cursor::Cursor;
use crate::ingest::decoded::Decoded;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::nested::Pairs;
use crate::ingest::notes::Doubt;
use crate::ingest::read::{no_choice, shown};
use crate::ingest::reject::{Reject, object_text};
use crate::ingest::words::{joined, letters, loose_time, same, word_of};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    event_id: Field<'a>,
    event_time: Field<'a>,
    /// The spelling of TMF.
    time_ocurred: Field<'a>,
    time_occurred: Field<'a>,
    event_type: Field<'a>,
    #[serde(rename = "@type")]
    at_type: Field<'a>,
    /// The payload, not yet read.
    event: Option<LazyValue<'a>>,
}

impl Envelope<'_> {
    /// The objects of the payload: the values of `key`; without it, of the only key, or the payload itself. Both the
    /// payload and the value may be an array.
    pub(super) fn objects(
        &self,
        key: Option<&str>,
        frame: &Frame<'_>,
    ) -> Result<Vec<&[u8]>, Reject> {
        let missing = || match key {
            Some(key) => Reject::field(&format!("event.{key}"), "is not an object"),
            None => Reject::field("event", "is missing or not an object"),
        };
        let event = self.event.as_ref().map(LazyValue::as_raw_str).ok_or_else(missing)?;
        let mut all = Vec::new();
        for payload in elements("event", event, frame)? {
            match std::str::from_utf8(payload).ok().and_then(|payload| inner(payload, key)) {
                Some(value) => all.extend(elements(key.unwrap_or("event"), value, frame)?),
                None => all.push(payload),
            }
        }
        match &all[..] {
            [] => Err(missing()),
            [one] if !one.starts_with(b"{") => Err(missing()),
            _ => Ok(all),
        }
    }

    /// Decodes the objects of the payload, each by itself.
    pub(super) fn each(
        &self,
        key: Option<&str>,
        frame: &Frame<'_>,
        decode: impl Fn(&str, Option<usize>, &Frame<'_>) -> Result<Decoded, Reject>,
    ) -> Result<Decoded, Reject> {
        if let Some(one) = self.only(key) {
            return decode(object_text(one.as_bytes(), frame.limits)?, None, frame);
        }
        each(&self.objects(key, frame)?, frame, decode)
    }

    /// The object with this key in the payload, which nearly all envelopes have. [`Self::objects`] finds it too, and all others.
    fn only(&self, key: Option<&str>) -> Option<&str> {
        let mut at = Cursor::valid(self.event.as_ref()?.as_raw_str().trim_ascii());
        at.expect(b'{')?;
        let mut is_first = true;
        while let Some(name) = at.key(std::mem::take(&mut is_first))? {
            let value = at.skip()?;
            if Some(name) == key {
                return Some(value).filter(|value| value.starts_with('{'));
            }
        }
        None
    }

    /// The id of the object with this number of an envelope, for objects that have no id of their own.
    pub(super) fn event_id_of(&self, nth: Option<usize>) -> Result<Option<Cow<'_, str>>, Reject> {
        Ok(match (self.event_id()?, nth) {
            (Some(id), Some(nth)) => Some(joined(&[&id, &nth.to_string()]).into_string().into()),
            (id, _) => id,
        })
    }

    pub(super) fn event_id(&self) -> Result<Option<Cow<'_, str>>, Reject> {
        word_of(&self.event_id, "eventId")
    }

    /// The time of the envelope. It has priority over the time of the alarm or ticket: the other standards send it too,
    /// and it increases with the log.
    pub(super) fn ts(&self, frame: &Frame<'_>) -> Result<Option<Timestamp>, Reject> {
        for (field, key) in [
            (&self.event_time, "eventTime"),
            (&self.time_ocurred, "timeOcurred"),
            (&self.time_occurred, "timeOccurred"),
        ] {
            if let Some(ts) = loose_time(field, key, frame)? {
                return Ok(Some(ts));
            }
        }
        Ok(None)
    }

    /// The event type; `None` without one.
    pub(super) fn event_type(&self) -> Result<Option<Cow<'_, str>>, Reject> {
        match word_of(&self.event_type, "eventType")? {
            Some(text) => Ok(Some(text)),
            None => word_of(&self.at_type, "@type"),
        }
    }

    /// The effect of the event type; `None` without an event type.
    pub(super) fn effect<T: Copy>(
        &self,
        types: &Types<T>,
        frame: &Frame<'_>,
    ) -> Result<Option<T>, Reject> {
        let Some(text) = self.event_type()? else { return Ok(None) };
        let unknown = || no_choice("eventType", &text, &types.known[..types.named]);
        types.effect(&text, frame).map(Some).ok_or_else(unknown)
    }
}

/// The value of `key` in a payload; without `key`, the object or array that is its only value. The payload is valid JSON.
fn inner<'v>(payload: &'v str, key: Option<&str>) -> Option<&'v str> {
    let pairs = pairs(payload)?;
    let value = match key {
        Some(key) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| *value),
        None => match &pairs[..] {
            [(_, value)] => Some(*value).filter(|value| value.starts_with(['{', '['])),
            _ => None,
        },
    };
    value.filter(|value| *value != "null")
}

/// The members of an object; `None` if it is not one.
fn pairs(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    plain_pairs(text).or_else(|| {
        // A key with an escape.
        let parsed: Pairs<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
        Some(parsed.0.into_iter().map(|(key, value)| (key, value.get())).collect())
    })
}

fn plain_pairs(text: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    let (mut pairs, mut at) = (Vec::new(), Cursor::valid(text));
    at.expect(b'{')?;
    while let Some(key) = at.key(pairs.is_empty())? {
        pairs.push((Cow::Borrowed(key), at.skip()?));
    }
    Some(pairs)
}

/// The event types of an API, and the acts of types that it does not have.
pub(super) struct Types<T: 'static> {
    /// Without the suffix `Event` or `Notification` of v4 and v5. The comparison ignores case.
    pub(super) known: &'static [(&'static str, T)],
    /// Number of `known` that a reject names.
    pub(super) named: usize,
    pub(super) acts: &'static [(Act, T, &'static str)],
}

impl<T: Copy> Types<T> {
    /// The effect of an event type: `alarmCreateEvent` in v4, `AlarmCreateEvent` in v5, `…Notification` for listeners. A
    /// type that is not known but names an act has the effect of the act.
    fn effect(&self, event_type: &str, frame: &Frame<'_>) -> Option<T> {
        let plain = event_type.strip_suffix("Event").unwrap_or(event_type);
        let find = |is: &dyn Fn(&str) -> bool| self.known.iter().find(|(word, _)| is(word));
        if let Some((_, effect)) = find(&|word| word.eq_ignore_ascii_case(plain)) {
            return Some(*effect);
        }
        let name: String = letters(event_type).collect();
        let name =
            name.strip_suffix("event").or(name.strip_suffix("notification")).unwrap_or(&name);
        if let Some((_, effect)) = find(&|word| same(word, name)) {
            return Some(*effect);
        }
        let act = act(event_type)?;
        let (_, effect, read_as) = self.acts.iter().find(|(known, ..)| *known == act)?;
        frame.notes.add(Doubt::EventType, shown(event_type), read_as);
        Some(*effect)
    }

    /// The effect of the event type of a header or wrapper; `None` if it is not a type of TMF.
    pub(super) fn wrapper_effect(&self, frame: &Frame<'_>) -> Option<T> {
        self.effect(frame.event_type?.rsplit(['.', '/', ':']).next()?, frame)
    }
}
