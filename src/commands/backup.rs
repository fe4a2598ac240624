//! `surgecast backup`: copies the store while the service runs.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use clap::Args;

use crate::commands::usage::{ConfigArgs, UsageError};
use crate::commands::words::plural;
use crate::store::{BackedUp, backup};

/// Flags of `surgecast backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// New or empty folder for the copies
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Copies the store and checks the copies.
///
/// # Errors
/// [`UsageError`] without a store, and for a folder with files in it; errors of the store.
pub fn run(args: &BackupArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let settings = args.config.load()?;
    let (store, folder) = (&settings.store.path, &args.folder);
    if !store.join("state.db").exists() {
        let text = format!("store.path {}: there is no state.db to copy", store.display());
        return Err(UsageError(text).into());
    }
    let was_there = match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let text =
                    format!("{}: has files in it: name a new or empty folder", folder.display());
                return Err(UsageError(text).into());
            }
            true
        }
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(UsageError(format!("{}: {error}", folder.display())).into()),
    };
    if !was_there {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| UsageError(format!("{}: {error}", folder.display())))?;
    }
    let done = backup(store, folder).inspect_err(|_| {
        if !was_there {
            // It is empty. Its parents stay.
            let _ = fs::remove_dir(folder);
        }
    })?;
    let BackedUp { files, waiting } = done;
    let files = files.iter().map(|(file, bytes)| format!("{file} {:.1} MB", *bytes as f64 / 1e6));
    let files = files.collect::<Vec<_>>().join(", ");
    let folder = folder.display();
    let waiting = plural(waiting, "event waits", "events wait");
    writeln!(out, "{folder}: {files}; no damage found; {waiting} to be counted")?;
    Ok(())
}
