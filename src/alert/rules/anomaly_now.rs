//! `anomaly_now`: an anomaly that deserves a look by a person.

use std::collections::BTreeMap;

use super::{Rule, RuleInputs, RuleLimits, Sighting};
use crate::alert::Fact;
use crate::anomaly::{Anomaly, AnomalyKind, Detail};
use crate::domain::Scope;
use crate::text::Stored;

/// The level is the largest score of the window's anomalies in a region and service. Anomalies have a daily budget of their own. Those
/// of alarms, sources and forecasts are left out: other rules begin alerts about them. The minimum is the difference in tickets.
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
        let own = inputs.anomalies.iter().filter(|anomaly| variant(anomaly.kind).is_some());
        for anomaly in own {
            let known = worst.entry(anomaly.series.scope()).or_insert(anomaly);
            if anomaly.score > known.score {
                *known = anomaly;
            }
        }
        worst.iter().map(|(scope, anomaly)| sighting(scope, anomaly, limits)).collect()
    }
}

/// The text variant of a kind of anomaly; `None` if another rule has alerts about it.
fn variant(kind: AnomalyKind) -> Option<&'static str> {
    match kind {
        AnomalyKind::High => Some("high"),
        AnomalyKind::Low => Some("low"),
        AnomalyKind::Complaints => Some("complaints"),
        AnomalyKind::Phrase => Some("phrase"),
        AnomalyKind::ShiftUp => Some("shift-up"),
        AnomalyKind::ShiftDown => Some("shift-down"),
        AnomalyKind::Vanished => Some("vanished"),
        AnomalyKind::AlarmStorm | AnomalyKind::SilentSource | AnomalyKind::ForecastUnreliable => {
            None
        }
    }
}

fn sighting(scope: &Scope, anomaly: &Anomaly, limits: &RuleLimits) -> Sighting {
    let Anomaly { series, kind, score, actual, expected, window, .. } = anomaly;
    let is_enough = (actual - expected).abs() >= limits.minimum;
    let mut seen = Sighting::new(scope, *score, is_enough);
    seen.variant = variant(*kind);
    let seen = seen.count("actual", *actual).fact("expected", Fact::Number(*expected));
    let seen = seen.fact("channel", Fact::Channel(series.channel.to_string()));
    let seen = seen.fact("at", Fact::At(*window));
    match &anomaly.detail {
        Stored::Value(Detail::Complaints { topics, .. }) => {
            seen.fact("topics", Fact::Topics(topics.clone()))
        }
        Stored::Value(Detail::Shift { minutes, .. } | Detail::Vanished { minutes }) => {
            seen.fact("minutes", Fact::Count(u64::from(*minutes)))
        }
        // In an earlier release's form.
        _ if *kind == AnomalyKind::Complaints => seen.fact("topics", Fact::Topics(Vec::new())),
        _ => seen,
    }
}
