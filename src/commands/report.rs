//! `surgecast report`: a report on a week, an incident, any span or planned work. It reads the store, which a service may be using.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args, Subcommand};

use crate::app::Settings;
use crate::commands::usage::UsageError;
use crate::config::Flags;
use crate::domain::{Name, Zone};
use crate::report::{Extent, Format, Report, Week, brief, full, incident, span_of, weekly, work};
use crate::staffing::Rules;
use crate::store::Reader;
use crate::text::{Language, Texts};

/// `surgecast report …`.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Report on a week: status, five figures, hours far from the forecast, priorities, and the details behind them
    Weekly {
        #[command(flatten)]
        from: SourceArgs,
        /// Week such as 2026-W46 [default: the last complete week]
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
    },
    /// Review of one alert: what was known when, the actual counts, and what to change
    Incident {
        /// Id of the alert
        id: String,
        #[command(flatten)]
        from: SourceArgs,
    },
    /// Report on any span, for all or some regions and services: summary, findings by category, recommendations and risks
    Full {
        #[command(flatten)]
        of: FullArgs,
        #[command(flatten)]
        from: SourceArgs,
    },
    /// Brief for the call team on planned work: what, when, what to say, expected and actual contacts
    Brief {
        #[command(flatten)]
        of: WorkArgs,
        #[command(flatten)]
        from: SourceArgs,
    },
}

/// Span, regions and services of a full report.
#[derive(Debug, Args)]
pub struct FullArgs {
    /// First day, such as 2026-01-31, or a time in RFC 3339 [default: 28 days before the end]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The day after the last day, or a time [default: the last midnight before which all windows are finalized]
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Only this region
    #[arg(long, value_name = "NAME", value_parser = name)]
    region: Option<Name>,
    /// Only this service
    #[arg(long, value_name = "NAME", value_parser = name)]
    service: Option<Name>,
}

fn name(text: &str) -> Result<Name, String> {
    Name::filter(text).map_err(|error| format!("the name {error}"))
}

/// The planned work of a brief.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct WorkArgs {
    /// Id of the planned work
    #[arg(long, value_name = "ID")]
    maintenance: Option<String>,
    /// Choose the work that runs now, or else the next one
    #[arg(long)]
    next: bool,
}

/// The store to read, and the format of the report.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true))]
pub struct SourceArgs {
    /// Config file that names the store
    #[arg(long, value_name = "FILE", group = "source")]
    config: Option<PathBuf>,
    /// Directory of the store
    #[arg(long, value_name = "DIR", group = "source")]
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

/// An opened store, and what the configuration says about time zones and language.
struct Source {
    reader: Reader,
    texts: Texts,
    rules: Arc<Rules>,
    regions: BTreeMap<Name, Zone>,
    /// The requested time zone.
    zone: Option<Zone>,
}

impl Source {
    /// Texts with times of a region's zone; `None` means all regions.
    fn texts_of(&self, region: Option<&Name>) -> Texts {
        let own = region.and_then(|region| self.regions.get(region)).copied();
        self.texts.local(self.zone.or(own).unwrap_or(self.texts.zone()))
    }

    fn full(&self, of: &FullArgs) -> anyhow::Result<Report> {
        let texts = self.texts_of(of.region.as_ref());
        let asked = (of.from.as_deref(), of.to.as_deref());
        let span = span_of(&self.reader, asked, texts.zone())?.map_err(UsageError)?;
        let (region, service) = (of.region.clone(), of.service.clone());
        let extent = span.map(|span| Extent::of_span(span, texts.zone()).of(region, service));
        Ok(full(&self.reader, extent, &self.rules, &texts)?)
    }

    fn brief(&self, of: &WorkArgs) -> anyhow::Result<Report> {
        let missing = || match &of.maintenance {
            Some(id) => UsageError(format!("there is no planned work `{id}`")),
            None => UsageError("no work is planned".into()),
        };
        let found = work(&self.reader, of.maintenance.as_deref())?.ok_or_else(missing)?;
        let texts = self.texts_of(found.region.as_ref());
        Ok(brief(&self.reader, &found, &texts)?)
    }
}

impl SourceArgs {
    /// The store, and the texts of its reader.
    fn open(&self) -> Result<Source, UsageError> {
        let (mut rules, mut regions) = (Arc::<Rules>::default(), BTreeMap::new());
        let (dir, language, zone) = match (&self.store, &self.config) {
            (Some(dir), _) => (dir.clone(), Language::En, Zone::UTC),
            (None, Some(file)) => {
                let config = Settings::load(file, &Flags::default());
                let config = config.map_err(|e| UsageError(e.to_string()))?;
                (rules, regions) = (config.rules, config.regions.zones);
                (config.store.path, config.server.language, config.windows.time_zone)
            }
            (None, None) => return Err(UsageError("add --store or --config".into())),
        };
        let texts = Texts::new(self.language.unwrap_or(language));
        let reader = Reader::open(&dir);
        let reader = reader.map_err(|e| UsageError(format!("{}: {e}", dir.display())))?;
        let texts = texts.local(self.time_zone.unwrap_or(zone));
        Ok(Source { reader, texts, rules, regions, zone: self.time_zone })
    }
}

/// Writes the report.
///
/// # Errors
/// [`UsageError`] for flags, a config, a store or an id that is not there; [`StoreError`](crate::store::StoreError) otherwise.
pub fn run(command: &ReportCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let (report, format) = match command {
        ReportCommand::Weekly { from, week } => {
            let Source { reader, texts, .. } = from.open()?;
            (weekly(&reader, *week, &texts)?, from.format)
        }
        ReportCommand::Incident { id, from } => {
            let Source { reader, texts, .. } = from.open()?;
            let found = incident(&reader, id, &texts)?;
            (found.ok_or_else(|| UsageError(format!("there is no alert `{id}`")))?, from.format)
        }
        ReportCommand::Full { of, from } => (from.open()?.full(of)?, from.format),
        ReportCommand::Brief { of, from } => (from.open()?.brief(of)?, from.format),
    };
    out.write_all(report.write(format).as_bytes())?;
    Ok(())
}
