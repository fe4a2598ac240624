//! Staffing profiles from text: what a person writes, checked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use super::{Model, Profile, ServiceTarget};
use crate::domain::Name;

/// One `[staffing.CHANNEL]` table; what is absent keeps the channel's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    pub model: Option<Model>,
    pub aht: Option<String>,
    pub target: Option<String>,
    pub patience: Option<String>,
    pub shrinkage: Option<f64>,
    pub max_occupancy: Option<f64>,
    pub max_asa: Option<String>,
    pub max_abandonment: Option<f64>,
    pub concurrency: Option<u32>,
}

/// A key that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{key}: {text}")]
pub struct ProfileError {
    pub key: &'static str,
    pub text: String,
}

fn refuse<T>(key: &'static str, text: impl Into<String>) -> Result<T, ProfileError> {
    Err(ProfileError { key, text: text.into() })
}

/// Reads `90s`, `5m`, `1h` or a plain number of seconds.
pub fn parse_seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.trim().parse::<f64>().ok()? * factor;
    (seconds > 0.0 && seconds <= 30.0 * 86_400.0).then(|| Duration::from_secs_f64(seconds))
}

/// Reads `80/20`: 80 % within 20 s.
pub fn parse_target(text: &str) -> Option<ServiceTarget> {
    let (percent, seconds) = text.split_once('/')?;
    let fraction = percent.trim().parse::<f64>().ok()? / 100.0;
    let within = seconds.trim().parse::<f64>().ok()?;
    ((0.01..1.0).contains(&fraction) && (0.0..=30.0 * 86_400.0).contains(&within))
        .then(|| ServiceTarget { fraction, within: Duration::from_secs_f64(within) })
}

impl Profile {
    /// The channel's default profile, from `models/staffing.toml`.
    pub fn default_of(channel: &str) -> Option<Self> {
        let text = include_str!("../../models/staffing.toml");
        let specs: BTreeMap<String, ProfileSpec> = toml::from_str(text).ok()?;
        specs.get(channel)?.over(None).ok()
    }
}

impl ProfileSpec {
    /// The profile of a channel: this over the channel's default.
    ///
    /// # Errors
    /// [`ProfileError`] for the first key that is missing or out of range.
    pub fn profile(&self, channel: &Name) -> Result<Profile, ProfileError> {
        self.over(Profile::default_of(channel.as_str()))
    }

    fn over(&self, base: Option<Profile>) -> Result<Profile, ProfileError> {
        let seconds = |key: &'static str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match parse_seconds(text) {
                Some(length) => Ok(Some(length)),
                None => refuse(key, format!("`{text}` is no length such as 300s, 5m or 1h")),
            },
        };
        let share = |key: &'static str, value: Option<f64>, most: f64| match value {
            Some(v) if !(0.0..=most).contains(&v) => {
                refuse(key, format!("{v} is no share: use a number from 0 to {most}"))
            }
            v => Ok(v),
        };
        let base = base.as_ref();
        let Some(aht) = seconds("aht", &self.aht)?.or(base.map(|b| b.aht)) else {
            return refuse("aht", "is missing: how long does one contact take, such as 300s?");
        };
        let target = match &self.target {
            Some(text) => match parse_target(text) {
                Some(target) => target,
                None => {
                    let text = format!("`{text}` is no target such as 80/20: 80 % within 20 s");
                    return refuse("target", text);
                }
            },
            None => match base {
                Some(base) => base.target,
                None => return refuse("target", "is missing: such as 80/20, 80 % within 20 s"),
            },
        };
        let patience = seconds("patience", &self.patience)?.or(base.and_then(|b| b.patience));
        let preferred = if patience.is_some() { Model::ErlangA } else { Model::ErlangC };
        let model = self.model.or(base.map(|b| b.model)).unwrap_or(preferred);
        if model == Model::ErlangA && patience.is_none() {
            return refuse(
                "patience",
                "is missing: erlang-a asks how long callers wait, such as 180s",
            );
        }
        let concurrency = self.concurrency.or(base.map(|b| b.concurrency)).unwrap_or(1);
        if !(1..=10).contains(&concurrency) {
            return refuse("concurrency", format!("{concurrency}: use 1 to 10 contacts at once"));
        }
        let occupancy = share("max_occupancy", self.max_occupancy, 1.0)?;
        if occupancy.is_some_and(|o| o < 0.05) {
            return refuse("max_occupancy", "use a share from 0.05 to 1");
        }
        Ok(Profile {
            model,
            aht,
            target,
            patience,
            shrinkage: share("shrinkage", self.shrinkage, 0.95)?
                .or(base.map(|b| b.shrinkage))
                .unwrap_or(0.0),
            max_occupancy: occupancy.or(base.and_then(|b| b.max_occupancy)),
            max_asa: seconds("max_asa", &self.max_asa)?.or(base.and_then(|b| b.max_asa)),
            max_abandonment: share("max_abandonment", self.max_abandonment, 1.0)?
                .or(base.and_then(|b| b.max_abandonment)),
            concurrency,
        })
    }
}
