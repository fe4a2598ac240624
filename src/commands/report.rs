//! `surgecast report`: a week or an incident, from a store that may be in use.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::Settings;
use crate::commands::usage::UsageError;
use crate::config::Flags;
use crate::domain::Timestamp;
use crate::report::{Format, Week, incident, weekly};
use crate::store::{Reader, StoreError};

/// `surgecast report …`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// What happened in a week, how good forecasts were, and what to look at
    Weekly {
        #[command(flatten)]
        from: SourceArgs,
        /// Week such as 2026-W46 [default: the last that the store has all of]
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
    },
    /// One alert, what it was about, and what came
    Incident {
        /// Id of the alert
        id: String,
        #[command(flatten)]
        from: SourceArgs,
    },
}

/// The store that is read, and the form of the report.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Config file whose store is read
    #[arg(long, value_name = "FILE", required_unless_present = "store")]
    config: Option<PathBuf>,
    /// Directory of the store
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
}

impl SourceArgs {
    fn reader(&self) -> Result<Reader, UsageError> {
        let dir = match (&self.store, &self.config) {
            (Some(dir), _) => dir.clone(),
            (None, Some(file)) => {
                let config = Settings::load(file, &Flags::default());
                config.map_err(|e| UsageError(e.to_string()))?.store.path
            }
            (None, None) => return Err(UsageError("name a store or a config".into())),
        };
        Reader::open(&dir).map_err(|e| UsageError(format!("{}: {e}", dir.display())))
    }
}

/// Writes the report.
///
/// # Errors
/// [`UsageError`] for flags, a config, a store or an id that is not there; [`StoreError`] otherwise.
pub fn run(command: &ReportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let (report, format) = match command {
        ReportCommand::Weekly { from, week } => {
            let reader = from.reader()?;
            let week = match week {
                Some(week) => *week,
                None => Week::before(settled_upto(&reader)?),
            };
            (weekly(&reader, week)?, from.format)
        }
        ReportCommand::Incident { id, from } => {
            let found = incident(&from.reader()?, id)?;
            (found.ok_or_else(|| UsageError(format!("there is no alert `{id}`")))?, from.format)
        }
    };
    out.write_all(report.write(format).as_bytes())?;
    Ok(())
}

/// End of the last settled window.
fn settled_upto(reader: &Reader) -> Result<Timestamp, StoreError> {
    let next = reader.state("next_window")?;
    Ok(next.map_or(Timestamp::MIN, Timestamp::from_millis))
}
