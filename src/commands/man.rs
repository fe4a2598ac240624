//! `surgecast man`: the manual pages, made from the command line's own description.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap_mangen::Man;

/// Flags of `surgecast man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder; without it, the page of surgecast itself is printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the page of `command`, or writes the pages of all its commands.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &ManArgs, command: clap::Command, out: &mut impl Write) -> anyhow::Result<()> {
    // The same pages for every build of a version.
    let command = command.long_version(None::<&'static str>).disable_help_subcommand(true);
    let Some(folder) = &args.out else {
        Man::new(command).render(out)?;
        return Ok(());
    };
    let shown = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {shown}"))?;
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write manual pages into {shown}"))?;
    Ok(())
}
