//! `surgecast replay`: plays event files into a running system.
//!
//! `merge` reads the files side by side in event time without loading them, `shift` moves their
//! times, `play` paces and batches, `http` posts, `kafka` produces. A batch is sent again until it is accepted:
//! event ids make that harmless.

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
use crate::config::Flags;
use crate::domain::{Clock as _, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// What to play, where to and how fast.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Event files, one JSON object a line, each roughly in order of time; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to
    #[arg(long, value_enum, default_value_t = Receiver::Http)]
    to: Receiver,
    /// Address of the running system
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Event seconds per second, such as 60x; max; or due: what is past at once, the rest when its time comes
    #[arg(long, default_value = "max")]
    speed: Speed,
    /// Shift all times by whole days so that the last event lies at or just before now
    #[arg(long, value_enum)]
    rebase: Option<Rebase>,
    /// Leave out events before this time (after shifting)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    from: Option<Timestamp>,
    /// Leave out events from this time on (after shifting)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    until: Option<Timestamp>,
    /// File with a token of scope `ingest`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Brokers for --to kafka, as host:port with commas between them [default: 127.0.0.1:9092]
    #[arg(long, value_name = "BROKERS", conflicts_with = "config")]
    brokers: Option<String>,
    /// Config whose [kafka] section says where and how for --to kafka: brokers, topics, TLS, sign-in
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Receiver {
    Http,
    Kafka,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rebase {
    Now,
}

/// Plays the files and prints a summary.
///
/// # Errors
/// [`UsageError`] for what the command line got wrong; otherwise what stopped the replay.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let mut target: Box<dyn Target> = match args.to {
        Receiver::Http => Box::new(HttpTarget::new(
            &args.url,
            args.token_file.as_deref().map(read_token).transpose()?,
        )?),
        Receiver::Kafka => {
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
    Ok(())
}

fn print(summary: &Summary) -> io::Result<()> {
    let Summary { events, accepted, rejected, retries, .. } = summary;
    let span = match (summary.first, summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    writeln!(
        io::stdout(),
        "{events} events read{span}: {accepted} accepted, {rejected} rejected, {retries} retries"
    )
}

/// Where `--to kafka` writes.
fn cluster(args: &ReplayArgs) -> Result<crate::kafka::Settings, UsageError> {
    match &args.config {
        Some(file) => {
            let config = Settings::load(file, &Flags::default());
            let config = config.map_err(|e| UsageError(e.to_string()))?;
            let missing = || UsageError(format!("{}: has no [kafka] section", file.display()));
            config.kafka.ok_or_else(missing)
        }
        None => {
            let brokers = args.brokers.as_deref().unwrap_or("127.0.0.1:9092");
            let brokers: Vec<&str> = brokers.split(',').map(str::trim).collect();
            Ok(crate::kafka::Settings::at(brokers.join(",")))
        }
    }
}

/// The token in a file.
///
/// # Errors
/// [`UsageError`] for a file that cannot be read or is empty.
pub fn read_token(file: &Path) -> Result<String, UsageError> {
    let text = read_file(file)?;
    let token = text.trim();
    if token.is_empty() {
        return Err(UsageError(format!("--token-file {} is empty", file.display())));
    }
    Ok(token.to_owned())
}

fn read_file(file: &Path) -> Result<String, UsageError> {
    std::fs::read_to_string(file)
        .map_err(|e| UsageError(format!("--token-file {}: cannot read it: {e}", file.display())))
}

/// Milliseconds by which all times move.
fn rebase(args: &ReplayArgs) -> anyhow::Result<i64> {
    if args.files.iter().any(|file| is_stdin(file)) {
        let text = "--rebase now reads the files twice, which standard input does not allow: \
                    save it to a file first";
        return Err(UsageError(text.into()).into());
    }
    let mut last = None;
    for mut input in open(args)? {
        while let Some(line) = input.next_line()? {
            last = last.max(shift::times(&line.text).map(|times| times.ts));
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

/// A bar over the bytes of the files; a spinner where their size is not known.
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
            // With stderr gone the summary still counts what was rejected.
            let _ = writeln!(io::stderr(), "{text}");
        });
    }
}
