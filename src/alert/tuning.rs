//! People's feedback adjusts the limits of a rule in a scope, within bounds.

use std::collections::BTreeMap;

use super::key::AlertKey;
use super::{Alert, AlertBook};

/// The limits change by this factor with each verdict.
const STEP: f64 = 1.1;
/// Maximum number of steps up and down: at most about one and a half times the limits, and at least about four fifths.
const STEPS_UP: i32 = 4;
const STEPS_DOWN: i32 = -2;
const USEFUL: &str = "useful";
const NOISE: &str = "not useful";

/// The number of alerts that people judged as noise, minus the number judged as useful, by rule and scope.
pub(super) type Tuning = BTreeMap<AlertKey, i32>;

/// The factor on the limits for this balance of verdicts (noise minus useful).
pub fn limit_factor(balance: i32) -> f64 {
    STEP.powi(balance.clamp(STEPS_DOWN, STEPS_UP))
}

/// 1 for noise, −1 for useful, 0 without a verdict.
fn verdict(feedback: Option<&str>) -> i32 {
    let said = feedback.map(|text| text.split_once(':').map_or(text, |(verdict, _)| verdict));
    match said {
        Some(NOISE) => 1,
        Some(USEFUL) => -1,
        _ => 0,
    }
}

impl AlertBook {
    /// Applies the feedback on stored alerts, resolved ones included.
    #[must_use]
    pub fn tuned_by<'a>(mut self, judged: impl Iterator<Item = &'a Alert>) -> Self {
        for alert in judged {
            *self.tuning.entry(alert.key()).or_default() += verdict(alert.feedback.as_deref());
        }
        self.tuning.retain(|_, balance| *balance != 0);
        self
    }

    /// Stores feedback on an alert: an open one, or a past one as it is stored. The same feedback twice counts once; different
    /// feedback replaces the earlier one. Returns the changed alert.
    pub fn judge(&mut self, id: &str, text: &str, past: Option<Alert>) -> Option<Alert> {
        let open = self.open.values().find(|alert| alert.id == id).cloned();
        let mut alert = open.or(past)?;
        let change = verdict(Some(text)) - verdict(alert.feedback.as_deref());
        let balance = self.tuning.entry(alert.key()).or_default();
        *balance += change;
        alert.feedback = Some(text.to_owned());
        alert.paging.tuning = *balance;
        if let Some(open) = self.open.get_mut(&alert.key()).filter(|open| open.id == alert.id) {
            open.clone_from(&alert);
        }
        Some(alert)
    }
}
