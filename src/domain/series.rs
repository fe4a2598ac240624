//! The keys of counts: tickets are counted by (region, service, channel), alarms by (region, service).

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The name in a roll-up's key that means all regions, services or channels.
pub const ALL: &str = "_all";
/// The name used if an event has none and no mapping gives one.
pub const UNKNOWN: &str = "unknown";
/// The name under which events are counted if there are too many different names: see `limits.series`.
pub const OTHER: &str = "_other";

/// A region's, service's or channel's name: 1–64 characters, without control characters and `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(Arc<str>);

/// The error for a text that is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    #[error("is empty: use 1 to 64 characters")]
    Empty,
    #[error("has more than 64 characters")]
    Long,
    #[error("has a control character or a `/`")]
    Character,
    #[error("`_all` is reserved for roll-ups")]
    Reserved,
}

impl Name {
    /// The name of an event's region, service or channel.
    ///
    /// # Errors
    /// [`NameError`] for an invalid name, and for the reserved `_all`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Checks whether [`Self::new`] accepts a text.
    ///
    /// # Errors
    /// [`NameError`], as for [`Self::new`].
    pub fn check(text: &str) -> Result<(), NameError> {
        if text == ALL {
            return Err(NameError::Reserved);
        }
        Self::check_filter(text)
    }

    /// Like [`Self::new`], but accepts `_all`: for filters and roll-up keys.
    ///
    /// # Errors
    /// [`NameError`], but never [`NameError::Reserved`].
    pub fn filter(text: &str) -> Result<Self, NameError> {
        Self::check_filter(text)?;
        Ok(Self(text.into()))
    }

    fn check_filter(text: &str) -> Result<(), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        // Fast path: most names are short ASCII.
        let plain = |byte: &u8| (b' '..0x7f).contains(byte) && *byte != b'/';
        if text.len() <= 64 && text.as_bytes().iter().all(plain) {
            return Ok(());
        }
        if text.len() > 64 && text.chars().count() > 64 {
            return Err(NameError::Long);
        }
        // `/` separates the parts of a series in its text form.
        if text.chars().any(|c| super::unprintable(c) || c == '/') {
            return Err(NameError::Character);
        }
        Ok(())
    }

    /// The name `_all`, for roll-ups.
    pub fn all() -> Self {
        Self(ALL.into())
    }

    /// The name `unknown`.
    pub fn unknown() -> Self {
        Self(UNKNOWN.into())
    }

    /// The name `_other`.
    pub fn other() -> Self {
        Self(OTHER.into())
    }

    /// A name that is smaller than all valid names, for searches in ordered maps.
    pub fn least() -> Self {
        Self(" ".into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is `_all`.
    pub fn is_all(&self) -> bool {
        &*self.0 == ALL
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::filter(&text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scope of an alarm: a region and a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    pub region: Name,
    pub service: Name,
}

impl Scope {
    /// Whether `series` contains tickets of this scope. A roll-up contains the tickets of all its parts.
    pub fn touches(&self, series: &SeriesKey) -> bool {
        (series.region.is_all() || series.region == self.region)
            && (series.service.is_all() || series.service == self.service)
    }

    /// The series of this scope's tickets over all channels.
    pub fn all_channels(&self) -> SeriesKey {
        SeriesKey::new(self.region.clone(), self.service.clone(), Name::all())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.region, self.service)
    }
}

/// The key of a ticket series: a leaf, or a roll-up with `_all` in one or more parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    pub region: Name,
    pub service: Name,
    pub channel: Name,
}

impl SeriesKey {
    /// The key with these names.
    pub fn new(region: Name, service: Name, channel: Name) -> Self {
        Self { region, service, channel }
    }

    /// Reads `region/service/channel`; each part may be `_all`.
    ///
    /// # Errors
    /// A text that describes the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let [region, service, channel] = parts[..] else {
            return Err(format!("`{text}` is not region/service/channel"));
        };
        let name = |part: &str| Name::filter(part).map_err(|e| format!("`{part}` {e}"));
        Ok(Self::new(name(region)?, name(service)?, name(channel)?))
    }

    /// Whether any part is `_all`.
    pub fn is_roll_up(&self) -> bool {
        self.region.is_all() || self.service.is_all() || self.channel.is_all()
    }

    /// Number of parts that are not `_all`: 3 for a leaf.
    pub fn names_given(&self) -> usize {
        [&self.region, &self.service, &self.channel]
            .into_iter()
            .filter(|name| !name.is_all())
            .count()
    }

    /// Whether it contains another series: `_all` stands for every name.
    pub fn covers(&self, other: &Self) -> bool {
        let part = |own: &Name, other: &Name| own.is_all() || own == other;
        part(&self.region, &other.region)
            && part(&self.service, &other.service)
            && part(&self.channel, &other.channel)
    }

    /// Whether this is the roll-up over all channels of one service in one region.
    pub fn is_scope(&self) -> bool {
        self.channel.is_all() && !self.region.is_all() && !self.service.is_all()
    }

    /// The seven roll-ups that contain this leaf.
    pub fn roll_ups(&self) -> impl Iterator<Item = Self> + '_ {
        (1..8u8).map(|mask| {
            let pick =
                |bit: u8, name: &Name| if mask & bit != 0 { Name::all() } else { name.clone() };
            Self::new(pick(4, &self.region), pick(2, &self.service), pick(1, &self.channel))
        })
    }

    /// The (region, service) of this series.
    pub fn scope(&self) -> Scope {
        Scope { region: self.region.clone(), service: self.service.clone() }
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.region, self.service, self.channel)
    }
}
