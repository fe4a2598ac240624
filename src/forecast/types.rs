//! What a forecast is: vintages of targets with quantiles, and the history they come from.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::surge::Surges;
use crate::domain::{SeriesKey, Timestamp, WindowWidth};

/// Probabilities of the seven quantiles, ascending; index 3 is the median.
pub const QUANTILES: [f64; 7] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975];
/// Standard normal quantiles at [`QUANTILES`].
pub(super) const NORMAL_SCORES: [f64; 7] = [
    -1.959_963_984_540_054,
    -1.281_551_565_544_600_4,
    -0.674_489_750_196_081_7,
    0.0,
    0.674_489_750_196_081_7,
    1.281_551_565_544_600_4,
    1.959_963_984_540_054,
];
/// How far ahead every vintage reaches.
pub const HORIZON: Duration = Duration::from_secs(6 * 3600);

/// Ticket arrivals expected in one future window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastPoint {
    /// Start of the window.
    pub start: Timestamp,
    /// Expected tickets in the window.
    pub mean: f64,
    /// Tickets at [`QUANTILES`], ascending, never negative.
    pub quantiles: [f64; 7],
    /// What the profile alone expects, tickets.
    pub baseline: f64,
    /// Today's level: the factor on the baseline that recent windows call for.
    pub level: f64,
    /// Tickets added because of alarms.
    pub alarm_effect: f64,
}

/// What adds tickets to a forecast besides the usual: an alarm's type or planned work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    pub what: String,
    /// Expected tickets over the horizon; negative where tickets are kept away.
    pub tickets: f64,
}

impl Cause {
    /// Causes by name with their tickets, to a tenth, in the order in which people are told of them.
    pub(super) fn told(by_name: impl IntoIterator<Item = (String, f64)>) -> Vec<Self> {
        let causes = by_name
            .into_iter()
            .map(|(what, tickets)| Self { what, tickets: (tickets * 10.0).round() / 10.0 });
        let mut causes: Vec<Self> = causes.collect();
        causes.sort_by(|a, b| {
            b.tickets.abs().total_cmp(&a.tickets.abs()).then_with(|| a.what.cmp(&b.what))
        });
        causes
    }

    /// Of alarms and planned work: a few, those that matter.
    pub(super) fn few(by_name: impl IntoIterator<Item = (String, f64)>) -> Vec<Self> {
        let matter = by_name.into_iter().filter(|(_, tickets)| tickets.abs() >= CAUSE_MIN);
        let mut causes = Self::told(matter);
        causes.truncate(CAUSES_MAX);
        causes
    }
}

/// Causes that a vintage names.
const CAUSES_MAX: usize = 5;
/// Expected tickets over the horizon below which a cause is not named.
const CAUSE_MIN: f64 = 0.5;

/// One forecast as it was issued. Never altered afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vintage {
    pub series: SeriesKey,
    /// End of the last settled window that the forecast knows.
    pub issued_at: Timestamp,
    /// One a window, the first starting at `issued_at`, [`HORIZON`] in all.
    pub targets: Vec<ForecastPoint>,
    /// Members that were averaged, such as `profile` and `mstl-ets`.
    pub members: Vec<String>,
    /// What adds tickets, most first; a few.
    pub causes: Vec<Cause>,
    /// Of surges, where alarms or planned work touch it.
    pub surges: Option<Surges>,
    /// How the forecast fell back, in words, where history was short; else `None`.
    pub fallback: Option<String>,
}

/// Counts of one series, one value a window without holes; NaN means missing, which is not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub width: WindowWidth,
    /// Window index ([`WindowWidth::index`]) of `counts[0]`.
    pub first: i64,
    pub counts: Vec<f32>,
}

impl History {
    /// An empty history whose first window has the index `first`.
    pub fn new(width: WindowWidth, first: i64) -> Self {
        Self { width, first, counts: Vec::new() }
    }

    /// Index one past the last known window.
    pub fn end(&self) -> i64 {
        self.first + self.counts.len() as i64
    }

    /// The count of a window, NaN where it is missing or outside.
    pub fn get(&self, index: i64) -> f32 {
        usize::try_from(index - self.first)
            .ok()
            .and_then(|i| self.counts.get(i).copied())
            .unwrap_or(f32::NAN)
    }

    /// Sets a window, filling a hole before it with NaN; ignored before `first`.
    pub fn set(&mut self, index: i64, count: f32) {
        let Ok(i) = usize::try_from(index - self.first) else { return };
        if i >= self.counts.len() {
            self.counts.resize(i + 1, f32::NAN);
        }
        self.counts[i] = count;
    }

    /// Forgets all but the last `keep` windows.
    pub fn trim(&mut self, keep: usize) {
        if self.counts.len() > keep {
            let cut = self.counts.len() - keep;
            self.counts.drain(..cut);
            self.first += cut as i64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal;

    #[test]
    fn normal_scores_are_those_of_the_quantiles() {
        for (p, z) in QUANTILES.into_iter().zip(NORMAL_SCORES) {
            assert!((normal::quantile(p) - z).abs() < 1e-9, "{p}");
        }
    }
}
