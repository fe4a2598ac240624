//! The result of decoding a record.

use std::borrow::Cow;

use super::reject::Reject;
use crate::domain::{Event, ListRebuilt, printable};

/// The content of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    One(Event),
    /// A change of a ticket that says when the ticket was created. If no creation of the ticket has been counted in the
    /// window of that time, and the window is open, `arrival` counts there too.
    Update {
        event: Event,
        arrival: Event,
    },
    /// A batch in its order. Each element is decoded independently, and none of them is a `Many`.
    Many(Vec<Result<Decoded, Reject>>),
    /// No value: a tombstone of a compacted topic.
    Null,
    /// A valid notification that is not counted, such as a comment on an alarm.
    Ignored {
        why: &'static str,
    },
    /// 28.532's `notifyAlarmListRebuilt`: the state of these alarms may have changed.
    ListRebuilt(ListRebuilt),
}

impl Decoded {
    /// A batch of `all`. Nested batches become parts of it. An empty batch still has an outcome.
    pub(super) fn many(all: impl Iterator<Item = Result<Self, Reject>>) -> Self {
        let mut flat = Vec::with_capacity(all.size_hint().0);
        for one in all {
            match one {
                Ok(Self::Many(inner)) => flat.extend(inner),
                one => flat.push(one),
            }
        }
        match flat.is_empty() {
            true => Self::Ignored { why: "an empty batch" },
            false => Self::Many(flat),
        }
    }

    /// Escapes unprintable characters in texts that people read: devices, types, descriptions. Customers' texts stay as they
    /// are, because they are only classified by topic.
    pub(super) fn make_printable(&mut self) {
        match self {
            Self::One(event) => escape_texts(event),
            Self::Update { event, arrival } => [event, arrival].into_iter().for_each(escape_texts),
            Self::Many(all) => all.iter_mut().flatten().for_each(Self::make_printable),
            Self::ListRebuilt(list) => escape([&mut list.system, &mut list.object]),
            Self::Null | Self::Ignored { .. } => {}
        }
    }

    /// The first event, if there is one.
    pub fn first(self) -> Option<Event> {
        match self {
            Self::One(event) | Self::Update { event, .. } => Some(event),
            Self::Many(all) => all.into_iter().flatten().find_map(Self::first),
            Self::Null | Self::Ignored { .. } | Self::ListRebuilt(_) => None,
        }
    }
}

fn escape_texts(event: &mut Event) {
    match event {
        Event::Alarm(alarm) => {
            escape([&mut alarm.device, &mut alarm.alarm_type, &mut alarm.text]);
        }
        Event::Ticket(ticket) => escape([&mut ticket.priority, &mut ticket.tier]),
        Event::Maintenance(work) => escape([&mut work.impact, &mut work.text]),
    }
}

fn escape<const N: usize>(texts: [&mut Option<Box<str>>; N]) {
    for text in texts.into_iter().flatten() {
        if let Cow::Owned(shown) = printable(text) {
            *text = shown.into();
        }
    }
}
