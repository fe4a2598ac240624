//! What happens when a window settles: score (`judge.rs`), forecast, plan, judge, alert.
//!
//! Everything here depends on settled windows, alarm state at the window's end and the roster alone,
//! so that a restart issues what it would have issued.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::histories::Histories;
use super::judge::Ledger;
use super::model;
use super::refit::{Known, Places, RefitConfig, Refits};
use super::spells::Spells;
use crate::alert::{AlertBook, AlertEffect, AlertInputs, SeriesNeed, StandingAlarm};
use crate::api::StreamEvent;
use crate::app::clock::Stopwatch;
use crate::domain::{Name, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{Calendar, HORIZON, Place, PlannedWork, Product, Vintage};
use crate::staffing::{self, Plan, Planner, Profile, Shift};
use crate::store::{Filter, Reader, StoreError, Tx};
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
const ALARMS_REACH: Duration = Duration::from_secs(48 * 3600);

/// Vintages by the time of their issue.
pub type Issued = (Timestamp, BTreeMap<SeriesKey, Vintage>);

/// Recent vintages, the ledger, alerts and the roster.
pub struct Issuer {
    config: IssueConfig,
    width: WindowWidth,
    refits: Option<Refits>,
    places: Arc<Places>,
    /// Knows nothing: what serves while there is no fit.
    unfitted: Product,
    recent: VecDeque<Issued>,
    ledger: Ledger,
    pub alerts: AlertBook,
    shifts: BTreeMap<SeriesKey, Vec<Shift>>,
    /// By channel.
    planners: BTreeMap<Name, Planner>,
    /// Whether history is behind it.
    tells: bool,
}

/// What a step works with besides its own state.
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
        self.recent.clear();
        self.alerts = AlertBook::restore(reader.alerts(&Filter::default(), true, 10_000, None)?);
        self.shifts.clear();
        let Some(next) = next else { return Ok(()) };
        for vintage in reader.vintages_since(next - HORIZON)? {
            match self.recent.back_mut() {
                Some((at, issued)) if *at == vintage.issued_at => {
                    issued.insert(vintage.series.clone(), vintage);
                }
                _ => {
                    let issued = BTreeMap::from([(vintage.series.clone(), vintage.clone())]);
                    self.recent.push_back((vintage.issued_at, issued));
                }
            }
        }
        self.ledger = Ledger::restore(reader, next)?;
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
        let zone_of = |series: &SeriesKey| self.config.zone_of(&series.region);
        self.ledger.settled(tx, at, self.recent.iter(), (self.width, zone_of))?;
        if at.end < self.config.vintages_from {
            return Ok(told);
        }
        let issued = self.issue(tx, at)?;
        told.push(StreamEvent::Vintages { issued_at: at.end });
        if at.end >= self.config.alerts_from {
            self.extend_roster(tx, at.end)?;
            let plans = self.plan(tx, &issued, at.end)?;
            told.extend(self.alert(tx, at, &issued, &plans)?);
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
        self.ledger.flush(tx)
    }

    fn issue(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
    ) -> Result<BTreeMap<SeriesKey, Vintage>, StoreError> {
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
        let mut issued = BTreeMap::new();
        for vintage in model::predict(fitted.unwrap_or(&self.unfitted), &past, origin) {
            tx.put_vintage(&vintage)?;
            issued.insert(vintage.series.clone(), vintage);
        }
        at.metrics.vintages(issued.len(), began.seconds());
        Ok(issued)
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
        issued: &BTreeMap<SeriesKey, Vintage>,
        end: Timestamp,
    ) -> Result<BTreeMap<SeriesKey, Plan>, StoreError> {
        let mut plans = BTreeMap::new();
        for (series, vintage) in issued {
            let planner = self.planners.get_mut(&series.channel);
            let plan = planner.filter(|_| !series.is_roll_up()).map(|planner| {
                let known = self.shifts.get(series).map_or(&[][..], Vec::as_slice);
                let usual: Vec<f64> = vintage.targets.iter().map(|t| t.baseline).collect();
                planner.plan(vintage, self.width, known, &usual)
            });
            tx.put_plan(plan.as_ref(), &staffing::outlook(vintage, plan.as_ref()))?;
            if let Some(plan) = plan {
                plans.insert(series.clone(), plan);
            }
        }
        debug_assert!(plans.values().all(|plan| plan.issued_at == end));
        Ok(plans)
    }

    fn alert(
        &mut self,
        tx: &mut Tx<'_>,
        at: &Situation<'_>,
        issued: &BTreeMap<SeriesKey, Vintage>,
        plans: &BTreeMap<SeriesKey, Plan>,
    ) -> Result<Vec<StreamEvent>, StoreError> {
        let needs = plans
            .iter()
            .filter_map(|(series, plan)| Some(SeriesNeed { plan, vintage: issued.get(series)? }));
        let standing = at.alarms.standing().map(|alarm| StandingAlarm {
            scope: alarm.scope.as_ref().clone(),
            severity: alarm.severity,
            device: alarm.device.as_deref().map(str::to_owned),
            alarm_type: alarm.alarm_type.as_deref().map(str::to_owned),
            raised_at: alarm.raised_at,
        });
        let inputs = AlertInputs {
            needs: needs.collect(),
            alarms: standing.collect(),
            width: self.width,
            zones: &self.config.zones,
            zone: self.config.zone,
        };
        let mut told = Vec::new();
        for effect in self.alerts.step(&inputs, at.end) {
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

const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;
