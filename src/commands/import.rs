//! `surgecast import`: sends the user's file to a running system.

mod history;
mod rows;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::blocking::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use self::history::HistoryArgs;
use super::replay::read_token;
use super::usage::UsageError;
use crate::domain::{EventKind, Timestamp, Zone};

const TIMEOUT: Duration = Duration::from_secs(60);

/// `surgecast import …`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Send a roster: CSV with the columns team,start,end,agents,absent, or JSON
    Roster(RosterArgs),
    /// Send past tickets from a CSV file
    Tickets(HistoryArgs),
    /// Send past alarms from a CSV file
    Alarms(HistoryArgs),
}

/// The roster file, and the system that receives it.
#[derive(Debug, Args)]
pub struct RosterArgs {
    /// CSV file, or JSON if its name ends with .json
    file: PathBuf,
    /// Address of the running system
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File with a token of scope `operate`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Check the file and store nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Deserialize)]
struct Summary {
    shifts: usize,
    team_shifts: usize,
    teams: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    #[serde(default)]
    warnings: Vec<Warning>,
    #[serde(default)]
    more_warnings: usize,
}

/// Rows that can have no effect.
#[derive(Deserialize)]
struct Warning {
    text: String,
}

impl Summary {
    /// `3 rows stored, from 2026-11-20T08:00 to 2026-11-20T16:00 (Europe/London), team north-phone`, then a line for each warning.
    fn write(&self, file: &str, verb: &str, out: &mut impl Write) -> std::io::Result<()> {
        let rows = self.shifts + self.team_shifts;
        write!(out, "{file}: {rows} {} {verb}", if rows == 1 { "row" } else { "rows" })?;
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            let zone = self.time_zone.as_deref().and_then(|name| name.parse::<Zone>().ok());
            let zone = zone.unwrap_or(Zone::UTC);
            let local = |text: &str| match Timestamp::parse(text) {
                Ok(at) => zone.local(at).format("%Y-%m-%dT%H:%M").to_string(),
                Err(_) => text.to_owned(),
            };
            write!(out, ", from {} to {} ({zone})", local(from), local(to))?;
        }
        if !self.teams.is_empty() {
            let word = if self.teams.len() == 1 { "team" } else { "teams" };
            write!(out, ", {word} {}", self.teams.join(", "))?;
        }
        writeln!(out)?;
        for warning in &self.warnings {
            writeln!(out, "no effect: {}", warning.text)?;
        }
        if self.more_warnings > 0 {
            writeln!(out, "no effect: {} more series or teams", self.more_warnings)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct ProblemBody {
    detail: String,
}

/// Checks the file, and sends it unless this is a dry run.
///
/// # Errors
/// [`UsageError`] for a file or an address that cannot be used, and for rows that are refused.
pub fn run(command: &ImportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        ImportCommand::Roster(args) => roster(args, out),
        ImportCommand::Tickets(args) => history::run(EventKind::Ticket, args, out),
        ImportCommand::Alarms(args) => history::run(EventKind::Alarm, args, out),
    }
}

fn roster(args: &RosterArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file)
        .map_err(|error| UsageError(format!("{name}: cannot read the file: {error}")))?;
    let token = args.token_file.as_deref().map(read_token).transpose()?;
    let checked = args.put(&bytes, token.as_deref(), true)?;
    let summary: Summary = serde_json::from_str(&checked).map_err(|_| {
        UsageError(format!("{}: the answer is not surgecast's: check --url", args.url))
    })?;
    if !args.dry_run {
        args.put(&bytes, token.as_deref(), false)?;
    }
    let verb = if args.dry_run { "would be stored" } else { "stored" };
    summary.write(&name.to_string(), verb, out)?;
    Ok(())
}

impl RosterArgs {
    /// The answer to the file; with `dry_run`, a summary.
    fn put(&self, bytes: &[u8], token: Option<&str>, dry_run: bool) -> anyhow::Result<String> {
        let wrong = || {
            UsageError(format!("--url {}: use an address such as http://127.0.0.1:8080", self.url))
        };
        let base = self.url.trim_end_matches('/');
        let url = format!("{base}/api/v1/roster?dry_run={dry_run}&language=en");
        let url = reqwest::Url::parse(&url).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong().into());
        }
        let is_json = self.file.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json"));
        let kind = if is_json { "application/json" } else { "text/csv" };
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let mut request = client.put(url).header(CONTENT_TYPE, kind).body(bytes.to_vec());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().map_err(|error| {
            anyhow::anyhow!("cannot reach {}: {}", self.url, error.without_url())
        })?;
        let status = response.status();
        let text = response.text()?;
        if status.is_success() {
            return Ok(text);
        }
        let detail = serde_json::from_str::<ProblemBody>(&text).map_or(text, |body| body.detail);
        let text = format!("{}: {detail} ({status})", self.file.display());
        if status.is_client_error() {
            Err(UsageError(text).into())
        } else {
            Err(anyhow::anyhow!(text))
        }
    }
}
