//! Types of alerts and notifications.

use std::cmp::Ordering;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::incident::Part;
use super::schedule::ReportText;
use super::silence::Silenced;
use super::steps::NeedStep;
use crate::domain::{Name, Scope, SeriesKey, Severity, Timestamp, Zone};
use crate::staffing::{Kind, Recommendation};
use crate::text::Stored;

/// How urgent an alert is. Bodies store the position, so the least urgent one is last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertSeverity {
    Warning,
    Critical,
    /// Worth knowing; nobody has to act.
    Info,
}

impl AlertSeverity {
    /// Its name in configs, the API and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    fn urgency(self) -> u8 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Critical => 2,
        }
    }
}

impl FromStr for AlertSeverity {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Info, Self::Warning, Self::Critical];
        let found = all.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or("use \"info\", \"warning\" or \"critical\"")
    }
}

/// The more urgent severity is larger.
impl Ord for AlertSeverity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.urgency().cmp(&other.urgency())
    }
}

impl PartialOrd for AlertSeverity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The life of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// A forecast shows the need, but it is not worth a page yet.
    Pending,
    Firing,
    Acknowledged,
    Resolved,
}

/// The share of one channel in an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shortfall {
    pub series: SeriesKey,
    /// Start of the window in which the alert's channels together lack the most agents.
    pub at: Timestamp,
    /// Expected tickets in that window, and at the 10 % and 90 % quantiles.
    pub arrivals: f64,
    pub arrivals_low: f64,
    pub arrivals_high: f64,
    /// Agents needed, scheduled (or usual), and the difference.
    pub agents: u32,
    pub scheduled: u32,
    pub gap: i32,
    /// Whether `scheduled` comes from a roster; if not, it is the usual number.
    pub rostered: bool,
}

/// The state of an alert at its largest gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    pub agents_short: i32,
    pub shortfalls: Vec<Shortfall>,
    pub because: Vec<Stored<Cause>>,
}

/// Why agents are short, as a value; [`Say`](crate::text::Say) turns it into a clause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// Active alarms of one severity and type.
    Alarms {
        n: usize,
        severity: Severity,
        alarm_type: Option<String>,
        /// Start of the oldest one.
        since: Timestamp,
        /// Device of the one that began first.
        device: Option<String>,
        /// The largest number of raises of a flapping alarm; 0 if none flaps.
        flaps: u32,
        /// How many of them were not reported again since their alarm list was rebuilt.
        doubtful: usize,
    },
    /// Active alarms of further types.
    MoreAlarms { n: usize },
    /// No relevant alarm is active in the scope.
    NoAlarm,
    /// Planned work that overruns, with the number of its alarms that are still active.
    Overrun { from: Timestamp, to: Timestamp, alarms: usize },
    /// A planner's entry, with the tickets that it adds over the horizon.
    Adjustment { label: String, tickets: f64 },
    /// More complaints about network trouble than usual, up to `until`, which earlier releases did not store.
    Complaints {
        actual: f64,
        usual: f64,
        since: Timestamp,
        #[serde(default)]
        until: Option<Timestamp>,
    },
}

/// An alert: too few agents in a region and service, or what another rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Stable: derived from rule, scope and the time it began.
    pub id: String,
    pub rule: String,
    pub severity: AlertSeverity,
    pub scope: Scope,
    pub state: AlertState,
    /// When the gap was first seen (issue time of that vintage).
    pub since: Timestamp,
    /// Issue time of the vintage behind the latest change.
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Start of the first and end of the last window with too few agents.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Agents of all channels together that are missing at the worst instant; 0 when the newest forecast shows no shortage.
    pub agents_short: i32,
    /// The channels that lack agents at that instant.
    pub shortfalls: Vec<Shortfall>,
    /// Active alarms and other causes.
    pub because: Vec<Stored<Cause>>,
    /// The time zone of the region, for times in texts.
    pub zone: Zone,
    /// Who acknowledged it first.
    pub acknowledged_by: Option<String>,
    /// Time of the first acknowledgement. The store keeps it in a column of its own; alerts of earlier releases have none.
    #[serde(skip)]
    pub acknowledged_at: Option<Timestamp>,
    pub feedback: Option<String>,
    /// State at the largest gap. The store keeps it in a column of its own; alerts of earlier releases have none.
    #[serde(skip)]
    pub worst: Option<Worst>,
    /// How many consecutive vintages agreed (towards firing) or disagreed (towards resolving).
    pub streak: u32,
    /// Gap in the last page; another page is sent only if the gap grows clearly.
    pub notified_gap: i32,
    pub notified_at: Option<Timestamp>,
    /// How many agents are missing from when to when. Alerts of earlier releases have none.
    pub steps: Vec<NeedStep>,
    pub trend: Trend,
    /// The state of its pages. Alerts of earlier releases have none.
    pub paging: Paging,
    /// What its rule found; `None` where agents are missing, and in alerts of earlier releases.
    pub finding: Option<Box<Finding>>,
    /// Alerts of earlier releases have none.
    pub notes: Notes,
    /// Open recommendations for its series, read from the store when it is shown.
    #[serde(skip)]
    pub recommended: Vec<Recommendation>,
}

/// What the newest forecasts say about an alert that is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The time as of which all facts of the alert hold: the issue time of the newest forecast.
    pub as_of: Option<Timestamp>,
    /// When the next forecast is made, on the clock: after the open window is finalized.
    pub next_at: Option<Timestamp>,
    /// How many consecutive forecasts of a critical alert were clearly less than critical.
    pub calm: u32,
    /// When its severity last fell.
    pub eased_at: Option<Timestamp>,
}

/// Further facts of the newest forecast, besides the missing agents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// Channels whose shortage at the worst instant is mostly caused by contacts left over from earlier windows.
    pub left_over: Vec<Name>,
    /// Missing agents that are too few for an alert. Empty while enough agents for an alert are missing.
    pub below_limits: Vec<NeedStep>,
    /// The same for all services of the incident that this alert leads, if the incident has several.
    pub incident_below_limits: Vec<NeedStep>,
    /// Complaints are counted up to this time, if the forecast is newer.
    pub complaints_upto: Option<Timestamp>,
}

/// The state of the pages of an alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paging {
    /// The silence that holds back the pages.
    pub silenced: Option<Silenced>,
    /// The page that was held back and not sent since.
    pub held: Option<Held>,
    /// The id of its incident, if that has several alerts: the id of the alert that leads it.
    pub incident: Option<String>,
    /// Missing agents of all services of the incident together, as stated in the last page.
    pub total: i32,
    /// The other services of the incident that this alert leads. They are up to date only in pages.
    pub others: Vec<Part>,
    /// The end of the planned work that explains the need.
    pub planned_until: Option<Timestamp>,
    /// The number of alerts of this scope that people judged as noise, minus the number judged as useful.
    pub tuning: i32,
}

/// Pages that were decided and held back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    pub reason: HoldReason,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
    /// The kind of page that is sent if the alert still fires then.
    pub kind: NotificationKind,
    /// How many pages were held back, and when the first and the last one.
    pub pages: u32,
    pub since: Timestamp,
    pub last: Timestamp,
    /// Missing agents when the last page was held back.
    pub total: i32,
}

/// Why a page is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    Silence,
    QuietHours,
    PlannedWork,
    /// An alert of missing agents in the same scope sends the page.
    Inhibited,
}

impl HoldReason {
    /// Every reason.
    pub const EVERY: [Self; 4] =
        [Self::Silence, Self::QuietHours, Self::PlannedWork, Self::Inhibited];

    /// Its name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::QuietHours => "quiet_hours",
            Self::PlannedWork => "planned_work",
            Self::Inhibited => "inhibited",
        }
    }
}

/// Its pages
impl Alert {
    /// The id of its incident: its own if it has no other alerts.
    pub fn incident_id(&self) -> &str {
        self.paging.incident.as_deref().unwrap_or(&self.id)
    }

    /// Whether this alert sends the pages of its incident.
    pub fn leads(&self) -> bool {
        self.incident_id() == self.id
    }

    /// Whether it fires, acknowledged or not.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.state, AlertState::Firing | AlertState::Acknowledged)
    }

    /// The gap and the time of the last page, sent or held back.
    pub(super) fn last_notified(&self) -> (i32, Option<Timestamp>) {
        let Paging { held, total, .. } = &self.paging;
        match held {
            Some(held) => (held.total, Some(held.last)),
            None if *total > 0 => (*total, self.notified_at),
            None => (self.notified_gap, self.notified_at),
        }
    }

    /// The page that was held back and still has to be sent. There is none if the alert was acknowledged
    /// before any page was sent.
    pub(super) fn held_page(&self) -> Option<&Held> {
        let is_open = self.state == AlertState::Firing || self.notified_at.is_some();
        self.paging.held.as_ref().filter(|_| is_open)
    }

    /// Records that a page is held back.
    pub(super) fn hold_back(
        &mut self,
        kind: NotificationKind,
        (reason, until): (HoldReason, Option<Timestamp>),
        total: i32,
        now: Timestamp,
    ) {
        let before = self.paging.held.take();
        self.paging.held = Some(Held {
            reason,
            until,
            kind: before.as_ref().map_or(kind, |held| held.kind),
            pages: before.as_ref().map_or(0, |held| held.pages) + 1,
            since: before.as_ref().map_or(now, |held| held.since),
            last: now,
            total,
        });
    }
}

impl Alert {
    /// How many agents are missing from when to when.
    pub fn need(&self) -> Vec<NeedStep> {
        if !self.steps.is_empty() || self.agents_short <= 0 {
            return self.steps.clone();
        }
        // An alert of an earlier release.
        let part = |short: &Shortfall| (short.series.channel.clone(), short.gap);
        vec![NeedStep {
            from: self.from,
            to: self.to,
            agents: self.agents_short,
            channels: self.shortfalls.iter().map(part).collect(),
        }]
    }

    /// Whether the newest forecast no longer shows a shortage, or the rule no longer applies, while the alert is still open.
    pub fn has_eased(&self) -> bool {
        if let Some(found) = &self.finding {
            return found.is_over;
        }
        self.trend.as_of.is_some()
            && self.agents_short == 0
            && self.paging.others.iter().all(|part| part.need.is_empty())
    }

    /// The time as of which its facts hold.
    pub fn as_of(&self) -> Timestamp {
        self.trend.as_of.unwrap_or(self.updated_at)
    }

    /// Attaches the open recommendations that help the series of this alert.
    pub fn recommend<'a>(&mut self, open: impl Iterator<Item = &'a Recommendation>) {
        let helps = |own: &&Recommendation| {
            own.kind != Kind::OfferLeave
                && self.shortfalls.iter().any(|short| own.concerns(&short.series))
        };
        let found = open.filter(helps).cloned().collect();
        self.recommended = found;
    }

    /// The state at the largest gap; the current state if that is not known.
    pub fn at_worst(&self) -> Worst {
        self.worst.clone().unwrap_or_else(|| self.as_it_is())
    }

    pub(super) fn as_it_is(&self) -> Worst {
        Worst {
            agents_short: self.agents_short,
            shortfalls: self.shortfalls.clone(),
            because: self.because.clone(),
        }
    }
}

/// Kind of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationKind {
    Firing,
    #[serde(rename = "worse")]
    Escalated,
    Resolved,
    /// Nobody has acknowledged it yet.
    Reminder,
    /// Not an alert, but a report that was due.
    Report,
}

/// A message for the outbox. Its id is stable: the same decision always gets the same id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    pub id: String,
    pub kind: NotificationKind,
    pub alert: Alert,
    /// The report, written when it is sent.
    #[serde(skip)]
    pub report: Option<ReportText>,
}

/// An alarm that is active when a decision is made.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAlarm {
    pub scope: Scope,
    pub severity: Severity,
    pub device: Option<String>,
    pub alarm_type: Option<String>,
    pub raised_at: Timestamp,
    /// Number of recent raises if it chatters; else 0.
    pub flaps: u32,
    /// Whether its system has rebuilt its alarm list and has not sent this alarm since.
    pub is_doubtful: bool,
}
