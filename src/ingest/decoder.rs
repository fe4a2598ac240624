//! Bytes of any known format → events.

use super::decoded::Decoded;
use super::detect::{self, Probe};
use super::fast_path::{Layout, fast_path};
use super::frame::Frame;
use super::headers::Headers;
use super::lexicon::Lexicon;
use super::mapping::Mapping;
use super::reject::{Limits, Reject, object_text, parse};
use crate::domain::{Brief, Event, EventKind};

/// Reads every format that surgecast knows.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pub limits: Limits,
    pub mapping: Mapping,
    /// What tickets' texts are sorted by.
    pub lexicon: Lexicon,
}

impl Decoder {
    /// Reads one record. `hint` is the kind that topic or endpoint imply for a native event; what
    /// the bytes say of themselves wins. Formats are tried in the order of the table in `detect/table.rs`.
    ///
    /// # Errors
    /// [`Reject`] with `Reason::Limit` for a record that is too large or holds too many events,
    /// `Reason::Malformed` for what is no JSON object, `Reason::Field` for a field that is missing
    /// or cannot be used and for an unknown format.
    pub fn decode(
        &self,
        bytes: &[u8],
        headers: &Headers<'_>,
        hint: Option<EventKind>,
    ) -> Result<Decoded, Reject> {
        detect::record(bytes, headers, Frame::new(&self.limits, &self.mapping, hint))
    }

    /// Reads a plain native ticket where it lies. Where this gives nothing, [`Self::decode`] decides; where it gives
    /// something, that would give the same. Only for a record without headers. The text is not cut. `layout` is of the
    /// source's records before.
    pub fn fast_path<'r>(
        &self,
        bytes: &'r [u8],
        hint: Option<EventKind>,
        layout: &mut Layout,
    ) -> Option<Brief<'r>> {
        if bytes.len() > self.limits.event_bytes {
            return None;
        }
        fast_path(std::str::from_utf8(bytes).ok()?, hint, layout)
    }
}

/// Reads one native event. `hint` is the kind that topic or endpoint imply; a `kind` in the event wins.
///
/// # Errors
/// [`Reject`] with `Reason::Limit` for an event that is too large, `Reason::Malformed` for what is
/// no JSON object, `Reason::Field` for a field that is missing or cannot be used.
pub fn decode(bytes: &[u8], hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
    let text = object_text(bytes, limits)?;
    let probe: Probe<'_> = parse(text)?;
    probe.native.event(&Frame::new(limits, &Mapping::NONE, hint))
}
