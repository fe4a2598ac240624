//! What follows from a finalized window: scores (`ledger.rs`), vintages, plans (`planning.rs`), alerts.
//!
//! Except for nowcasts, everything here depends only on finalized windows, the alarm state at the window's end and the roster.
//! A restart therefore issues the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::field;

use super::advising::Advising;
use super::effects::{Effects, StoreChange};
use super::histories::Histories;
use super::issue_config::IssueConfig;
use super::issued::Issued;
use super::ledger::Ledger;
use super::messages::StreamEvent;
use super::model::{self, Gate};
use super::planning::Planning;
use super::refit::{Known, Places, RefitConfig, Refits};
use super::saved::{RULE_MEMORY, Saved};
use super::situation::Situation;
use crate::alert::{AlertBook, RuleMemory};
use crate::clock::Stopwatch;
use crate::domain::{DAY, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{self, HORIZON, Nowcast, Product, Vintage};
use crate::staffing::{Plan, Recommendation, Shift, TeamShift};
use crate::store::{Filter, NowcastScore, Reader, StoreError};
use crate::telemetry::{Metrics, count, span};

mod alerting;
pub mod look;
mod nowcasts;
mod ruling;

use alerting::Occasion;
use ruling::Seen;
pub use ruling::WindowNews;

/// Alarms that ended longer ago have no effect on the next six hours.
const ALARMS_REACH: Duration = Duration::from_secs(48 * 3600);

/// Issues vintages, plans, alerts and pages. It holds recent vintages, the ledger, alerts and the roster.
pub struct Issuer {
    config: IssueConfig,
    width: WindowWidth,
    /// How long after its end a window is finalized.
    lateness: Duration,
    refits: Option<Refits>,
    gate: Arc<Gate>,
    places: Arc<Places>,
    /// The model without fits, used until the first fit is ready.
    unfitted: Product,
    /// Vintages issued for the last finalized window.
    newest: Option<(Timestamp, Arc<Issued>)>,
    /// Nowcasts whose horizon is not over, oldest first.
    nowcasts: Vec<Nowcast>,
    /// The vintages that were replaced by nowcasts, by issue time and series.
    replaced: BTreeMap<(Timestamp, SeriesKey), Vintage>,
    /// Scores of nowcasts by day and series that are not stored yet.
    nowcast_scores: BTreeMap<(Timestamp, SeriesKey), NowcastScore>,
    /// Served nowcasts that are newer than the newest vintages, and their plans.
    live: BTreeMap<SeriesKey, (Vintage, Option<Plan>)>,
    ledger: Ledger,
    pub alerts: AlertBook,
    /// History that the alert rules need.
    pub memory: RuleMemory,
    /// Whether `memory` has to be stored.
    memory_changed: bool,
    planning: Planning,
    pub advising: Advising,
    /// Whether windows are recent enough for pages.
    sends_pages: bool,
}

impl Issuer {
    /// An issuer without state. If the refit thread cannot be started, it logs an error and forecasts without fits.
    pub fn new(
        config: IssueConfig,
        refit: Option<RefitConfig>,
        (width, lateness): (WindowWidth, Duration),
        metrics: &Arc<Metrics>,
    ) -> Self {
        let places = Arc::new(config.places());
        let gate = Arc::new(Gate::default());
        let start = |refit| {
            Refits::start(refit, Arc::clone(&places), Arc::clone(metrics), Arc::clone(&gate))
        };
        let refits = refit.and_then(|refit| match start(refit) {
            Ok(refits) => Some(refits),
            Err(error) => {
                tracing::error!(%error, "refit: cannot start the thread, forecasting without fits");
                None
            }
        });
        Self {
            planning: Planning::new(&config, width, metrics),
            advising: Advising::new(config.advice.clone(), width),
            config,
            width,
            lateness,
            refits,
            gate,
            places,
            unfitted: Product::default(),
            newest: None,
            nowcasts: Vec::new(),
            replaced: BTreeMap::new(),
            nowcast_scores: BTreeMap::new(),
            live: BTreeMap::new(),
            ledger: Ledger::default(),
            alerts: AlertBook::default(),
            memory: RuleMemory::default(),
            memory_changed: false,
            sends_pages: false,
        }
    }

    /// Restores its state. `next` is the start of the first window that is not final.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(
        &mut self,
        reader: &Reader,
        next: Option<Timestamp>,
        histories: &Histories,
    ) -> Result<(), StoreError> {
        self.sends_pages = false;
        self.ledger = Ledger::default();
        self.newest = None;
        self.nowcasts.clear();
        self.replaced.clear();
        self.nowcast_scores.clear();
        self.live.clear();
        let open = reader.alerts(&Filter::default(), true, 10_000, None)?;
        let from = next.map_or(Timestamp::MIN, |next| next - DAY);
        let quiet = self.config.quiet_hours.clone();
        let judged = reader.judged_alerts()?;
        let ended = next.map_or(Ok(Vec::new()), |next| Self::ended_alerts(reader, next))?;
        self.alerts = AlertBook::restore(open)
            .with_rules(self.config.alert_rules.clone())
            .with_windows(self.width)
            .held_by(reader.silences(from)?, quiet)
            .tuned_by(judged.iter())
            .after(ended.into_iter());
        self.memory = reader.state(RULE_MEMORY)?.unwrap_or_default();
        self.memory_changed = false;
        // A roster may be stored before anything is counted.
        let shifts = reader.shifts(&Filter::default(), from, Timestamp::MAX)?;
        self.planning.restore(shifts, reader.team_shifts(from, Timestamp::MAX)?);
        self.advising.restore(reader, next)?;
        let Some(next) = next else { return Ok(()) };
        self.ledger = Ledger::restore(reader, next, self.width, histories)?;
        let by_series = |vintage: Vintage| (vintage.series.clone(), vintage);
        let model: BTreeMap<_, _> = reader.vintages_at(next)?.into_iter().map(by_series).collect();
        if !model.is_empty() {
            let adjusted = reader.adjusted_since(next - self.width.length())?.into_iter();
            let adjusted = adjusted.filter(|vintage| vintage.issued_at == next).map(by_series);
            self.newest = Some((next, Arc::new(Issued { model, adjusted: adjusted.collect() })));
        }
        self.nowcasts = reader.nowcasts(next - HORIZON, Timestamp::MAX)?;
        for nowcast in &self.nowcasts {
            let key = &nowcast.vintage.series;
            if let Some(vintage) = reader.vintage(key, Some(nowcast.after))? {
                self.replaced.insert((nowcast.after, key.clone()), vintage);
            }
        }
        for nowcast in self.nowcasts.iter().filter(|n| n.vintage.issued_at > next) {
            let (key, at) = (&nowcast.vintage.series, nowcast.vintage.issued_at);
            let plan = reader.plan(key)?.filter(|plan| plan.issued_at == at);
            if let Some(served) = reader.served(key, Some(at))? {
                self.live.insert(key.clone(), (served.vintage, plan));
            }
        }
        Ok(())
    }

    /// Starts the fit that the next vintages need, after [`Self::restore`] with the same `next`.
    pub fn prepare(&mut self, next: Timestamp, known: &Known<'_>) {
        if let Some(refits) = &mut self.refits {
            refits.prepare(next, known);
        }
    }

    /// Adds shifts. As in the store, they replace overlapping shifts of the same series or team.
    pub fn add_shifts(&mut self, shifts: Vec<Shift>, team_shifts: Vec<TeamShift>) {
        self.planning.add_shifts(shifts);
        self.planning.add_team_shifts(team_shifts);
    }

    /// Takes note of a new roster, which includes what was agreed before. Returns the recommendations that changed.
    pub fn roster_replaced(
        &mut self,
        shifts: &[Shift],
        team_shifts: &[TeamShift],
    ) -> Vec<Recommendation> {
        let planning = &self.planning;
        self.advising.roster_replaced(shifts, team_shifts, |series| planning.team_of(series))
    }

    /// Shifts of a series from yesterday on.
    #[cfg(test)]
    pub fn shifts_of(&self, series: &SeriesKey) -> &[Shift] {
        self.planning.shifts_of(series)
    }

    /// Takes a finalized window and decides all its consequences.
    pub fn step(&mut self, at: &Situation<'_>, news: &WindowNews<'_>) -> Effects<'static> {
        let mut effects = Effects::default();
        self.remember(at.end, news.sources);
        let issues = self.config.issues_at(at.end);
        let judging = issues.then(|| span!("judge").entered());
        self.score_nowcasts(at);
        let zone_of = |series: &SeriesKey| self.config.zone_of(&series.region);
        let rules = &self.config.anomalies;
        let quiet = self.memory.sources.quiet_since(at.end, self.width);
        self.ledger.finalized(&mut effects, at, (self.width, zone_of), (rules, &quiet));
        drop(judging);
        if !issues {
            return effects;
        }
        let alarms = at.spells.activity(at.end, ruling::ALARMS_REACH);
        let unusual = self.judge_states(at.end, &alarms).into_iter();
        effects.changes.extend(unusual.map(StoreChange::Anomaly));
        let issued = Arc::new(self.issue(at));
        effects.put(StoreChange::Vintages(issued.clone()));
        effects.emit(StreamEvent::Vintages { issued_at: at.end });
        // Nowcasts within a window that is still open are newer than these vintages.
        self.live.retain(|_, (vintage, _)| vintage.issued_at > at.end);
        if at.end >= self.config.plans_from {
            let staffing = span!("staffing", plans = field::Empty).entered();
            let shifts = self.planning.extend_roster(at.end);
            if !shifts.is_empty() {
                effects.put(StoreChange::Shifts(shifts));
            }
            self.planning.take_backlogs(at.tickets, at.end);
            self.remember_backlogs(at.end);
            let plans = Arc::new(self.planning.plans(&issued, []));
            staffing.record("plans", count(plans.len()));
            drop(staffing);
            debug_assert!(plans.values().all(|plan| plan.issued_at == at.end));
            effects.put(StoreChange::Plans(issued.clone(), plans.clone()));
            if at.end >= self.config.alerts_from {
                let _alerts = span!("alerts").entered();
                let Self { advising, planning, .. } = self;
                effects.append(advising.step(planning, (&issued, &plans), at.histories, at.end));
                let mut anomalies = ruling::anomalies_of(&effects);
                anomalies.extend_from_slice(news.anomalies);
                let seen = Seen { anomalies, alarms };
                let occasion = Occasion::Window(&seen);
                self.alert(&mut effects, at, (&issued, &plans), &occasion);
            }
        }
        self.ledger.issued(at.end, &issued);
        self.newest = Some((at.end, issued));
        effects
    }

    /// Effects for scores that were collected over the steps of one transaction.
    pub fn flush(&mut self) -> Effects<'static> {
        let mut effects = Effects::default();
        for ((day, series), score) in std::mem::take(&mut self.nowcast_scores) {
            effects.put(StoreChange::NowcastScore { series, day, score });
        }
        self.ledger.flush(&mut effects);
        if std::mem::take(&mut self.memory_changed) {
            effects.put(StoreChange::Saved(Saved::RuleMemory(self.memory.clone())));
        }
        effects
    }

    /// Forecasts every series from the window's end on.
    fn issue(&mut self, at: &Situation<'_>) -> Issued {
        let forecast = span!("forecast", series = field::Empty).entered();
        let began = Stopwatch::start();
        let origin = self.width.index(at.end);
        let mut fitted = None;
        if let Some(refits) = &mut self.refits {
            refits.start_fits(
                at.end,
                &Known { histories: at.histories, spells: at.spells, work: at.work },
            );
            fitted = refits.model(at.end);
        }
        let alarms = at.spells.since(at.end - ALARMS_REACH);
        let past = self.places.past(self.width, at.histories.by_series(), &alarms, at.work);
        let (mut model, least) = (BTreeMap::new(), self.ledger.least());
        for mut vintage in
            model::predict(fitted.unwrap_or(&self.unfitted), &past, origin, &self.gate)
        {
            self.ledger.decide(&mut vintage, least);
            model.insert(vintage.series.clone(), vintage);
        }
        let adjusted = forecast::adjusted(&model, at.histories.adjustments(), self.width);
        at.metrics.vintages(model.len(), began.seconds());
        forecast.record("series", count(model.len()));
        Issued { model, adjusted }
    }
}
