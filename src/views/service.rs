//! Attained service: what became of contacts, beside what the plan expected.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::calibrations::CalibrationCache;
use super::gaps::Group;
use crate::domain::{DAY, SeriesKey, Timestamp};
use crate::staffing::{Calibration, Profile, Rules, Team};
use crate::store::{Filter, Reader, StoreError};
use crate::tickets::SentimentCounts;
use crate::window::{Attained, ServedBy, ServiceGoal};

/// Days whose plans are compared with what was attained, the present one included: plans are kept for so long.
pub const CALIBRATION_DAYS: u32 = 14;

/// Begin of the days whose plans are compared: a UTC midnight.
pub(super) fn calibrated_from(finalized_upto: Timestamp) -> Timestamp {
    finalized_upto.utc_midnight() - DAY * (CALIBRATION_DAYS - 1)
}

/// Whether contacts with a goal are compared with the level of their plan. That of deferred work is the share of the work of a window
/// that is done in it, and not of the contacts that are resolved in time.
pub(super) fn is_compared(goal: Option<ServiceGoal>) -> bool {
    goal.is_some_and(|goal| goal.by == ServedBy::Answer)
}

/// What became of contacts, by the window in which they were created.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceFigures {
    /// Contacts that were created, with the id of a ticket.
    pub offered: u32,
    /// Contacts among these that were answered.
    pub answered: u32,
    /// Contacts among these that were abandoned before somebody answered.
    pub abandoned: u32,
    /// Contacts among these that are judged by the target. Sums over windows include only settled windows: contacts of others may
    /// still be served in time.
    pub judged: u32,
    /// Of those judged, served within the target's time.
    pub in_time: u32,
    /// Share of the contacts judged that were served within the target's time; null without a target, and where the
    /// events never contain first responses (for deferred work: resolutions).
    pub service_level: Option<f64>,
    /// Service level of the people on the roster at the expected number of contacts: that of the plans (`service_level` in `GET /staffing`),
    /// weighted by these contacts; null without a roster, and for deferred work. In answers about one series or team.
    pub expected_service_level: Option<f64>,
    /// Share of all contacts that were abandoned.
    pub abandonment: Option<f64>,
    /// Median time to the first response. Up to two minutes it is exact, beyond that to 1.6 %.
    pub first_response_p50_seconds: Option<u64>,
    /// 90 % were answered for the first time within it.
    pub first_response_p90_seconds: Option<u64>,
    /// Contacts whose text has the sentiment `positive`. Contacts without a text are in none of the three.
    pub positive: u32,
    pub neutral: u32,
    pub negative: u32,
}

/// One window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceWindow {
    pub start: String,
    /// Whether the time of the target is over for all contacts of the window. Events that come late still change it.
    pub settled: bool,
    #[serde(flatten)]
    pub figures: ServiceFigures,
}

/// What the model expected in the past 14 days, and what was attained.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServiceCalibration {
    pub days: u32,
    /// Contacts of settled windows with a plan.
    pub contacts: u32,
    /// Service level that the plans expected for them.
    pub expected_service_level: f64,
    /// Service level that was attained.
    pub service_level: f64,
    /// Attained divided by expected service level, shrunk towards 1 (n contacts have the weight n / (n + 500)), from 0.5 to 1.25.
    /// Plans do not use it.
    pub factor: f64,
}

/// What the model expected of a team, or of a region and service, and what was attained.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CalibrationRow {
    /// Null where no team serves: then `region` and `service` say what the row is.
    pub team: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    #[serde(flatten)]
    pub calibration: ServiceCalibration,
}

/// Attained service of a series, a roll-up or a team over a span.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Service {
    /// Null unless a team was asked for.
    pub team: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    pub channel: Option<String>,
    /// Percentage and seconds, such as `80/20`; null for roll-ups.
    pub target: Option<String>,
    /// What has to happen in time: `answer`, or `end` for deferred work; null without a target, and where targets differ.
    pub served_by: Option<&'static str>,
    pub from: String,
    pub to: String,
    #[serde(flatten)]
    pub total: ServiceFigures,
    /// In answers about one series or team; null without settled windows that have a plan.
    pub calibration: Option<ServiceCalibration>,
    /// Windows with contacts, oldest first. In answers about one series or team.
    pub windows: Vec<ServiceWindow>,
}

/// Contacts of one or more windows and series.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) attained: Attained,
    compared: Calibration,
    sentiments: SentimentCounts,
    /// Whether some contacts may still be served in time.
    pub(super) is_open: bool,
}

impl Sum {
    pub(super) fn plus(&mut self, other: &Self) {
        self.attained.plus(&other.attained);
        self.compared.plus(&other.compared);
        self.sentiments.plus(&other.sentiments);
        self.is_open |= other.is_open;
    }

    /// Adds a window to a sum over windows. Contacts that may still be served in time are not judged in such a sum.
    fn plus_window(&mut self, window: &Self) {
        if window.is_open {
            let attained = window.attained.clone().unjudged();
            self.plus(&Self { attained, compared: Calibration::default(), ..window.clone() });
        } else {
            self.plus(window);
        }
    }

    pub(super) fn figures(&self) -> ServiceFigures {
        let own = &self.attained;
        ServiceFigures {
            offered: own.offered,
            answered: own.answered,
            abandoned: own.abandoned,
            judged: own.targeted,
            in_time: own.in_time.min(own.targeted),
            service_level: own.service_level().map(share),
            expected_service_level: self.compared.expected_level().map(share),
            abandonment: own.abandonment().map(share),
            first_response_p50_seconds: own.waits.quantile(0.5),
            first_response_p90_seconds: own.waits.quantile(0.9),
            positive: self.sentiments.positive,
            neutral: self.sentiments.neutral,
            negative: self.sentiments.negative,
        }
    }
}

/// Rounds like the service levels of plans.
fn share(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The windows of a span, by start.
type Windows = BTreeMap<Timestamp, Sum>;

/// Reads attained service.
pub struct ServiceReader<'r> {
    reader: &'r Reader,
    /// End of the last finalized window.
    finalized_upto: Timestamp,
}

impl<'r> ServiceReader<'r> {
    /// A reader for one answer.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn new(reader: &'r Reader) -> Result<Self, StoreError> {
        let next = reader.state::<i64>("next_window")?.map(Timestamp::from_millis);
        Ok(Self { reader, finalized_upto: next.unwrap_or(Timestamp::MIN) })
    }

    /// End of the last finalized window.
    pub(super) fn finalized_upto(&self) -> Timestamp {
        self.finalized_upto
    }

    /// The series with known attained service.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn leaves(&self) -> Result<Vec<SeriesKey>, StoreError> {
        let known = self.reader.backlogs(&Filter::default())?;
        Ok(known.into_iter().map(|(series, _)| series).collect())
    }

    /// The windows of a series in `from..to`. `with_plans` compares them with their plans.
    pub(super) fn windows(
        &self,
        leaf: &SeriesKey,
        (from, to): (Timestamp, Timestamp),
        with_plans: bool,
    ) -> Result<Windows, StoreError> {
        let Some(backlog) = self.reader.backlog(leaf)? else { return Ok(Windows::new()) };
        let plans: BTreeMap<Timestamp, f64> = if with_plans {
            // Without a roster, a plan assumes that as many people are there as are needed.
            let plans = self.reader.staffed_between(Some(leaf), from, to)?.into_iter();
            let plans = plans.filter(|(_, target)| target.scheduled.is_some());
            plans.map(|(_, target)| (target.start, target.service_level)).collect()
        } else {
            BTreeMap::new()
        };
        let mut windows = Windows::new();
        for (start, attained) in self.reader.attained(leaf, from, to)? {
            let tells = attained.goal.is_some_and(|goal| backlog.has_events_for(goal.by));
            let attained = if tells { attained } else { attained.unjudged() };
            let mut compared = Calibration::default();
            let is_compared = tells && is_compared(attained.goal);
            if let Some(level) = plans.get(&start).filter(|_| is_compared) {
                compared.add(attained.targeted, attained.in_time, *level);
            }
            let is_open = self.is_open(start, attained.goal);
            windows.insert(start, Sum { attained, compared, is_open, ..Sum::default() });
        }
        Ok(windows)
    }

    /// The windows of a series with the sentiments of its texts.
    fn with_sentiments(
        &self,
        leaf: &SeriesKey,
        (from, to): (Timestamp, Timestamp),
        mut windows: Windows,
    ) -> Result<Windows, StoreError> {
        for (start, own) in self.reader.sentiments(leaf, from, to)? {
            windows.entry(start).or_default().sentiments.plus(&own);
        }
        Ok(windows)
    }

    /// Whether contacts of a window may still be served in time.
    pub(super) fn is_open(&self, start: Timestamp, goal: Option<ServiceGoal>) -> bool {
        let within = goal.map_or(0, |goal| u64::from(goal.within_seconds));
        let end = self.reader.width().end(start);
        end + std::time::Duration::from_secs(within) > self.finalized_upto
    }

    /// Attained service of some series together, with its windows.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn together(
        &self,
        leaves: &[SeriesKey],
        span: (Timestamp, Timestamp),
        row: &ServiceRow<'_>,
    ) -> Result<Service, StoreError> {
        let mut sums = Windows::new();
        for leaf in leaves {
            let windows = self.windows(leaf, span, true)?;
            for (start, own) in self.with_sentiments(leaf, span, windows)? {
                sums.entry(start).or_default().plus(&own);
            }
        }
        let mut total = Sum::default();
        sums.values().for_each(|own| total.plus_window(own));
        let mut service = row.service(&total, span);
        service.calibration = self.calibration(leaves)?;
        let window = |(start, own): (&Timestamp, &Sum)| ServiceWindow {
            start: start.to_string(),
            settled: !own.is_open,
            figures: own.figures(),
        };
        service.windows = sums.iter().map(window).collect();
        Ok(service)
    }

    /// What the plans of the past 14 days expected for the contacts of some series, and what was attained; `None` without settled
    /// windows that have a plan.
    fn calibration(&self, leaves: &[SeriesKey]) -> Result<Option<ServiceCalibration>, StoreError> {
        let past = (calibrated_from(self.finalized_upto), self.finalized_upto);
        let mut compared = Calibration::default();
        for leaf in leaves {
            for own in self.windows(leaf, past, true)?.into_values().filter(|own| !own.is_open) {
                compared.plus(&own.compared);
            }
        }
        Ok(calibration(&compared))
    }

    /// The same by team, and by region and service where no team serves, of the series that are admitted: at most `most` rows after
    /// the first `skipped`. Rows without calibration are left out.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn calibrations(
        &self,
        cache: &CalibrationCache,
        rules: &Rules,
        admits: impl Fn(&SeriesKey) -> bool,
        (skipped, most): (usize, usize),
    ) -> Result<Vec<CalibrationRow>, StoreError> {
        let sums = cache.sums(self.reader, self)?;
        let mut groups: BTreeMap<Group, Calibration> = BTreeMap::new();
        for (leaf, backlog) in self.reader.backlogs(&Filter::default())? {
            let tells = backlog.has_events_for(ServedBy::Answer) && admits(&leaf);
            if let Some(own) = sums.get(&leaf).filter(|_| tells) {
                groups.entry(Group::of(rules, &leaf)).or_default().plus(own);
            }
        }
        let row = |(group, compared): (Group, Calibration)| {
            let (team, region, service) = group.names();
            Some(CalibrationRow { team, region, service, calibration: calibration(&compared)? })
        };
        Ok(groups.into_iter().filter_map(row).skip(skipped).take(most).collect())
    }

    /// Sums over a span, of each series and roll-up that is admitted.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn sums(
        &self,
        rules: &Rules,
        span: (Timestamp, Timestamp),
        admits: impl Fn(&SeriesKey) -> bool,
    ) -> Result<Vec<(SeriesKey, Service)>, StoreError> {
        let mut sums: BTreeMap<SeriesKey, Sum> = BTreeMap::new();
        for leaf in self.leaves()? {
            let keys: Vec<SeriesKey> =
                leaf.roll_ups().chain([leaf.clone()]).filter(|key| admits(key)).collect();
            if keys.is_empty() {
                continue;
            }
            let mut own = Sum::default();
            let windows = self.windows(&leaf, span, false)?;
            let windows = self.with_sentiments(&leaf, span, windows)?;
            windows.values().for_each(|window| own.plus_window(window));
            keys.into_iter().for_each(|key| sums.entry(key).or_default().plus(&own));
        }
        let row = |(key, sum): (SeriesKey, Sum)| {
            let row = ServiceRow::Series(&key, rules.profile_of(&key)).service(&sum, span);
            (key, row)
        };
        Ok(sums.into_iter().map(row).collect())
    }
}

/// The subject of a row.
pub enum ServiceRow<'a> {
    /// A series or roll-up; a roll-up has no profile.
    Series(&'a SeriesKey, Option<&'a Profile>),
    Team(&'a Team),
}

impl ServiceRow<'_> {
    fn service(&self, total: &Sum, (from, to): (Timestamp, Timestamp)) -> Service {
        let (team, series, profile) = match self {
            Self::Series(series, profile) => (None, Some(*series), *profile),
            Self::Team(team) => (Some(team.name.to_string()), None, Some(&team.profile)),
        };
        let target = |profile: &Profile| super::StaffingProfile::from(profile).target;
        Service {
            team,
            region: series.map(|key| key.region.to_string()),
            service: series.map(|key| key.service.to_string()),
            channel: series.map(|key| key.channel.to_string()),
            target: profile.map(target),
            served_by: total.attained.goal.map(|goal| match goal.by {
                ServedBy::Answer => "answer",
                ServedBy::End => "end",
            }),
            from: from.to_string(),
            to: to.to_string(),
            total: total.figures(),
            calibration: None,
            windows: Vec::new(),
        }
    }
}

fn calibration(compared: &Calibration) -> Option<ServiceCalibration> {
    let (expected, attained) = (compared.expected_level()?, compared.attained_level()?);
    Some(ServiceCalibration {
        days: CALIBRATION_DAYS,
        contacts: compared.contacts as u32,
        expected_service_level: share(expected),
        service_level: share(attained),
        factor: share(compared.factor()),
    })
}
