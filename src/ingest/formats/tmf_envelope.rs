//! The common envelope of events of all TMF Open APIs.

use serde::Deserialize;

use crate::domain::Timestamp;
use crate::ingest::field::Field;
use crate::ingest::frame::Frame;
use crate::ingest::nested::Sub;
use crate::ingest::read::{no_choice, text_of};
use crate::ingest::reject::Reject;
use crate::ingest::words::{joined, letters, loose_time, same, word_of};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "P: Default + Deserialize<'de>"))]
pub(super) struct Envelope<'a, P> {
    #[serde(borrow)]
    event_id: Field<'a>,
    event_time: Field<'a>,
    /// The spelling of TMF.
    time_ocurred: Field<'a>,
    time_occurred: Field<'a>,
    event_type: Field<'a>,
    #[serde(rename = "@type")]
    at_type: Field<'a>,
    pub(super) event: Sub<P>,
}

impl<P> Envelope<'_, P> {
    pub(super) fn event_id(&self) -> Result<Option<Box<str>>, Reject> {
        Ok(word_of(&self.event_id, "eventId")?.map(|id| joined(&[&id])))
    }

    /// The time of the envelope. It has priority over the time of the alarm or ticket: the other standards send it too,
    /// and it increases with the log.
    pub(super) fn ts(&self) -> Result<Option<Timestamp>, Reject> {
        for (field, key) in [
            (&self.event_time, "eventTime"),
            (&self.time_ocurred, "timeOcurred"),
            (&self.time_occurred, "timeOccurred"),
        ] {
            if let Some(ts) = loose_time(field, key)? {
                return Ok(Some(ts));
            }
        }
        Ok(None)
    }

    /// The effect of the event type; `None` without an event type. A reject names the first `named` types.
    pub(super) fn effect<T: Copy>(
        &self,
        types: &[(&str, T)],
        named: usize,
    ) -> Result<Option<T>, Reject> {
        let text = match text_of(&self.event_type, "eventType")? {
            Some(text) => text,
            None => match text_of(&self.at_type, "@type")? {
                Some(text) => text,
                None => return Ok(None),
            },
        };
        let unknown = || no_choice("eventType", text, &types[..named]);
        effect(types, text).map(Some).ok_or_else(unknown)
    }
}

/// The effect of the event type of a header or wrapper; `None` if it is not a type of TMF.
pub(super) fn wrapper_effect<T: Copy>(types: &[(&str, T)], frame: &Frame<'_>) -> Option<T> {
    effect(types, frame.event_type?.rsplit(['.', '/', ':']).next()?)
}

/// The effect of an event type: `alarmCreateEvent` in v4, `AlarmCreateEvent` in v5, `…Notification` for listeners.
fn effect<T: Copy>(types: &[(&str, T)], event_type: &str) -> Option<T> {
    let name: String = letters(event_type).collect();
    let name = name.strip_suffix("event").or(name.strip_suffix("notification")).unwrap_or(&name);
    types.iter().find(|(word, _)| same(word, name)).map(|(_, effect)| *effect)
}
