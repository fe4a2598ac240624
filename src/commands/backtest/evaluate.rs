//! Runs the models over the origins and measures their time.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::BacktestArgs;
use super::cut::Cut;
use super::forecasts::ForecastFile;
use super::outputs::forecasts_of;
use super::setting::Setting;
use crate::clock::Stopwatch;
use crate::commands::usage::UsageError;
use crate::forecast::backtest::{Board, Step, spread, steps};
use crate::forecast::{Model, Past, Vintage, peers};
use crate::text::{Language, Say, Texts};

/// Number of origins whose forecasts the report draws.
pub const FAN_ORIGINS: usize = 6;

/// One model's result.
pub struct Evaluated<'a> {
    pub model: String,
    pub board: Board<'a>,
    /// Time of all refits.
    pub fit_seconds: f64,
    /// Time of all forecasts.
    pub predict_seconds: f64,
    /// Vintages of a few origins, for the report.
    pub kept: Vec<Vec<Vintage>>,
    /// Number of vintages that fell back to a simpler method, by reason.
    pub fell_back: BTreeMap<String, usize>,
}

/// Evaluates each model of the setting, in the order of their names on the command line.
///
/// # Errors
/// If `--forecasts` cannot be written.
pub fn all<'a>(
    args: &BacktestArgs,
    setting: &Setting,
    past: Past<'a>,
) -> anyhow::Result<Vec<Evaluated<'a>>> {
    let names = &setting.options.models;
    // Fail before the long work if a file cannot be written.
    let mut files = Vec::new();
    for name in names {
        let path = args.forecasts.as_deref();
        let path = path.map(|path| forecasts_of(path, name, names.len() > 1));
        files.push(path.map(|path| ForecastFile::create(&path)).transpose()?);
    }
    let mut done = Vec::new();
    for (name, file) in names.iter().zip(files) {
        let unknown = || UsageError(format!("--model {name}: no such model"));
        let model = peers::by_name(name).ok_or_else(unknown)?;
        done.push(one(model, setting, past, file, args.report.is_some())?);
    }
    Ok(done)
}

fn one<'a>(
    mut model: Box<dyn Model>,
    setting: &Setting,
    past: Past<'a>,
    mut file: Option<ForecastFile>,
    has_report: bool,
) -> anyhow::Result<Evaluated<'a>> {
    let first = setting.origins.first().copied().unwrap_or_default();
    let mut done = Evaluated {
        model: model.name().to_owned(),
        board: Board::new(past, setting.windows, first),
        fit_seconds: 0.0,
        predict_seconds: 0.0,
        kept: Vec::new(),
        fell_back: BTreeMap::new(),
    };
    let shown = if has_report { spread(&setting.origins, FAN_ORIGINS) } else { Vec::new() };
    let texts = Texts::new(Language::En);
    let bar = progress(model.name(), setting.origins.len());
    for step in planned(setting, past) {
        let cut = setting.options.history.map(|span| Cut::new(&past, span, step.origin));
        let known = cut.as_ref().map_or(past, |cut| cut.past(&past));
        if let Some(at) = step.refit {
            let watch = Stopwatch::start();
            model.fit(&known, at);
            done.fit_seconds += watch.seconds();
        }
        let watch = Stopwatch::start();
        let vintages = model.predict(&known, step.origin);
        done.predict_seconds += watch.seconds();
        done.board.add(step.origin, &vintages);
        for why in vintages.iter().filter_map(|vintage| vintage.fallback.as_ref()) {
            *done.fell_back.entry(why.say(&texts)).or_default() += 1;
        }
        if let Some(file) = &mut file {
            file.write(&setting.counts, step.origin, setting.windows, &vintages)?;
        }
        if shown.contains(&step.origin) {
            done.kept.push(vintages);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    file.map_or(Ok(()), ForecastFile::finish)?;
    Ok(done)
}

/// Steps of all origins. With a short history, each origin has a fit of its own.
fn planned(setting: &Setting, past: Past<'_>) -> Vec<Step> {
    let of = |origins: &[i64]| steps(past.width, setting.options.refit, origins);
    match setting.options.history {
        None => of(&setting.origins),
        Some(_) => setting.origins.chunks(1).flat_map(of).collect(),
    }
}

/// A progress bar on standard error, if that is a terminal.
fn progress(name: &'static str, origins: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} forecasts, {eta} left");
    ProgressBar::new(origins as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name)
}
