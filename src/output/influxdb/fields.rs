//! Lines of line protocol: tags, fields and timestamps.

use influxdb_line_protocol::LineProtocolBuilder;
use influxdb_line_protocol::builder::{AfterMeasurement, FieldValue};
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{Scope, SeriesKey, Timestamp};

/// One line of line protocol, with nanoseconds, without its line end.
pub type Line = Vec<u8>;

/// A line with its measurement, to which tags are added.
pub(super) type Start = LineProtocolBuilder<Vec<u8>, AfterMeasurement>;

/// A line of a measurement, without tags.
pub(super) fn line(measurement: &str) -> Start {
    LineProtocolBuilder::new().measurement(measurement)
}

pub(super) fn series_tags(measurement: &str, series: &SeriesKey) -> Start {
    let SeriesKey { region, service, channel } = series;
    let line = line(measurement).tag("region", &tag(region.as_str()));
    line.tag("service", &tag(service.as_str())).tag("channel", &tag(channel.as_str()))
}

pub(super) fn scope_tags(measurement: &str, scope: &Scope) -> Start {
    let line = line(measurement).tag("region", &tag(scope.region.as_str()));
    line.tag("service", &tag(scope.service.as_str()))
}

/// A name as a tag. InfluxDB has no way to escape a backslash before a separator.
pub(super) fn tag(name: &str) -> String {
    name.replace('\\', "/")
}

/// Fields of one point. Absent values are left out.
pub(super) struct Fields(Vec<(&'static str, Field)>);

enum Field {
    Integer(i64),
    Float(f64),
    Text(String),
}

impl FieldValue for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => FieldValue::fmt(number, f),
            Self::Float(number) => FieldValue::fmt(number, f),
            Self::Text(text) => FieldValue::fmt(&text.as_str(), f),
        }
    }
}

impl Fields {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn integer(mut self, key: &'static str, number: impl Into<i64>) -> Self {
        self.0.push((key, Field::Integer(number.into())));
        self
    }

    /// Line protocol has no form for numbers that are not finite.
    pub(super) fn float(mut self, key: &'static str, number: f64) -> Self {
        if number.is_finite() {
            self.0.push((key, Field::Float(number)));
        }
        self
    }

    pub(super) fn text(mut self, key: &'static str, text: impl Into<String>) -> Self {
        self.0.push((key, Field::Text(text.into())));
        self
    }

    /// The finished line; `None` without a field.
    pub(super) fn at(self, start: Start, nanos: i64) -> Option<Line> {
        let mut fields = self.0.into_iter();
        let (key, first) = fields.next()?;
        let line =
            fields.fold(start.field(key, first), |line, (key, field)| line.field(key, field));
        let mut line = line.timestamp(nanos).close_line().build();
        line.pop();
        Some(line)
    }
}

pub(super) fn nanos(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1_000_000)
}

/// The timestamp of a point whose tags do not distinguish it from other points of the same second: the id determines the
/// fraction.
pub(super) fn nanos_of(at: Timestamp, id: &str) -> i64 {
    let fraction = (xxh3_64(id.as_bytes()) % 1_000_000_000) as i64;
    let second = at.millis().div_euclid(1000).saturating_mul(1_000_000_000);
    second.saturating_add(fraction)
}
