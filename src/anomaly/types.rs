//! What was found to be abnormal.

use serde::{Deserialize, Serialize};

use crate::domain::{SeriesKey, Timestamp};

/// No score says more than this.
pub(super) const SCORE_MAX: f64 = 20.0;

/// What is abnormal about a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnomalyKind {
    /// Far more tickets than forecast.
    High,
    /// Far fewer.
    Low,
    /// Far more customers than usual say that it does not work. The series is a scope's: `_all` channels.
    Complaints,
    /// Customers say something that they did not say before. The series is a scope's.
    Phrase,
}

/// A window far outside its band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub series: SeriesKey,
    /// Start of the window.
    pub window: Timestamp,
    pub kind: AnomalyKind,
    /// Surprise: −log10 of the probability of a count at least this extreme, capped at 20.
    pub score: f64,
    pub actual: f64,
    pub expected: f64,
    /// One sentence for a person.
    pub text: String,
}

/// To two decimals, as scores are kept.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
