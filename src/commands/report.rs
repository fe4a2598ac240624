//! `surgecast report`: a report on a week or an incident. It reads the store, which a service may be using.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::Settings;
use crate::commands::usage::UsageError;
use crate::config::Flags;
use crate::domain::Zone;
use crate::report::{Format, Week, incident, weekly};
use crate::store::Reader;
use crate::text::{Language, Texts};

/// `surgecast report …`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Status, five figures, hours beyond the forecast and priorities of a week, and what they are made of
    Weekly {
        #[command(flatten)]
        from: SourceArgs,
        /// Week such as 2026-W46 [default: the last complete week]
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
    },
    /// Review of one incident, that is, one alert: what was known when, the actual counts, and what to change
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
    /// Language of its texts: en or zh [default: that of the config, else en]
    #[arg(long)]
    language: Option<Language>,
    /// Zone of weeks and times, such as Asia/Shanghai [default: that of the config, else UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Zone>,
}

impl SourceArgs {
    /// The store, and the texts of its reader.
    fn open(&self) -> Result<(Reader, Texts), UsageError> {
        let (dir, language, zone) = match (&self.store, &self.config) {
            (Some(dir), _) => (dir.clone(), Language::En, Zone::UTC),
            (None, Some(file)) => {
                let config = Settings::load(file, &Flags::default());
                let config = config.map_err(|e| UsageError(e.to_string()))?;
                (config.store.path, config.server.language, config.windows.time_zone)
            }
            (None, None) => return Err(UsageError("add --store or --config".into())),
        };
        let texts = Texts::new(self.language.unwrap_or(language));
        let reader = Reader::open(&dir);
        let reader = reader.map_err(|e| UsageError(format!("{}: {e}", dir.display())))?;
        Ok((reader, texts.local(self.time_zone.unwrap_or(zone))))
    }
}

/// Writes the report.
///
/// # Errors
/// [`UsageError`] for flags, a config, a store or an id that is not there; [`StoreError`](crate::store::StoreError) otherwise.
pub fn run(command: &ReportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let (report, format) = match command {
        ReportCommand::Weekly { from, week } => {
            let (reader, texts) = from.open()?;
            (weekly(&reader, *week, &texts)?, from.format)
        }
        ReportCommand::Incident { id, from } => {
            let (reader, texts) = from.open()?;
            let found = incident(&reader, id, &texts)?;
            (found.ok_or_else(|| UsageError(format!("there is no alert `{id}`")))?, from.format)
        }
    };
    out.write_all(report.write(format).as_bytes())?;
    Ok(())
}
