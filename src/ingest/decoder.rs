//! Bytes of any known shape → events. The order in which shapes are tried is the detector's.

use super::glance::{Layout, glance};
use super::lexicon::Lexicon;
use super::mapping::{Attribute, Attributes, Mapping, Target};
use super::native::Raw;
use super::reject::{Limits, Reject, object_text, parse};
use super::shape::words::same;
use super::shape::{cloudevents, fault_mns, tmf621, tmf642, trap, ves};
use crate::domain::{Brief, Event, EventKind, ListRebuilt, Name, Reason, Timestamp};

/// Wrappers within wrappers that are taken off: a CloudEvent within a CloudEvent, and some spare.
const WRAPS_MAX: u8 = 4;

/// What a record held.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    One(Event),
    /// A batch, in its order, each element judged alone. No element is a `Many` itself.
    Many(Vec<Result<Decoded, Reject>>),
    /// A valid notification that counts for nothing, such as a comment on an alarm.
    Nothing {
        why: &'static str,
    },
    /// 28.532's `notifyAlarmListRebuilt`: what is known of these alarms may no longer hold.
    ListRebuilt(ListRebuilt),
}

impl Decoded {
    /// The first event, if there is one.
    pub fn first(self) -> Option<Event> {
        match self {
            Self::One(event) => Some(event),
            Self::Many(all) => all.into_iter().flatten().find_map(Self::first),
            Self::Nothing { .. } | Self::ListRebuilt(_) => None,
        }
    }
}

/// Headers of a Kafka record or an HTTP request, borrowed. Names are told apart without their case
/// and with `-` and `_` as one: Kafka says `ce_id` where HTTP says `ce-id`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// The first header of that name, if it is text.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(key, _)| same(key, name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}

/// Reads every shape that surgecast knows.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pub limits: Limits,
    pub mapping: Mapping,
    /// What tickets' texts are sorted by.
    pub lexicon: Lexicon,
}

/// What a wrapper lends to the shape within, for where that says nothing itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) limits: &'a Limits,
    pub(super) mapping: &'a Mapping,
    pub(super) hint: Option<EventKind>,
    pub(super) id: Option<&'a str>,
    pub(super) ts: Option<Timestamp>,
    /// A header's or a CloudEvent's type, whose last part may be a TMF event type.
    pub(super) event_type: Option<&'a str>,
    pub(super) device: Option<&'a str>,
    pub(super) wraps: u8,
}

impl<'a> Frame<'a> {
    pub(super) fn new(limits: &'a Limits, mapping: &'a Mapping, hint: Option<EventKind>) -> Self {
        let (id, ts, event_type, device) = (None, None, None, None);
        Self { limits, mapping, hint, id, ts, event_type, device, wraps: 0 }
    }

    /// The same, one wrapper further in.
    pub(super) fn within(self) -> Result<Self, Reject> {
        if self.wraps == WRAPS_MAX {
            return Err(Reject::malformed(format!("wrapped more than {WRAPS_MAX} times")));
        }
        Ok(Self { wraps: self.wraps + 1, ..self })
    }

    /// Attributes for the mapping to look at; none where there is no mapping.
    pub(super) fn attributes<'e>(&self, fill: impl FnOnce(&mut Attributes<'e>)) -> Attributes<'e> {
        let mut attributes = Attributes::default();
        if !self.mapping.is_empty() {
            fill(&mut attributes);
        }
        attributes
    }

    pub(super) fn mapped(&self, target: Target, attributes: &Attributes<'_>) -> Name {
        self.mapping.find(target, attributes).unwrap_or_else(Name::unknown)
    }
}

impl Decoder {
    /// Reads one record. `hint` is the kind that topic or endpoint imply for a native event; what
    /// the bytes say of themselves wins.
    ///
    /// Shapes are tried in this order: CloudEvents (unwrapped), ONAP VES, TMF642 and TMF621
    /// envelopes, 3GPP 28.532 notifications, SNMP traps as JSON, a bare TMF642 alarm, a bare TMF621
    /// ticket, native.
    ///
    /// # Errors
    /// [`Reject`] with `Reason::Limit` for a record that is too large or holds too many events,
    /// `Reason::Malformed` for what is no JSON object, `Reason::Field` for a field that is missing
    /// or cannot be used and for an unknown shape.
    pub fn decode(
        &self,
        bytes: &[u8],
        headers: &Headers<'_>,
        hint: Option<EventKind>,
    ) -> Result<Decoded, Reject> {
        let mut frame = Frame::new(&self.limits, &self.mapping, hint);
        if headers.0.is_empty() {
            return body(bytes, frame);
        }
        frame.event_type = headers.get("eventType");
        if headers.get("ce_specversion").is_some() {
            return cloudevents::binary(bytes, headers, frame);
        }
        match headers.get("content-type") {
            Some(kind) if cloudevents::is_structured(kind) => {
                cloudevents::structured(object_text(bytes, frame.limits)?, frame)
            }
            _ => body(bytes, frame),
        }
    }
}

impl Decoder {
    /// A plain native ticket, read where it lies: where this says nothing, [`Self::decode`] decides; where it says
    /// something, that would say the same. Only for a record without headers. Its text is not cut. `layout` is of the
    /// source's records before.
    pub fn glance<'r>(
        &self,
        bytes: &'r [u8],
        hint: Option<EventKind>,
        layout: &mut Layout,
    ) -> Option<Brief<'r>> {
        if bytes.len() > self.limits.event_bytes {
            return None;
        }
        glance(std::str::from_utf8(bytes).ok()?, hint, layout)
    }
}

/// One shape, whatever wraps it.
pub(super) fn body(bytes: &[u8], frame: Frame<'_>) -> Result<Decoded, Reject> {
    let text = object_text(bytes, frame.limits)?;
    let raw: Raw<'_> = parse(text)?;
    let marks = &raw.marks();
    if marks.cloud_event {
        cloudevents::structured(text, frame)
    } else if marks.ves {
        ves::decode(text, frame)
    } else if marks.alarm_envelope {
        tmf642::envelope(text, frame)
    } else if marks.ticket_envelope {
        tmf621::envelope(text, frame)
    } else if marks.notification {
        fault_mns::decode(text, frame)
    } else if marks.trap {
        trap::decode(text, frame)
    } else if marks.alarm {
        tmf642::bare(text, frame)
    } else if marks.ticket {
        tmf621::bare(text, frame)
    } else if marks.native {
        native(&raw, frame)
    } else {
        let detail = "no known shape: send a CloudEvent (`specversion`), ONAP VES \
            (`event.commonEventHeader`, `eventList`), TMF642 (`event.alarm`, or `alarmedObject` and \
            `perceivedSeverity`), TMF621 (`event.troubleTicket`, or `ticketType` and `description`), \
            3GPP 28.532 (`notificationType` and `eventTime`), an SNMP trap (`variable_bindings`) or \
            a native event (`kind`, `event_id`, `ts`)";
        Err(Reject { reason: Reason::Field, detail: detail.to_owned() })
    }
}

fn native(raw: &Raw<'_>, frame: Frame<'_>) -> Result<Decoded, Reject> {
    let mut event = raw.event(&frame)?;
    if frame.mapping.is_empty() {
        return Ok(Decoded::One(event));
    }
    let attributes = raw.attributes();
    let fill = |name: &mut Name, absent: bool, target| {
        if absent && let Some(found) = frame.mapping.find(target, &attributes) {
            *name = found;
        }
    };
    let [region, service, channel] = raw.absent_names();
    match &mut event {
        Event::Alarm(alarm) => {
            fill(&mut alarm.scope.region, region, Target::Region);
            fill(&mut alarm.scope.service, service, Target::Service);
        }
        Event::Ticket(ticket) => {
            fill(&mut ticket.series.region, region, Target::Region);
            fill(&mut ticket.series.service, service, Target::Service);
            fill(&mut ticket.series.channel, channel, Target::Channel);
        }
        // Without a region it is for every one, which no mapping may narrow.
        Event::Maintenance(_) => {}
    }
    Ok(Decoded::One(event))
}

impl Raw<'_> {
    /// What a native event tells a mapping.
    fn attributes(&self) -> Attributes<'_> {
        let mut attributes = Attributes::default();
        for (attribute, field) in [
            (Attribute::Device, &self.device),
            (Attribute::Category, &self.alarm_type),
            (Attribute::Channel, &self.channel),
        ] {
            attributes.push(attribute, super::shape::words::word(field));
        }
        attributes
    }
}
