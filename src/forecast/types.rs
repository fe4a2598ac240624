//! Vintages of forecast points with quantiles, and the history that they are made from.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::adjust::ADJUSTMENT;
use super::surge::Surges;
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::text::{Say, Stored, Texts, args};

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
/// Length of every vintage.
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
    /// Expected tickets from the profile alone.
    pub baseline: f64,
    /// Today's level: the factor on the baseline, from recent windows.
    pub level: f64,
    /// Tickets added because of alarms.
    pub alarm_effect: f64,
}

/// Name of announced planned work among the causes.
pub(super) const PLANNED_WORK: &str = "planned work";
/// Name of alarms of planned work that are active after its planned end.
pub(super) const OVERRUN: &str = "planned work overruns";

/// A cause of extra tickets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Its name: an alarm type, one of the two names of planned work, or [`ADJUSTMENT`] and a label.
    pub what: String,
    /// Expected tickets over the horizon; negative if alarms keep tickets away.
    pub tickets: f64,
}

impl Cause {
    /// Causes by name, largest first, with tickets rounded to a tenth.
    pub(super) fn sorted(by_name: impl IntoIterator<Item = (String, f64)>) -> Vec<Self> {
        let causes = by_name
            .into_iter()
            .map(|(what, tickets)| Self { what, tickets: (tickets * 10.0).round() / 10.0 });
        let mut causes: Vec<Self> = causes.collect();
        causes.sort_by(|a, b| {
            b.tickets.abs().total_cmp(&a.tickets.abs()).then_with(|| a.what.cmp(&b.what))
        });
        causes
    }

    /// The few largest causes of alarms and planned work.
    pub(super) fn few(by_name: impl IntoIterator<Item = (String, f64)>) -> Vec<Self> {
        let matter = by_name.into_iter().filter(|(_, tickets)| tickets.abs() >= CAUSE_MIN);
        let mut causes = Self::sorted(matter);
        causes.truncate(CAUSES_MAX);
        causes
    }
}

impl Say for Cause {
    fn say(&self, texts: &Texts) -> String {
        let what = self.what.as_str();
        match (what, what.strip_prefix(ADJUSTMENT)) {
            (PLANNED_WORK, _) => texts.text("forecast-cause-work", None),
            (OVERRUN, _) => texts.text("forecast-cause-overrun", None),
            (_, Some(label)) => texts.text("forecast-cause-entry", args!["label" => label]),
            (_, None) => texts.text("forecast-cause-alarms", args!["type" => what]),
        }
    }
}

/// Maximum number of causes of a vintage.
const CAUSES_MAX: usize = 5;
/// Minimum number of expected tickets of a named cause over the horizon.
const CAUSE_MIN: f64 = 0.5;

/// The method that was used because history is short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "depth", rename_all = "kebab-case")]
pub enum Fallback {
    /// Of earlier releases. Less than two weeks: last week's counts.
    OneWeek,
    /// Of earlier releases. Less than a week: the usual count at the time of day.
    Day,
    /// Of earlier releases. Less than a day, with this many known windows: their mean.
    Mean { windows: usize },
    /// No count at all.
    Nothing,
    /// This many whole days of history. From `settled_at` on, full accuracy is expected.
    Little {
        days: u32,
        settled_at: Timestamp,
        /// Whether the shape of the day is that of the same service and channel in another region.
        borrowed: bool,
    },
    /// The level changed permanently, to this percentage: earlier counts are scaled to it.
    Shifted { since: Timestamp, percent: u32 },
}

impl Say for Fallback {
    fn say(&self, texts: &Texts) -> String {
        match self {
            Self::OneWeek => texts.text("fallback-one-week", None),
            Self::Day => texts.text("fallback-day", None),
            Self::Mean { windows } => texts.text("fallback-mean", args!["n" => *windows]),
            Self::Nothing => texts.text("fallback-nothing", None),
            Self::Little { days, settled_at, borrowed } => {
                let id = if *borrowed { "fallback-borrowed" } else { "fallback-little" };
                texts.text(id, args!["n" => *days, "from" => texts.day(*settled_at)])
            }
            Self::Shifted { since, percent } => texts.text(
                "fallback-shifted",
                args!["percent" => *percent, "since" => texts.day(*since)],
            ),
        }
    }
}

/// One forecast as issued. It is never changed afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vintage {
    pub series: SeriesKey,
    /// End of the last finalized window that the forecast uses.
    pub issued_at: Timestamp,
    /// One per window over [`HORIZON`], the first starting at `issued_at`.
    pub targets: Vec<ForecastPoint>,
    /// Members of the model, such as `profile`.
    pub members: Vec<String>,
    /// The main causes of extra tickets, largest first.
    pub causes: Vec<Cause>,
    /// Surge probabilities, if alarms or planned work affect the series.
    pub surges: Option<Surges>,
    /// The method that was used if history is short.
    pub fallback: Option<Stored<Fallback>>,
}

/// Counts of one series, one value per window; NaN means missing, which is not zero.
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

    /// The count of a window; NaN if missing or outside.
    pub fn get(&self, index: i64) -> f32 {
        usize::try_from(index - self.first)
            .ok()
            .and_then(|i| self.counts.get(i).copied())
            .unwrap_or(f32::NAN)
    }

    /// Sets the count of a window and fills a gap before it with NaN. Windows before `first` are ignored.
    pub fn set(&mut self, index: i64, count: f32) {
        let Ok(i) = usize::try_from(index - self.first) else { return };
        if i >= self.counts.len() {
            self.counts.resize(i + 1, f32::NAN);
        }
        self.counts[i] = count;
    }

    /// Keeps only the last `keep` windows.
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
    use crate::text::Language;

    #[test]
    fn causes_are_named_in_both_languages() {
        let said = |what: &str| {
            let cause = Cause { what: what.into(), tickets: 1.0 };
            Language::ALL.map(|language| cause.say(&Texts::new(language)))
        };
        assert_eq!(said("LOS"), ["LOS", "LOS"]);
        assert_eq!(said(PLANNED_WORK), ["planned work", "计划作业"]);
        assert_eq!(said(OVERRUN), ["planned work that overruns", "超时的计划作业"]);
        assert_eq!(said("adjustment: run a"), ["entry “run a”", "录入“run a”"]);
    }

    #[test]
    fn normal_scores_are_those_of_the_quantiles() {
        for (p, z) in QUANTILES.into_iter().zip(NORMAL_SCORES) {
            assert!((normal::quantile(p) - z).abs() < 1e-9, "{p}");
        }
    }
}
