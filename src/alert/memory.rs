//! History that only the rules need: when sources sent events, and how many tickets were open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rules::{BacklogState, SourceState};
use crate::domain::{DAY, SeriesKey, SourceId, Timestamp, WindowWidth};

/// Number of days from which usual silences and open tickets are computed.
const DAYS: usize = 14;
/// Maximum number of silences that are kept for a source, the longest ones.
const GAPS_MAX: usize = 32;
/// A source is judged once it has been known for this long and has had events in this many windows.
const KNOWN_FOR: Duration = Duration::from_secs(2 * DAY.as_secs());
const WINDOWS_MIN: u32 = 48;
/// Consecutive windows in which a backlog has to grow.
pub(super) const GROWING_WINDOWS: usize = 4;

/// The history that the rules need. It is stored with the windows from which it follows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleMemory {
    pub sources: SourceMemory,
    pub backlogs: BacklogMemory,
}

/// When each source sent events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceMemory {
    by_source: BTreeMap<SourceId, Activity>,
    /// Windows with events that are not finalized yet.
    #[serde(skip)]
    open: BTreeMap<Timestamp, BTreeSet<SourceId>>,
}

/// When a source sent events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Activity {
    since: Timestamp,
    /// End of its last window with events.
    last: Timestamp,
    windows: u32,
    /// Its longest silences: end and milliseconds.
    gaps: Vec<(Timestamp, u64)>,
}

impl SourceMemory {
    /// Records that a source has events in the window that starts at `start`.
    pub fn note(&mut self, source: &SourceId, start: Timestamp) {
        let sources = self.open.entry(start).or_default();
        if !sources.contains(source) {
            sources.insert(source.clone());
        }
    }

    /// Moves on to the end of a finalized window. Sources that are not among `known` are forgotten.
    pub fn advance(
        &mut self,
        end: Timestamp,
        width: WindowWidth,
        known: impl Fn(&SourceId) -> bool,
    ) {
        let later = self.open.split_off(&end);
        for (start, sources) in std::mem::replace(&mut self.open, later) {
            for source in sources {
                let fresh = Activity { since: start, last: start, windows: 0, gaps: Vec::new() };
                self.by_source.entry(source).or_insert(fresh).sent(start, width.end(start));
            }
        }
        self.by_source.retain(|source, _| known(source));
        for own in self.by_source.values_mut() {
            own.gaps.retain(|(at, _)| *at + DAY * DAYS as u32 > end);
        }
    }

    /// Start of the silence of each source that has been silent for longer than usual.
    pub fn quiet_since(&self, now: Timestamp, width: WindowWidth) -> Vec<Timestamp> {
        let states = self.states(now, width).into_iter();
        states.filter(|state| state.is_quiet(now)).map(|state| state.last).collect()
    }

    /// The state of each source as of `now`.
    pub fn states(&self, now: Timestamp, width: WindowWidth) -> Vec<SourceState> {
        let state = |(source, own): (&SourceId, &Activity)| SourceState {
            source: source.clone(),
            last: own.last,
            usual: own.usual(now, width),
            windows: own.windows,
        };
        self.by_source.iter().map(state).collect()
    }
}

impl Activity {
    fn sent(&mut self, start: Timestamp, end: Timestamp) {
        if end <= self.last {
            return;
        }
        let gap = start.since(self.last).as_millis() as u64;
        if gap > 0 && self.windows > 0 {
            self.gaps.push((start, gap));
            self.gaps.sort_by_key(|(at, gap)| (std::cmp::Reverse(*gap), *at));
            self.gaps.truncate(GAPS_MAX);
        }
        self.last = end;
        self.windows = self.windows.saturating_add(1);
    }

    /// The second longest silence of two weeks, so that one outage does not become usual; at least a window.
    fn usual(&self, now: Timestamp, width: WindowWidth) -> Option<Duration> {
        let is_known = now.since(self.since) >= KNOWN_FOR && self.windows >= WINDOWS_MIN;
        let second = self.gaps.get(1).map_or(0, |(_, gap)| *gap);
        is_known.then(|| Duration::from_millis(second).max(width.length()))
    }
}

/// How many tickets were open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BacklogMemory {
    by_series: BTreeMap<SeriesKey, Opens>,
}

/// How many tickets of a series were open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Opens {
    /// Open tickets at the end of the last windows, the newest last.
    recent: Vec<u32>,
    /// The daily maximum of open tickets for the last whole days, the newest last.
    days: Vec<u32>,
    today: Timestamp,
    most_today: u32,
}

impl BacklogMemory {
    /// Takes the open tickets of all series whose number is known, at the end of a window.
    pub fn advance<'k>(
        &mut self,
        end: Timestamp,
        width: WindowWidth,
        known: impl Iterator<Item = (&'k SeriesKey, u32)>,
    ) {
        let today = (end - width.length()).utc_midnight();
        let mut seen = BTreeSet::new();
        for (series, open) in known {
            seen.insert(series);
            if !self.by_series.contains_key(series) {
                self.by_series.insert(series.clone(), Opens { today, ..Opens::default() });
            }
            let Some(own) = self.by_series.get_mut(series) else { continue };
            if own.today != today {
                own.days.push(own.most_today);
                let surplus = own.days.len().saturating_sub(DAYS);
                own.days.drain(..surplus);
                (own.today, own.most_today) = (today, 0);
            }
            own.most_today = own.most_today.max(open);
            own.recent.push(open);
            let surplus = own.recent.len().saturating_sub(GROWING_WINDOWS + 1);
            own.recent.drain(..surplus);
        }
        // Numbers before a gap do not show growth.
        self.by_series.retain(|series, own| {
            if !seen.contains(series) {
                own.recent.clear();
            }
            own.today + DAY * DAYS as u32 > end
        });
    }

    /// The state of each series whose number of open tickets is known.
    pub fn states(&self) -> Vec<BacklogState> {
        let known = self.by_series.iter().filter(|(_, own)| !own.recent.is_empty());
        let state = |(series, own): (&SeriesKey, &Opens)| BacklogState {
            series: series.clone(),
            recent: own.recent.clone(),
            days: own.days.iter().map(|n| f64::from(*n)).collect(),
        };
        known.map(state).collect()
    }
}
