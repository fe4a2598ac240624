//! `surgecast dead-letters`: what was not counted and why, and a second try once the cause is put right.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::app::Settings;
use crate::commands::replay::{self, Answer, HttpTarget, Target as _};
use crate::commands::usage::{ConfigArgs, UsageError};
use crate::domain::{DeadLetter, EventKind, Keyed, Reason};
use crate::ingest::Headers;
use crate::kafka::Producer;
use crate::store::Reader;
use crate::telemetry::Health;

/// Read from the store at once.
const PAGE: usize = 500;
/// What a list shows of a reason.
const DETAIL_CHARS: usize = 100;

/// `surgecast dead-letters …`.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them, newest first
    List(ListArgs),
    /// Print one as it came, with why it was not counted
    Show(ShowArgs),
    /// Send those again that can be read by now: after a sender, a look-up table or a limit was put right
    Replay(ReplayArgs),
}

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only those not counted for this reason
    #[arg(long, value_enum)]
    reason: Option<ReasonName>,
    /// How many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Which one to show.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Its number in the list
    id: i64,
    /// Only its bytes, to be mended and posted
    #[arg(long)]
    raw: bool,
}

/// Which ones to send again.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Their numbers in the list
    #[arg(required_unless_present = "reason")]
    ids: Vec<i64>,
    /// All that were not counted for this reason
    #[arg(long, value_enum, conflicts_with = "ids")]
    reason: Option<ReasonName>,
    /// File with a token of scope `ingest`, where events go in over HTTP
    #[arg(long, value_name = "FILE")]
    token_file: Option<std::path::PathBuf>,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReasonName {
    Malformed,
    Field,
    Late,
    Future,
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

/// Runs one of the commands. They read the store beside a service that runs.
///
/// # Errors
/// [`UsageError`] for flags and config; others for what the store or the receiver of events says.
pub fn run(command: &DeadLettersCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        DeadLettersCommand::List(args) => list(args, out),
        DeadLettersCommand::Show(args) => show(args, out),
        DeadLettersCommand::Replay(args) => again(args, out),
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
        let all: Vec<_> = letters.iter().map(|(id, letter)| described(*id, letter)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let counts = reader.dead_letter_counts()?;
    if counts.is_empty() {
        writeln!(out, "no dead letters: every event was counted")?;
        return Ok(());
    }
    let counts: Vec<String> = counts.iter().map(|(r, n)| format!("{} {n}", r.as_str())).collect();
    writeln!(out, "kept by reason: {}", counts.join(", "))?;
    for (id, letter) in &letters {
        let detail: String = letter.detail.chars().take(DETAIL_CHARS).collect();
        let (source, offset) = (&letter.position.source, letter.position.offset);
        let (at, reason) = (letter.received_at, letter.reason.as_str());
        writeln!(out, "{id:>8}  {at}  {reason:<9}  {source}@{offset}  {detail}")?;
    }
    if letters.len() == wanted {
        writeln!(out, "there may be more: --limit {}", wanted * 10)?;
    }
    Ok(())
}

fn described(id: i64, letter: &DeadLetter) -> serde_json::Value {
    json!({
        "id": id,
        "received_at": letter.received_at.to_string(),
        "reason": letter.reason.as_str(),
        "detail": letter.detail,
        "topic": &*letter.position.source.topic,
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
        UsageError(format!("there is no dead letter {id}: `dead-letters list` has their numbers"))
    };
    Ok(found.map(|(_, letter)| letter).ok_or_else(missing)?)
}

fn show(args: &ShowArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let letter = one(&open(&args.config.load()?)?, args.id)?;
    if !args.raw {
        let (source, offset) = (&letter.position.source, letter.position.offset);
        writeln!(out, "from      {source}, offset {offset}")?;
        writeln!(out, "received  {}", letter.received_at)?;
        writeln!(out, "reason    {}: {}", letter.reason.as_str(), letter.detail)?;
        writeln!(out, "bytes     {}\n", letter.bytes.len())?;
    }
    out.write_all(&letter.bytes)?;
    if !args.raw {
        writeln!(out)?;
    }
    Ok(())
}

/// What became of letters that were tried again.
#[derive(Default)]
struct Tally {
    sent: usize,
    unreadable: usize,
    late: usize,
}

fn again(args: &ReplayArgs, out: &mut impl Write) -> anyhow::Result<()> {
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
    let mut way = match args.dry_run {
        true => None,
        false => Some(Way::open(&config, args)?),
    };
    let mut tally = Tally::default();
    // Oldest first, as they came.
    for (id, letter) in letters.iter().rev() {
        if letter.reason == Reason::Late
            && args.reason != Some(ReasonName::Late)
            && args.ids.is_empty()
        {
            continue;
        }
        if letter.bytes.is_empty() && letter.nth > 0 {
            writeln!(out, "{id:>8}  goes with the first letter of its record")?;
            continue;
        }
        let hint = way_hint(&config, letter);
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
                writeln!(out, "{id:>8}  holds no event that counts")?;
            }
            Ok(Some(event)) => {
                tally.late += usize::from(letter.reason == Reason::Late);
                if let Some(way) = &mut way {
                    way.send(Keyed { kind: event.kind(), key: event.key(), bytes: &letter.bytes })?;
                }
                tally.sent += 1;
            }
        }
    }
    let verb = if args.dry_run { "would be sent" } else { "sent" };
    writeln!(out, "{} {verb}, {} still cannot be read", tally.sent, tally.unreadable)?;
    if tally.late > 0 {
        writeln!(
            out,
            "{} of them were late: a window that is closed stays so, and they will be late again",
            tally.late
        )?;
    }
    Ok(())
}

/// What a topic's events are where they do not say it.
fn way_hint(config: &Settings, letter: &DeadLetter) -> Option<EventKind> {
    let topics = &config.kafka.as_ref()?.topics;
    topics.kind_of(&letter.position.source.topic)
}

/// Where events go in.
enum Way {
    Kafka(Producer),
    Http(Box<HttpTarget>),
}

impl Way {
    fn open(config: &Settings, args: &ReplayArgs) -> anyhow::Result<Self> {
        if let Some(kafka) = &config.kafka {
            return Ok(Self::Kafka(Producer::open(kafka, Arc::new(Health::default()))?));
        }
        let token = args.token_file.as_deref().map(replay::read_token).transpose()?;
        let url = format!("http://{}", config.server.listen);
        Ok(Self::Http(Box::new(HttpTarget::new(&url, token)?)))
    }

    fn send(&mut self, event: Keyed<'_>) -> anyhow::Result<()> {
        match self {
            Self::Kafka(producer) => Ok(producer.write(&[event])?),
            Self::Http(target) => {
                // One a line: JSON has no line breaks within its strings.
                let line: Vec<u8> = event
                    .bytes
                    .iter()
                    .map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b })
                    .collect();
                match target.post(&line) {
                    Answer::Taken { .. } => Ok(()),
                    Answer::Later { why, .. } => anyhow::bail!("{why}: is the service running?"),
                    Answer::TooLarge => anyhow::bail!("an event is larger than the service takes"),
                    Answer::Refused(why) => anyhow::bail!(why),
                }
            }
        }
    }
}
