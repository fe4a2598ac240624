//! Types of anomalies.

use serde::{Deserialize, Serialize};

use crate::domain::{SeriesKey, Severity, Timestamp, Topic};
use crate::text::{Say, Stored, Texts, args};

/// Largest score.
pub(super) const SCORE_MAX: f64 = 20.0;

/// Kind of an anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// Far more tickets than forecast.
    High,
    /// Far fewer.
    Low,
    /// Far more complaints about network trouble than usual. The series is a scope's: channel `_all`.
    Complaints,
    /// A phrase that was new or rare before. The series is a scope's.
    Phrase,
    /// Somewhat more tickets than forecast in many windows in a row.
    ShiftUp,
    /// Somewhat fewer.
    ShiftDown,
    /// No tickets for so long that this is improbable, while other series have some.
    Vanished,
    /// Far more new alarms than usual. The series is a scope's.
    AlarmStorm,
    /// A source has sent nothing for far longer than usual. The series is that of all tickets.
    SilentSource,
    /// The forecasts of the last hours were wrong far too often. The series is a scope's.
    ForecastUnreliable,
}

impl AnomalyKind {
    /// Its name in the API and in ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Complaints => "complaints",
            Self::Phrase => "phrase",
            Self::ShiftUp => "shift_up",
            Self::ShiftDown => "shift_down",
            Self::Vanished => "vanished",
            Self::AlarmStorm => "alarm_storm",
            Self::SilentSource => "silent_source",
            Self::ForecastUnreliable => "forecast_unreliable",
        }
    }

    /// Whether this kind compares the counts of a series with their forecast.
    pub fn is_of_series(self) -> bool {
        use AnomalyKind::{High, Low, ShiftDown, ShiftUp, Vanished};
        matches!(self, High | Low | ShiftUp | ShiftDown | Vanished)
    }
}

/// Something unusual, as of a finalized window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    pub series: SeriesKey,
    /// Start of the window.
    pub window: Timestamp,
    pub kind: AnomalyKind,
    /// −log10 of the probability of a count at least this extreme, at most 20.
    pub score: f64,
    /// The actual value, depending on the kind: tickets of the window, or of the hours of a shift or an absence; alarms of an
    /// hour; minutes of silence; counts outside the band.
    pub actual: f64,
    /// The forecast or usual value, in the same unit.
    pub expected: f64,
    /// Further arguments of its sentence.
    pub detail: Stored<Detail>,
}

/// Active alarms of one severity and type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmGroup {
    pub n: usize,
    pub severity: Severity,
    pub alarm_type: Option<String>,
}

/// Active alarms of a scope: the most severe groups, and the number of alarms in all other groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmSummary {
    pub groups: Vec<AlarmGroup>,
    pub more: usize,
    /// If no alarm is active: minutes from the end of the last critical or major alarm to the end of the window; `None` if none
    /// ended within three hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_minutes: Option<u32>,
}

/// Details of an anomaly, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Detail {
    /// A count outside the forecast's 95 % interval.
    Outside {
        low: f64,
        high: f64,
    },
    /// Complaints about these topics, and the alarms that are active in the scope.
    Complaints {
        topics: Vec<Topic>,
        alarms: AlarmSummary,
    },
    /// A phrase, its tickets in this window, and those of the week before.
    Phrase {
        phrase: String,
        tickets: u32,
        before: u32,
    },
    /// The length of a shift in windows, and how many of them are on the same side of their forecast.
    Shift {
        minutes: u32,
        windows: u32,
        same_side: u32,
    },
    /// How long there has been no ticket.
    Vanished {
        minutes: u32,
    },
    AlarmStorm,
    /// The source whose silence is the most improbable, and how many other sources are silent.
    SilentSource {
        source: String,
        others: u32,
    },
    /// Windows that were compared with their forecast.
    ForecastUnreliable {
        windows: u32,
    },
}

impl Say for Anomaly {
    fn say(&self, texts: &Texts) -> String {
        let detail = match &self.detail {
            Stored::Sentence(sentence) => return sentence.clone(),
            Stored::Value(detail) => detail,
        };
        let actual = texts.number(self.actual, 0);
        let expected = |digits| texts.number(self.expected, digits);
        match detail {
            Detail::Outside { low, high } => {
                let (low, high) = (texts.number(*low, 0), texts.number(*high, 0));
                let args = args!["actual" => actual, "expected" => expected(0), "low" => low, "high" => high];
                texts.text("anomaly-outside", args)
            }
            Detail::Complaints { topics, alarms } => {
                let args = args![
                    "actual" => actual,
                    "topics" => texts.list(topics.iter().map(|topic| texts.topic(*topic))),
                    "usual" => expected(1),
                    "alarms" => alarms.say(texts),
                ];
                texts.text("anomaly-complaints", args)
            }
            Detail::Phrase { phrase, tickets, before } => {
                say_phrase(phrase, *tickets, *before, texts)
            }
            Detail::Shift { minutes, windows, same_side } => {
                let args = args![
                    "actual" => actual,
                    "expected" => expected(0),
                    "minutes" => *minutes,
                    "windows" => *windows,
                    "side" => *same_side,
                ];
                texts.text("anomaly-shift", args)
            }
            Detail::Vanished { minutes } => {
                texts.text("anomaly-vanished", args!["minutes" => *minutes, "usual" => expected(0)])
            }
            Detail::AlarmStorm => {
                texts.text("anomaly-alarm-storm", args!["actual" => actual, "usual" => expected(1)])
            }
            Detail::SilentSource { source, others } => {
                let source = source.as_str();
                let args = args!["source" => source, "minutes" => actual, "usual" => expected(0)];
                let said = texts.text("anomaly-silent-source", args);
                match others {
                    0 => said,
                    n => texts.text("anomaly-silent-others", args!["first" => said, "n" => *n]),
                }
            }
            Detail::ForecastUnreliable { windows } => {
                let args = args!["outside" => actual, "windows" => *windows];
                texts.text("anomaly-forecast-unreliable", args)
            }
        }
    }
}

fn say_phrase(phrase: &str, tickets: u32, before: u32, texts: &Texts) -> String {
    let id = if before == 0 { "anomaly-phrase-new" } else { "anomaly-phrase-rising" };
    let mut args = args!["phrase" => phrase, "tickets" => tickets];
    if let Some(args) = args.as_mut().filter(|_| before > 0) {
        args.set("before", before);
    }
    texts.text(id, args)
}

impl Say for AlarmSummary {
    fn say(&self, texts: &Texts) -> String {
        if self.groups.is_empty() {
            return match self.ended_minutes {
                Some(n) => texts.text("anomaly-alarms-ended", args!["n" => n]),
                None => texts.text("anomaly-no-alarm", None),
            };
        }
        let groups = self.groups.iter().map(|AlarmGroup { n, severity, alarm_type }| {
            let severity = texts.severity(*severity);
            match alarm_type.as_deref() {
                Some(name) => texts.text(
                    "anomaly-alarm-group",
                    args!["n" => *n, "severity" => severity, "type" => name],
                ),
                None => texts
                    .text("anomaly-alarm-group-untyped", args!["n" => *n, "severity" => severity]),
            }
        });
        let mut named: Vec<String> = groups.collect();
        if self.more > 0 {
            named.push(texts.text("anomaly-more-alarms", args!["n" => self.more]));
        }
        texts.text("anomaly-alarms", args!["list" => texts.list(named)])
    }
}

/// Rounds to two decimals, as scores are stored.
pub(super) fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
