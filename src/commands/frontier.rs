//! `surgecast frontier`: how far partitions have been counted, and setting it by hand.

use std::io::Write;

use clap::{Args, Subcommand};

use crate::commands::usage::{ConfigArgs, UsageError};
use crate::domain::Timestamp;
use crate::kafka::{Frontiers, PartitionFrontier, ResumeAt, reset};

/// `surgecast frontier …`.
#[derive(Debug, Subcommand)]
pub enum FrontierCommand {
    /// Show how far each partition has been counted
    Show(ShowArgs),
    /// Set where partitions go on, while no instance counts
    ///
    /// Forward, what lies between is never counted. Backward, records are counted anew: what the store has settled from
    /// later offsets stays, so that going back only makes sense together with a new store.
    Reset(ResetArgs),
}

/// Which group to show.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Which partitions to reset, and to where.
#[derive(Debug, Args)]
pub struct ResetArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Topic whose partitions to set
    #[arg(long, value_name = "TOPIC")]
    topic: String,
    /// Only this partition
    #[arg(long, value_name = "NUMBER")]
    partition: Option<i32>,
    /// earliest, latest, an offset, or a time such as 2026-01-31T08:00:00Z
    #[arg(long, value_parser = resume_at)]
    to: ResumeAt,
    /// Do it; without, it is only said what would be done
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
            _ => Err("an offset is 0 or more".into()),
        };
    }
    Timestamp::parse(text).map(ResumeAt::Time).map_err(|_| {
        "use earliest, latest, an offset or a time such as 2026-01-31T08:00:00Z".into()
    })
}

/// Runs one of the commands.
///
/// # Errors
/// [`UsageError`] for flags and config; others for what the cluster says.
pub fn run(command: &FrontierCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        FrontierCommand::Show(args) => {
            let all = frontiers(&args.config)?.all()?;
            writeln!(
                out,
                "partition                         first..next        goes on at  closed up to           to read"
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
    let missing = || UsageError(format!("{}: has no [kafka] section", config.file.display()));
    let settings = config.kafka.clone().ok_or_else(missing)?;
    Ok(Frontiers::open(&settings)?)
}

fn line(at: &PartitionFrontier) -> String {
    let span = format!("{}..{}", at.low, at.high);
    let (next, closed, left) = match &at.committed {
        None => ("-".to_owned(), "-".to_owned(), at.high - at.low),
        Some(point) => {
            let is_closed = point.closed > Timestamp::MIN;
            let closed = if is_closed { point.closed.to_string() } else { "-".to_owned() };
            let read = point.resume_at.max(point.decided_upto + 1);
            (point.resume_at.to_string(), closed, (at.high - read).max(0))
        }
    };
    let closed = at.unreadable.clone().unwrap_or(closed);
    format!("{:<30} {span:>16} {next:>15}  {closed:<21} {left:>8}", at.source.to_string())
}

fn set(args: &ResetArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let frontiers = frontiers(&args.config)?;
    let mut all = frontiers.all()?;
    all.retain(|at| {
        *at.source.topic == *args.topic
            && args.partition.is_none_or(|only| at.source.partition == only)
    });
    if all.is_empty() {
        let text = format!(
            "{}: no partition of this topic is counted; `frontier show` lists them",
            args.topic
        );
        return Err(UsageError(text).into());
    }
    let mut points = Vec::new();
    for at in &all {
        let found = frontiers.find(at, args.to)?;
        let before = at.committed.map_or(at.low, |point| point.resume_at);
        let what = match found - before {
            0 => "stays".to_owned(),
            n if n > 0 => format!("skips {n} records"),
            n => format!("counts {} records again", -n),
        };
        writeln!(out, "{}: {before} -> {found}, {what}", at.source)?;
        points.push((at.source.clone(), reset(at, found)));
    }
    if !args.yes {
        writeln!(out, "nothing was changed: add --yes to do it")?;
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
    fn forward_keeps_what_was_decided_and_backward_forgets_it() {
        let closed = Timestamp::from_secs(1_767_225_600);
        let committed = Some(CommitPoint { resume_at: 50, closed, decided_upto: 80 });
        let at = PartitionFrontier {
            source: SourceId::new("t", 0),
            low: 10,
            high: 200,
            committed,
            unreadable: None,
        };
        assert_eq!(reset(&at, 70), CommitPoint { resume_at: 70, closed, decided_upto: 80 });
        assert_eq!(reset(&at, 200), CommitPoint { resume_at: 200, closed, decided_upto: 199 });
        let back = reset(&at, 10);
        assert_eq!((back.resume_at, back.decided_upto), (10, 9));
        assert!(back.closed < Timestamp::MIN);
        assert_eq!(resume_at("12"), Ok(ResumeAt::Offset(12)));
        assert!(resume_at("-3").is_err() && resume_at("tomorrow").is_err());
    }
}
