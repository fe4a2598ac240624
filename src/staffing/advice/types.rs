//! Recommendations and their life cycle.

use serde::{Deserialize, Serialize};

use crate::domain::{SeriesKey, Timestamp, Zone};

/// What is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Agents of one team work for another.
    Move,
    /// People who are off duty come in.
    CallIn,
    /// People stay after their shift.
    Overtime,
    /// People go home early, if they want to.
    OfferLeave,
    /// Callers hear of the outage before they wait.
    Announcement,
}

impl Kind {
    /// Every kind.
    pub const EVERY: [Self; 5] =
        [Self::Move, Self::CallIn, Self::Overtime, Self::OfferLeave, Self::Announcement];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::CallIn => "call_in",
            Self::Overtime => "overtime",
            Self::OfferLeave => "offer_leave",
            Self::Announcement => "announcement",
        }
    }

    /// Whether it brings people to its team.
    pub fn brings(self) -> bool {
        matches!(self, Self::Move | Self::CallIn | Self::Overtime)
    }
}

/// The life of a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecommendationState {
    Proposed,
    /// A person will do it. From then on it does not change.
    Accepted,
    Declined,
    /// A person has done it.
    Done,
    /// Its start passed without an answer.
    Expired,
    /// Forecasts no longer require it.
    Withdrawn,
}

impl RecommendationState {
    /// Every state.
    pub const EVERY: [Self; 6] = [
        Self::Proposed,
        Self::Accepted,
        Self::Declined,
        Self::Done,
        Self::Expired,
        Self::Withdrawn,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Done => "done",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A person's answer to a recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Accept,
    Decline,
    Done,
}

/// Why it is recommended; [`Say`](crate::text::Say) turns it into a clause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AdviceReason {
    /// Agents needed and on the schedule in its worst window.
    Short { at: Timestamp, needed: u32, scheduled: u32 },
    /// Agents needed even in a high forecast (90 % quantile), and agents on the schedule, in its tightest window.
    Spare { at: Timestamp, needed: u32, scheduled: u32 },
    /// An outage causes calls, and this number of agents is missing who cannot be replaced in time.
    Outage { cause: String, agents: u32 },
    /// Like [`Self::Short`], with additional agents that are worth bringing because the forecast may be too low.
    ShortWithReserve { at: Timestamp, needed: u32, scheduled: u32, reserve: u32 },
}

/// The outcome, once a recommendation that was carried out is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Actual contacts, and those that the forecast expected.
    pub arrivals: f64,
    pub expected_arrivals: f64,
    /// Service level that the model gives for the actual contacts, with the recommendation and without it.
    pub level_with: f64,
    pub level_without: f64,
    /// For an announcement: the share of the expected contacts that did not come; below 0 if more came.
    pub deflected: Option<f64>,
}

/// A recommendation. A team is named by its name, a series without a team as `region/service/channel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Stable: kind, teams and the time at which it was first made.
    pub id: String,
    pub kind: Kind,
    pub state: RecommendationState,
    pub team: String,
    /// For a move: the team that gives agents.
    pub source: Option<String>,
    /// What both teams serve; `_all` stands for every name.
    pub series: Vec<SeriesKey>,
    /// The team's time zone.
    pub zone: Zone,
    pub from: Timestamp,
    pub to: Timestamp,
    /// People on the schedule; 0 for an announcement.
    pub agents: u32,
    /// Probability that it is needed, which means that the target is missed without it. For leave: that the target is met with
    /// it.
    pub confidence: f64,
    /// Service level expected over the forecast's quantiles and the windows of the stretch.
    pub level_with: f64,
    pub level_without: f64,
    /// Cost; below 0 if it saves.
    pub cost: f64,
    /// For an announcement: the share of callers who are expected not to wait, low and high.
    pub deflection: Option<(f64, f64)>,
    /// Expected contacts in the stretch.
    pub arrivals: f64,
    pub why: AdviceReason,
    pub issued_at: Timestamp,
    pub updated_at: Timestamp,
    /// When its numbers last changed, how often, and whether upwards.
    pub changed_at: Timestamp,
    pub changes: u32,
    pub grew: bool,
    /// Since when forecasts have not required it.
    pub idle_since: Option<Timestamp>,
    /// Since when forecasts have required another number.
    pub differs_since: Option<Timestamp>,
    pub answered_by: Option<String>,
    pub answered_at: Option<Timestamp>,
    /// Whether a roster that was sent after the answer includes it: the roster of the team, and that of the team that gives
    /// agents.
    pub in_roster: bool,
    pub in_source_roster: bool,
    pub outcome: Option<Outcome>,
}

impl Recommendation {
    /// Whether a person will do it or has done it.
    pub fn is_agreed(&self) -> bool {
        matches!(self.state, RecommendationState::Accepted | RecommendationState::Done)
    }

    /// Whether it waits for an answer.
    pub fn is_proposed(&self) -> bool {
        self.state == RecommendationState::Proposed
    }

    /// Whether it is proposed or agreed, and not over.
    pub fn is_open(&self, now: Timestamp) -> bool {
        (self.is_proposed() || self.is_agreed()) && self.to > now
    }

    /// Whether it covers an instant.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether one of its teams serves a series.
    pub fn concerns(&self, series: &SeriesKey) -> bool {
        self.series.iter().any(|pattern| pattern.covers(series))
    }

    /// Hours from start to end.
    pub fn hours(&self) -> f64 {
        self.to.since(self.from).as_secs_f64() / 3600.0
    }

    /// People whom it brings to a desk; below 0 if they leave the desk.
    pub fn people(&self, desk: &str) -> i64 {
        let n = i64::from(self.agents);
        let to_team = match self.kind {
            Kind::Move | Kind::CallIn | Kind::Overtime => n,
            Kind::OfferLeave => -n,
            Kind::Announcement => 0,
        };
        let of_team = if self.team == desk { to_team } else { 0 };
        of_team - if self.source.as_deref() == Some(desk) { n } else { 0 }
    }

    /// Like [`Self::people`], without people whom the roster already includes.
    pub fn beside_roster(&self, desk: &str) -> i64 {
        let is_source = self.source.as_deref() == Some(desk);
        let is_included = if is_source { self.in_source_roster } else { self.in_roster };
        if is_included { 0 } else { self.people(desk) }
    }
}

/// Missing agents for whom there is no recommendation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uncovered {
    pub team: String,
    pub series: Vec<SeriesKey>,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Largest number in one half hour.
    pub agents: u32,
}
