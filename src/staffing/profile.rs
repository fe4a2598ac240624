//! Staffing profiles from text: what a person writes, checked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::error::ProfileError;
use super::models::{Model, ModelName, ModelTerms};
use super::target::{ServiceTarget, parse_target};
use super::types::Profile;
use crate::domain::Name;

/// One `[staffing.CHANNEL]` table; what is absent keeps the channel's default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    pub model: Option<ModelName>,
    pub aht: Option<String>,
    pub target: Option<String>,
    pub patience: Option<String>,
    pub shrinkage: Option<f64>,
    pub max_occupancy: Option<f64>,
    pub max_asa: Option<String>,
    pub max_abandonment: Option<f64>,
    pub concurrency: Option<u32>,
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

/// What the program says of channels, from `models/staffing.toml`.
#[expect(clippy::expect_used, reason = "the file is part of the program and a test reads it")]
fn defaults() -> BTreeMap<String, ProfileSpec> {
    toml::from_str(include_str!("../../models/staffing.toml"))
        .expect("the file is part of the program and a test reads it")
}

impl Profile {
    /// The channel's default profile, from `models/staffing.toml`.
    pub fn default_of(channel: &str) -> Option<Self> {
        defaults().get(channel)?.checked().ok()
    }
}

impl ProfileSpec {
    /// The profile of a channel: this over the channel's default.
    ///
    /// # Errors
    /// [`ProfileError`] for the first key that is missing or out of range.
    pub fn profile(&self, channel: &Name) -> Result<Profile, ProfileError> {
        match defaults().get(channel.as_str()) {
            Some(base) => self.over(base).checked(),
            None => self.checked(),
        }
    }

    /// This, and of `base` what is absent here.
    fn over(&self, base: &Self) -> Self {
        let text = |own: &Option<String>, base: &Option<String>| own.clone().or(base.clone());
        Self {
            model: self.model.or(base.model),
            aht: text(&self.aht, &base.aht),
            target: text(&self.target, &base.target),
            patience: text(&self.patience, &base.patience),
            shrinkage: self.shrinkage.or(base.shrinkage),
            max_occupancy: self.max_occupancy.or(base.max_occupancy),
            max_asa: text(&self.max_asa, &base.max_asa),
            max_abandonment: self.max_abandonment.or(base.max_abandonment),
            concurrency: self.concurrency.or(base.concurrency),
        }
    }

    /// The profile that this alone asks for.
    fn checked(&self) -> Result<Profile, ProfileError> {
        let Some(aht) = seconds("aht", self.aht.as_deref())? else {
            return refuse("aht", "is missing: how long does one contact take, such as 300s?");
        };
        let target = target(self.target.as_deref())?;
        let terms = ModelTerms { patience: seconds("patience", self.patience.as_deref())? };
        let preferred =
            if terms.patience.is_some() { ModelName::ErlangA } else { ModelName::ErlangC };
        let model = Model::new(self.model.unwrap_or(preferred), &terms)?;
        let concurrency = self.concurrency.unwrap_or(1);
        if !(1..=10).contains(&concurrency) {
            return refuse("concurrency", format!("{concurrency}: use 1 to 10 contacts at once"));
        }
        let max_occupancy = share("max_occupancy", self.max_occupancy, 1.0)?;
        if max_occupancy.is_some_and(|o| o < 0.05) {
            return refuse("max_occupancy", "use a share from 0.05 to 1");
        }
        Ok(Profile {
            model,
            aht,
            target,
            shrinkage: share("shrinkage", self.shrinkage, 0.95)?.unwrap_or(0.0),
            max_occupancy,
            max_asa: seconds("max_asa", self.max_asa.as_deref())?,
            max_abandonment: share("max_abandonment", self.max_abandonment, 1.0)?,
            concurrency,
        })
    }
}

fn seconds(key: &'static str, text: Option<&str>) -> Result<Option<Duration>, ProfileError> {
    let Some(text) = text else { return Ok(None) };
    match parse_seconds(text) {
        Some(length) => Ok(Some(length)),
        None => refuse(key, format!("`{text}` is no length such as 300s, 5m or 1h")),
    }
}

fn share(key: &'static str, value: Option<f64>, most: f64) -> Result<Option<f64>, ProfileError> {
    match value {
        Some(v) if !(0.0..=most).contains(&v) => {
            refuse(key, format!("{v} is no share: use a number from 0 to {most}"))
        }
        v => Ok(v),
    }
}

fn target(text: Option<&str>) -> Result<ServiceTarget, ProfileError> {
    let Some(text) = text else {
        return refuse("target", "is missing: such as 80/20, 80 % within 20 s");
    };
    match parse_target(text) {
        Some(target) => Ok(target),
        None => refuse("target", format!("`{text}` is no target such as 80/20: 80 % within 20 s")),
    }
}
