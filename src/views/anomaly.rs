//! Anomalies.

use serde::Serialize;
use utoipa::ToSchema;

use super::Key;
use crate::anomaly;
use crate::store::{Reader, StoreError};
use crate::text::{Say, Texts};

/// Something far from its forecast or from what is usual, as of a finalized window.
#[derive(Debug, Serialize, ToSchema)]
pub struct Anomaly {
    #[serde(flatten)]
    pub key: Key,
    pub window: String,
    /// high, low, complaints, phrase, shift_up, shift_down, vanished, alarm_storm, silent_source or forecast_unreliable.
    #[schema(value_type = String)]
    pub kind: anomaly::AnomalyKind,
    pub score: f64,
    /// Tickets, alarms, minutes or counts, by kind.
    pub actual: f64,
    /// What was forecast or is usual, in the same unit.
    pub expected: f64,
    pub text: String,
    /// Id of its episode: one ongoing event of a series, with all windows no more than an hour apart.
    pub episode: String,
    /// Start of the first window of the episode.
    pub since: String,
    /// End of the last window of the episode so far.
    pub until: String,
    /// Start of the window of the episode with the highest score.
    pub peak: String,
}

impl Anomaly {
    /// Anomalies, their sentences in a reader's language, with their episodes as far as they are known now.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn all(
        reader: &Reader,
        found: &[anomaly::Anomaly],
        texts: &Texts,
    ) -> Result<Vec<Self>, StoreError> {
        let episodes = reader.episodes_of(found)?;
        let all = found.iter().zip(&episodes).map(|(own, episode)| Self::new(own, episode, texts));
        Ok(all.collect())
    }

    /// An anomaly of an episode.
    pub fn new(a: &anomaly::Anomaly, episode: &anomaly::Episode, texts: &Texts) -> Self {
        Self {
            key: Key::from(&a.series),
            window: a.window.to_string(),
            kind: a.kind,
            score: a.score,
            actual: a.actual,
            expected: a.expected,
            text: a.say(texts),
            episode: episode.id.clone(),
            since: episode.since.to_string(),
            until: episode.until.to_string(),
            peak: episode.peak.to_string(),
        }
    }
}
