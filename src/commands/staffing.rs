//! `surgecast staffing`: the calculator.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::commands::usage::UsageError;
use crate::staffing::{
    ErlangA, ErlangC, Model, Profile, Staffing, evaluate, meets_targets, parse_seconds,
    parse_target, required,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ModelName {
    ErlangC,
    ErlangA,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Arrivals, handling time and a target.
#[derive(Debug, Args)]
pub struct StaffingArgs {
    /// Contacts that arrive in the interval
    #[arg(long, value_name = "NUMBER")]
    arrivals: f64,
    /// Length of the interval, such as 30m
    #[arg(long, value_name = "LENGTH", default_value = "30m")]
    interval: String,
    /// Average handling time, such as 180s
    #[arg(long, value_name = "LENGTH")]
    aht: String,
    /// Service target: 80/20 is 80 % within 20 s
    #[arg(long, value_name = "PERCENT/SECONDS", default_value = "80/20")]
    target: String,
    /// erlang-a needs --patience
    #[arg(long, value_enum, default_value = "erlang-c")]
    model: ModelName,
    /// How long callers wait before they hang up, on average
    #[arg(long, value_name = "LENGTH")]
    patience: Option<String>,
    /// Largest share of time that agents are busy, 0.05 to 1
    #[arg(long, value_name = "SHARE")]
    max_occupancy: Option<f64>,
    /// Longest average wait
    #[arg(long, value_name = "LENGTH")]
    max_asa: Option<String>,
    /// Largest share of callers that hang up
    #[arg(long, value_name = "SHARE")]
    max_abandonment: Option<f64>,
    /// Share of paid time not at work
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    shrinkage: f64,
    /// Contacts that one agent handles at once
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    concurrency: u32,
    /// Positions to evaluate, instead of searching for the smallest number
    #[arg(long, value_name = "NUMBER")]
    agents: Option<u32>,
    /// How to print the figures
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn usage(text: impl Into<String>) -> UsageError {
    UsageError(text.into())
}

fn seconds(flag: &str, text: &str) -> Result<std::time::Duration, UsageError> {
    parse_seconds(text)
        .ok_or_else(|| usage(format!("{flag} {text}: use a length such as 180s, 5m or 1h")))
}

fn share(flag: &str, value: Option<f64>, low: f64, high: f64) -> Result<Option<f64>, UsageError> {
    match value {
        Some(v) if !(low..=high).contains(&v) => {
            Err(usage(format!("{flag} {v}: use a share from {low} to {high}")))
        }
        v => Ok(v),
    }
}

impl StaffingArgs {
    fn profile(&self) -> Result<Profile, UsageError> {
        let target = parse_target(&self.target).ok_or_else(|| {
            usage(format!("--target {}: use percent/seconds, such as 80/20", self.target))
        })?;
        let patience = self.patience.as_deref().map(|t| seconds("--patience", t)).transpose()?;
        let model = match (self.model, patience) {
            (ModelName::ErlangC, _) => Model::ErlangC(ErlangC),
            (ModelName::ErlangA, Some(patience)) => Model::ErlangA(ErlangA { patience }),
            (ModelName::ErlangA, None) => {
                return Err(usage("--model erlang-a needs --patience, such as --patience 180s"));
            }
        };
        if !(1..=10).contains(&self.concurrency) {
            return Err(usage(format!("--concurrency {}: use 1 to 10", self.concurrency)));
        }
        Ok(Profile {
            model,
            aht: seconds("--aht", &self.aht)?,
            target,
            shrinkage: share("--shrinkage", Some(self.shrinkage), 0.0, 0.95)?.unwrap_or(0.0),
            max_occupancy: share("--max-occupancy", self.max_occupancy, 0.05, 1.0)?,
            max_asa: self.max_asa.as_deref().map(|t| seconds("--max-asa", t)).transpose()?,
            max_abandonment: share("--max-abandonment", self.max_abandonment, 0.0, 1.0)?,
            concurrency: self.concurrency,
        })
    }
}

/// Prints the figures.
///
/// # Errors
/// [`UsageError`] for numbers that make no sense.
pub fn run(args: StaffingArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let profile = args.profile()?;
    let interval = seconds("--interval", &args.interval)?;
    let per_hour = args.arrivals * 3600.0 / interval.as_secs_f64();
    let figures = match args.agents {
        Some(n) if n > 1_000_000 => Err(usage(format!("--agents {n}: use up to 1000000"))),
        Some(n) => evaluate(per_hour, n, &profile).map_err(|error| usage(error.to_string())),
        None => required(per_hour, &profile).map_err(|error| usage(error.to_string())),
    }?;
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string(&figures)?)?,
        Format::Text => text(&figures, &profile, out)?,
    }
    Ok(())
}

fn text(figures: &Staffing, profile: &Profile, out: &mut impl Write) -> std::io::Result<()> {
    let verdict =
        if meets_targets(figures, profile) { "keeps the target" } else { "misses the target" };
    writeln!(
        out,
        "{} positions, {} agents on the schedule: {verdict}",
        figures.positions, figures.agents
    )?;
    writeln!(out, "  offered load        {:>9.2} Erlang", figures.offered_load)?;
    writeln!(
        out,
        "  answered in {:>4} s   {:>8.1} %",
        profile.target.within.as_secs(),
        figures.service_level * 100.0
    )?;
    if figures.asa_seconds.is_finite() {
        writeln!(out, "  average wait        {:>9.1} s", figures.asa_seconds)?;
    } else {
        writeln!(out, "  average wait         grows without end: fewer positions than load")?;
    }
    writeln!(out, "  have to wait        {:>8.1} %", figures.p_wait * 100.0)?;
    writeln!(out, "  hang up             {:>8.1} %", figures.p_abandon * 100.0)?;
    writeln!(out, "  agents busy         {:>8.1} %", figures.occupancy * 100.0)
}
