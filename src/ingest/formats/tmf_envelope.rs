//! The envelope that events of all TMF Open APIs share.

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
    /// As TMF spells it, and as one would.
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

    /// The envelope's time comes before the record's own: it is what the other standards tell too,
    /// and it grows with the log.
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

    /// What the event's type does, `None` where it has none. A reject names the first `named`.
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

/// What the type that a header or a wrapper tells does; it need not be TMF's.
pub(super) fn lent_effect<T: Copy>(types: &[(&str, T)], frame: &Frame<'_>) -> Option<T> {
    effect(types, frame.event_type?.rsplit(['.', '/', ':']).next()?)
}

/// v4 says `alarmCreateEvent` and v5 `AlarmCreateEvent`; listeners are told `…Notification`.
fn effect<T: Copy>(types: &[(&str, T)], event_type: &str) -> Option<T> {
    let told: String = letters(event_type).collect();
    let told = told.strip_suffix("event").or(told.strip_suffix("notification")).unwrap_or(&told);
    types.iter().find(|(word, _)| same(word, told)).map(|(_, effect)| *effect)
}
