//! Anomalies.

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::anomaly;
use crate::text::{Say, Texts};

/// A window far outside its forecast.
#[derive(Debug, Serialize, ToSchema)]
pub struct Anomaly {
    #[serde(flatten)]
    pub key: Key,
    pub window: String,
    #[schema(value_type = String)]
    pub kind: anomaly::AnomalyKind,
    pub score: f64,
    pub actual: f64,
    pub expected: f64,
    pub text: String,
}

impl Anomaly {
    /// An anomaly, its sentence in a reader's language.
    pub fn new(a: &anomaly::Anomaly, texts: &Texts) -> Self {
        Self {
            key: Key::from(&a.series),
            window: a.window.to_string(),
            kind: a.kind,
            score: a.score,
            actual: a.actual,
            expected: a.expected,
            text: a.say(texts),
        }
    }
}
