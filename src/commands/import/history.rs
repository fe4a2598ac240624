//! `surgecast import tickets` and `import alarms`: history from a CSV file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::StatusCode;
use reqwest::blocking::Client;
use serde::Deserialize;

use super::rows::{Mapping, Row, Rows};
use crate::commands::replay::{all_rejected, read_token, send_all};
use crate::commands::usage::UsageError;
use crate::commands::words::plural;
use crate::domain::{DAY, EventKind, Timestamp, WindowWidth, Zone};

const TIMEOUT: Duration = Duration::from_secs(60);
/// How long windows are kept.
const KEPT: Duration = Duration::from_secs(400 * DAY.as_secs());
/// Maximum number of reasons that are listed.
const REASONS_MAX: usize = 20;
/// Maximum number of series that are listed.
const SERIES_MAX: usize = 200;

/// The file, and where its rows are sent.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// CSV file with a header
    file: PathBuf,
    /// Column from which a field is read. Not needed where the column has the name of the field. Repeatable
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Value of a field in all rows. Repeatable
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Time zone of times without an offset, such as Europe/London
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Zone>,
    /// Character between columns
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Write events to this new file, for `serve --input` or `replay`, and send nothing
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Address of the running system
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File with a token of the scopes `read` and `ingest`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Show what would be counted, and send or write nothing
    #[arg(long)]
    dry_run: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(field, value)| !field.is_empty() && !value.is_empty());
    let (field, value) = pair.ok_or("use FIELD=COLUMN, such as ts=Opened")?;
    Ok((field.trim().to_owned(), value.trim().to_owned()))
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Ok(b'\t'),
        [one] => Ok(*one),
        _ => Err("use one character, or tab".into()),
    }
}

/// What a running system answers about its windows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct System {
    /// End of the last final window.
    final_upto: Option<Timestamp>,
    width: WindowWidth,
    now: Timestamp,
}

#[derive(Deserialize)]
struct StatusBody {
    now: String,
    width_minutes: u64,
    settled_upto: Option<String>,
}

/// Rows by what will be done with them.
#[derive(Default)]
struct Plan<'r> {
    sent: Vec<&'r Row>,
    /// Events that will be counted: number, first and last time.
    by_series: BTreeMap<&'r str, (u64, Timestamp, Timestamp)>,
    counted: u64,
    duplicates: u64,
    in_final: u64,
    too_old: u64,
    in_future: u64,
}

/// Reads the file, prints what would be counted, and sends or writes it unless this is a dry run.
///
/// # Errors
/// [`UsageError`] for a file, a mapping or an address that cannot be used.
pub fn run(kind: EventKind, args: &HistoryArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mapping = Mapping {
        kind,
        columns: args.map.iter().cloned().collect(),
        constants: args.set.iter().cloned().collect(),
        zone: args.time_zone,
        delimiter: args.delimiter,
    };
    mapping.check()?;
    let name = args.file.display().to_string();
    let source = File::open(&args.file)
        .map_err(|error| UsageError(format!("cannot open {name}: {error}")))?;
    let rows = mapping.read(&name, source)?;
    let token = args.token_file.as_deref().map(read_token).transpose()?;
    let system = match &args.out {
        Some(_) => None,
        None => match args.status(token.as_deref()) {
            Ok(system) => Some(system),
            Err(error) if args.dry_run && !error.is::<UsageError>() => {
                writeln!(out, "{error}: it is not known which windows that system has finalized")?;
                None
            }
            Err(error) => return Err(error),
        },
    };
    let plan = Plan::new(&rows, system);
    plan.say(out, &name, &rows, system, args.dry_run)?;
    let rejected = rows.rejected.values().map(|(n, _)| n).sum();
    all_rejected(rows.events.len() as u64, rejected)?;
    if args.dry_run || plan.sent.is_empty() {
        return Ok(());
    }
    let mut events = Vec::new();
    for row in &plan.sent {
        events.extend_from_slice(row.json.as_bytes());
        events.push(b'\n');
    }
    match &args.out {
        Some(path) => {
            let shown = path.display();
            let file = File::options().write(true).create_new(true).open(path);
            let written = file.and_then(|mut file| {
                file.write_all(&events)?;
                file.sync_all()
            });
            written.map_err(|error| UsageError(format!("--out {shown}: {error}")))?;
            writeln!(out, "{shown}: {} written", plural(plan.sent.len(), "event", "events"))?;
        }
        None => {
            let (accepted, rejected) = send_all(&name, events, &args.url, token)?;
            let shown = plural(accepted, "event", "events");
            writeln!(out, "{}: {shown} accepted, {rejected} rejected", args.url)?;
            all_rejected(accepted, rejected)?;
        }
    }
    Ok(())
}

impl HistoryArgs {
    /// Asks the system which windows are final.
    fn status(&self, token: Option<&str>) -> anyhow::Result<System> {
        let wrong = || {
            UsageError(format!("--url {}: use an address such as http://127.0.0.1:8080", self.url))
        };
        let url = format!("{}/api/v1/status", self.url.trim_end_matches('/'));
        let url = reqwest::Url::parse(&url).map_err(|_| wrong())?;
        let mut request = Client::builder().timeout(TIMEOUT).build()?.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().map_err(|error| {
            anyhow::anyhow!("cannot reach {}: {}", self.url, error.without_url())
        })?;
        let status = response.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let text =
                format!("{}: {status}: use --token-file with the scopes read and ingest", self.url);
            return Err(UsageError(text).into());
        }
        if !status.is_success() {
            anyhow::bail!("{} answered {status}", self.url);
        }
        let other =
            || UsageError(format!("{}: the answer is not surgecast's: check --url", self.url));
        let body: StatusBody = response.json().map_err(|_| other())?;
        let width = WindowWidth::new(Duration::from_secs(body.width_minutes * 60));
        Ok(System {
            final_upto: body.settled_upto.as_deref().map(Timestamp::parse).transpose()?,
            width: width.map_err(|_| other())?,
            now: Timestamp::parse(&body.now)?,
        })
    }
}

impl<'r> Plan<'r> {
    fn new(rows: &'r Rows, system: Option<System>) -> Self {
        let mut plan = Self::default();
        let width = system.map_or(WindowWidth::QUARTER, |system| system.width);
        let mut seen: BTreeSet<(&str, Timestamp)> = BTreeSet::new();
        for row in &rows.events {
            if let Some(System { final_upto, now, .. }) = system {
                if row.ts + KEPT < now {
                    plan.too_old += 1;
                    continue;
                }
                if row.ts > now {
                    plan.in_future += 1;
                    continue;
                }
                if final_upto.is_some_and(|upto| width.end(width.floor(row.ts)) <= upto) {
                    plan.in_final += 1;
                    continue;
                }
            }
            if !seen.insert((&row.event_id, width.floor(row.ts))) {
                plan.duplicates += 1;
                continue;
            }
            plan.sent.push(row);
            if let Some(series) = row.counted.as_deref() {
                plan.counted += 1;
                let known = plan.by_series.entry(series).or_insert((0, row.ts, row.ts));
                *known = (known.0 + 1, known.1.min(row.ts), known.2.max(row.ts));
            }
        }
        plan
    }

    fn say(
        &self,
        out: &mut impl Write,
        name: &str,
        rows: &Rows,
        system: Option<System>,
        is_dry: bool,
    ) -> std::io::Result<()> {
        let verb = if is_dry { "would be counted" } else { "to count" };
        let other = self.sent.len() as u64 - self.counted;
        let rejected: u64 = rows.rejected.values().map(|(n, _)| n).sum();
        writeln!(
            out,
            "{name}: {}: {} {verb}, {} (such as responses and clears), {}, {rejected} rejected",
            plural(rows.read, "row", "rows"),
            self.counted,
            plural(other, "other event", "other events"),
            plural(self.duplicates, "duplicate", "duplicates")
        )?;
        for (series, (n, first, last)) in self.by_series.iter().take(SERIES_MAX) {
            writeln!(out, "  {series}: {n}, {} to {}", day(*first), day(*last))?;
        }
        more(out, "series", self.by_series.len(), SERIES_MAX)?;
        for (why, (n, line)) in rows.rejected.iter().take(REASONS_MAX) {
            let n = plural(*n, "row", "rows");
            writeln!(out, "  rejected: {n}, the first in line {line}: {why}")?;
        }
        more(out, "reasons", rows.rejected.len(), REASONS_MAX)?;
        if !rows.ignored.is_empty() {
            writeln!(out, "  columns not used: {}", rows.ignored.join(", "))?;
        }
        if self.too_old > 0 {
            writeln!(
                out,
                "  not sent: {} older than 400 days; windows are kept for 400 days",
                plural(self.too_old, "event", "events")
            )?;
        }
        if self.in_future > 0 {
            writeln!(
                out,
                "  not sent: {} in the future: check --time-zone",
                plural(self.in_future, "event", "events")
            )?;
        }
        if let (Some(upto), true) = (system.and_then(|system| system.final_upto), self.in_final > 0)
        {
            writeln!(
                out,
                "  not sent: {} in windows that the system has finalized (before {upto}): such events would be late, or are \
                 counted already. To count older history, write it with --out and start `serve` with --input, see Import in \
                 docs/operations.md",
                plural(self.in_final, "event", "events")
            )?;
        }
        Ok(())
    }
}

fn more(out: &mut impl Write, what: &str, found: usize, shown: usize) -> std::io::Result<()> {
    match found.checked_sub(shown) {
        Some(rest) if rest > 0 => writeln!(out, "  … and {rest} more {what}"),
        _ => Ok(()),
    }
}

/// The day of a time, UTC.
fn day(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d").to_string()
}
