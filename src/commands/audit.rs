//! `surgecast audit`: what people did. It reads the store, which a service may be using.

use std::io::Write;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use serde_json::json;

use crate::app::Settings;
use crate::commands::usage::UsageError;
use crate::config::Flags;
use crate::domain::printable;
use crate::store::Reader;

/// Flags of `surgecast audit`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true))]
pub struct AuditArgs {
    /// Config file that names the store
    #[arg(long, value_name = "FILE", group = "source")]
    config: Option<PathBuf>,
    /// Directory of the store
    #[arg(long, value_name = "DIR", group = "source")]
    store: Option<PathBuf>,
    /// Number of entries, the newest first
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Prints the newest entries.
///
/// # Errors
/// [`UsageError`] for a config or a store that cannot be read.
pub fn run(args: &AuditArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let dir = match (&args.store, &args.config) {
        (Some(dir), _) => dir.clone(),
        (None, Some(file)) => {
            let config = Settings::load(file, &Flags::default());
            config.map_err(|error| UsageError(error.to_string()))?.store.path
        }
        (None, None) => return Err(UsageError("add --store or --config".into()).into()),
    };
    let wrong = |error| UsageError(format!("{}: {error}", dir.display()));
    let entries = Reader::open(&dir).and_then(|reader| reader.audit(args.limit, None));
    let entries = entries.map_err(wrong)?;
    if entries.is_empty() && !args.json {
        writeln!(out, "nobody has changed anything yet")?;
    }
    for (id, entry) in entries {
        let (at, act) = (entry.at.to_string(), entry.act.as_str());
        if args.json {
            let line = json!({"id": id, "at": at, "who": entry.who, "signed_in": entry.is_signed_in,
                "act": act, "subject": entry.subject, "detail": entry.detail});
            writeln!(out, "{line}")?;
            continue;
        }
        let who = entry.who.as_deref().unwrap_or("–");
        let (who, subject) = (printable(who), printable(&entry.subject));
        writeln!(out, "{at}  {who:<20}  {act:<18}  {subject}  {}", printable(&entry.detail))?;
    }
    Ok(())
}
