//! Applies nowcasts that this instance or the leader issued, and scores them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Issuer;
use super::alerting::Occasion;
use crate::domain::{SeriesKey, Timestamp};
use crate::engine::effects::{Effects, StoreChange};
use crate::engine::issued::Issued;
use crate::engine::messages::StreamEvent;
use crate::engine::situation::Situation;
use crate::forecast::{self, HORIZON, Nowcast, Vintage};
use crate::store::NowcastScore;

impl Issuer {
    /// Takes the nowcasts of one issue time: stores them, makes plans from them, and may raise alerts.
    pub fn take_nowcasts(&mut self, at: &Situation<'_>, nowcasts: &[Nowcast]) -> Effects<'static> {
        let mut effects = Effects::default();
        let Some(upto) = nowcasts.first().map(|nowcast| nowcast.vintage.issued_at) else {
            return effects;
        };
        effects.put(StoreChange::Nowcasts(nowcasts.to_vec()));
        let issued = Arc::new(self.adjusted_nowcasts(at, nowcasts, upto));
        effects.put(StoreChange::AdjustedNowcasts(issued.clone()));
        let newest = self.newest.iter().flat_map(|(_, newest)| newest.served());
        let live = self.live.iter().map(|(series, (vintage, _))| (series, vintage));
        self.planning.take_backlogs(at.tickets, at.end);
        let plans = Arc::new(self.planning.plans(&issued, live.chain(newest)));
        effects.put(StoreChange::NowcastPlans(issued.clone(), plans.clone()));
        effects.emit(StreamEvent::Vintages { issued_at: upto });
        if upto >= self.config.alerts_from {
            let now = Situation { end: upto, ..*at };
            self.alert(&mut effects, &now, (&issued, &plans), &Occasion::Nowcasts(at.end));
        }
        for nowcast in nowcasts {
            if let Some(vintage) = self.scheduled(&nowcast.vintage.series) {
                let key = (nowcast.after, nowcast.vintage.series.clone());
                self.replaced.insert(key, vintage.clone());
            }
        }
        self.nowcasts.extend(nowcasts.iter().cloned());
        for (series, vintage) in issued.served() {
            let plan = plans.get(series).cloned();
            self.live.insert(series.clone(), (vintage.clone(), plan));
        }
        effects
    }

    /// Nowcasts of one issue time, the model's and the adjusted ones.
    fn adjusted_nowcasts(
        &self,
        at: &Situation<'_>,
        nowcasts: &[Nowcast],
        upto: Timestamp,
    ) -> Issued {
        let fresh = nowcasts.iter().map(|n| (n.vintage.series.clone(), n.vintage.clone()));
        let mut all: BTreeMap<SeriesKey, Vintage> = fresh.collect();
        let changed: BTreeSet<SeriesKey> = all.keys().cloned().collect();
        let adjustments = at.histories.adjustments();
        if !adjustments.is_empty() {
            // An adjustment may distribute a count over leaves without a nowcast.
            let open = self.width.floor(upto);
            for (key, own) in self.newest.iter().flat_map(|(_, issued)| &issued.model) {
                let rest = || forecast::rolled_up(own, &[], open, upto);
                all.entry(key.clone()).or_insert_with(rest);
            }
        }
        let mut adjusted = forecast::adjusted(&all, adjustments, self.width);
        adjusted.retain(|key, _| changed.contains(key));
        all.retain(|key, _| changed.contains(key));
        Issued { model: all, adjusted }
    }

    /// Scores the nowcasts of a finalized window, and the vintages that they replaced, against its actual count.
    pub fn score_nowcasts(&mut self, at: &Situation<'_>) {
        let window = at.end - self.width.length();
        let day = window.utc_midnight();
        self.replaced.retain(|(issued_at, _), _| *issued_at + HORIZON > window);
        self.nowcasts.retain(|nowcast| nowcast.vintage.issued_at + HORIZON > window);
        let index = self.width.index(window);
        for nowcast in &self.nowcasts {
            let series = &nowcast.vintage.series;
            let actual = f64::from(at.histories.count(series, index));
            let own = nowcast.vintage.targets.iter().find(|target| target.start == window);
            let replaced = self.replaced.get(&(nowcast.after, series.clone()));
            let replaced = replaced.and_then(|v| v.targets.iter().find(|t| t.start == window));
            let (Some(own), Some(replaced)) = (own, replaced) else { continue };
            if !actual.is_nan() {
                let score = |target| forecast::Score::of(target, actual, None);
                let score = NowcastScore { nowcast: score(own), scheduled: score(replaced) };
                self.nowcast_scores.entry((day, series.clone())).or_default().merge(&score);
            }
        }
    }
}
