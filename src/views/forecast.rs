//! Forecasts.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::forecast::{self, Fallback, QUANTILES, rounded};
use crate::store::Served;
use crate::text::{Say, Stored, Texts};

/// The components of the mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct Drivers {
    /// Usual number of tickets, from the profile.
    pub baseline: f64,
    /// Today's level: factor on the baseline.
    pub level: f64,
    /// Tickets added because of alarms.
    pub alarms: f64,
    /// Tickets added by planners' adjustments.
    pub adjustments: f64,
}

/// The model's own forecast, if an adjustment changed it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelTarget {
    pub mean: f64,
    pub quantiles: BTreeMap<String, f64>,
}

/// The forecast of one window.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForecastTarget {
    pub start: String,
    pub mean: f64,
    /// By probability: 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975.
    pub quantiles: BTreeMap<String, f64>,
    pub drivers: Drivers,
    /// The model's own forecast; null if no adjustment changed it.
    pub model: Option<ModelTarget>,
}

/// A cause of extra tickets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cause {
    /// An alarm's type, `planned work`, `planned work overruns`, or `adjustment: ` and its label.
    pub what: String,
    /// The same in the reader's language.
    pub text: String,
    /// Expected tickets over the horizon.
    pub tickets: f64,
}

impl Cause {
    fn new(cause: forecast::Cause, texts: &Texts) -> Self {
        Self { text: cause.say(texts), what: cause.what, tickets: cause.tickets }
    }
}

/// How little history a forecast rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct LittleHistory {
    /// Whole days of history.
    pub days: u32,
    /// From when on forecasts of this series are expected to have full accuracy.
    pub settled_at: String,
    /// Whether the shape of a day is that of other regions.
    pub borrowed: bool,
}

impl LittleHistory {
    fn of(vintage: &forecast::Vintage) -> Option<Self> {
        match vintage.fallback {
            Some(Stored::Value(Fallback::Little { days, settled_at, borrowed })) => {
                Some(Self { days, settled_at: settled_at.to_string(), borrowed })
            }
            _ => None,
        }
    }
}

/// One forecast of a series, as it was issued.
#[derive(Debug, Serialize, ToSchema)]
pub struct Forecast {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    pub members: Vec<String>,
    /// Alarm types, planned work and adjustments that add tickets over the horizon, largest first.
    pub causes: Vec<Cause>,
    /// If history was short: the simpler method that was used, in words.
    pub fallback: Option<String>,
    /// If history is short: how short. Null without any history, and with five weeks or more.
    pub little_history: Option<LittleHistory>,
    /// For a nowcast, issued before the end of a window: its reason, in words. Its first target is the window that was open.
    pub nowcast: Option<String>,
    pub targets: Vec<ForecastTarget>,
}

pub(super) fn by_probability(quantiles: &[f64; 7]) -> BTreeMap<String, f64> {
    QUANTILES.iter().map(ToString::to_string).zip(*quantiles).collect()
}

impl Forecast {
    /// A forecast, its texts in a reader's language.
    pub fn new(Served { vintage, model, reason }: Served, texts: &Texts) -> Self {
        let own = |start| model.iter().flat_map(|m| &m.targets).find(move |t| t.start == start);
        let targets = vintage.targets.iter().map(|t| {
            let own = own(t.start).filter(|own| *own != t);
            let adjustments = own.map_or(0.0, |own| t.mean - own.mean);
            ForecastTarget {
                start: t.start.to_string(),
                mean: t.mean,
                quantiles: by_probability(&t.quantiles),
                drivers: Drivers {
                    baseline: t.baseline,
                    level: t.level,
                    alarms: t.alarm_effect,
                    adjustments: rounded(adjustments),
                },
                model: own.map(|own| ModelTarget {
                    mean: own.mean,
                    quantiles: by_probability(&own.quantiles),
                }),
            }
        });
        Self {
            key: Key::from(&vintage.series),
            issued_at: vintage.issued_at.to_string(),
            little_history: LittleHistory::of(&vintage),
            targets: targets.collect(),
            members: vintage.members,
            causes: vintage.causes.into_iter().map(|own| Cause::new(own, texts)).collect(),
            fallback: vintage.fallback.map(|fallback| fallback.say(texts)),
            nowcast: reason.map(|reason| reason.say(texts)),
        }
    }
}
