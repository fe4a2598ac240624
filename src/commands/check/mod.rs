//! `surgecast check`: says whether a config would run, and what it would do.

mod connect;
mod describe;
mod reach;

use std::io::Write;

use self::connect::try_out;
use self::describe::describe;
use crate::commands::usage::{ConfigArgs, UsageError};

/// Which config to check, and whether to connect.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try the listen addresses and the store, and connect to Kafka, InfluxDB and receivers; sends them nothing
    #[arg(long)]
    connect: bool,
}

/// Prints what would run.
///
/// # Errors
/// [`UsageError`] with every problem of the config, or with what `--connect` found.
pub fn run(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let settings = args.config.load()?;
    out.write_all(describe(&settings).as_bytes())?;
    if args.connect {
        let tried = try_out(&settings);
        for line in &tried.found {
            writeln!(out, "{line}")?;
        }
        if !tried.problems.is_empty() {
            let problems = tried.problems.join("\n  ");
            return Err(UsageError(format!("cannot run here:\n  {problems}")).into());
        }
        writeln!(out, "addresses are free and the store can be written")?;
    }
    writeln!(out, "this would run")?;
    Ok(())
}
