//! Validates the flags.

use std::time::Duration;

use super::args::{BacktestArgs, Missing};
use crate::commands::usage::UsageError;
use crate::domain::{WindowWidth, Zone};
use crate::domain::{format_duration, parse_duration};
use crate::forecast::HORIZON;
use crate::forecast::peers::CHOICES;

/// The checked flags.
#[derive(Clone, Debug)]
pub struct Options {
    /// `None`: the step between the rows of the file.
    pub width: Option<WindowWidth>,
    horizon: Duration,
    pub zone: Zone,
    pub is_missing_zero: bool,
    /// Names of models, without duplicates.
    pub models: Vec<String>,
    pub refit: Duration,
    pub last: Option<Duration>,
    /// Length of the history of each forecast; `None`: everything.
    pub history: Option<Duration>,
}

impl Options {
    /// Parses the flags.
    ///
    /// # Errors
    /// [`UsageError`] with the flag and the accepted values.
    pub fn from_args(args: &BacktestArgs) -> Result<Self, UsageError> {
        let width = args.interval.as_deref().map(interval).transpose()?;
        let options = Self {
            width,
            horizon: length("--horizon", &args.horizon)?,
            zone: args.tz.parse().map_err(|e| UsageError(format!("--tz: {e}")))?,
            is_missing_zero: args.missing == Missing::Zero,
            models: models(&args.model)?,
            refit: length("--refit", &args.refit)?,
            last: args.last.as_deref().map(|text| length("--last", text)).transpose()?,
            history: args.history.as_deref().map(|text| length("--history", text)).transpose()?,
        };
        // If a flag gives the width, check the horizon before reading the file.
        if let Some(width) = width {
            options.horizon(width)?;
        }
        Ok(options)
    }

    /// The horizon for windows of `width`.
    ///
    /// # Errors
    /// [`UsageError`] where it is not a multiple of `width`, or longer than the longest horizon.
    pub fn horizon(&self, width: WindowWidth) -> Result<Duration, UsageError> {
        let seconds = self.horizon.as_secs();
        if seconds == 0
            || !seconds.is_multiple_of(u64::from(width.secs()))
            || self.horizon > HORIZON
        {
            return Err(UsageError(format!(
                "--horizon {}: use a multiple of the interval ({width}), at most {}",
                format_duration(self.horizon),
                format_duration(HORIZON)
            )));
        }
        Ok(self.horizon)
    }
}

fn length(flag: &str, text: &str) -> Result<Duration, UsageError> {
    match parse_duration(text) {
        Ok(length) if length.is_zero() => {
            Err(UsageError(format!("{flag} {text}: use more than 0")))
        }
        Ok(length) => Ok(length),
        Err(error) => Err(UsageError(format!("{flag}: {error}"))),
    }
}

fn interval(text: &str) -> Result<WindowWidth, UsageError> {
    WindowWidth::new(length("--interval", text)?)
        .map_err(|_| UsageError(format!("--interval {text}: use 5m, 10m, 15m, 30m or 1h")))
}

fn models(named: &[String]) -> Result<Vec<String>, UsageError> {
    let mut models: Vec<String> = Vec::new();
    for name in named {
        let known = CHOICES.map(|(known, _)| known);
        let more = match name.as_str() {
            "all" => known.to_vec(),
            name if known.contains(&name) => vec![name],
            _ => {
                let text = format!("--model {name}: use {} or all", known.join(", "));
                return Err(UsageError(text));
            }
        };
        models.extend(more.into_iter().map(str::to_owned));
    }
    let mut seen = std::collections::BTreeSet::new();
    models.retain(|name| seen.insert(name.clone()));
    Ok(models)
}
