//! Prior parameters of the alarm response: `models/response.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::domain::Severity;

/// Prior parameters with their weights. The file documents each key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    pub real: RealPrior,
    pub size: SizePrior,
    pub onset: OnsetPrior,
    pub night: NightPrior,
    pub ending: EndingPrior,
    /// By channel; `default` is for other channels.
    pub channel: BTreeMap<String, ChannelPrior>,
    pub kernel: KernelPrior,
    pub work: WorkPrior,
    pub alarm_class: ClassPrior,
}

/// Log-odds that customers notice an episode.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealPrior {
    pub intercept: f64,
    pub devices: f64,
    pub repeats: f64,
    pub critical: f64,
    pub overrun: f64,
    pub within_work: f64,
    pub spread: f64,
}

/// Excess at full strength in multiples of the series' average window.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizePrior {
    pub median: f64,
    pub spread: f64,
    pub devices: f64,
    pub critical: f64,
    pub weight: f64,
}

/// Minutes from the first alarm to the first complaints.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnsetPrior {
    pub median: f64,
    pub spread: f64,
    pub weight: f64,
}

/// Faults at night that are noticed only in the morning; local hours.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NightPrior {
    pub from: f64,
    pub to: f64,
    pub share: f64,
    pub wakes_at: f64,
    pub wakes_spread: f64,
    pub backlog: f64,
    pub awake: f64,
    pub weight: f64,
}

/// Duration of alarms, minutes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndingPrior {
    pub real_median: f64,
    pub harmless_median: f64,
    pub spread: f64,
    pub weight: f64,
    pub hold: f64,
}

/// Strength of a channel's complaints, and time constants of their rise and fall, minutes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPrior {
    pub share: f64,
    pub rise: f64,
    pub fall: f64,
}

/// Weight of the prior's kernel, episodes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelPrior {
    pub weight: f64,
}

/// Tickets of planned work in multiples of the series' average window.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkPrior {
    pub share: f64,
    pub weight: f64,
}

/// Probability that customers notice an alarm, by severity.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassPrior {
    pub critical: f64,
    pub major: f64,
    pub minor: f64,
    pub warning: f64,
    pub indeterminate: f64,
    pub weight: f64,
}

impl ClassPrior {
    /// The probability for alarms of `severity`, 0 to 1.
    pub fn of(&self, severity: Severity) -> f64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::Major => self.major,
            Severity::Minor => self.minor,
            Severity::Warning => self.warning,
            Severity::Indeterminate => self.indeterminate,
        }
    }
}

/// Why a text is not a valid prior.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PriorError {
    #[error("alarm response: {0}")]
    Syntax(String),
    #[error("alarm response: `{key}` is {value}: use {allowed}")]
    Range { key: &'static str, value: String, allowed: &'static str },
    #[error("alarm response: `[channel.default]` is missing: add it with share, rise and fall")]
    NoDefault,
}

impl Prior {
    /// Reads a file such as `models/response.toml`.
    ///
    /// # Errors
    /// [`PriorError`] for keys that are unknown, missing or out of range.
    pub fn parse(text: &str) -> Result<Self, PriorError> {
        let prior: Self =
            toml::from_str(text).map_err(|e| PriorError::Syntax(e.message().to_owned()))?;
        prior.check()?;
        Ok(prior)
    }

    /// The parameters included in the program.
    #[expect(clippy::expect_used, reason = "the file is part of the program and a test reads it")]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../../../models/response.toml"))
            .expect("the file is part of the program and a test reads it")
    }

    pub(super) fn channel(&self, name: &str) -> ChannelPrior {
        let found = self.channel.get(name).or_else(|| self.channel.get("default"));
        found.copied().unwrap_or(ChannelPrior { share: 1.0, rise: 30.0, fall: 90.0 })
    }

    fn check(&self) -> Result<(), PriorError> {
        if !self.channel.contains_key("default") {
            return Err(PriorError::NoDefault);
        }
        let positive = [
            ("real.spread", self.real.spread),
            ("size.median", self.size.median),
            ("size.spread", self.size.spread),
            ("size.weight", self.size.weight),
            ("onset.median", self.onset.median),
            ("onset.spread", self.onset.spread),
            ("onset.weight", self.onset.weight),
            ("night.wakes_spread", self.night.wakes_spread),
            ("night.weight", self.night.weight),
            ("ending.real_median", self.ending.real_median),
            ("ending.harmless_median", self.ending.harmless_median),
            ("ending.spread", self.ending.spread),
            ("ending.weight", self.ending.weight),
            ("kernel.weight", self.kernel.weight),
            ("work.weight", self.work.weight),
            ("alarm_class.weight", self.alarm_class.weight),
        ];
        let channels = self.channel.values().flat_map(|c| {
            [("channel.share", c.share), ("channel.rise", c.rise), ("channel.fall", c.fall)]
        });
        for (key, value) in positive.into_iter().chain(channels) {
            within(key, value, 1e-6..1e6, "a number above 0")?;
        }
        let c = &self.alarm_class;
        for value in [c.critical, c.major, c.minor, c.warning, c.indeterminate, self.night.share] {
            within("alarm_class or night.share", value, 0.0..1.0, "a share from 0 to below 1")?;
        }
        for value in [self.night.from, self.night.to, self.night.wakes_at] {
            within("night.from, to or wakes_at", value, 0.0..24.0, "a local hour")?;
        }
        let r = &self.real;
        let log_odds = [r.intercept, r.devices, r.repeats, r.critical, r.overrun, r.within_work];
        for value in log_odds.into_iter().chain([self.size.devices, self.size.critical]) {
            within("real or size", value, -20.0..20.0, "log-odds from -20 to 20")?;
        }
        within("work.share", self.work.share, 0.0..100.0, "0 or more")?;
        within("night.backlog", self.night.backlog, 0.0..10.0, "0 to 10")?;
        within("night.awake", self.night.awake, 0.0..2.0, "0 to 2")?;
        within("ending.hold", self.ending.hold, 0.0..1440.0, "0 to 1440 minutes")
    }
}

fn within(
    key: &'static str,
    value: f64,
    range: std::ops::Range<f64>,
    allowed: &'static str,
) -> Result<(), PriorError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(PriorError::Range { key, value: value.to_string(), allowed })
}
