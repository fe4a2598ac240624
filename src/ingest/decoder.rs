//! Decodes events of all known formats.

use super::decoded::Decoded;
use super::detect::{self, Probe};
use super::fast_path::{Layout, PlainTicket, TicketWords, fast_path};
use super::formats::life;
use super::frame::Frame;
use super::headers::Headers;
use super::lexicon::Lexicon;
use super::mapping::Mapping;
use super::notes::Notes;
use super::reject::{Limits, Reject, object_text, parse};
use super::sentiment::SentimentWords;
use crate::domain::{Event, EventKind, FactsRef, Timestamp, Topic, Zone};

/// Decodes events of all formats.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pub limits: Limits,
    pub mapping: Mapping,
    /// Classifies tickets' texts by topic.
    pub lexicon: Lexicon,
    /// Finds the sentiment of tickets' texts.
    pub sentiment: SentimentWords,
    /// The zone of times without an offset.
    pub zone: Zone,
}

impl Decoder {
    /// Decodes one record. `hint` is the kind that the topic or endpoint implies for a native event; a kind in the event
    /// overrides it. Formats are tried in the order of the table in `detect/table.rs`.
    ///
    /// # Errors
    /// [`Reject`] with `Reason::Limit` for a record that is too large or has too many events, `Reason::Malformed` for
    /// bytes that are not a JSON object, `Reason::Field` for a missing or invalid field and for an unknown format.
    pub fn decode(
        &self,
        bytes: &[u8],
        headers: &Headers<'_>,
        hint: Option<EventKind>,
    ) -> Result<Decoded, Reject> {
        self.decode_noting(bytes, headers, hint, None, &Notes::default())
    }

    /// Like [`Self::decode`], and notes words that were read by a rule because they are in no list. `appended_at` is when the
    /// record was appended to its log: it decides whether an end in an event is over.
    ///
    /// # Errors
    /// As for [`Self::decode`].
    pub fn decode_noting(
        &self,
        bytes: &[u8],
        headers: &Headers<'_>,
        hint: Option<EventKind>,
        appended_at: Option<Timestamp>,
        notes: &Notes,
    ) -> Result<Decoded, Reject> {
        let frame = Frame::new(&self.limits, &self.mapping, hint, self.zone, notes);
        let frame = Frame { appended_at, ..frame };
        let mut decoded = detect::record(bytes, headers, frame)?;
        decoded.make_printable();
        Ok(decoded)
    }

    /// What a ticket's event says besides its step; `None` if it says nothing. `topic` is that of its text, if it is known.
    pub fn facts<'r>(&self, words: TicketWords<'r>, topic: Option<Topic>) -> Option<FactsRef<'r>> {
        let TicketWords { priority, tier, customer, text } = words;
        let facts = FactsRef {
            priority: priority.and_then(short),
            tier: tier.and_then(short),
            topic: topic.or_else(|| self.lexicon.topic(text?)),
            sentiment: text.and_then(|text| self.sentiment.sentiment(text)),
            customer: customer.and_then(life::customer_id),
        };
        (facts != FactsRef::default()).then_some(facts)
    }

    /// Decodes a plain native ticket without copying its texts. `Some` is the same result as that of [`Self::decode`], except
    /// that the text of a ticket without an id is not cut at its limit. For `None`, call [`Self::decode`]. Only for records without headers.
    /// `layout` is the layout of the previous records of the source.
    pub fn fast_path<'r>(
        &self,
        bytes: &'r [u8],
        hint: Option<EventKind>,
        layout: &mut Layout,
    ) -> Option<PlainTicket<'r>> {
        if bytes.len() > self.limits.event_bytes {
            return None;
        }
        let ticket = fast_path(std::str::from_utf8(bytes).ok()?, hint, layout)?;
        let TicketWords { priority, tier, text, .. } = ticket.words;
        let is_long = |text: &str| text.len() > self.limits.text_chars;
        let is_cut = [priority, tier, text].into_iter().flatten().any(is_long);
        (!is_cut).then_some(ticket)
    }
}

/// Longest priority or tier that is kept, in characters.
const SHORT_MAX: usize = 64;

/// A word without surrounding blanks; `None` if it is empty or too long for a word.
fn short(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= SHORT_MAX).then_some(text)
}

/// Decodes one native event. `hint` is the kind that the topic or endpoint implies; a `kind` in the event overrides it.
///
/// # Errors
/// [`Reject`] with `Reason::Limit` for an event that is too large, `Reason::Malformed` for bytes that are not a JSON
/// object, `Reason::Field` for a missing or invalid field.
pub fn decode(bytes: &[u8], hint: Option<EventKind>, limits: &Limits) -> Result<Event, Reject> {
    let text = object_text(bytes, limits)?;
    let probe: Probe<'_> = parse(text)?;
    let (mapping, notes) = (Mapping::NONE, Notes::default());
    probe.native.event(&Frame::new(limits, &mapping, hint, Zone::UTC, &notes))
}
