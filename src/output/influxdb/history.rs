//! Reads the tickets of finalized windows back from InfluxDB: Flux queries, whose answers are CSV.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

use csv::StringRecord;
use serde_json::json;
use thiserror::Error;

use super::client::{InfluxSettings, SetupProblem, message, root_cause, short};
use crate::config::Secret;
use crate::domain::{Name, SeriesKey, Timestamp};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Time limit of one answer: a day of 10,000 series takes seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Maximum size of one answer: a day of 10,000 series has about 70 MB.
const ANSWER_BYTES_MAX: u64 = 512 << 20;
/// Maximum size of the answer to a refused query.
const ERROR_BYTES_MAX: u64 = 64 << 10;

/// Why the history could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HistoryProblem {
    /// The token may not read the bucket, or there is no such bucket.
    #[error("{0}")]
    Refused(String),
    /// InfluxDB does not answer, or ended its answer early.
    #[error("{0}")]
    Unavailable(String),
    /// The answer cannot be understood.
    #[error("{0}")]
    Invalid(String),
}

/// Tickets of the windows of one series, by start.
pub type Tickets = BTreeMap<Timestamp, u32>;

/// Reads windows that surgecast has written.
pub struct InfluxHistory {
    http: reqwest::blocking::Client,
    settings: InfluxSettings,
    token: Secret,
}

/// The series that a query asks for.
#[derive(Clone, Copy)]
enum Which {
    /// The sum of all series.
    Total,
    /// All series except roll-ups.
    Leaves,
}

impl InfluxHistory {
    /// # Errors
    /// [`SetupProblem`] if TLS of this machine cannot be used.
    pub fn new(settings: InfluxSettings, token: Secret) -> Result<Self, SetupProblem> {
        let http = reqwest::blocking::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent(concat!("surgecast/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SetupProblem(format!("InfluxDB client: {error}")))?;
        Ok(Self { http, settings, token })
    }

    /// Starts of the windows in `from..to` that have a sum over all series, and whether each was open when it was written last.
    ///
    /// # Errors
    /// [`HistoryProblem`] if they cannot be read completely.
    pub fn starts(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Timestamp, bool>, HistoryProblem> {
        let mut starts = BTreeMap::new();
        self.rows(&self.query((from, to), "upto", Which::Total, ""), |row| {
            // In finalized windows, the newest offset that was counted is 0.
            starts.insert(row.start, row.number > 0);
            Ok(())
        })?;
        Ok(starts)
    }

    /// Series without roll-ups that have a window in `from..to`, each with the start of its last one. Names that surgecast cannot
    /// have written as they are now are left out.
    ///
    /// # Errors
    /// [`HistoryProblem`] if they cannot be read completely.
    pub fn series(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Timestamp>, HistoryProblem> {
        let mut found = BTreeMap::new();
        self.rows(&self.query((from, to), "count", Which::Leaves, " |> last()"), |row| {
            found.extend(row.series()?.map(|series| (series, row.start)));
            Ok(())
        })?;
        Ok(found)
    }

    /// Tickets of the windows in `from..to` by series, without roll-ups.
    ///
    /// # Errors
    /// [`HistoryProblem`] if they cannot be read completely.
    pub fn tickets(
        &self,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<SeriesKey, Tickets>, HistoryProblem> {
        let mut found: BTreeMap<SeriesKey, Tickets> = BTreeMap::new();
        self.rows(&self.query((from, to), "count", Which::Leaves, ""), |row| {
            let Some(series) = row.series()? else { return Ok(()) };
            let tickets = u32::try_from(row.number).map_err(|_| {
                HistoryProblem::Invalid(format!("{} is no number of tickets", row.number))
            })?;
            found.entry(series).or_default().insert(row.start, tickets);
            Ok(())
        })?;
        Ok(found)
    }

    /// A query of one field of `tickets`. `then` goes before the columns.
    fn query(
        &self,
        (from, to): (Timestamp, Timestamp),
        field: &str,
        which: Which,
        then: &str,
    ) -> String {
        let is = match which {
            Which::Total => "==",
            Which::Leaves => "!=",
        };
        let bucket = literal(&self.settings.bucket);
        format!(
            "from(bucket: {bucket}) |> range(start: {from}, stop: {to}) |> filter(fn: (r) => r._measurement == \"tickets\" and \
             r._field == \"{field}\" and r.region {is} \"_all\" and r.service {is} \"_all\" and r.channel {is} \"_all\"){then} \
             |> keep(columns: [\"_time\", \"_value\", \"region\", \"service\", \"channel\"])"
        )
    }

    /// Calls `each` for every row of a query's answer.
    fn rows(
        &self,
        query: &str,
        each: impl FnMut(&Row<'_>) -> Result<(), HistoryProblem>,
    ) -> Result<(), HistoryProblem> {
        let InfluxSettings { url, org, bucket, .. } = &self.settings;
        let address =
            reqwest::Url::parse_with_params(&format!("{url}/api/v2/query"), [("org", org)]);
        let address = address
            .map_err(|error| HistoryProblem::Unavailable(format!("influxdb.url {url}: {error}")))?;
        let body = json!({
            "query": query,
            "type": "flux",
            "dialect": { "header": true, "annotations": [], "delimiter": "," },
        });
        let request = self.http.post(address).header("content-type", "application/json");
        let request = request.header("accept", "application/csv").body(body.to_string());
        let request = request.header("authorization", format!("Token {}", self.token.expose()));
        let answer = request.send().map_err(|error| {
            let why = root_cause(&error.without_url()).to_owned();
            HistoryProblem::Unavailable(format!("no answer from InfluxDB at {url} ({why})"))
        })?;
        let status = answer.status().as_u16();
        if status == 200 {
            return read(answer, each);
        }
        let mut text = String::new();
        // Without a text, the status says enough.
        let _ = answer.take(ERROR_BYTES_MAX).read_to_string(&mut text);
        let text = short(&message(&text));
        Err(match status {
            401 | 403 | 404 => HistoryProblem::Refused(format!(
                "the token may not read bucket {bucket} of {org}, or there is no such bucket: InfluxDB at {url} answered {status} \
                 ({text})"
            )),
            code => {
                HistoryProblem::Unavailable(format!("InfluxDB at {url} answered {code} ({text})"))
            }
        })
    }
}

/// A string literal of Flux.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('"', "\\\"").replace("${", "\\${");
    format!("\"{escaped}\"")
}

/// One row of an answer.
struct Row<'r> {
    record: &'r StringRecord,
    columns: &'r Columns,
    start: Timestamp,
    number: i64,
}

impl Row<'_> {
    /// The series; `None` for a name that is not one of surgecast now, such as one in which a backslash was replaced.
    fn series(&self) -> Result<Option<SeriesKey>, HistoryProblem> {
        let mut names = Vec::with_capacity(3);
        for column in &self.columns.names {
            let name = self.record.get(*column).ok_or_else(|| cut("a row has no names"))?;
            names.extend(Name::new(name).ok());
        }
        let names: Result<[Name; 3], _> = names.try_into();
        Ok(names.ok().map(|[region, service, channel]| SeriesKey::new(region, service, channel)))
    }
}

/// Where the columns of a table are.
struct Columns {
    time: usize,
    value: usize,
    /// Region, service, channel.
    names: [usize; 3],
    width: usize,
}

impl Columns {
    /// The columns, if the record is a header.
    fn of(record: &StringRecord) -> Result<Option<Self>, HistoryProblem> {
        if record.get(1) != Some("result") || record.get(2) != Some("table") {
            return Ok(None);
        }
        let find = |name: &str| {
            let at = record.iter().position(|found| found == name);
            at.ok_or_else(|| HistoryProblem::Invalid(format!("InfluxDB sent no column {name}")))
        };
        Ok(Some(Self {
            time: find("_time")?,
            value: find("_value")?,
            names: [find("region")?, find("service")?, find("channel")?],
            width: record.len(),
        }))
    }
}

/// Calls `each` for every row of an answer. The answer is complete only if it ends with an empty line.
fn read(
    answer: impl Read,
    mut each: impl FnMut(&Row<'_>) -> Result<(), HistoryProblem>,
) -> Result<(), HistoryProblem> {
    let answer = Limited { answer, bytes: 0, tail: [0; 4] };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(answer);
    let mut columns: Option<Columns> = None;
    let mut is_error = false;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(&error))? {
        if is_error {
            let why = record.iter().find(|text| !text.is_empty()).unwrap_or_default();
            return Err(cut(&format!("its query failed: {}", short(why))));
        }
        if record.get(0).is_some_and(|first| first.starts_with('#')) {
            continue;
        }
        if record.iter().any(|name| name == "error")
            && record.iter().any(|name| name == "reference")
        {
            is_error = true;
            continue;
        }
        if let Some(found) = Columns::of(&record)? {
            columns = Some(found);
            continue;
        }
        let Some(columns) = columns.as_ref().filter(|columns| columns.width == record.len()) else {
            return Err(cut("a row has other columns than its table"));
        };
        let [time, value] =
            [columns.time, columns.value].map(|at| record.get(at).unwrap_or_default());
        let start = Timestamp::parse(time);
        let start = start.map_err(|_| HistoryProblem::Invalid(format!("{time:?} is no time")))?;
        let number = value.parse();
        let number =
            number.map_err(|_| HistoryProblem::Invalid(format!("{value:?} is no number")))?;
        each(&Row { record: &record, columns, start, number })?;
    }
    if is_error || !reader.get_ref().is_complete() {
        return Err(cut("it has no end"));
    }
    Ok(())
}

fn cut(why: &str) -> HistoryProblem {
    HistoryProblem::Unavailable(format!("the answer of InfluxDB is not complete: {why}"))
}

fn unreadable(error: &csv::Error) -> HistoryProblem {
    let why = root_cause(error).to_owned();
    match error.is_io_error() {
        true => cut(&why),
        false => HistoryProblem::Invalid(format!("the answer of InfluxDB is not valid CSV: {why}")),
    }
}

/// An answer with a limit on its size, and its last bytes.
struct Limited<R> {
    answer: R,
    bytes: u64,
    tail: [u8; 4],
}

impl<R> Limited<R> {
    /// Whether it ends with an empty line. An answer without rows is one.
    fn is_complete(&self) -> bool {
        self.tail == *b"\r\n\r\n" || (self.bytes == 2 && self.tail.ends_with(b"\r\n"))
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.answer.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > ANSWER_BYTES_MAX {
            return Err(io::Error::other(format!("it is larger than {ANSWER_BYTES_MAX} bytes")));
        }
        for byte in &buffer[read.saturating_sub(4)..read] {
            self.tail.rotate_left(1);
            self.tail[3] = *byte;
        }
        Ok(read)
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
