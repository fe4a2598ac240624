//! `surgecast staffing`: the calculator.

use std::io::Write;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::commands::usage::UsageError;
use crate::staffing::{
    ErlangA, ErlangC, Model, Profile, ServiceTarget, Staffing, evaluate, meets_targets,
    parse_seconds, parse_target, required,
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

/// Arrivals, handling time and targets. Values may begin with `-`, so that their own parser explains what is wrong.
#[derive(Debug, Args)]
pub struct StaffingArgs {
    /// Contacts that arrive in the interval
    #[arg(long, value_name = "NUMBER", value_parser = arrivals, allow_hyphen_values = true)]
    arrivals: f64,
    /// Length of the interval, such as 30m
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = seconds, allow_hyphen_values = true)]
    interval: Duration,
    /// Average handling time, such as 180s
    #[arg(long, value_name = "DURATION", value_parser = seconds, allow_hyphen_values = true)]
    aht: Duration,
    /// Service target: 80/20 is 80 % answered within 20 s
    #[arg(long, value_name = "PERCENT/SECONDS", default_value = "80/20", value_parser = target, allow_hyphen_values = true)]
    target: ServiceTarget,
    /// Queueing model; erlang-a needs --patience
    #[arg(long, value_enum, default_value = "erlang-c")]
    model: ModelName,
    /// Average time that callers wait before they hang up
    #[arg(long, value_name = "DURATION", value_parser = seconds, allow_hyphen_values = true)]
    patience: Option<Duration>,
    /// Highest occupancy: share of time that agents are busy, 0.05 to 1 or 5% to 100%
    #[arg(long, value_name = "SHARE", value_parser = occupancy, allow_hyphen_values = true)]
    max_occupancy: Option<f64>,
    /// Upper limit of the average wait (average speed of answer, ASA)
    #[arg(long, value_name = "DURATION", value_parser = seconds, allow_hyphen_values = true)]
    max_asa: Option<Duration>,
    /// Highest share of callers that hang up, 0 to 1 or 0% to 100%
    #[arg(long, value_name = "SHARE", value_parser = abandonment, allow_hyphen_values = true)]
    max_abandonment: Option<f64>,
    /// Share of paid time that agents are not available, such as 0.3 or 30%
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = shrinkage, allow_hyphen_values = true)]
    shrinkage: f64,
    /// Contacts that one agent handles at the same time, 1 to 10
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10), allow_hyphen_values = true)]
    concurrency: u32,
    /// Evaluate this number of positions (people at work, without shrinkage), instead of searching for the smallest one
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=1_000_000), allow_hyphen_values = true)]
    agents: Option<u32>,
    /// Format of the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn usage(text: impl Into<String>) -> UsageError {
    UsageError(text.into())
}

fn arrivals(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "use a number of contacts, 0 or more, such as 120".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    parse_seconds(text).ok_or_else(|| "use a length above 0, such as 180s, 5m or 1h".into())
}

fn target(text: &str) -> Result<ServiceTarget, String> {
    parse_target(text).ok_or_else(|| {
        "use PERCENT/SECONDS with at least 1 % and less than 100 %, such as 80/20: 80 % answered within 20 s"
            .into()
    })
}

/// Reads `0.3` or `30%`.
fn share(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse::<f64>(),
    };
    number.ok().filter(|share| (low..=high).contains(share)).ok_or_else(|| {
        let (low_percent, high_percent) = (low * 100.0, high * 100.0);
        format!("use a share from {low} to {high}, or a percentage from {low_percent}% to {high_percent}%")
    })
}

fn occupancy(text: &str) -> Result<f64, String> {
    share(text, 0.05, 1.0)
}

fn abandonment(text: &str) -> Result<f64, String> {
    share(text, 0.0, 1.0)
}

fn shrinkage(text: &str) -> Result<f64, String> {
    share(text, 0.0, 0.95)
}

impl StaffingArgs {
    fn profile(&self) -> Result<Profile, UsageError> {
        let model = match (self.model, self.patience) {
            (ModelName::ErlangC, _) => Model::ErlangC(ErlangC),
            (ModelName::ErlangA, Some(patience)) => Model::ErlangA(ErlangA { patience }),
            (ModelName::ErlangA, None) => {
                return Err(usage("--model erlang-a needs --patience, such as --patience 180s"));
            }
        };
        Ok(Profile {
            model,
            aht: self.aht,
            target: self.target,
            shrinkage: self.shrinkage,
            max_occupancy: self.max_occupancy,
            max_asa: self.max_asa,
            max_abandonment: self.max_abandonment,
            concurrency: self.concurrency,
        })
    }
}

/// Prints the result.
///
/// # Errors
/// [`UsageError`] for a model without what it needs, a load out of range or a target out of reach.
pub fn run(args: StaffingArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let profile = args.profile()?;
    let per_hour = args.arrivals * 3600.0 / args.interval.as_secs_f64();
    let staffing = match args.agents {
        Some(n) => evaluate(per_hour, n, &profile),
        None => required(per_hour, &profile),
    };
    let staffing = staffing.map_err(|error| usage(error.to_string()))?;
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string(&staffing)?)?,
        Format::Text => text(&staffing, &profile, out)?,
    }
    Ok(())
}

fn text(staffing: &Staffing, profile: &Profile, out: &mut impl Write) -> std::io::Result<()> {
    let verdict =
        if meets_targets(staffing, profile) { "meets the target" } else { "misses the target" };
    writeln!(
        out,
        "{} positions, {} agents on the schedule: {verdict}",
        staffing.positions, staffing.agents
    )?;
    writeln!(out, "  offered load        {:>9.2} Erlang", staffing.offered_load)?;
    writeln!(
        out,
        "  answered in {:>4} s   {:>8.1} %",
        profile.target.within.as_secs(),
        staffing.service_level * 100.0
    )?;
    if staffing.asa_seconds.is_finite() {
        writeln!(out, "  average wait        {:>9.1} s", staffing.asa_seconds)?;
    } else {
        writeln!(out, "  average wait         unlimited: the load exceeds the positions")?;
    }
    writeln!(out, "  have to wait        {:>8.1} %", staffing.p_wait * 100.0)?;
    writeln!(out, "  hang up             {:>8.1} %", staffing.p_abandon * 100.0)?;
    writeln!(out, "  agents busy         {:>8.1} %", staffing.occupancy * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_number_or_percentage() {
        for text in ["0.3", "30%", "30 %", ".3"] {
            assert!(shrinkage(text).is_ok_and(|share| (share - 0.3).abs() < 1e-12), "{text}");
        }
        for text in ["30", "96%", "-5%", "-0.1", "%", "a third", "NaN", ""] {
            let error = shrinkage(text).expect_err(text);
            assert_eq!(error, "use a share from 0 to 0.95, or a percentage from 0% to 95%");
        }
        assert_eq!((occupancy("100%"), abandonment("0")), (Ok(1.0), Ok(0.0)));
        assert!(occupancy("4%").is_err() && abandonment("1.01").is_err());
    }
}
