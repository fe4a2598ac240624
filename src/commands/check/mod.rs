//! `surgecast check`: checks a config and prints what the service would do.

mod connect;
mod describe;
mod reach;

use std::io::Write;

use self::connect::try_out;
use self::describe::describe;
use crate::commands::usage::{ConfigArgs, UsageError};

/// Flags of `surgecast check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also test the listen addresses and the store, and connect to Kafka, InfluxDB, Grafana, the collector of
    /// traces and receivers; sends no events and no pages
    #[arg(long)]
    connect: bool,
}

/// Prints what the service would do.
///
/// # Errors
/// [`UsageError`] with all problems of the config, or all problems that `--connect` found.
pub fn run(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let settings = args.config.load()?;
    out.write_all(describe(&settings).as_bytes())?;
    for warning in settings.warnings() {
        writeln!(out, "warning        {warning}")?;
    }
    if args.connect {
        let tried = try_out(&settings);
        for line in &tried.found {
            writeln!(out, "{line}")?;
        }
        if !tried.problems.is_empty() {
            let problems = tried.problems.join("\n  ");
            return Err(UsageError(format!("cannot run here:\n  {problems}")).into());
        }
        writeln!(out, "the listen addresses are free, and the store is writable")?;
    }
    writeln!(out, "this would run")?;
    Ok(())
}
