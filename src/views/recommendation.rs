//! Recommendations, in a reader's language.

use serde::Serialize;
use utoipa::ToSchema;

use crate::alert::Alert;
use crate::domain::SeriesKey;
use crate::staffing;
use crate::store::{Reader, StoreError};
use crate::text::{Say, Texts};

/// Maximum number of open recommendations that are examined.
const OPEN_MAX: usize = 1000;

/// Actual contacts and service level, once a recommendation that was carried out is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecommendationOutcome {
    /// Actual contacts.
    pub arrivals: f64,
    /// Contacts that the forecast expected.
    pub expected_arrivals: f64,
    /// Service level that the model gives for the actual contacts, with the recommendation.
    pub service_level_with: f64,
    /// The same without the recommendation.
    pub service_level_without: f64,
    /// Of an announcement: the share of the expected contacts that did not come; below 0 where more came.
    pub deflected: Option<f64>,
}

/// What a person can do about agents who are missing or to spare.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recommendation {
    pub id: String,
    /// `move`, `call_in`, `overtime`, `offer_leave` or `announcement`.
    #[schema(value_type = String)]
    pub kind: staffing::Kind,
    /// `proposed`, `accepted`, `declined`, `done`, `expired` or `withdrawn`.
    #[schema(value_type = String)]
    pub state: staffing::RecommendationState,
    /// The team, or `region/service/channel` of a series without a team.
    pub team: String,
    /// Of a move: the team that gives agents.
    pub source: Option<String>,
    /// Series that the team serves, as in the config; of a move, those of both teams.
    pub series: Vec<String>,
    pub from: String,
    pub to: String,
    /// The team's time zone: that of the times in `text` and `reason`.
    pub time_zone: String,
    /// How many agents it is about, as people on the schedule; 0 for an announcement.
    pub agents: u32,
    /// Probability that the service target is missed without the recommendation; for leave, that the target is met with it.
    pub confidence: f64,
    /// Service level with and without the recommendation, as the mean over the quantiles of the forecast.
    pub service_level_with: f64,
    pub service_level_without: f64,
    /// In the unit of `[recommendations]`; below 0 where it saves.
    pub cost: f64,
    /// For an announcement: the share of callers who are expected to hang up without waiting for an agent.
    pub deflection_low: Option<f64>,
    pub deflection_high: Option<f64>,
    /// What to do, in one line.
    pub text: String,
    /// The reason and the expected effect.
    pub reason: String,
    pub issued_at: String,
    pub updated_at: String,
    /// How often its number of agents has changed.
    pub changes: u32,
    pub answered_by: Option<String>,
    pub answered_at: Option<String>,
    pub outcome: Option<RecommendationOutcome>,
}

/// Missing agents for whom there is no recommendation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Uncovered {
    /// The team, or `region/service/channel` of a series without a team.
    pub team: String,
    pub from: String,
    pub to: String,
    /// Largest number in one half hour.
    pub agents: u32,
}

impl Recommendation {
    /// A recommendation, its texts in a reader's language.
    pub fn new(own: &staffing::Recommendation, texts: &Texts) -> Self {
        Self {
            id: own.id.clone(),
            kind: own.kind,
            state: own.state,
            team: own.team.clone(),
            source: own.source.clone(),
            series: own.series.iter().map(ToString::to_string).collect(),
            from: own.from.to_string(),
            to: own.to.to_string(),
            time_zone: own.zone.to_string(),
            agents: own.agents,
            confidence: own.confidence,
            service_level_with: own.level_with,
            service_level_without: own.level_without,
            cost: own.cost,
            deflection_low: own.deflection.map(|range| range.0),
            deflection_high: own.deflection.map(|range| range.1),
            text: own.say(texts),
            reason: own.reason(texts),
            issued_at: own.issued_at.to_string(),
            updated_at: own.updated_at.to_string(),
            changes: own.changes,
            answered_by: own.answered_by.clone(),
            answered_at: own.answered_at.map(|at| at.to_string()),
            outcome: own.outcome.map(|outcome| RecommendationOutcome {
                arrivals: outcome.arrivals,
                expected_arrivals: outcome.expected_arrivals,
                service_level_with: outcome.level_with,
                service_level_without: outcome.level_without,
                deflected: outcome.deflected,
            }),
        }
    }
}

impl From<&staffing::Uncovered> for Uncovered {
    fn from(own: &staffing::Uncovered) -> Self {
        Self {
            team: own.team.clone(),
            from: own.from.to_string(),
            to: own.to.to_string(),
            agents: own.agents,
        }
    }
}

/// Recommendations that are open as of the newest forecasts, by the series that they concern.
pub struct OpenRecommendations(Vec<staffing::Recommendation>);

impl OpenRecommendations {
    /// Reads the open recommendations.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn read(reader: &Reader) -> Result<Self, StoreError> {
        let Some(now) = reader.newest_issue()? else { return Ok(Self(Vec::new())) };
        Ok(Self(reader.recommendations(None, (None, Some(now)), OPEN_MAX, None)?))
    }

    /// Adds to an alert the recommendations that bring people to its series, or keep callers away, oldest first.
    pub fn add_to(&self, alert: &mut Alert) {
        alert.recommend(self.0.iter().rev());
    }

    /// Recommendations of a series, oldest first.
    pub fn of(&self, series: &SeriesKey, texts: &Texts) -> Vec<Recommendation> {
        let own = self.0.iter().rev().filter(|own| own.concerns(series));
        own.map(|own| Recommendation::new(own, texts)).collect()
    }
}
