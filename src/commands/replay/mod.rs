//! `surgecast replay`: sends event files to a running system.
//!
//! `merge` merges the files by event time without loading them, `shift` moves event times, `play` paces and batches,
//! `http` posts, `kafka` produces. A batch is sent again until it is accepted. This is harmless, because events have ids.

mod http;
mod kafka;
mod merge;
mod play;
mod shift;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

pub use self::http::HttpTarget;
use self::kafka::KafkaTarget;
use self::merge::{Input, Merge};
pub use self::play::{Answer, Target};
use self::play::{Notes, Player, Speed, Summary, WallPace};
use crate::app::Settings;
use crate::clock::WallClock;
use crate::commands::usage::UsageError;
use crate::commands::words::plural;
use crate::config::Flags;
use crate::domain::{Clock as _, Timestamp, read_instant};

const DAY_MS: i64 = 86_400_000;

/// Flags of `surgecast replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Event files: one JSON object per line, roughly in order of time; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to send the events
    #[arg(long, value_enum, default_value_t = Destination::Http)]
    to: Destination,
    /// Address of the running system, for --to http
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Seconds of event time per real second, such as 60x; max: as fast as possible; due: past events at once, later events when
    /// they are due
    #[arg(long, default_value = "max", allow_hyphen_values = true)]
    speed: Speed,
    /// Shift all times by whole days, so that the last event is at most one day before now
    #[arg(long, value_enum)]
    rebase: Option<Rebase>,
    /// Skip events before this time (after shifting)
    #[arg(long, value_name = "TIME", value_parser = read_instant)]
    from: Option<Timestamp>,
    /// Skip events at or after this time (after shifting)
    #[arg(long, value_name = "TIME", value_parser = read_instant)]
    until: Option<Timestamp>,
    /// File with a token of scope `ingest`, for --to http
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Brokers for --to kafka: host:port, separated by commas [default: 127.0.0.1:9092]
    #[arg(long, value_name = "BROKERS", conflicts_with = "config")]
    brokers: Option<String>,
    /// Config file for --to kafka: its [kafka] section has brokers, topics, TLS and sign-in
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Destination {
    Http,
    Kafka,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rebase {
    Now,
}

/// Sends the files and prints a summary.
///
/// # Errors
/// [`UsageError`] for wrong flags; otherwise the error that stopped the replay.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let mut target: Box<dyn Target> = match args.to {
        Destination::Http => Box::new(HttpTarget::new(
            &args.url,
            args.token_file.as_deref().map(read_token).transpose()?,
        )?),
        Destination::Kafka => {
            let target = KafkaTarget::new(cluster(args)?);
            Box::new(target.map_err(|problem| UsageError(format!("--to kafka: {problem}")))?)
        }
    };
    let shift_ms = match args.rebase {
        Some(Rebase::Now) => rebase(args)?,
        None => 0,
    };
    let bar = progress(args)?;
    let mut merge = Merge::new(open(args)?, shift_ms);
    if args.from.is_some() || args.until.is_some() {
        let span = args.from.unwrap_or(Timestamp::MIN)..args.until.unwrap_or(Timestamp::MAX);
        merge = merge.within(span);
    }
    let mut pace = WallPace::default();
    let mut notes = BarNotes(bar.clone());
    let played = Player::new(args.speed, &mut *target, &mut pace, &mut notes).play(merge);
    bar.finish_and_clear();
    let summary = played?;
    print(&summary)?;
    all_rejected(summary.accepted, summary.rejected)
}

/// An error if not a single event was accepted, so that scripts notice: it is probably the wrong file.
///
/// # Errors
/// See above.
pub fn all_rejected(accepted: u64, rejected: u64) -> anyhow::Result<()> {
    if accepted == 0 && rejected > 0 {
        anyhow::bail!("no event was accepted, {rejected} rejected: look at the reasons above");
    }
    Ok(())
}

/// Sends events, one per line, in order of time and as fast as the system accepts them. Returns how many were accepted and
/// rejected.
///
/// # Errors
/// The error that stopped it.
pub fn send_all(
    name: &str,
    events: Vec<u8>,
    url: &str,
    token: Option<String>,
) -> anyhow::Result<(u64, u64)> {
    let mut target = HttpTarget::new(url, token)?;
    let (mut pace, mut notes) = (WallPace::default(), BarNotes(ProgressBar::hidden()));
    let input = Input::new(name.to_owned(), Box::new(io::Cursor::new(events)));
    let player = Player::new(Speed::Max, &mut target, &mut pace, &mut notes);
    let Summary { accepted, rejected, .. } = player.play(Merge::new(vec![input], 0))?;
    Ok((accepted, rejected))
}

fn print(summary: &Summary) -> io::Result<()> {
    let Summary { events, accepted, rejected, retries, .. } = summary;
    let span = match (summary.first, summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    writeln!(
        io::stdout(),
        "{} read{span}: {accepted} accepted, {rejected} rejected, {}",
        plural(*events, "event", "events"),
        plural(*retries, "retry", "retries")
    )
}

/// The cluster for `--to kafka`.
fn cluster(args: &ReplayArgs) -> Result<crate::kafka::Settings, UsageError> {
    match &args.config {
        Some(file) => {
            let config = Settings::load(file, &Flags::default());
            let config = config.map_err(|e| UsageError(e.to_string()))?;
            let missing = || UsageError(format!("{}: there is no [kafka] section", file.display()));
            config.kafka.ok_or_else(missing)
        }
        None => {
            let brokers = args.brokers.as_deref().unwrap_or("127.0.0.1:9092");
            let brokers: Vec<&str> = brokers.split(',').map(str::trim).collect();
            Ok(crate::kafka::Settings::at(brokers.join(",")))
        }
    }
}

/// Reads the token from a file.
///
/// # Errors
/// [`UsageError`] for a file that cannot be read or is empty.
pub fn read_token(file: &Path) -> Result<String, UsageError> {
    let text = read_file(file)?;
    let token = text.trim();
    if token.is_empty() {
        let text =
            format!("--token-file {}: the file is empty: put the token into it", file.display());
        return Err(UsageError(text));
    }
    Ok(token.to_owned())
}

fn read_file(file: &Path) -> Result<String, UsageError> {
    std::fs::read_to_string(file).map_err(|e| {
        UsageError(format!("--token-file {}: cannot read the file: {e}", file.display()))
    })
}

/// The shift of all times for `--rebase now`, in milliseconds.
fn rebase(args: &ReplayArgs) -> anyhow::Result<i64> {
    if args.files.iter().any(|file| is_stdin(file)) {
        let text = "--rebase now reads its input twice: save standard input to a file first";
        return Err(UsageError(text.into()).into());
    }
    let mut last = None;
    for mut input in open(args)? {
        while let Some(line) = input.next_line()? {
            last = last.max(shift::event_time(&line.text));
        }
    }
    let Some(last) = last else { return Ok(0) };
    Ok((WallClock.now().millis() - last.millis()).div_euclid(DAY_MS) * DAY_MS)
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn open(args: &ReplayArgs) -> anyhow::Result<Vec<Input>> {
    let open_one = |file: &PathBuf| -> anyhow::Result<Input> {
        let reader: Box<dyn BufRead> = if is_stdin(file) {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let opened = File::open(file);
            let opened =
                opened.map_err(|e| UsageError(format!("cannot open {}: {e}", file.display())))?;
            Box::new(BufReader::with_capacity(1 << 18, opened))
        };
        Ok(Input::new(file.display().to_string(), reader))
    };
    args.files.iter().map(open_one).collect()
}

/// A progress bar over the bytes of the files; a spinner if their size is unknown.
fn progress(args: &ReplayArgs) -> anyhow::Result<ProgressBar> {
    let sizes =
        args.files.iter().map(|file| file.metadata().ok().filter(std::fs::Metadata::is_file));
    let total: Option<u64> = sizes.map(|data| data.map(|data| data.len())).sum();
    let (bar, template) = match total {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:30} {bytes}/{total_bytes} {eta} {msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {msg}"),
    };
    bar.set_style(ProgressStyle::with_template(template).context("the bar's template")?);
    bar.enable_steady_tick(Duration::from_millis(250));
    Ok(bar)
}

/// Shows progress on the bar and prints lines above it.
struct BarNotes(ProgressBar);

impl Notes for BarNotes {
    fn sent(&mut self, bytes: u64, summary: &Summary) {
        self.0.inc(bytes);
        if let Some(last) = summary.last {
            self.0.set_message(format!("{last} {} events", summary.events));
        }
    }

    fn line(&mut self, text: &str) {
        self.0.suspend(|| {
            // If standard error is closed, the summary still counts rejected events.
            let _ = writeln!(io::stderr(), "{text}");
        });
    }
}
