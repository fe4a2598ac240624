//! Episodes: consecutive anomalies are one event with a start, a peak and an end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::types::{Anomaly, AnomalyKind, Detail};
use crate::domain::{HOUR, Scope, SeriesKey, Timestamp, WindowWidth};
use crate::text::Stored;

/// Anomalies of one series and kind belong to one episode if at most this time lies between them.
pub const APART: Duration = HOUR;

/// One ongoing event of a series: anomalies of one kind that lie close together. Each phrase has episodes of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Stable from its first window on: kind, series and start.
    pub id: String,
    /// Start of its first window.
    pub since: Timestamp,
    /// End of its last window so far.
    pub until: Timestamp,
    /// Start of the window with the highest score; of windows with equal scores, the one with the largest difference.
    pub peak: Timestamp,
    score: f64,
    off_by: f64,
}

impl Episode {
    fn begin(anomaly: &Anomaly, width: WindowWidth) -> Self {
        let Anomaly { series, window, .. } = anomaly;
        let kind = anomaly.kind.as_str();
        let SeriesKey { region, service, channel } = series;
        Self {
            id: format!("{kind}.{region}.{service}.{channel}.{}", window.secs()),
            since: *window,
            until: width.end(*window),
            peak: *window,
            score: anomaly.score,
            off_by: off_by(anomaly),
        }
    }

    fn goes_on(&mut self, anomaly: &Anomaly, width: WindowWidth) {
        self.until = width.end(anomaly.window);
        let off_by = off_by(anomaly);
        if (anomaly.score, off_by) > (self.score, self.off_by) {
            (self.peak, self.score, self.off_by) = (anomaly.window, anomaly.score, off_by);
        }
    }
}

fn off_by(anomaly: &Anomaly) -> f64 {
    (anomaly.actual - anomaly.expected).abs()
}

/// What distinguishes episodes of one series and kind: the phrase.
fn label(anomaly: &Anomaly) -> &str {
    match &anomaly.detail {
        Stored::Value(Detail::Phrase { phrase, .. }) => phrase,
        _ => "",
    }
}

/// The episode of each anomaly. `anomalies` are in the order of their windows.
pub fn episodes(anomalies: &[Anomaly], width: WindowWidth) -> Vec<Episode> {
    let mut open: BTreeMap<(&SeriesKey, AnomalyKind, &str), usize> = BTreeMap::new();
    let mut all: Vec<Episode> = Vec::new();
    let mut numbers = Vec::with_capacity(anomalies.len());
    for anomaly in anomalies {
        let key = (&anomaly.series, anomaly.kind, label(anomaly));
        let known = open.get(&key).filter(|known| anomaly.window <= all[**known].until + APART);
        let number = match known {
            Some(known) => {
                all[*known].goes_on(anomaly, width);
                *known
            }
            None => {
                all.push(Episode::begin(anomaly, width));
                all.len() - 1
            }
        };
        open.insert(key, number);
        numbers.push(number);
    }
    numbers.into_iter().map(|number| all[number].clone()).collect()
}

/// Series with an ongoing episode: the kinds, and the last window of each.
#[derive(Clone, Debug, Default)]
pub struct Ongoing(BTreeMap<SeriesKey, BTreeMap<AnomalyKind, Timestamp>>);

impl Ongoing {
    /// Restores the ongoing episodes from the anomalies of the last two hours, after the window that starts at `window`.
    pub fn restore(anomalies: &[Anomaly], window: Timestamp) -> Self {
        let mut own = Self::default();
        anomalies.iter().for_each(|anomaly| own.add(anomaly));
        own.take(window, &[]);
        own
    }

    fn add(&mut self, anomaly: &Anomaly) {
        if !anomaly.kind.is_of_series() {
            return;
        }
        let kinds = self.0.entry(anomaly.series.clone()).or_default();
        let last = kinds.entry(anomaly.kind).or_insert(anomaly.window);
        *last = anomaly.window.max(*last);
    }

    /// Takes the anomalies of the window that starts at `window`, and forgets episodes that are over.
    pub fn take(&mut self, window: Timestamp, found: &[Anomaly]) {
        self.0.retain(|_, kinds| {
            kinds.retain(|_, last| *last + APART >= window);
            !kinds.is_empty()
        });
        found.iter().for_each(|anomaly| self.add(anomaly));
    }

    /// Whether a series has an ongoing episode.
    pub(super) fn has(&self, series: &SeriesKey) -> bool {
        self.0.contains_key(series)
    }

    /// Whether a series has an ongoing episode of one of these kinds.
    pub(super) fn covers(&self, series: &SeriesKey, kinds: &[AnomalyKind]) -> bool {
        self.0.get(series).is_some_and(|own| kinds.iter().any(|kind| own.contains_key(kind)))
    }

    /// Whether a series of a region and service has an ongoing episode.
    pub(super) fn touches(&self, scope: &Scope) -> bool {
        self.0.keys().any(|series| series.region == scope.region && series.service == scope.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: WindowWidth = WindowWidth::QUARTER;

    fn anomaly(series: &str, at: i64, score: f64) -> Anomaly {
        Anomaly {
            series: SeriesKey::parse(series).expect("a series"),
            window: WIDTH.start(at),
            kind: AnomalyKind::High,
            score,
            actual: 40.0 + score,
            expected: 10.0,
            detail: Detail::Outside { low: 4.0, high: 16.0 }.into(),
        }
    }

    fn phrase(at: i64, phrase: &str) -> Anomaly {
        let detail = Detail::Phrase { phrase: phrase.into(), tickets: 9, before: 0 }.into();
        let kind = AnomalyKind::Phrase;
        Anomaly { kind, detail, ..anomaly("north/tv/_all", at, 6.0) }
    }

    /// First window, end and peak of each anomaly's episode.
    fn shown(all: &[Anomaly]) -> Vec<String> {
        let index = |at| WIDTH.index(at);
        let of =
            |own: Episode| format!("{}-{}^{}", index(own.since), index(own.until), index(own.peak));
        episodes(all, WIDTH).into_iter().map(of).collect()
    }

    #[test]
    fn windows_close_together_are_one_episode() {
        let tv = |at, score| anomaly("north/tv/phone", at, score);
        let all = [tv(1, 5.0), tv(2, 8.0), tv(5, 6.0)];
        assert_eq!(shown(&all), ["1-6^2"; 3], "a break of two windows");
        let ids: Vec<String> = episodes(&all, WIDTH).into_iter().map(|own| own.id).collect();
        assert_eq!(ids, ["high.north.tv.phone.900"; 3]);
        // An hour between them is one episode, five windows are not.
        assert_eq!(shown(&[tv(1, 5.0), tv(6, 5.0)]), ["1-7^1"; 2]);
        assert_eq!(shown(&[tv(1, 5.0), tv(7, 6.0)]), ["1-2^1", "7-8^7"]);
        // Scores end at 20: beyond that, the count decides.
        let far = Anomaly { actual: 900.0, ..tv(3, 20.0) };
        assert_eq!(shown(&[tv(2, 20.0), far, tv(4, 20.0)]), ["2-5^3"; 3]);
        let other = anomaly("north/tv/chat", 2, 7.0);
        let low = Anomaly { kind: AnomalyKind::Low, ..tv(2, 7.0) };
        assert_eq!(shown(&[tv(1, 5.0), other, low]), ["1-2^1", "2-3^2", "2-3^2"]);
        let phrases = [phrase(1, "no signal"), phrase(2, "billing"), phrase(3, "no signal")];
        assert_eq!(shown(&phrases), ["1-4^1", "2-3^2", "1-4^1"]);
    }
}
