//! The inputs of the alert rules besides plans: alarms, anomalies, sources, backlogs, forecasts and scores of a window.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Issuer;
pub use crate::alert::ALARMS_REACH;
use crate::alert::{Alert, Deadlines, RuleInputs, ServicePlan};
use crate::anomaly::{self, AlarmActivity, Anomaly, StateCase};
use crate::domain::{DAY, Scope, SeriesKey, SourceId, Timestamp};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::issued::{Issued, Plans};
use crate::engine::situation::Situation;
use crate::store::{Reader, StoreError};
use crate::tickets::OpenClocks;
use crate::window::SourceProgress;

/// Maximum cool-down of a rule. Alerts that ended earlier do not matter.
const RESTS_MAX: Duration = Duration::from_secs(7 * DAY.as_secs());

/// Further results of a finalized window.
pub struct WindowNews<'a> {
    /// Anomalies in customers' texts.
    pub anomalies: &'a [Anomaly],
    /// The sources that are counted.
    pub sources: &'a BTreeMap<SourceId, SourceProgress>,
}

/// What is unusual in a finalized window, and its alarms.
pub(super) struct Seen {
    pub anomalies: Vec<Anomaly>,
    pub alarms: Vec<AlarmActivity>,
}

impl Issuer {
    /// Anomalies of alarms, sources and forecasts up to the end of a finalized window.
    pub(super) fn judge_states(&self, end: Timestamp, alarms: &[AlarmActivity]) -> Vec<Anomaly> {
        let case = StateCase {
            window: end - self.width.length(),
            width: self.width,
            alarms,
            sources: &self.memory.sources.states(end, self.width),
            scores: &self.ledger.coverage().scores(),
            ongoing: self.ledger.ongoing(),
        };
        anomaly::judge_states(&case, &self.config.anomalies)
    }

    /// Updates the history of the rules with a finalized window.
    pub(super) fn remember(
        &mut self,
        end: Timestamp,
        sources: &BTreeMap<SourceId, SourceProgress>,
    ) {
        self.memory.sources.advance(end, self.width, |source| sources.contains_key(source));
        self.memory_changed = true;
    }

    /// Updates the history of the rules with the open tickets of a finalized window, after planning has taken them.
    pub(super) fn remember_backlogs(&mut self, end: Timestamp) {
        let known = self.planning.backlogs().iter();
        let known = known.map(|(series, open)| (series, open.round() as u32));
        self.memory.backlogs.advance(end, self.width, known);
    }

    /// The inputs of the rules, as of the end of a finalized window.
    pub(super) fn rule_inputs<'a>(
        &'a self,
        at: &Situation<'_>,
        (issued, plans): (&'a Issued, &'a Plans),
        seen: &'a Seen,
    ) -> RuleInputs<'a> {
        let live = |series: &SeriesKey| self.live.get(series);
        let is_scope = |series: &SeriesKey| {
            series.channel.is_all() && !series.region.is_all() && !series.service.is_all()
        };
        let scopes = issued.served().filter(|(series, _)| is_scope(series));
        let newest = |(series, own)| live(series).map_or(own, |(vintage, _)| vintage);
        let plan = |(series, own): (&SeriesKey, &'a _)| {
            let newer = live(series).and_then(|(_, plan)| plan.as_ref());
            let target = self.config.staffing.profile_of(series)?.target.fraction;
            Some(ServicePlan { plan: newer.unwrap_or(own), target })
        };
        RuleInputs {
            now: at.end,
            width: Some(self.width),
            alarms: seen.alarms.clone(),
            anomalies: seen.anomalies.iter().collect(),
            sources: self.memory.sources.states(at.end, self.width),
            backlogs: self.memory.backlogs.states(),
            deadlines: at.assessments.open_clocks().iter().map(deadlines).collect(),
            forecasts: scopes.map(newest).collect(),
            plans: plans.iter().filter_map(plan).collect(),
            scores: self.ledger.coverage().scores(),
        }
    }

    /// Alerts that ended recently.
    pub(super) fn ended_alerts(reader: &Reader, next: Timestamp) -> Result<Vec<Alert>, StoreError> {
        reader.alerts_ended_since(next - RESTS_MAX)
    }
}

fn deadlines((scope, open): (&Scope, &OpenClocks)) -> Deadlines {
    Deadlines { scope: scope.clone(), at_risk: open.at_risk, breached: open.breached }
}

/// The anomalies among effects.
pub(super) fn anomalies_of(effects: &Effects<'_>) -> Vec<Anomaly> {
    effects.changes.iter().filter_map(StoreChange::anomaly).cloned().collect()
}
