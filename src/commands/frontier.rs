//! `surgecast frontier`: shows how far each partition has been counted, and changes it by hand.

use std::io::Write;

use clap::{Args, Subcommand};

use crate::commands::usage::{ConfigArgs, UsageError};
use crate::commands::words::plural;
use crate::domain::{Timestamp, read_instant};
use crate::kafka::{Frontiers, PartitionFrontier, ResumeAt, reset};

/// `surgecast frontier …`.
#[derive(Debug, Subcommand)]
pub enum FrontierCommand {
    /// Show up to which offset each partition has been counted
    Show(ShowArgs),
    /// Set the offset from which each partition is counted next. Stop all instances first
    ///
    /// Forward: the skipped records are never counted. Backward: records are counted again. Windows that are
    /// already finalized in the store stay as they are, so a reset backward makes sense only with an empty store.
    Reset(ResetArgs),
}

/// Flags of `surgecast frontier show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Flags of `surgecast frontier reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Topic whose partitions to set
    #[arg(long, value_name = "TOPIC")]
    topic: String,
    /// Set only this partition
    #[arg(long, value_name = "NUMBER")]
    partition: Option<i32>,
    /// earliest, latest, an offset, or a time such as 2026-01-31T08:00:00Z
    #[arg(long, value_parser = resume_at, allow_hyphen_values = true)]
    to: ResumeAt,
    /// Make the change; without this flag the command only shows it
    #[arg(long)]
    yes: bool,
}

fn resume_at(text: &str) -> Result<ResumeAt, String> {
    match text {
        "earliest" => return Ok(ResumeAt::Earliest),
        "latest" => return Ok(ResumeAt::Latest),
        _ => {}
    }
    if let Ok(offset) = text.parse::<i64>() {
        return match offset {
            0.. => Ok(ResumeAt::Offset(offset)),
            _ => Err("use an offset of 0 or more".into()),
        };
    }
    read_instant(text).map(ResumeAt::Time).map_err(|_| {
        "use earliest, latest, an offset or a time such as 2026-01-31T08:00:00Z".into()
    })
}

/// Runs one of the commands.
///
/// # Errors
/// [`UsageError`] for wrong flags or config; other errors for the cluster.
pub fn run(command: &FrontierCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        FrontierCommand::Show(args) => {
            let all = frontiers(&args.config)?.all()?;
            writeln!(
                out,
                "{:<30} {:>16} {:>15}  {:<21} {:>8}",
                "partition", "first..next", "resumes at", "watermark", "to read"
            )?;
            for at in &all {
                writeln!(out, "{}", line(at))?;
            }
            Ok(())
        }
        FrontierCommand::Reset(args) => set(args, out),
    }
}

fn frontiers(config: &ConfigArgs) -> anyhow::Result<Frontiers> {
    let config = config.load()?;
    let missing = || UsageError(format!("{}: there is no [kafka] section", config.file.display()));
    let settings = config.kafka.clone().ok_or_else(missing)?;
    Ok(Frontiers::open(&settings)?)
}

fn line(at: &PartitionFrontier) -> String {
    let span = format!("{}..{}", at.low, at.high);
    let (next, watermark, left) = match &at.committed {
        None => ("-".to_owned(), "-".to_owned(), at.high - at.low),
        Some(point) => {
            let has_closed = point.closed > Timestamp::MIN;
            let watermark = if has_closed { point.closed.to_string() } else { "-".to_owned() };
            let read = point.resume_at.max(point.decided_upto + 1);
            (point.resume_at.to_string(), watermark, (at.high - read).max(0))
        }
    };
    let watermark = at.unreadable.clone().unwrap_or(watermark);
    format!("{:<30} {span:>16} {next:>15}  {watermark:<21} {left:>8}", at.source.to_string())
}

fn set(args: &ResetArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let frontiers = frontiers(&args.config)?;
    let mut all = frontiers.all()?;
    all.retain(|at| {
        at.source.topic_name() == args.topic
            && args.partition.is_none_or(|only| at.source.partition == only)
    });
    if all.is_empty() {
        let text = format!(
            "--topic {}: surgecast counts no such topic or partition; `frontier show` lists them",
            args.topic
        );
        return Err(UsageError(text).into());
    }
    let mut points = Vec::new();
    for at in &all {
        let found = frontiers.find(at, args.to)?;
        let before = at.committed.as_ref().map_or(at.low, |point| point.resume_at);
        let effect = match found - before {
            0 => "no change".to_owned(),
            n if n > 0 => format!("skips {}", plural(n, "record", "records")),
            n => format!("counts {} again", plural(-n, "record", "records")),
        };
        writeln!(out, "{}: {before} -> {found}, {effect}", at.source)?;
        points.push((at.source.clone(), reset(at, found)));
    }
    if !args.yes {
        writeln!(out, "nothing was changed; add --yes to make the change")?;
        return Ok(());
    }
    frontiers.set(&points)?;
    writeln!(out, "done")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceId;
    use crate::window::CommitPoint;

    #[test]
    fn moving_forward_keeps_the_watermark_and_moving_back_drops_it() {
        let closed = Timestamp::from_secs(1_767_225_600);
        let committed = Some(CommitPoint { closed, decided_upto: 80, ..CommitPoint::start(50) });
        let at = PartitionFrontier {
            source: SourceId::new("t", 0),
            low: 10,
            high: 200,
            committed,
            unreadable: None,
        };
        let point = |resume_at, decided_upto| CommitPoint {
            closed,
            decided_upto,
            ..CommitPoint::start(resume_at)
        };
        assert_eq!(reset(&at, 70), point(70, 80));
        assert_eq!(reset(&at, 200), point(200, 199));
        let back = reset(&at, 10);
        assert_eq!((back.resume_at, back.decided_upto), (10, 9));
        assert!(back.closed < Timestamp::MIN);
        assert_eq!(resume_at("12"), Ok(ResumeAt::Offset(12)));
        assert!(resume_at("-3").is_err() && resume_at("tomorrow").is_err());
    }
}
