//! Reads and checks staffing profiles.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::error::ProfileError;
use super::learned::AhtLearning;
use super::models::{Model, ModelName, ModelTerms, Rates};
use super::target::{ServiceTarget, parse_target};
use super::types::Profile;
use crate::domain::Name;

/// Default of `aht_prior`: the number of contacts at which the observed handling time has the same weight as the configured
/// one.
pub const AHT_PRIOR: f64 = 30.0;
/// Default of `aht_factor_max`: a learned handling time is at most twice the configured one, and at least half of it.
const AHT_FACTOR_MAX: f64 = 2.0;

/// One `[staffing.CHANNEL]` table. Absent keys have the default of the channel.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    pub model: Option<ModelName>,
    pub aht: Option<String>,
    pub target: Option<String>,
    pub patience: Option<String>,
    pub shrinkage: Option<f64>,
    /// The part of `shrinkage` that is absence; a third of it by default.
    pub absence: Option<f64>,
    pub max_occupancy: Option<f64>,
    pub max_asa: Option<String>,
    pub max_abandonment: Option<f64>,
    pub concurrency: Option<u32>,
    /// One rate for each number of chats at once, such as `1, 1.7, 2.5`.
    pub concurrency_rates: Option<String>,
    /// `alone` or `elapsed`: how `aht` of a chat is measured.
    pub aht_measured: Option<String>,
    /// Share of the customers who hang up that call again.
    pub redial: Option<f64>,
    /// `config` or `learned`: which handling time plans use.
    pub aht_from: Option<String>,
    /// Number of contacts at which the observed handling time has the same weight as `aht`.
    pub aht_prior: Option<f64>,
    /// Maximum ratio of a learned handling time to `aht`, and vice versa.
    pub aht_factor_max: Option<f64>,
}

fn refuse<T>(key: &'static str, text: impl Into<String>) -> Result<T, ProfileError> {
    Err(ProfileError { key, text: text.into() })
}

/// Reads `90s`, `5m`, `1h`, `2d` or a plain number of seconds.
pub fn parse_seconds(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let mut seconds = 0.0;
    loop {
        let at = rest.find(is_letter);
        let (number, tail) = at.map_or((rest, "s"), |at| rest.split_at(at));
        let (unit, next) = tail.split_at(tail.find(|c| !is_letter(c)).unwrap_or(tail.len()));
        let factor = match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let number = number.trim().parse::<f64>().ok().filter(|number| *number >= 0.0)?;
        seconds += number * factor;
        rest = next.trim_start();
        if rest.is_empty() {
            break;
        }
        // A part without a unit may only stand alone.
        rest.find(is_letter)?;
    }
    (seconds > 0.0 && seconds <= 30.0 * 86_400.0).then(|| Duration::from_secs_f64(seconds))
}

/// Default profiles by channel, from `models/staffing.toml`.
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
    /// The profile of a channel: the keys of this table, and the channel's defaults for all others.
    ///
    /// # Errors
    /// [`ProfileError`] for the first key that is missing or out of range.
    pub fn profile(&self, channel: &Name) -> Result<Profile, ProfileError> {
        match defaults().get(channel.as_str()) {
            Some(base) => self.over(base).checked(),
            None => self.checked(),
        }
    }

    /// This table, with absent keys taken from `base`.
    pub fn over(&self, base: &Self) -> Self {
        let text = |own: &Option<String>, base: &Option<String>| own.clone().or(base.clone());
        Self {
            model: self.model.or(base.model),
            aht: text(&self.aht, &base.aht),
            target: text(&self.target, &base.target),
            patience: text(&self.patience, &base.patience),
            shrinkage: self.shrinkage.or(base.shrinkage),
            absence: self.absence.or(base.absence),
            max_occupancy: self.max_occupancy.or(base.max_occupancy),
            max_asa: text(&self.max_asa, &base.max_asa),
            max_abandonment: self.max_abandonment.or(base.max_abandonment),
            // If rates are configured, their length is the number of chats, and the default does not apply.
            concurrency: self
                .concurrency
                .or_else(|| base.concurrency.filter(|_| self.concurrency_rates.is_none())),
            concurrency_rates: text(&self.concurrency_rates, &base.concurrency_rates),
            aht_measured: text(&self.aht_measured, &base.aht_measured),
            redial: self.redial.or(base.redial),
            aht_from: text(&self.aht_from, &base.aht_from),
            aht_prior: self.aht_prior.or(base.aht_prior),
            aht_factor_max: self.aht_factor_max.or(base.aht_factor_max),
        }
    }

    /// The first key in which two tables differ.
    pub fn differs_in(&self, other: &Self) -> Option<&'static str> {
        [
            ("model", self.model == other.model),
            ("aht", self.aht == other.aht),
            ("target", self.target == other.target),
            ("patience", self.patience == other.patience),
            ("shrinkage", self.shrinkage == other.shrinkage),
            ("absence", self.absence == other.absence),
            ("max_occupancy", self.max_occupancy == other.max_occupancy),
            ("max_asa", self.max_asa == other.max_asa),
            ("max_abandonment", self.max_abandonment == other.max_abandonment),
            ("concurrency", self.concurrency == other.concurrency),
            ("concurrency_rates", self.concurrency_rates == other.concurrency_rates),
            ("aht_measured", self.aht_measured == other.aht_measured),
            ("redial", self.redial == other.redial),
            ("aht_from", self.aht_from == other.aht_from),
            ("aht_prior", self.aht_prior == other.aht_prior),
            ("aht_factor_max", self.aht_factor_max == other.aht_factor_max),
        ]
        .into_iter()
        .find_map(|(key, same)| (!same).then_some(key))
    }

    /// The profile of this table, without further defaults.
    fn checked(&self) -> Result<Profile, ProfileError> {
        let Some(aht) = seconds("aht", self.aht.as_deref())? else {
            return refuse("aht", "is missing: how long does one contact take, such as 300s?");
        };
        let target = target(self.target.as_deref())?;
        let (concurrency, rates) = self.concurrency()?;
        let patience = seconds("patience", self.patience.as_deref())?;
        let terms = ModelTerms { patience, concurrency, rates: Some(rates), backlog: 0.0 };
        let preferred = if patience.is_some() { ModelName::ErlangA } else { ModelName::ErlangC };
        let name = self.model.unwrap_or(preferred);
        check_target(name, &target)?;
        if self.concurrency_rates.is_some() && name != ModelName::Chat {
            return refuse("concurrency_rates", "belong to the model chat: set model = \"chat\"");
        }
        let model = Model::new(name, &terms)?;
        let max_occupancy = share("max_occupancy", self.max_occupancy, 1.0)?;
        if max_occupancy.is_some_and(|o| o < 0.05) {
            return refuse("max_occupancy", "use a share from 0.05 to 1");
        }
        let shrinkage = share("shrinkage", self.shrinkage, 0.95)?.unwrap_or(0.0);
        Ok(Profile {
            model,
            aht: self.alone(aht, &rates)?,
            target,
            shrinkage,
            absence: share("absence", self.absence, shrinkage)?.unwrap_or(shrinkage / 3.0),
            max_occupancy,
            max_asa: seconds("max_asa", self.max_asa.as_deref())?,
            max_abandonment: share("max_abandonment", self.max_abandonment, 1.0)?,
            concurrency,
            redial: share("redial", self.redial, 0.95)?.unwrap_or(0.0),
            aht_learning: self.learning(&rates)?,
        })
    }

    /// The number of chats at once, and their completion rates.
    fn concurrency(&self) -> Result<(u32, Rates), ProfileError> {
        let own = match self.concurrency_rates.as_deref() {
            Some(text) => Some(parse_rates(text).or_else(|e| refuse("concurrency_rates", e))?),
            None => None,
        };
        let most = own.and_then(|rates| u32::try_from(rates.most()).ok()).unwrap_or(1);
        let concurrency = self.concurrency.unwrap_or(most);
        if !(1..=10).contains(&concurrency) {
            return refuse("concurrency", format!("{concurrency}: use 1 to 10 contacts at once"));
        }
        if own.is_some() && most != concurrency {
            let text =
                format!("{most} rates for {concurrency} chats at once: use one for each number");
            return refuse("concurrency_rates", text);
        }
        Ok((concurrency, own.unwrap_or(Rates::usual(concurrency))))
    }

    /// How handling times are learned; `None` if plans use `aht`.
    fn learning(&self, rates: &Rates) -> Result<Option<AhtLearning>, ProfileError> {
        let prior = within("aht_prior", self.aht_prior, (1.0, 1e6))?.unwrap_or(AHT_PRIOR);
        let most = within("aht_factor_max", self.aht_factor_max, (1.0, 5.0))?;
        let factor_max = most.unwrap_or(AHT_FACTOR_MAX);
        let is_elapsed = self.aht_measured.as_deref() == Some("elapsed");
        let alone = if is_elapsed { rates.full() / rates.most() as f64 } else { 1.0 };
        match self.aht_from.as_deref().unwrap_or("config") {
            "config" => Ok(None),
            "learned" => Ok(Some(AhtLearning { prior, factor_max, reported_factor: alone })),
            other => {
                let text = format!("found `{other}`: use config, or learned from resolved tickets");
                refuse("aht_from", text)
            }
        }
    }

    /// The handling time of a chat that an agent handles alone. `aht` may instead be the time of a chat that is handled
    /// together with others.
    fn alone(&self, aht: Duration, rates: &Rates) -> Result<Duration, ProfileError> {
        match self.aht_measured.as_deref().unwrap_or("alone") {
            "alone" => Ok(aht),
            "elapsed" => Ok(aht.mul_f64(rates.full() / rates.most() as f64)),
            other => {
                let text = format!(
                    "found `{other}`: use alone (one chat at a time) or elapsed (with other chats at the same time)"
                );
                refuse("aht_measured", text)
            }
        }
    }
}

/// Reads `1,1.7,2.5`: completion rates of an agent with one, two and three chats.
///
/// # Errors
/// What would work.
pub fn parse_rates(text: &str) -> Result<Rates, String> {
    let rates: Option<Vec<f64>> = text.split(',').map(|rate| rate.trim().parse().ok()).collect();
    rates.as_deref().and_then(Rates::new).ok_or_else(|| {
        format!("`{text}`: use 1 to 10 rates that begin with 1 and do not fall, such as 1,1.7,2.5")
    })
}

/// Checks targets that only some models support.
///
/// # Errors
/// [`ProfileError`] with what would work.
pub fn check_target(model: ModelName, target: &ServiceTarget) -> Result<(), ProfileError> {
    let deferred = model == ModelName::Deferred;
    if deferred && target.within.is_zero() {
        return refuse("target", "deferred work needs a time above 0, such as 100/6h");
    }
    if !deferred && target.fraction >= 1.0 {
        let text = "100 % is for deferred work only, because no number of agents answers every caller in \
                    time: use less than 100 %, such as 80/20";
        return refuse("target", text);
    }
    Ok(())
}

fn seconds(key: &'static str, text: Option<&str>) -> Result<Option<Duration>, ProfileError> {
    let Some(text) = text else { return Ok(None) };
    match parse_seconds(text) {
        Some(length) => Ok(Some(length)),
        None => refuse(key, format!("`{text}` is not a length of time such as 300s, 5m or 1h")),
    }
}

fn within(
    key: &'static str,
    value: Option<f64>,
    (least, most): (f64, f64),
) -> Result<Option<f64>, ProfileError> {
    match value {
        Some(v) if !(least..=most).contains(&v) => {
            refuse(key, format!("{v}: use a number from {least} to {most}"))
        }
        v => Ok(v),
    }
}

fn share(key: &'static str, value: Option<f64>, most: f64) -> Result<Option<f64>, ProfileError> {
    match value {
        Some(v) if !(0.0..=most).contains(&v) => {
            refuse(key, format!("{v} is not a share: use a number from 0 to {most}"))
        }
        v => Ok(v),
    }
}

fn target(text: Option<&str>) -> Result<ServiceTarget, ProfileError> {
    let Some(text) = text else {
        return refuse("target", "is missing: use one such as 80/20, for 80 % within 20 s");
    };
    parse_target(text).or_else(|error| refuse("target", error))
}
