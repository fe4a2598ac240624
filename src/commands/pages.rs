//! `surgecast pages`: what was sent to whom, what was given up, and sending it again.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::StatusCode;
use serde_json::json;

use crate::commands::replay;
use crate::commands::usage::{ConfigArgs, UsageError, whole};
use crate::domain::printable;
use crate::store::{DeliveryState, OutboxRow, Reader};
use crate::text::Texts;
use crate::views;

const TIMEOUT: Duration = Duration::from_secs(30);

/// `surgecast pages …`.
#[derive(Debug, Subcommand)]
pub enum PagesCommand {
    /// List pages and whether they were delivered, newest first
    List(ListArgs),
    /// Print one page and whether it was delivered to each receiver
    Show(ShowArgs),
    /// Have the running service send an undelivered page again
    Resend(ResendArgs),
}

/// Flags of `surgecast pages list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// List only pages in this state; dead: given up after the last try
    #[arg(long, value_enum)]
    state: Option<StateName>,
    /// List only pages to this receiver
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// List at most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = whole(1, 100_000), allow_hyphen_values = true)]
    limit: u32,
    /// Print one JSON object per line, with the fields of the API
    #[arg(long)]
    json: bool,
}

/// Flags of `surgecast pages show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Id of the page in the list
    id: String,
}

/// Flags of `surgecast pages resend`.
#[derive(Debug, Args)]
pub struct ResendArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Id of the page in the list
    id: String,
    /// Send it only to this receiver [default: to every receiver that did not get it]
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// File with a token of scope `operate`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateName {
    Pending,
    Delivered,
    Dead,
}

impl From<StateName> for DeliveryState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Delivered => Self::Delivered,
            StateName::Dead => Self::Dead,
        }
    }
}

/// Runs one of the commands. `list` and `show` read the store, which a running service may be using.
///
/// # Errors
/// [`UsageError`] for wrong flags or config; other errors for the store or the service.
pub fn run(command: &PagesCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        PagesCommand::List(args) => list(args, out),
        PagesCommand::Show(args) => show(args, out),
        PagesCommand::Resend(args) => resend(args, out),
    }
}

fn list(args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let (texts, wanted) = (Texts::new(config.server.language), args.limit as usize);
    let state = args.state.map(DeliveryState::from);
    let reader = Reader::open(&config.store.path)?;
    let rows = reader.outbox(state, args.receiver.as_deref(), wanted, None)?;
    for (_, row) in &rows {
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&views::Page::new(row, &texts))?)?;
            continue;
        }
        let OutboxRow { notice, receiver, state, created_at, .. } = row;
        let (id, receiver) = (printable(&notice.id), printable(receiver));
        let error = row.last_error.as_deref().filter(|_| *state != DeliveryState::Delivered);
        let error = error.map(|error| format!("  {}", printable(error))).unwrap_or_default();
        writeln!(out, "{created_at}  {:<9}  {receiver:<16}  {id}{error}", state.as_str())?;
    }
    if rows.is_empty() && !args.json {
        writeln!(out, "no pages")?;
    }
    if rows.len() == wanted && !args.json {
        writeln!(out, "there may be more: --limit {}", wanted * 10)?;
    }
    Ok(())
}

fn show(args: &ShowArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let texts = Texts::new(config.server.language);
    let rows = Reader::open(&config.store.path)?.page(&args.id)?;
    let missing =
        || UsageError(format!("there is no page `{}`: `pages list` shows the ids", args.id));
    let page = &rows.first().ok_or_else(missing)?.notice;
    writeln!(out, "{}\n{}\n", page.title(&texts), page.body(&texts))?;
    for row in &rows {
        let (receiver, state) = (printable(&row.receiver), row.state.as_str());
        let (at, tries) = (row.next_at, row.attempts);
        let when = if row.state == DeliveryState::Pending { "next try at" } else { "at" };
        writeln!(out, "{receiver:<16}  {state} {when} {at}, tries: {tries}")?;
        if let Some(error) = &row.last_error {
            writeln!(out, "{:<16}  {}", "", printable(error))?;
        }
    }
    Ok(())
}

fn resend(args: &ResendArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{}", config.server.listen);
    let mut url = reqwest::Url::parse(&base)?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend(["api", "v1", "pages", &args.id, "resend"]);
    }
    let client = reqwest::blocking::Client::builder().timeout(TIMEOUT).build()?;
    let mut request = client.post(url).json(&json!({ "receiver": args.receiver }));
    if let Some(file) = &args.token_file {
        request = request.bearer_auth(replay::read_token(file)?);
    }
    let answer = request.send().map_err(|error| {
        let error = error.without_url();
        anyhow::anyhow!("{error}: check that the service is running at {base}")
    })?;
    match answer.status() {
        StatusCode::NO_CONTENT => writeln!(out, "{} is sent again", printable(&args.id))?,
        StatusCode::NOT_FOUND => {
            let text =
                "no undelivered page has this id: `pages list --state dead` shows these pages";
            return Err(UsageError(text.into()).into());
        }
        status => {
            let problem: serde_json::Value = answer.json().unwrap_or_default();
            let detail = problem["detail"].as_str().unwrap_or_default();
            anyhow::bail!("the service answered {status} {detail}");
        }
    }
    Ok(())
}
