//! What happens when a window settles: score (`judge.rs`), forecast, plan, judge, alert.
//!
//! Everything here depends on settled windows, alarm state at the window's end and the roster alone,
//! so that a restart issues what it would have issued.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::histories::Histories;
use super::judge::Ledger;
use super::messages::StreamEvent;
use super::model::{self, Gate};
use super::refit::{Known, Places, RefitConfig, Refits};
use super::spells::Spells;
use crate::alert::{self, AlertBook, AlertEffect, AlertInputs, SeriesNeed, StandingAlarm};
use crate::anomaly::Complaints;
use crate::clock::Stopwatch;
use crate::domain::{DAY, Name, Scope, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{self, Calendar, HORIZON, Nowcast, Place, PlannedWork, Product, Vintage};
use crate::staffing::{self, Plan, Planner, Profile, Shift};
use crate::store::{Filter, NowcastScore, Reader, StoreError, Tx};
use crate::telemetry::Metrics;
use crate::window::{AlarmBook, Standing};

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

/// Complaints of so long back are an early sign.
const COMPLAINED: Duration = Duration::from_secs(1800);
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

/// Recent vintages, the ledger, alerts and the roster.
pub struct Issuer {
    pub(super) config: IssueConfig,
    pub(super) width: WindowWidth,
    pub(super) refits: Option<Refits>,
    pub(super) gate: Arc<Gate>,
    pub(super) places: Arc<Places>,
    /// Knows nothing: what serves while there is no fit.
    pub(super) unfitted: Product,
    /// What was issued when a window settled last.
    pub(super) newest: Option<(Timestamp, Issued)>,
    /// Those that still speak of windows to come, oldest first.
    pub(super) nowcasts: Vec<Nowcast>,
    /// The vintages that these replaced, by issue time.
    pub(super) replaced: BTreeMap<(Timestamp, SeriesKey), Vintage>,
    pub(super) nowcast_scores: BTreeMap<(Timestamp, SeriesKey), NowcastScore>,
    /// What is served and planned by nowcasts that are newer than the newest vintage.
    pub(super) live: BTreeMap<SeriesKey, (Vintage, Option<Plan>)>,
    ledger: Ledger,
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
    /// What customers said in the last weeks.
    pub complaints: &'a Complaints,
    pub work: &'a [PlannedWork],
    /// End of the window that settled.
    pub end: Timestamp,
    pub receivers: &'a [String],
    /// Clock time, for the outbox only.
    pub now: Timestamp,
    pub metrics: &'a Metrics,
}

impl Issuer {
    pub fn new(
        config: IssueConfig,
        refit: Option<RefitConfig>,
        width: WindowWidth,
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
        self.ledger = Ledger::default();
        self.newest = None;
        self.nowcasts.clear();
        self.replaced.clear();
        self.nowcast_scores.clear();
        self.live.clear();
        self.alerts = AlertBook::restore(reader.alerts(&Filter::default(), true, 10_000, None)?);
        self.shifts.clear();
        let Some(next) = next else { return Ok(()) };
        self.ledger = Ledger::restore(reader, next, self.width)?;
        let by_series = |vintage: Vintage| (vintage.series.clone(), vintage);
        let model: BTreeMap<_, _> = reader.vintages_at(next)?.into_iter().map(by_series).collect();
        if !model.is_empty() {
            let adjusted = reader.adjusted_since(next - self.width.length())?.into_iter();
            let adjusted = adjusted.filter(|vintage| vintage.issued_at == next).map(by_series);
            self.newest = Some((next, Issued { model, adjusted: adjusted.collect() }));
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
        let shifts = reader.shifts(&Filter::default(), next - DAY, Timestamp::MAX)?;
        self.add_shifts(shifts);
        Ok(())
    }

    /// Starts what the next vintages will need, after [`Self::restore`] as of the first unsettled window.
    pub fn prepare(&mut self, next: Timestamp, known: &Known<'_>) {
        if let Some(refits) = &mut self.refits {
            refits.prepare(next, known);
        }
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
        self.score_nowcasts(at);
        let zone_of = |series: &SeriesKey| self.config.zone_of(&series.region);
        self.ledger.settled(tx, at, (self.width, zone_of))?;
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
        self.ledger.issued(at.end, &issued);
        self.newest = Some((at.end, issued));
        Ok(told)
    }

    /// Writes what was gathered over the steps of one transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for ((day, series), score) in std::mem::take(&mut self.nowcast_scores) {
            tx.put_nowcast_score(&series, day, &score)?;
        }
        self.ledger.flush(tx)
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
        let (mut model, least) = (BTreeMap::new(), self.ledger.least());
        for mut vintage in
            model::predict(fitted.unwrap_or(&self.unfitted), &past, origin, &self.gate)
        {
            self.ledger.decide(&mut vintage, least);
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
        let is_midnight = end == end.utc_midnight();
        let mut shifts = Vec::new();
        if self.shifts.is_empty() {
            let today = end.utc_midnight();
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
        let windows = self.width.per(COMPLAINED) as u32;
        let complaints = at.complaints.early_signs(at.end, windows);
        alert::complaints(&complaints, zone_of, &mut known);
        let inputs = AlertInputs {
            needs: needs.collect(),
            alarms: standing,
            known,
            complaints,
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
    alarms.standing().map(shown).collect()
}

/// An alarm as alerts name it.
pub fn shown(alarm: &Standing) -> StandingAlarm {
    StandingAlarm {
        scope: alarm.scope.as_ref().clone(),
        severity: alarm.severity,
        device: alarm.device.as_deref().map(str::to_owned),
        alarm_type: alarm.alarm_type.as_deref().map(str::to_owned),
        raised_at: alarm.raised_at,
        flaps: alarm.flaps,
        is_doubtful: alarm.is_doubtful,
    }
}
