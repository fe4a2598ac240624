//! `anomaly_now`: an anomaly that deserves a look by a person.

use std::collections::BTreeMap;

use super::{Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::anomaly::{Anomaly, AnomalyKind, Detail};
use crate::domain::Scope;
use crate::text::Stored;

/// The level is the largest score of the window's anomalies in a region and service. Anomalies have a daily budget of their own. The
/// minimum is the difference in tickets.
pub(super) struct AnomalyNow;

impl Rule for AnomalyNow {
    fn name(&self) -> &'static str {
        "anomaly_now"
    }

    fn defaults(&self) -> RuleLimits {
        RuleLimits::of(6.0, 4.0, 10.0).hold(std::time::Duration::ZERO)
    }

    fn look(&self, inputs: &RuleInputs<'_>, limits: &RuleLimits) -> Vec<Sighting> {
        let mut worst: BTreeMap<Scope, &Anomaly> = BTreeMap::new();
        for anomaly in &inputs.anomalies {
            let known = worst.entry(anomaly.series.scope()).or_insert(anomaly);
            if anomaly.score > known.score {
                *known = anomaly;
            }
        }
        worst.iter().map(|(scope, anomaly)| sighting(scope, anomaly, limits)).collect()
    }
}

fn sighting(scope: &Scope, anomaly: &Anomaly, limits: &RuleLimits) -> Sighting {
    let Anomaly { series, kind, score, actual, expected, window, .. } = anomaly;
    let is_enough = (actual - expected).abs() >= limits.minimum;
    let mut seen = Sighting::new(scope, *score, is_enough);
    seen.variant = Some(match kind {
        AnomalyKind::High => "high",
        AnomalyKind::Low => "low",
        AnomalyKind::Complaints => "complaints",
        AnomalyKind::Phrase => "phrase",
    });
    let seen = seen.count("actual", *actual).fact("expected", Fact::Number(*expected));
    let seen = seen.fact("channel", Fact::Channel(series.channel.to_string()));
    let seen = seen.fact("at", Fact::At(*window));
    if *kind != AnomalyKind::Complaints {
        return seen;
    }
    let topics = match &anomaly.detail {
        Stored::Value(Detail::Complaints { topics, .. }) => topics.clone(),
        _ => Vec::new(),
    };
    seen.fact("topics", Fact::Topics(topics))
}
