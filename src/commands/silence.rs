//! `surgecast silence`: holds back the pages of alerts for a while, on a running service.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::commands::replay;
use crate::commands::usage::{ConfigArgs, UsageError};
use crate::domain::{Timestamp, parse_duration, printable, read_instant};

const TIMEOUT: Duration = Duration::from_secs(30);

/// `surgecast silence …`.
#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// List silences that are in force or planned
    List(ListArgs),
    /// Hold back the pages of some alerts, or of all
    Add(AddArgs),
    /// End a silence: the pages of alerts that still fire are then sent
    End(EndArgs),
}

/// Connection to the service.
#[derive(Debug, Args)]
struct ServiceArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// File with a token; `add` and `end` need the scope `operate`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Flags of `surgecast silence list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// Print one JSON object per line, with the fields of the API
    #[arg(long)]
    json: bool,
}

/// Flags of `surgecast silence add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    #[command(flatten)]
    at: ServiceArgs,
    /// Only alerts of this rule
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only alerts of this region
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Only alerts of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// How long from its start, such as 4h or 2d; at most 31d
    #[arg(long = "for", value_name = "LENGTH")]
    length: String,
    /// Start, RFC 3339; now by default
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Also hold back pages of critical alerts
    #[arg(long)]
    critical: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Name of the person who adds the silence; not needed with a token
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Flags of `surgecast silence end`.
#[derive(Debug, Args)]
pub struct EndArgs {
    #[command(flatten)]
    service: ServiceArgs,
    /// Id of the silence in the list
    id: String,
    /// Name of the person who ends the silence; not needed with a token
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Runs one of the commands against the running service.
///
/// # Errors
/// [`UsageError`] for wrong flags or config, and for what the service refuses; other errors for the service.
pub fn run(command: &SilenceCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        SilenceCommand::List(args) => list(args, out),
        SilenceCommand::Add(args) => add(args, out),
        SilenceCommand::End(args) => end(args, out),
    }
}

fn list(args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (client, url) = args.service.reach(&["silences"])?;
    let found = args.service.send(client.get(url))?;
    let rows = found.as_array().cloned().unwrap_or_default();
    for row in &rows {
        if args.json {
            writeln!(out, "{row}")?;
            continue;
        }
        writeln!(out, "{}", line(row))?;
    }
    if rows.is_empty() && !args.json {
        writeln!(out, "no silences")?;
    }
    Ok(())
}

fn add(args: &AddArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let length =
        parse_duration(&args.length).map_err(|error| UsageError(format!("--for: {error}")))?;
    let from = args.from.as_deref().map(read_instant).transpose();
    let from = from.map_err(|error| UsageError(format!("--from: {error}")))?;
    let (client, url) = args.at.reach(&["silences"])?;
    let start = match from {
        Some(from) => from,
        // Use the service's clock, because a demo's clock differs from this machine's.
        None => {
            let status = args.at.send(client.get(args.at.reach(&["status"])?.1))?;
            Timestamp::parse(status["now"].as_str().unwrap_or_default())?
        }
    };
    let body = json!({
        "rule": args.rule,
        "region": args.region,
        "service": args.service,
        "starts_at": from.map(|at| at.to_string()),
        "ends_at": (start + length).to_string(),
        "critical": args.critical,
        "comment": args.comment,
        "by": args.by,
    });
    let silence = args.at.send(client.post(url).json(&body))?;
    writeln!(out, "{}", line(&silence))?;
    if !args.critical {
        writeln!(out, "critical alerts send pages all the same: use --critical to hold them back")?;
    }
    Ok(())
}

fn end(args: &EndArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (client, url) = args.service.reach(&["silences", &args.id, "end"])?;
    args.service.send(client.post(url).json(&json!({ "by": args.by })))?;
    writeln!(out, "{} is over; the pages of alerts that still fire are sent", printable(&args.id))?;
    Ok(())
}

/// A silence on one line.
fn line(silence: &Value) -> String {
    let text = |key: &str| printable(silence[key].as_str().unwrap_or("*")).to_string();
    let critical = silence["critical"].as_bool().unwrap_or(false);
    let critical = if critical { "  critical too" } else { "" };
    let comment = silence["comment"].as_str().map(|text| format!("  {}", printable(text)));
    format!(
        "{}  {} to {}  {} {}/{}  by {}{critical}{}",
        text("id"),
        text("starts_at"),
        text("ends_at"),
        text("rule"),
        text("region"),
        text("service"),
        text("by"),
        comment.unwrap_or_default()
    )
}

/// A problem with a field of the API, under the name of its flag.
fn with_flag(problem: &str) -> String {
    let flags = [("by: ", "--by: "), ("ends_at: ", "--for: "), ("starts_at: ", "--from: ")];
    let found = flags.iter().find_map(|(field, flag)| Some((flag, problem.strip_prefix(*field)?)));
    found.map_or_else(|| problem.to_owned(), |(flag, rest)| format!("{flag}{rest}"))
}

impl ServiceArgs {
    /// A client, and the URL of a path of the API.
    fn reach(&self, path: &[&str]) -> anyhow::Result<(Client, Url)> {
        let config = self.config.load()?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let mut url = Url::parse(&format!("{scheme}://{}", config.server.listen))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["api", "v1"]).extend(path);
        }
        Ok((Client::builder().timeout(TIMEOUT).build()?, url))
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let token = self.token_file.as_ref().map(|file| replay::read_token(file)).transpose()?;
        let request = token.iter().fold(request, |request, token| request.bearer_auth(token));
        let answer = request.send().map_err(|error| {
            anyhow::anyhow!("{}: check that the service is running", error.without_url())
        })?;
        let status = answer.status();
        let body: Value = answer.json().unwrap_or_default();
        let detail = body["detail"].as_str().unwrap_or_default();
        match status {
            _ if status.is_success() => Ok(body),
            StatusCode::NOT_FOUND => {
                let text = "no silence in force has this id: `silence list` shows the ids";
                Err(UsageError(text.into()).into())
            }
            StatusCode::BAD_REQUEST => Err(UsageError(with_flag(&printable(detail))).into()),
            _ => anyhow::bail!("the service answered {status} {}", printable(detail)),
        }
    }
}
