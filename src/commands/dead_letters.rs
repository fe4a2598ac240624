//! `surgecast dead-letters`: lists events that were not counted, with reasons, and sends them again.

use std::io::Write;
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::app::Settings;
use crate::commands::replay::{self, Answer, HttpTarget, Target as _};
use crate::commands::usage::{ConfigArgs, UsageError, whole};
use crate::domain::{DeadLetter, EventKind, Keyed, Reason, printable};
use crate::ingest::Headers;
use crate::kafka::Producer;
use crate::store::Reader;
use crate::telemetry::Health;

/// Dead letters read from the store at a time.
const PAGE: usize = 500;
/// Characters of a reason that the list shows.
const DETAIL_CHARS: usize = 100;

/// `surgecast dead-letters …`.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List dead letters, newest first
    List(ListArgs),
    /// Print one dead letter with its original bytes, and why it was not counted
    Show(ShowArgs),
    /// Send dead letters again, after you have corrected a look-up table or a limit so that they can be decoded
    Replay(ReplayArgs),
}

/// Flags of `surgecast dead-letters list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// List only dead letters with this reason
    #[arg(long, value_enum)]
    reason: Option<ReasonName>,
    /// List at most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = whole(1, 100_000), allow_hyphen_values = true)]
    limit: u32,
    /// Format of the list
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Flags of `surgecast dead-letters show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Number of the dead letter in the list
    id: i64,
    /// Print only the bytes of the event, so that you can correct and post them
    #[arg(long)]
    raw: bool,
}

/// Flags of `surgecast dead-letters replay`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Numbers of the dead letters in the list
    #[arg(group = "which")]
    ids: Vec<i64>,
    /// Send all dead letters with this reason
    #[arg(long, value_enum, group = "which")]
    reason: Option<ReasonName>,
    /// File with a token of scope `ingest`, if events are sent over HTTP
    #[arg(long, value_name = "FILE")]
    token_file: Option<std::path::PathBuf>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReasonName {
    /// Not JSON, or not readable as events
    Malformed,
    /// A field is missing or wrong, or the format is unknown
    Field,
    /// Its window was closed
    Late,
    /// Its time is too far ahead of its arrival
    Future,
    /// Too large, or too many events at once
    Limit,
}

impl From<ReasonName> for Reason {
    fn from(name: ReasonName) -> Self {
        match name {
            ReasonName::Malformed => Self::Malformed,
            ReasonName::Field => Self::Field,
            ReasonName::Late => Self::Late,
            ReasonName::Future => Self::Future,
            ReasonName::Limit => Self::Limit,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs one of the commands. They read the store, which a running service may be using.
///
/// # Errors
/// [`UsageError`] for wrong flags or config; other errors for the store or the target of events.
pub fn run(command: &DeadLettersCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        DeadLettersCommand::List(args) => list(args, out),
        DeadLettersCommand::Show(args) => show(args, out),
        DeadLettersCommand::Replay(args) => resend(args, out),
    }
}

fn open(config: &Settings) -> anyhow::Result<Reader> {
    Ok(Reader::open(&config.store.path)?)
}

fn list(args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let reader = open(&args.config.load()?)?;
    let wanted = args.limit as usize;
    let letters = find(&reader, args.reason.map(Reason::from), wanted)?;
    if args.format == Format::Json {
        let all: Vec<_> = letters.iter().map(|(id, letter)| json_of(*id, letter)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let counts = reader.dead_letter_counts()?;
    if counts.is_empty() {
        writeln!(out, "no dead letters: all events were counted")?;
        return Ok(());
    }
    let counts: Vec<String> = counts.iter().map(|(r, n)| format!("{} {n}", r.as_str())).collect();
    writeln!(out, "stored by reason: {}", counts.join(", "))?;
    for (id, letter) in &letters {
        let detail: String = letter.detail.chars().take(DETAIL_CHARS).collect();
        let (source, offset) = (&letter.position.source, letter.position.offset);
        let (at, reason) = (letter.received_at, letter.reason.as_str());
        writeln!(out, "{id:>8}  {at}  {reason:<9}  {source}@{offset}  {}", printable(&detail))?;
    }
    if letters.len() == wanted {
        writeln!(out, "there may be more: --limit {}", wanted * 10)?;
    }
    Ok(())
}

fn json_of(id: i64, letter: &DeadLetter) -> serde_json::Value {
    json!({
        "id": id,
        "received_at": letter.received_at.to_string(),
        "reason": letter.reason.as_str(),
        "detail": letter.detail,
        "topic": letter.position.source.topic_name(),
        "partition": letter.position.source.partition,
        "offset": letter.position.offset,
        "text": String::from_utf8_lossy(&letter.bytes),
    })
}

fn find(
    reader: &Reader,
    reason: Option<Reason>,
    wanted: usize,
) -> anyhow::Result<Vec<(i64, DeadLetter)>> {
    let mut found: Vec<(i64, DeadLetter)> = Vec::new();
    while found.len() < wanted {
        let after = found.last().map(|(id, _)| *id);
        let page = reader.dead_letters(reason, PAGE.min(wanted - found.len()), after)?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    Ok(found)
}

fn one(reader: &Reader, id: i64) -> anyhow::Result<DeadLetter> {
    let after = id.saturating_add(1);
    let found = reader.dead_letters(None, 1, Some(after))?.pop().filter(|(found, _)| *found == id);
    let missing = || {
        UsageError(format!("there is no dead letter {id}: `dead-letters list` shows the numbers"))
    };
    Ok(found.map(|(_, letter)| letter).ok_or_else(missing)?)
}

fn show(args: &ShowArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let letter = one(&open(&args.config.load()?)?, args.id)?;
    if !args.raw {
        let (source, offset) = (&letter.position.source, letter.position.offset);
        writeln!(out, "from      {source}, offset {offset}")?;
        writeln!(out, "received  {}", letter.received_at)?;
        writeln!(out, "reason    {}: {}", letter.reason.as_str(), printable(&letter.detail))?;
        writeln!(out, "bytes     {}\n", letter.bytes.len())?;
    }
    out.write_all(&letter.bytes)?;
    if !args.raw {
        writeln!(out)?;
    }
    Ok(())
}

/// Counts of dead letters by the outcome of a replay.
#[derive(Default)]
struct Tally {
    sent: usize,
    unreadable: usize,
    late: usize,
}

fn resend(args: &ReplayArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let decoder = &config.input.decoder;
    let reader = open(&config)?;
    let letters = match args.reason {
        Some(reason) => find(&reader, Some(reason.into()), usize::MAX)?,
        None => {
            let each = args.ids.iter().map(|id| Ok((*id, one(&reader, *id)?)));
            each.collect::<anyhow::Result<_>>()?
        }
    };
    let mut destination = match args.dry_run {
        true => None,
        false => Some(Destination::open(&config, args)?),
    };
    let mut tally = Tally::default();
    // Oldest first, in order of arrival.
    for (id, letter) in letters.iter().rev() {
        if letter.reason == Reason::Late
            && args.reason != Some(ReasonName::Late)
            && args.ids.is_empty()
        {
            continue;
        }
        if letter.bytes.is_empty() && letter.nth > 0 {
            writeln!(out, "{id:>8}  is sent with the first dead letter of its record")?;
            continue;
        }
        let hint = kind_hint(&config, letter);
        match decoder
            .decode(&letter.bytes, &Headers::default(), hint)
            .map(|decoded| decoded.first())
        {
            Err(reject) => {
                tally.unreadable += 1;
                writeln!(out, "{id:>8}  still cannot be counted: {reject}")?;
            }
            Ok(None) => {
                tally.unreadable += 1;
                writeln!(out, "{id:>8}  contains no event to count")?;
            }
            Ok(Some(event)) => {
                tally.late += usize::from(letter.reason == Reason::Late);
                if let Some(destination) = &mut destination {
                    let (kind, key) = (event.kind(), event.key());
                    destination.send(Keyed { kind, key, bytes: &letter.bytes })?;
                }
                tally.sent += 1;
            }
        }
    }
    let verb = if args.dry_run { "would be sent" } else { "sent" };
    writeln!(out, "{} {verb}, {} still cannot be counted", tally.sent, tally.unreadable)?;
    if tally.late > 0 {
        writeln!(
            out,
            "{} of them were late: their windows are closed, so they will be late again",
            tally.late
        )?;
    }
    Ok(())
}

/// The kind of events in the topic of a dead letter, for events that do not name their kind.
fn kind_hint(config: &Settings, letter: &DeadLetter) -> Option<EventKind> {
    let topics = &config.kafka.as_ref()?.topics;
    topics.kind_of(letter.position.source.topic_name())
}

/// The way to send events: Kafka if it is configured, else HTTP.
enum Destination {
    Kafka(Producer),
    Http(Box<HttpTarget>),
}

impl Destination {
    fn open(config: &Settings, args: &ReplayArgs) -> anyhow::Result<Self> {
        if let Some(kafka) = &config.kafka {
            return Ok(Self::Kafka(Producer::open(kafka, Arc::new(Health::default()))?));
        }
        let token = args.token_file.as_deref().map(replay::read_token).transpose()?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", config.server.listen);
        Ok(Self::Http(Box::new(HttpTarget::new(&url, token)?)))
    }

    fn send(&mut self, event: Keyed<'_>) -> anyhow::Result<()> {
        match self {
            Self::Kafka(producer) => Ok(producer.write(&[event])?),
            Self::Http(target) => {
                // One event per line. JSON has no line breaks in its strings, so that blanks can replace them.
                let line: Vec<u8> = event
                    .bytes
                    .iter()
                    .map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b })
                    .collect();
                match target.post(&line) {
                    Answer::Accepted { .. } => Ok(()),
                    Answer::Later { why, .. } => {
                        anyhow::bail!("{why}: check that the service is running")
                    }
                    Answer::TooLarge => {
                        anyhow::bail!("an event is larger than the service accepts")
                    }
                    Answer::Refused(why) => anyhow::bail!(why),
                }
            }
        }
    }
}
