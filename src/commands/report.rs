//! `surgecast report`: a report on a week or an incident. It reads the store, which a service may be using.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::Settings;
use crate::commands::usage::UsageError;
use crate::config::Flags;
use crate::report::{Format, Week, incident, weekly};
use crate::store::Reader;
use crate::text::{Language, Texts};

/// `surgecast report …`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Tickets, alerts, surges, forecast accuracy and staffing of a week
    Weekly {
        #[command(flatten)]
        from: SourceArgs,
        /// Week such as 2026-W46 [default: the last complete week]
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
    },
    /// One incident, that is, one alert: its cause, the forecast and the actual counts
    Incident {
        /// Id of the alert
        id: String,
        #[command(flatten)]
        from: SourceArgs,
    },
}

/// The store to read, and the format of the report.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Config file that names the store
    #[arg(long, value_name = "FILE", required_unless_present = "store")]
    config: Option<PathBuf>,
    /// Directory of the store
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
    /// Language of its texts: en or zh
    #[arg(long, default_value_t = Language::En)]
    language: Language,
}

impl SourceArgs {
    fn reader(&self) -> Result<Reader, UsageError> {
        let dir = match (&self.store, &self.config) {
            (Some(dir), _) => dir.clone(),
            (None, Some(file)) => {
                let config = Settings::load(file, &Flags::default());
                config.map_err(|e| UsageError(e.to_string()))?.store.path
            }
            (None, None) => return Err(UsageError("add --store or --config".into())),
        };
        Reader::open(&dir).map_err(|e| UsageError(format!("{}: {e}", dir.display())))
    }
}

/// Writes the report.
///
/// # Errors
/// [`UsageError`] for flags, a config, a store or an id that is not there; [`StoreError`](crate::store::StoreError) otherwise.
pub fn run(command: &ReportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let (report, format) = match command {
        ReportCommand::Weekly { from, week } => {
            let reader = from.reader()?;
            (weekly(&reader, *week, &Texts::new(from.language))?, from.format)
        }
        ReportCommand::Incident { id, from } => {
            let found = incident(&from.reader()?, id, &Texts::new(from.language))?;
            (found.ok_or_else(|| UsageError(format!("there is no alert `{id}`")))?, from.format)
        }
    };
    out.write_all(report.write(format).as_bytes())?;
    Ok(())
}
