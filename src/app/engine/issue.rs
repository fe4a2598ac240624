//! What happens when a window settles: score, forecast, plan, judge, alert.
//!
//! Everything here depends on settled windows, alarm state at the window's end and the roster alone,
//! so that a restart issues what it would have issued.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::histories::Histories;
use super::model;
use super::refit::{Known, Places, RefitConfig, Refits};
use super::spells::Spells;
use crate::alert::{self, AlertBook, AlertEffect, AlertInputs, SeriesNeed, StandingAlarm};
use crate::anomaly;
use crate::api::StreamEvent;
use crate::app::clock::Stopwatch;
use crate::domain::{Name, Scope, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{
    self, Calendar, HORIZON, Nowcast, Place, PlannedWork, Product, Score, Vintage,
};
use crate::staffing::{self, Plan, Planner, Profile, Shift};
use crate::store::{AdjustedScore, Filter, NowcastScore, Reader, StoreError, Tx};
use crate::telemetry::Metrics;
use crate::window::AlarmBook;

/// Keeps a roster going where nobody enters one: shifts of the day that starts at an instant.
pub type RosterSource = Arc<dyn Fn(Timestamp) -> Vec<Shift> + Send + Sync>;

/// Rules of issuing.
#[derive(Clone)]
pub struct IssueConfig {
    /// Zone of roll-ups over all regions, and of regions that name none.
    pub zone: Zone,
    pub zones: BTreeMap<Name, Zone>,
    /// Holidays by region, and of regions that have none of their own.
    pub calendars: BTreeMap<Name, Arc<Calendar>>,
    pub calendar: Arc<Calendar>,
    /// By channel.
    pub profiles: BTreeMap<Name, Profile>,
    /// Vintages are issued for windows that end here or later.
    pub vintages_from: Timestamp,
    /// Plans are made and alerts raised for windows that end here or later.
    pub alerts_from: Timestamp,
    /// People are told of windows that end here or later: older ones are history, not news.
    pub told_from: Timestamp,
    pub roster: Option<RosterSource>,
}

impl IssueConfig {
    fn places(&self) -> Places {
        let named: BTreeSet<&Name> = self.zones.keys().chain(self.calendars.keys()).collect();
        let place = |region: &Name| Place {
            zone: self.zone_of(region),
            calendar: self.calendars.get(region).unwrap_or(&self.calendar).clone(),
        };
        Places {
            by_region: named.into_iter().map(|region| (region.clone(), place(region))).collect(),
            other: Place { zone: self.zone, calendar: self.calendar.clone() },
        }
    }

    fn zone_of(&self, region: &Name) -> Zone {
        self.zones.get(region).copied().unwrap_or(self.zone)
    }
}

/// Alarms that ended longer ago say nothing of the next six hours.
pub const ALARMS_REACH: Duration = Duration::from_secs(48 * 3600);

/// Vintages of one time: the model's, and as planners changed them where they did.
#[derive(Default)]
pub struct Issued {
    pub model: BTreeMap<SeriesKey, Vintage>,
    pub adjusted: BTreeMap<SeriesKey, Vintage>,
}

impl Issued {
    /// Vintages as they are served.
    pub fn served(&self) -> impl Iterator<Item = (&SeriesKey, &Vintage)> {
        let adjusted = |key| self.adjusted.get(key);
        self.model.iter().map(move |(key, own)| (key, adjusted(key).unwrap_or(own)))
    }

    pub fn served_of(&self, series: &SeriesKey) -> Option<&Vintage> {
        self.adjusted.get(series).or_else(|| self.model.get(series))
    }
}

/// By day and series.
type Sums<S> = BTreeMap<(Timestamp, SeriesKey), S>;
/// The same by lead in minutes.
type Scores<S> = Sums<BTreeMap<u32, S>>;

/// Recent vintages, scores, alerts and the roster.
pub struct Issuer {
    pub(super) config: IssueConfig,
    pub(super) width: WindowWidth,
    pub(super) refits: Option<Refits>,
    pub(super) places: Arc<Places>,
    /// Knows nothing: what serves while there is no fit.
    pub(super) unfitted: Product,
    pub(super) recent: VecDeque<(Timestamp, Issued)>,
    /// Those that still speak of windows to come, oldest first.
    pub(super) nowcasts: Vec<Nowcast>,
    pub(super) nowcast_scores: Sums<NowcastScore>,
    /// What is served and planned by nowcasts that are newer than the newest vintage.
    pub(super) live: BTreeMap<SeriesKey, (Vintage, Option<Plan>)>,
    scores: Scores<Score>,
    adjusted_scores: Scores<AdjustedScore>,
    pub alerts: AlertBook,
    shifts: BTreeMap<SeriesKey, Vec<Shift>>,
    /// By channel.
    planners: BTreeMap<Name, Planner>,
    /// Whether history is behind it.
    tells: bool,
}

/// What a step works with besides its own state.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub histories: &'a Histories,
    pub alarms: &'a AlarmBook,
    /// What alarms did in the last weeks, and planned work.
    pub spells: &'a Spells,
    pub work: &'a [PlannedWork],
    /// End of the window that settled.
    pub end: Timestamp,
    pub receivers: &'a [String],
    /// Clock time, for the outbox only.
    pub now: Timestamp,
    pub metrics: &'a Metrics,
}

impl Issuer {
    pub fn new(config: IssueConfig, refit: Option<RefitConfig>, width: WindowWidth) -> Self {
        let places = Arc::new(config.places());
        let start = |refit| Refits::start(refit, Arc::clone(&places));
        let refits = refit.and_then(|refit| match start(refit) {
            Ok(refits) => Some(refits),
            Err(error) => {
                tracing::error!(%error, "cannot start the refit thread; forecasting without it");
                None
            }
        });
        let profiles = config.profiles.iter();
        let planner = |(channel, profile): (&Name, &Profile)| {
            (channel.clone(), Planner::new(profile.clone()))
        };
        let planners = profiles.map(planner).collect();
        Self {
            config,
            width,
            refits,
            places,
            unfitted: Product::default(),
            recent: VecDeque::new(),
            nowcasts: Vec::new(),
            nowcast_scores: BTreeMap::new(),
            live: BTreeMap::new(),
            scores: BTreeMap::new(),
            adjusted_scores: BTreeMap::new(),
            alerts: AlertBook::default(),
            shifts: BTreeMap::new(),
            planners,
            tells: false,
        }
    }

    /// Reads its state again as of the first unsettled window.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(&mut self, reader: &Reader, next: Option<Timestamp>) -> Result<(), StoreError> {
        self.tells = false;
        self.scores.clear();
        self.adjusted_scores.clear();
        self.nowcast_scores.clear();
        self.recent.clear();
        self.nowcasts.clear();
        self.live.clear();
        self.alerts = AlertBook::restore(reader.alerts(&Filter::default(), true, 10_000, None)?);
        self.shifts.clear();
        let Some(next) = next else { return Ok(()) };
        for vintage in reader.vintages_since(next - HORIZON)? {
            if self.recent.back().is_none_or(|(at, _)| *at != vintage.issued_at) {
                self.recent.push_back((vintage.issued_at, Issued::default()));
            }
            if let Some((_, issued)) = self.recent.back_mut() {
                issued.model.insert(vintage.series.clone(), vintage);
            }
        }
        for vintage in reader.adjusted_since(next - HORIZON)? {
            let issued = self.recent.iter_mut().find(|(at, _)| *at == vintage.issued_at);
            if let Some((_, issued)) = issued {
                issued.adjusted.insert(vintage.series.clone(), vintage);
            }
        }
        self.nowcasts = reader.nowcasts(next - HORIZON, Timestamp::MAX)?;
        for nowcast in self.nowcasts.iter().filter(|n| n.vintage.issued_at > next) {
            let (key, at) = (&nowcast.vintage.series, nowcast.vintage.issued_at);
            let plan = reader.plan(key)?.filter(|plan| plan.issued_at == at);
            if let Some(served) = reader.served(key, Some(at))? {
                self.live.insert(key.clone(), (served.vintage, plan));
            }
        }
        let shifts = reader.shifts(&Filter::default(), next - DAY, Timestamp::MAX)?;
        self.add_shifts(shifts);
        Ok(())
    }

    /// Takes shifts as the store does: they replace those of the same series that overlap.
    pub fn add_shifts(&mut self, shifts: Vec<Shift>) {
        let mut by_series: BTreeMap<SeriesKey, Vec<Shift>> = BTreeMap::new();
        for shift in shifts {
            by_series.entry(shift.series.clone()).or_default().push(shift);
        }
        for (series, mut fresh) in by_series {
            let from = fresh.iter().map(|s| s.start).min().unwrap_or(Timestamp::MIN);
            let to = fresh.iter().map(|s| s.end).max().unwrap_or(Timestamp::MAX);
            let known = self.shifts.entry(series).or_default();
            known.retain(|shift| shift.end <= from || shift.start >= to);
            known.append(&mut fresh);
            known.sort_by_key(|shift| shift.start);
        }
    }

    /// A window has settled: does all that follows, inside the caller's transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn step(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let mut told = Vec::new();
        self.score(tx, at)?;
        if at.end < self.config.vintages_from {
            return Ok(told);
        }
        let issued = self.issue(tx, at)?;
        told.push(StreamEvent::Vintages { issued_at: at.end });
        // What was said within a window that is still open is the newer word.
        self.live.retain(|_, (vintage, _)| vintage.issued_at > at.end);
        if at.end >= self.config.alerts_from {
            self.extend_roster(tx, at.end)?;
            let plans = self.plan(tx, &issued, at.end)?;
            told.extend(self.alert(tx, at, &issued, &plans, standing(at.alarms), false)?);
        }
        self.recent.push_back((at.end, issued));
        while self.recent.front().is_some_and(|(issued_at, _)| *issued_at + HORIZON < at.end) {
            self.recent.pop_front();
        }
        Ok(told)
    }

    /// Writes what was gathered over the steps of one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for ((day, series), by_lead) in std::mem::take(&mut self.adjusted_scores) {
            tx.put_adjusted_scores(&series, day, by_lead.into_iter())?;
        }
        for ((day, series), score) in std::mem::take(&mut self.nowcast_scores) {
            tx.put_nowcast_score(&series, day, &score)?;
        }
        for ((day, series), by_lead) in std::mem::take(&mut self.scores) {
            let by_lead: Vec<(u32, Score)> = by_lead.into_iter().collect();
            tx.put_scores(&series, day, &by_lead)?;
        }
        Ok(())
    }

    /// Holds every vintage that spoke of the settled window against its count.
    fn score(&mut self, tx: &mut Tx<'_>, at: &Situation<'_>) -> Result<(), StoreError> {
        let window = at.end - self.width.length();
        let index = self.width.index(window);
        let day = Timestamp::from_millis(window.millis().div_euclid(DAY_MS) * DAY_MS);
        self.score_nowcasts(at, day, window);
        for (issued_at, issued) in &self.recent {
            let lead = window.since(*issued_at);
            let lead_minutes = (lead.as_secs() / 60) as u32;
            for (series, vintage) in &issued.model {
                let Some(target) = vintage.targets.get(self.width.per(lead)) else { continue };
                let actual = f64::from(at.histories.count(series, index));
                if actual.is_nan() || target.start != window {
                    continue;
                }
                let zone = self.config.zone_of(&series.region);
                let last_week = self.width.index(zone.days_before(window, 7));
                let last_week = at.histories.count(series, last_week);
                let naive = (!last_week.is_nan()).then_some(f64::from(last_week));
                let score = Score::of(target, actual, naive);
                let sums = self.scores.entry((day, series.clone())).or_default();
                sums.entry(lead_minutes).or_default().merge(&score);
                let adjusted = issued.adjusted.get(series);
                let served = adjusted.and_then(|v| v.targets.get(self.width.per(lead)));
                let served = served.unwrap_or(target);
                if served != target {
                    let adjusted = Score::of(served, actual, naive);
                    let sums = self.adjusted_scores.entry((day, series.clone())).or_default();
                    let sum = sums.entry(lead_minutes).or_default();
                    sum.merge(&AdjustedScore { adjusted, model: score });
                }
                if lead_minutes == 0
                    && let Some(anomaly) = anomaly::judge(series, served, actual)
                {
                    tx.put_anomaly(&anomaly)?;
                }
            }
        }
        Ok(())
    }

    fn issue(&mut self, tx: &mut Tx<'_>, at: &Situation<'_>) -> Result<Issued, StoreError> {
        let began = Stopwatch::start();
        let origin = self.width.index(at.end);
        let mut fitted = None;
        if let Some(refits) = &mut self.refits {
            refits
                .ask(at.end, &Known { histories: at.histories, spells: at.spells, work: at.work });
            fitted = refits.model(at.end);
        }
        let alarms = at.spells.since(at.end - ALARMS_REACH);
        let past = self.places.past(self.width, at.histories.by_series(), &alarms, at.work);
        let mut model = BTreeMap::new();
        for vintage in model::predict(fitted.unwrap_or(&self.unfitted), &past, origin) {
            tx.put_vintage(&vintage)?;
            model.insert(vintage.series.clone(), vintage);
        }
        let adjusted = forecast::adjusted(&model, at.histories.adjustments(), self.width);
        for vintage in adjusted.values() {
            tx.put_adjusted(vintage)?;
        }
        at.metrics.vintages(model.len(), began.seconds());
        Ok(Issued { model, adjusted })
    }

    fn extend_roster(&mut self, tx: &mut Tx<'_>, end: Timestamp) -> Result<(), StoreError> {
        let Some(roster) = &self.config.roster else { return Ok(()) };
        let is_midnight = end.millis().rem_euclid(DAY_MS) == 0;
        let mut shifts = Vec::new();
        if self.shifts.is_empty() {
            let today = Timestamp::from_millis(end.millis().div_euclid(DAY_MS) * DAY_MS);
            shifts.extend(roster(today));
            shifts.extend(roster(today + DAY));
        } else if is_midnight {
            shifts = roster(end + DAY);
        }
        if !shifts.is_empty() {
            tx.put_shifts(&shifts)?;
            self.add_shifts(shifts);
        }
        for known in self.shifts.values_mut() {
            known.retain(|shift| shift.end + DAY > end);
        }
        Ok(())
    }

    fn plan(
        &mut self,
        tx: &mut Tx<'_>,
        issued: &Issued,
        end: Timestamp,
    ) -> Result<BTreeMap<SeriesKey, Plan>, StoreError> {
        let mut plans = BTreeMap::new();
        for (series, vintage) in issued.served() {
            let plan = self.plan_of(series, vintage);
            tx.put_plan(plan.as_ref(), &staffing::outlook(vintage, plan.as_ref()))?;
            if let Some(plan) = plan {
                plans.insert(series.clone(), plan);
            }
        }
        debug_assert!(plans.values().all(|plan| plan.issued_at == end));
        Ok(plans)
    }

    /// The plan of a leaf that has a profile.
    pub(super) fn plan_of(&mut self, series: &SeriesKey, vintage: &Vintage) -> Option<Plan> {
        let planner = self.planners.get_mut(&series.channel).filter(|_| !series.is_roll_up())?;
        let known = self.shifts.get(series).map_or(&[][..], Vec::as_slice);
        let usual: Vec<f64> = vintage.targets.iter().map(|t| t.baseline).collect();
        Some(planner.plan(vintage, self.width, known, &usual))
    }

    /// Judges plans and tells people. `within`: a window is open, and the plans are those of nowcasts alone.
    pub(super) fn alert(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
        issued: &Issued,
        plans: &BTreeMap<SeriesKey, Plan>,
        standing: Vec<StandingAlarm>,
        within: bool,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let live = |series| if within { None } else { self.live.get(series) };
        let needs = plans.iter().filter_map(|(series, plan)| match live(series) {
            Some((vintage, Some(plan))) => Some(SeriesNeed { plan, vintage }),
            _ => Some(SeriesNeed { plan, vintage: issued.served_of(series)? }),
        });
        let zone_of = |scope: &Scope| self.config.zone_of(&scope.region);
        let mut known = alert::overruns(at.work, &standing, at.end, zone_of);
        alert::adjustments(issued.adjusted.iter(), &mut known);
        let inputs = AlertInputs {
            needs: needs.collect(),
            alarms: standing,
            known,
            width: self.width,
            zones: &self.config.zones,
            zone: self.config.zone,
        };
        let mut told = Vec::new();
        let effects = match within {
            true => self.alerts.nowcast(&inputs, at.end),
            false => self.alerts.step(&inputs, at.end),
        };
        for effect in effects {
            match effect {
                AlertEffect::Changed(alert) => {
                    tx.put_alert(&alert)?;
                    told.push(StreamEvent::Alert(Box::new(alert)));
                }
                AlertEffect::Notify(notice) if at.end >= self.config.told_from => {
                    tx.put_notice(&notice, at.receivers, at.now)?;
                }
                AlertEffect::Notify(_) => {}
            }
        }
        if at.end >= self.config.told_from && !std::mem::replace(&mut self.tells, true) {
            // What began in history and is not over is news to those who were not told of it.
            for notice in self.alerts.untold() {
                if !tx.has_notice_of(&notice.alert.id)? {
                    tx.put_notice(&notice, at.receivers, at.now)?;
                }
            }
        }
        Ok(told)
    }
}

/// Alarms that stand, as alerts name them.
pub fn standing(alarms: &AlarmBook) -> Vec<StandingAlarm> {
    let standing = alarms.standing().map(|alarm| StandingAlarm {
        scope: alarm.scope.as_ref().clone(),
        severity: alarm.severity,
        device: alarm.device.as_deref().map(str::to_owned),
        alarm_type: alarm.alarm_type.as_deref().map(str::to_owned),
        raised_at: alarm.raised_at,
    });
    standing.collect()
}

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;
