//! The calculator's arguments, checked.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::usage;
use crate::commands::usage::{UsageError, whole};
use crate::staffing::{
    Model, ModelName as Name, ModelTerms, Profile, Rates, ServiceTarget, check_target, parse_rates,
    parse_seconds, parse_target,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ModelName {
    /// Phone: callers wait as long as it takes
    ErlangC,
    /// Phone: callers hang up after a time; needs --patience
    ErlangA,
    /// Agents with several chats at once; needs --patience
    Chat,
    /// E-mail and other work that may wait
    Deferred,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Positions to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Positions {
    One(u32),
    /// Both ends included.
    Range(u32, u32),
}

/// Arrivals, handling time and targets. Values may begin with `-`, so that their own parser explains what is wrong.
#[derive(Debug, Args)]
pub struct StaffingArgs {
    /// Contacts that arrive in the interval
    #[arg(long, value_name = "NUMBER", value_parser = arrivals, allow_hyphen_values = true, conflicts_with = "input")]
    pub(super) arrivals: Option<f64>,
    /// Plan a day: a CSV file with the columns start and arrivals, one row for each interval
    #[arg(long, value_name = "FILE")]
    pub(super) input: Option<PathBuf>,
    /// Length of the interval, with its unit, such as 30m
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = interval, allow_hyphen_values = true)]
    pub(super) interval: Duration,
    /// Average handling time, such as 180s; for chats, the time of a chat that an agent handles alone
    #[arg(long, value_name = "DURATION", value_parser = seconds, allow_hyphen_values = true)]
    aht: Duration,
    /// Service target: 80/20 is 80 % answered within 20 s, 80/0 is 80 % without waiting, 100/6h is all work done within 6 hours. Default: 80/20; --model deferred needs a target
    #[arg(long, value_name = "PERCENT/TIME", value_parser = parse_target, allow_hyphen_values = true)]
    target: Option<ServiceTarget>,
    /// Queueing model
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
    #[arg(long, value_name = "NUMBER", value_parser = whole(1, 10), allow_hyphen_values = true)]
    concurrency: Option<u32>,
    /// Relative number of chats that an agent completes with 1, 2, 3 … chats at once, such as 1,1.7,2.5: with two at once 1.7 times as many as with one
    #[arg(long, value_name = "RATES", value_parser = parse_rates, allow_hyphen_values = true)]
    concurrency_rates: Option<Rates>,
    /// Contacts that already wait (deferred work)
    #[arg(long, value_name = "NUMBER", value_parser = arrivals, allow_hyphen_values = true)]
    backlog: Option<f64>,
    /// Share of those who hang up that call again, 0 to 0.95 or 0% to 95%. Give the arrivals without these repeated calls
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = shrinkage, allow_hyphen_values = true)]
    redial: f64,
    /// Evaluate this number of positions (people at work, after shrinkage), or each of a range such as 10..16, instead of searching for the smallest one
    #[arg(long, value_name = "NUMBER", value_parser = positions, allow_hyphen_values = true)]
    pub(super) agents: Option<Positions>,
    /// Format of the result
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
}

fn arrivals(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "use a number of contacts, 0 or more, such as 120".into())
}

/// Reads a duration. A bare number means seconds, because the times of a contact are usually given in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    parse_seconds(text).ok_or_else(|| "use a length above 0, such as 180s, 5m30s or 1h".into())
}

/// Reads an interval. A bare number is refused, because it could mean minutes or seconds.
fn interval(text: &str) -> Result<Duration, String> {
    if text.trim().parse::<f64>().is_ok_and(|number| number > 0.0) {
        let text = text.trim();
        return Err(format!(
            "`{text}` has no unit: use {text}m for minutes or {text}s for seconds"
        ));
    }
    seconds(text)
}

/// Reads `12` or `10..16`.
fn positions(text: &str) -> Result<Positions, String> {
    const POSITIONS_MAX: u32 = 1_000_000;
    const ROWS_MAX: u32 = 1_000;
    let wrong = || {
        format!(
            "use a number from 0 to {POSITIONS_MAX}, or a range of up to {ROWS_MAX} such as 10..16"
        )
    };
    let number = |text: &str| {
        text.trim().parse::<u32>().ok().filter(|n| *n <= POSITIONS_MAX).ok_or_else(wrong)
    };
    let Some((from, to)) = text.split_once("..") else { return number(text).map(Positions::One) };
    let (from, to) = (number(from)?, number(to)?);
    if from > to || to - from >= ROWS_MAX { Err(wrong()) } else { Ok(Positions::Range(from, to)) }
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
    /// The profile that the arguments describe.
    ///
    /// # Errors
    /// [`UsageError`] for arguments that do not go together.
    pub(super) fn profile(&self) -> Result<Profile, UsageError> {
        let name = match self.model {
            ModelName::ErlangC => Name::ErlangC,
            ModelName::ErlangA => Name::ErlangA,
            ModelName::Chat => Name::Chat,
            ModelName::Deferred => Name::Deferred,
        };
        if matches!(name, Name::ErlangA | Name::Chat) && self.patience.is_none() {
            let word = if name == Name::Chat { "chat" } else { "erlang-a" };
            return Err(usage(format!("--model {word} needs --patience, such as --patience 180s")));
        }
        self.belongs(name)?;
        let target = self.target(name)?;
        check_target(name, &target).map_err(|e| usage(format!("--target: {}", e.text)))?;
        let own = self.concurrency_rates.map(|rates| rates.most() as u32);
        let concurrency = self.concurrency.or(own).unwrap_or(1);
        if let Some(rates) = own.filter(|rates| *rates != concurrency) {
            return Err(usage(format!(
                "--concurrency-rates has {rates} rates for {concurrency} chats at once: use one for each number"
            )));
        }
        let terms = ModelTerms {
            patience: self.patience,
            concurrency,
            rates: self.concurrency_rates,
            backlog: self.backlog.unwrap_or(0.0),
        };
        Ok(Profile {
            model: Model::new(name, &terms).map_err(|error| usage(error.to_string()))?,
            aht: self.aht,
            target,
            shrinkage: self.shrinkage,
            absence: 0.0,
            max_occupancy: self.max_occupancy,
            max_asa: self.max_asa,
            max_abandonment: self.max_abandonment,
            concurrency,
            redial: self.redial,
            aht_learning: None,
        })
    }

    /// The target. Live contacts have a default target.
    fn target(&self, name: Name) -> Result<ServiceTarget, UsageError> {
        match self.target {
            Some(target) => Ok(target),
            None if name == Name::Deferred => Err(usage(
                "--model deferred needs --target, such as --target 90/4h: 90 % done within 4 hours",
            )),
            None => Ok(ServiceTarget { fraction: 0.8, within: Duration::from_secs(20) }),
        }
    }

    /// Checks that the model knows each argument.
    fn belongs(&self, name: Name) -> Result<(), UsageError> {
        let impatient = matches!(name, Name::ErlangA | Name::Chat);
        let deferred = name == Name::Deferred;
        let several = self.concurrency.is_some_and(|n| n > 1);
        for (wrong, text) in [
            (
                self.concurrency_rates.is_some() && name != Name::Chat,
                "--concurrency-rates needs --model chat",
            ),
            (self.backlog.is_some() && !deferred, "--backlog needs --model deferred"),
            (
                self.patience.is_some() && !impatient,
                "--patience needs a model in which callers hang up: --model erlang-a or chat",
            ),
            (
                self.max_abandonment.is_some() && !impatient,
                "--max-abandonment needs a model in which callers hang up: --model erlang-a or chat",
            ),
            (
                self.redial > 0.0 && !impatient,
                "--redial needs a model in which callers hang up: --model erlang-a or chat",
            ),
            (
                several && deferred,
                "--concurrency needs a model of live contacts, such as --model chat",
            ),
            (
                self.input.is_some() && deferred,
                "--input plans live contacts: use --model erlang-a, erlang-c or chat",
            ),
        ] {
            if wrong {
                return Err(usage(text));
            }
        }
        Ok(())
    }
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

    #[test]
    fn lengths_may_have_several_parts() {
        for (text, expected) in [
            ("330", 330.0),
            ("5m30s", 330.0),
            ("5m 30s", 330.0),
            ("1.5h", 5400.0),
            ("1h30m", 5400.0),
        ] {
            assert_eq!(seconds(text), Ok(Duration::from_secs_f64(expected)), "{text}");
        }
        for text in ["", "m", "5m30", "5m-30s", "1e3", "5x", "0s", "NaN", "5mm"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn positions_are_a_number_or_a_range() {
        assert_eq!(positions("12"), Ok(Positions::One(12)));
        assert_eq!(positions("10..16"), Ok(Positions::Range(10, 16)));
        for text in ["16..10", "1..2000", "-1", "1.5", "..", "10..", "2000000"] {
            assert!(positions(text).is_err(), "{text}");
        }
    }
}
