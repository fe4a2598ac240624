//! `surgecast staffing`: the calculator.

mod args;
mod day;
mod show;

use std::io::Write;

pub use args::StaffingArgs;
use args::{Format, Positions};

use crate::commands::usage::UsageError;
use crate::staffing::{Profile, Staffing, StaffingError, evaluate, required};

fn usage(text: impl Into<String>) -> UsageError {
    UsageError(text.into())
}

/// Prints the result.
///
/// # Errors [`UsageError`] for missing arguments, an invalid file, a load out of range, or a target that cannot be met.
pub fn run(args: StaffingArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let profile = args.profile()?;
    if let Some(file) = &args.input {
        let windows = day::plan(file, args.interval, &profile, args.agents)?;
        match args.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string(&windows)?)?,
            Format::Text => show::day(&windows, out)?,
        }
        return Ok(());
    }
    let Some(arrivals) = args.arrivals else {
        let text = "use --arrivals, the contacts of one interval, or --input, a CSV file with those of a day";
        return Err(usage(text).into());
    };
    let per_hour = arrivals * 3600.0 / args.interval.as_secs_f64();
    if let Some(Positions::Range(from, to)) = args.agents {
        let rows: Result<Vec<Staffing>, StaffingError> =
            (from..=to).map(|n| evaluate(per_hour, n, &profile)).collect();
        let rows = rows.map_err(|error| usage(error.to_string()))?;
        match args.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string(&rows)?)?,
            Format::Text => show::table(&rows, &profile, out)?,
        }
        return Ok(());
    }
    let staffing = staffing(per_hour, args.agents, &profile)?;
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string(&staffing)?)?,
        Format::Text => show::one(&staffing, &profile, out)?,
    }
    Ok(())
}

/// Staffing for a given number of positions, or for the smallest number that meets the targets.
fn staffing(
    per_hour: f64,
    positions: Option<Positions>,
    profile: &Profile,
) -> Result<Staffing, UsageError> {
    let staffing = match positions {
        Some(Positions::One(n) | Positions::Range(n, _)) => evaluate(per_hour, n, profile),
        None => required(per_hour, profile),
    };
    staffing.map_err(|error| usage(error.to_string()))
}
