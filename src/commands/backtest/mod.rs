//! `surgecast backtest`: forecasts a user's own past data and scores the forecasts.

mod args;
mod context;
mod counts;
mod cut;
mod evaluate;
mod forecasts;
#[cfg(test)]
mod fuzz;
mod json;
mod moments;
mod names;
mod options;
mod origins;
mod outputs;
mod report;
mod rows;
mod setting;
mod steps;
mod table;
mod text;

use std::io::{self, Write};

pub use args::BacktestArgs;

use args::Format;
use context::Context;
use options::Options;
use setting::Setting;

/// Reads the files, evaluates each named model and prints the result.
///
/// # Errors
/// [`crate::commands::usage::UsageError`] for wrong flags and input files; others where an output file cannot be written.
pub fn run(args: &BacktestArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let options = Options::from_args(args)?;
    outputs::check(args, &options.models)?;
    let mut notes = Vec::new();
    let counts = counts::read(&args.input, &options, &mut notes)?;
    let context = Context::read(args, options.zone, counts.shift, &mut notes)?;
    context.concerns(args, &counts, &mut notes);
    let past = context.past(&counts);
    let windows = counts.width.per(options.horizon(counts.width)?);
    let origins = origins::choose(args, &options, &past, counts.shift, windows, &mut notes)?;
    for note in &notes {
        // A note that cannot be written is lost; the result matters more.
        let _ = writeln!(io::stderr(), "note: {note}");
    }
    let input = args.input.display().to_string();
    let setting = Setting { input, options, counts, origins, windows };
    let past = context.past(&setting.counts);
    let done = evaluate::all(args, &setting, past)?;
    if let Some(path) = &args.report {
        report::write(path, &setting, &done)?;
    }
    match args.format {
        Format::Json => json::write(&setting, &done, out)?,
        Format::Text => write!(out, "{}", text::render(&setting, &done))?,
    }
    Ok(())
}
