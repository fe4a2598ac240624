//! The states of `/ready` as a metric, read at each request.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::{family::Family, gauge::Gauge};

use super::health::{Health, State};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    component: String,
}

/// The states of all components.
#[derive(Debug)]
pub(super) struct Components(pub(super) Arc<Health>);

impl Collector for Components {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let states = Family::<ComponentLabels, Gauge>::default();
        for (component, state) in self.0.report().components {
            let number = match state {
                State::Ready => 0,
                State::Degraded(_) => 1,
                State::Failing(_) => 2,
            };
            states.get_or_create(&ComponentLabels { component }).set(number);
        }
        let metric = encoder.encode_descriptor(
            "component_state",
            "State of each component of /ready: 0 ready, 1 degraded, 2 failing.",
            None,
            states.metric_type(),
        )?;
        states.encode(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Exposition, Metrics};

    #[test]
    fn a_component_has_its_state_and_goes_with_it() {
        let health = Arc::<Health>::default();
        let metrics = Metrics::of(health.clone());
        let found = || {
            let text = metrics.text(Exposition::Classic);
            let lines =
                text.lines().filter_map(|line| line.strip_prefix("surgecast_component_state"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found(), Vec::<String>::new());
        health.ready("store");
        health.degraded("influxdb", "no answer");
        health.failing("kafka t[0]", "gone");
        let mut states = found();
        states.sort();
        let expected = [
            "{component=\"influxdb\"} 1",
            "{component=\"kafka t[0]\"} 2",
            "{component=\"store\"} 0",
        ];
        assert_eq!(states, expected);
        health.remove("kafka t[0]");
        health.recovered("influxdb");
        assert_eq!(found().len(), 2);
        assert!(found().iter().all(|line| line.ends_with(" 0")));
    }
}
