//! The JSON of `/api/v1`. Times are RFC 3339 in UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert;
use crate::anomaly;
use crate::domain::{self, MaintenanceEvent, SeriesKey, Timestamp};
use crate::forecast::surge::SurgeCount;
use crate::forecast::{self, QUANTILES, rounded};
use crate::staffing;
use crate::store::{self, AdjustedScore, NowcastScore, Served};

/// The three names of a series, flattened into every object that speaks of one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Key {
    pub region: String,
    pub service: String,
    pub channel: String,
}

impl From<&SeriesKey> for Key {
    fn from(series: &SeriesKey) -> Self {
        Self {
            region: series.region.to_string(),
            service: series.service.to_string(),
            channel: series.channel.to_string(),
        }
    }
}

impl Key {
    /// The series that is named; `_all` is welcome.
    pub fn series(&self) -> Result<SeriesKey, String> {
        SeriesKey::parse(&format!("{}/{}/{}", self.region, self.service, self.channel))
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesInfo {
    #[serde(flatten)]
    pub key: Key,
    pub roll_up: bool,
    /// Start of the first and the last settled window.
    pub first_window: String,
    pub last_window: String,
    /// `ok`; `new` with less than two weeks of history; `silent` if its last window is an hour behind.
    pub health: &'static str,
    pub time_zone: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AlarmCounts {
    pub critical: u32,
    pub major: u32,
    pub minor: u32,
    pub warning: u32,
    pub indeterminate: u32,
    pub cleared: u32,
    /// Standing at the window's end.
    pub active: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Window {
    pub start: String,
    pub tickets: u32,
    pub alarms: AlarmCounts,
    pub late: u32,
    pub settled: bool,
    pub revised: bool,
    pub missing: bool,
}

impl From<&store::SeriesWindow> for Window {
    fn from(w: &store::SeriesWindow) -> Self {
        let [critical, major, minor, warning, indeterminate] = w.raised;
        Self {
            start: w.start.to_string(),
            tickets: w.tickets,
            alarms: AlarmCounts {
                critical,
                major,
                minor,
                warning,
                indeterminate,
                cleared: w.cleared,
                active: w.active,
            },
            late: w.late,
            settled: w.settled,
            revised: w.revised,
            missing: w.missing,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesWindows {
    #[serde(flatten)]
    pub key: Key,
    pub windows: Vec<Window>,
}

/// What the forecast is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Drivers {
    /// Tickets that the profile alone expects.
    pub baseline: f64,
    /// Today's level: factor on the baseline.
    pub level: f64,
    /// Tickets added because of alarms.
    pub alarms: f64,
    /// Tickets added by planners' adjustments.
    pub adjustments: f64,
}

/// What the model said, where planners changed it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelTarget {
    pub mean: f64,
    pub quantiles: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ForecastTarget {
    pub start: String,
    pub mean: f64,
    /// By probability: 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975.
    pub quantiles: BTreeMap<String, f64>,
    pub drivers: Drivers,
    /// What the model itself said; null where no adjustment changed it.
    pub model: Option<ModelTarget>,
}

/// What adds tickets to a forecast.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cause {
    /// An alarm's type, planned work, or "adjustment: " and its label.
    pub what: String,
    /// Expected tickets over the horizon.
    pub tickets: f64,
}

impl From<forecast::Cause> for Cause {
    fn from(cause: forecast::Cause) -> Self {
        Self { what: cause.what, tickets: cause.tickets }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Forecast {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    pub members: Vec<String>,
    /// Alarm types, planned work and adjustments that add tickets over the horizon, most first.
    pub causes: Vec<Cause>,
    /// How it fell back, in words, where history was short.
    pub fallback: Option<String>,
    /// Of a nowcast, issued within a window: why, in words. Its first target is the window that was open.
    pub nowcast: Option<String>,
    pub targets: Vec<ForecastTarget>,
}

fn by_probability(quantiles: &[f64; 7]) -> BTreeMap<String, f64> {
    QUANTILES.iter().map(ToString::to_string).zip(*quantiles).collect()
}

impl From<Served> for Forecast {
    fn from(Served { vintage, model, reason }: Served) -> Self {
        let own = |start| model.iter().flat_map(|m| &m.targets).find(move |t| t.start == start);
        let targets = vintage.targets.iter().map(|t| {
            let own = own(t.start).filter(|own| *own != t);
            let adjustments = own.map_or(0.0, |own| t.mean - own.mean);
            ForecastTarget {
                start: t.start.to_string(),
                mean: t.mean,
                quantiles: by_probability(&t.quantiles),
                drivers: Drivers {
                    baseline: t.baseline,
                    level: t.level,
                    alarms: t.alarm_effect,
                    adjustments: rounded(adjustments),
                },
                model: own.map(|own| ModelTarget {
                    mean: own.mean,
                    quantiles: by_probability(&own.quantiles),
                }),
            }
        });
        Self {
            key: Key::from(&vintage.series),
            issued_at: vintage.issued_at.to_string(),
            targets: targets.collect(),
            members: vintage.members,
            causes: vintage.causes.into_iter().map(Cause::from).collect(),
            fallback: vintage.fallback,
            nowcast: reason,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StaffingTarget {
    pub start: String,
    pub arrivals: f64,
    pub positions: u32,
    pub agents: u32,
    /// At the 10 % and 90 % quantile of arrivals.
    pub agents_low: u32,
    pub agents_high: u32,
    pub scheduled: Option<u32>,
    pub gap: i32,
    pub service_level: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Staffing {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    /// How the figures come about, in one sentence.
    pub basis: String,
    pub targets: Vec<StaffingTarget>,
}

impl From<staffing::Plan> for Staffing {
    fn from(plan: staffing::Plan) -> Self {
        let targets = plan.targets.iter().map(|t| StaffingTarget {
            start: t.start.to_string(),
            arrivals: t.arrivals,
            positions: t.positions,
            agents: t.agents,
            agents_low: t.agents_low,
            agents_high: t.agents_high,
            scheduled: t.scheduled,
            gap: t.gap,
            service_level: t.service_level,
        });
        Self {
            key: Key::from(&plan.series),
            issued_at: plan.issued_at.to_string(),
            targets: targets.collect(),
            basis: plan.basis,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Outlook {
    #[serde(flatten)]
    pub key: Key,
    pub issued_at: String,
    pub peak: f64,
    pub peak_at: String,
    pub over_baseline: f64,
    pub gap_max: Option<i32>,
    pub gap_at: Option<String>,
    pub minutes_to_breach: Option<u32>,
    pub width_minutes: u32,
    /// The last 48 counts up to `issued_at`, oldest first; null where missing.
    pub past: Vec<Option<u32>>,
    /// Medians of the targets.
    pub next: Vec<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Anomaly {
    #[serde(flatten)]
    pub key: Key,
    pub window: String,
    #[schema(value_type = String)]
    pub kind: anomaly::AnomalyKind,
    pub score: f64,
    pub actual: f64,
    pub expected: f64,
    pub text: String,
}

impl From<&anomaly::Anomaly> for Anomaly {
    fn from(a: &anomaly::Anomaly) -> Self {
        Self {
            key: Key::from(&a.series),
            window: a.window.to_string(),
            kind: a.kind,
            score: a.score,
            actual: a.actual,
            expected: a.expected,
            text: a.text.clone(),
        }
    }
}

/// Figures of the ledger; null where nothing was scored or nothing came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Figures {
    /// Scored windows.
    pub n: u32,
    /// Tickets a window.
    pub mean: Option<f64>,
    pub wape: Option<f64>,
    /// The same for last week's count.
    pub wape_naive: Option<f64>,
    /// The same for someone who knew the true rate: nobody does better at this volume.
    pub wape_floor: Option<f64>,
    pub wql: Option<f64>,
    pub bias: Option<f64>,
    pub coverage80: Option<f64>,
    pub coverage95: Option<f64>,
    /// Mean miss relative to that of last week's count in the eight weeks before each day.
    pub mase: Option<f64>,
    /// Loss by quantile, in the unit of `wql`, which is their mean.
    pub quantile_loss: Option<BTreeMap<String, f64>>,
}

impl From<forecast::Figures> for Figures {
    fn from(f: forecast::Figures) -> Self {
        Self {
            n: f.n,
            mean: f.mean,
            wape: f.wape,
            wape_naive: f.wape_naive,
            wape_floor: f.wape_floor,
            wql: f.wql,
            bias: f.bias,
            coverage80: f.coverage80,
            coverage95: f.coverage95,
            mase: f.mase,
            quantile_loss: f
                .quantile_loss
                .map(|losses| QUANTILES.iter().map(ToString::to_string).zip(losses).collect()),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LeadFigures {
    pub lead_minutes: u32,
    #[serde(flatten)]
    pub figures: Figures,
}

/// Forecasts of the same windows, those that planners' adjustments changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustedAccuracy {
    /// As planners had it, and it was served.
    pub adjusted: Figures,
    /// As the model had it.
    pub model: Figures,
}

impl From<AdjustedScore> for AdjustedAccuracy {
    fn from(score: AdjustedScore) -> Self {
        let (adjusted, model) = (score.adjusted.figures().into(), score.model.figures().into());
        Self { adjusted, model }
    }
}

/// Forecasts of the same windows, those that nowcasts spoke of.
#[derive(Debug, Serialize, ToSchema)]
pub struct NowcastAccuracy {
    pub nowcasts: Figures,
    /// Of the vintages that they replaced.
    pub scheduled: Figures,
}

impl From<NowcastScore> for NowcastAccuracy {
    fn from(score: NowcastScore) -> Self {
        let scheduled = score.scheduled.figures().into();
        Self { nowcasts: score.nowcast.figures().into(), scheduled }
    }
}

/// Of the model's own forecasts; what planners made of them is scored apart.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accuracy {
    #[serde(flatten)]
    pub key: Key,
    /// First day of the figures, and the day after the last one.
    pub from: String,
    pub to: String,
    /// The accuracy, 1 − WAPE, that is aimed at.
    pub target_accuracy: f64,
    /// Whether it could be reached at this volume by someone who knew the true rate; null where nothing came.
    pub reachable: Option<bool>,
    /// Whether it was reached over all leads.
    pub reached: Option<bool>,
    pub overall: Figures,
    pub leads: Vec<LeadFigures>,
    /// By lead of 1, 3 and 6 h.
    pub surges: Vec<SurgeFigures>,
    /// Whether forecasts within windows helped; null where none was scored. They are not among the others.
    pub nowcasts: Option<NowcastAccuracy>,
    /// Whether adjustments helped; null where none was scored.
    pub adjustments: Option<AdjustedAccuracy>,
}

/// Surges, two windows in a row above the 99 % quantile of the forecast without alarms, as seen at one lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct SurgeFigures {
    pub lead_hours: u32,
    pub surges: u32,
    /// Of which alarms or planned work were known by then.
    pub alarmed: u32,
    /// Of which the forecast of that lead called.
    pub hits: u32,
    pub hit_rate: Option<f64>,
    /// Calls at that lead, and those after which nothing has come so far.
    pub calls: u32,
    pub false_calls: u32,
    /// Surges that any forecast called.
    pub warned: u32,
    /// Mean minutes from the first forecast that called a surge to its start, over those that any called.
    pub warning_minutes: Option<f64>,
}

impl From<(u32, SurgeCount)> for SurgeFigures {
    fn from((lead_hours, c): (u32, SurgeCount)) -> Self {
        let share = |sum: f64, of: u32| (of > 0).then(|| sum / f64::from(of));
        Self {
            lead_hours,
            surges: c.surges,
            alarmed: c.alarmed,
            hits: c.hits,
            hit_rate: share(f64::from(c.hits), c.surges),
            calls: c.calls,
            false_calls: c.false_calls,
            warned: c.warned,
            warning_minutes: share(c.warned_minutes as f64, c.warned),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Shortfall {
    #[serde(flatten)]
    pub key: Key,
    pub at: String,
    pub arrivals: f64,
    pub arrivals_low: f64,
    pub arrivals_high: f64,
    pub agents: u32,
    pub scheduled: u32,
    pub gap: i32,
    pub rostered: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    pub id: String,
    pub rule: String,
    #[schema(value_type = String)]
    pub severity: alert::AlertSeverity,
    pub region: String,
    pub service: String,
    #[schema(value_type = String)]
    pub state: alert::AlertState,
    pub since: String,
    pub updated_at: String,
    pub ended_at: Option<String>,
    pub from: String,
    pub to: String,
    pub agents_short: i32,
    pub shortfalls: Vec<Shortfall>,
    pub because: Vec<String>,
    pub title: String,
    pub text: String,
    /// Who took it on last, and when someone first did.
    pub acknowledged_by: Option<String>,
    pub acknowledged_at: Option<String>,
    pub feedback: Option<String>,
}

impl From<&alert::Alert> for Alert {
    fn from(a: &alert::Alert) -> Self {
        let shortfalls = a.shortfalls.iter().map(|s| Shortfall {
            key: Key::from(&s.series),
            at: s.at.to_string(),
            arrivals: s.arrivals,
            arrivals_low: s.arrivals_low,
            arrivals_high: s.arrivals_high,
            agents: s.agents,
            scheduled: s.scheduled,
            gap: s.gap,
            rostered: s.rostered,
        });
        Self {
            id: a.id.clone(),
            rule: a.rule.clone(),
            severity: a.severity,
            region: a.scope.region.to_string(),
            service: a.scope.service.to_string(),
            state: a.state,
            since: a.since.to_string(),
            updated_at: a.updated_at.to_string(),
            ended_at: a.ended_at.map(|at| at.to_string()),
            from: a.from.to_string(),
            to: a.to.to_string(),
            agents_short: a.agents_short,
            shortfalls: shortfalls.collect(),
            because: a.because.clone(),
            title: a.title.clone(),
            text: a.text.clone(),
            acknowledged_by: a.acknowledged_by.clone(),
            acknowledged_at: a.acknowledged_at.map(|at| at.to_string()),
            feedback: a.feedback.clone(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Who takes it on.
    pub by: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    pub useful: bool,
    pub note: Option<String>,
}

/// People scheduled for a series.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Shift {
    #[serde(flatten)]
    pub key: Key,
    pub start: String,
    pub end: String,
    pub agents: u32,
}

impl From<&staffing::Shift> for Shift {
    fn from(shift: &staffing::Shift) -> Self {
        Self {
            key: Key::from(&shift.series),
            start: shift.start.to_string(),
            end: shift.end.to_string(),
            agents: shift.agents,
        }
    }
}

impl Shift {
    pub fn checked(&self) -> Result<staffing::Shift, String> {
        let time = |key: &str, text: &str| {
            Timestamp::parse(text).map_err(|error| format!("{key}: {error}"))
        };
        let (start, end) = (time("start", &self.start)?, time("end", &self.end)?);
        if start >= end {
            return Err("end: has to come after start".into());
        }
        if self.agents > 100_000 {
            return Err(format!("agents: {}: use up to 100000", self.agents));
        }
        Ok(staffing::Shift { series: self.key.series()?, start, end, agents: self.agents })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Maintenance {
    pub id: String,
    pub starts_at: String,
    pub ends_at: String,
    /// `null` means every one.
    pub region: Option<String>,
    pub service: Option<String>,
    pub impact: Option<String>,
    pub text: Option<String>,
    /// Alarms raised during the work that still stand after its planned end: above 0 it overruns.
    pub overrun_alarms: usize,
}

impl From<&MaintenanceEvent> for Maintenance {
    fn from(event: &MaintenanceEvent) -> Self {
        Self {
            id: event.event_id.to_string(),
            starts_at: event.starts_at.to_string(),
            ends_at: event.ends_at.to_string(),
            region: event.region.as_ref().map(ToString::to_string),
            service: event.service.as_ref().map(ToString::to_string),
            impact: event.impact.as_deref().map(str::to_owned),
            text: event.text.as_deref().map(str::to_owned),
            overrun_alarms: 0,
        }
    }
}

/// Planned work as a person enters it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// Given again, it replaces.
    pub id: String,
    pub starts_at: String,
    pub ends_at: String,
    pub region: Option<String>,
    pub service: Option<String>,
    pub impact: Option<String>,
    pub text: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    pub version: &'static str,
    /// The service's clock.
    pub now: String,
    pub mode: &'static str,
    pub speed: f64,
    pub width_minutes: u32,
    pub settled_upto: Option<String>,
    /// Share of the catch-up that is done; null when there is none.
    pub catching_up: Option<f64>,
    /// Time zones by region.
    pub regions: BTreeMap<String, String>,
    pub time_zone: String,
    /// Events not counted, by reason.
    pub dead_letters: BTreeMap<String, u64>,
    /// Events of the past 24 hours counted under `unknown`, by what they lacked: region, service, channel.
    pub unmapped: BTreeMap<String, u64>,
    pub horizon_minutes: u64,
}

/// An event that was not counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Goes on after this one with `after`.
    pub id: i64,
    pub received_at: String,
    pub reason: &'static str,
    pub detail: String,
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// The first 2000 characters of what came.
    pub text: String,
}

impl From<(i64, domain::DeadLetter)> for DeadLetter {
    fn from((id, letter): (i64, domain::DeadLetter)) -> Self {
        let source = &letter.position.source;
        Self {
            id,
            received_at: letter.received_at.to_string(),
            reason: letter.reason.as_str(),
            detail: letter.detail.clone(),
            topic: source.topic.to_string(),
            partition: source.partition,
            offset: letter.position.offset,
            text: String::from_utf8_lossy(&letter.bytes).chars().take(2000).collect(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// Position in the request, from 0.
    pub index: usize,
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub accepted: usize,
    pub rejected: Vec<Rejected>,
}
