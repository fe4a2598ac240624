//! The flags of `backtest`, not checked yet.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::commands::usage::whole;

/// Format of the printed result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For planners
    Text,
    /// For scripts
    Json,
}

/// Meaning of a window without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Missing {
    /// Its count is unknown: the window is neither learned from nor scored
    Gap,
    /// Its count is zero
    Zero,
}

const EXAMPLES: &str = "\
Examples:
  surgecast backtest --input calls.csv --interval 30m --origins 180 --last 40d
      How good would six-hour forecasts have been over the last 40 days?
  surgecast backtest --input calls.csv --tz Europe/London --calendar holidays.csv --model all
      With holidays, compared with last week's count and other methods.
  surgecast backtest --input calls.csv --history 7d --model surgecast --model rule-of-thumb
      What would a new installation have forecast after a week?
  surgecast backtest --input calls.csv --forecasts out.csv --report out.html --format json
      Every forecast as a table, plots for a browser, measures for a script.

Files, each with a header; columns in any order:
  --input        series,ts,y   (series is optional; ts is RFC 3339, or local time in --tz)
  --calendar     date,kind[,detail]   (bank_holiday, school_holiday, working_day; any other kind is a special day)
  --alarms       raised_at,cleared_at,region,service,severity[,device,type]   (cleared_at may be empty)
  --maintenance  announced_at,starts_at,ends_at,region,service   (empty region or service: all)
Alarms and maintenance of a region and service apply to series named region/service/channel.";

/// Arguments of `surgecast backtest`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct BacktestArgs {
    /// File of counts (CSV with a header): series,ts,y; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// Width of the windows that are forecast: 5m, 10m, 15m, 30m or 1h; finer rows are summed [default: the file's own, or 15m where rows are irregular]
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<String>,
    /// How far ahead to forecast, up to 6h
    #[arg(long, value_name = "DURATION", default_value = "6h")]
    pub horizon: String,
    /// Number of points in time from which to forecast (origins), spread evenly over days and hours
    #[arg(long, value_name = "NUMBER", default_value_t = 36, value_parser = whole(1, 100_000))]
    pub origins: u32,
    /// Length of the last part of the file, such as 40d or 26w; forecasts begin only there [default: a quarter of the file, at most 26 weeks]
    #[arg(long, value_name = "DURATION")]
    pub last: Option<String>,
    /// File with one time per line, used as origins instead of --origins and --last. Each forecast uses the counts of the windows that end at or before its time
    #[arg(long, value_name = "FILE")]
    pub origins_at: Option<PathBuf>,
    /// Time zone of times without an offset, and of the weekly pattern
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub tz: String,
    /// Meaning of a window without a row
    #[arg(long, value_enum, default_value = "gap")]
    pub missing: Missing,
    /// File of special days
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    /// File of alarms
    #[arg(long, value_name = "FILE")]
    pub alarms: Option<PathBuf>,
    /// File of planned work
    #[arg(long, value_name = "FILE")]
    pub maintenance: Option<PathBuf>,
    /// Model to evaluate; repeatable; `all` compares all models
    #[arg(long, value_name = "NAME", default_value = crate::forecast::peers::DEFAULT, help = model_help())]
    pub model: Vec<String>,
    /// Time between refits (24h: at midnight UTC); give the same value as --interval to refit before every forecast
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub refit: String,
    /// Length of the history that each forecast may use, such as 7d, to see how good forecasts of a new installation are. The history begins this long before 00:00 (local time) of the day of the origin. The model is fitted again for each origin [default: everything before the origin]
    #[arg(long, value_name = "DURATION")]
    pub history: Option<String>,
    /// File to write every forecast to (CSV); with several models, one file for each: OUT.MODEL.csv
    #[arg(long, value_name = "OUT")]
    pub forecasts: Option<PathBuf>,
    /// File to write plots to (HTML, for any browser)
    #[arg(long, value_name = "OUT")]
    pub report: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
}

fn model_help() -> String {
    let choices = crate::forecast::peers::CHOICES.map(|(name, what)| format!("{name}: {what}"));
    format!("Model to evaluate; repeatable; `all` compares all models. {}", choices.join(". "))
}
