//! `--history`: what a new installation would know at an origin.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{SeriesKey, Zone};
use crate::forecast::{AlarmSpell, History, Past, PlannedWork};

/// The counts, alarms and work of a short time before an origin.
pub struct Cut {
    series: BTreeMap<SeriesKey, History>,
    alarms: Vec<AlarmSpell>,
    work: Vec<PlannedWork>,
}

impl Cut {
    /// Cuts a past from `span` before the local midnight that precedes `origin`, up to `origin`.
    pub fn new(past: &Past<'_>, span: Duration, origin: i64) -> Self {
        let from = begin(past, span, origin);
        let since = past.width.start(from);
        let series =
            past.series.iter().map(|(key, history)| (key.clone(), part(history, from, origin)));
        let alarms = past.alarms.iter().filter(|alarm| alarm.raised_at >= since);
        let work = past.work.iter().filter(|work| work.announced_at >= since);
        Self {
            series: series.collect(),
            alarms: alarms.cloned().collect(),
            work: work.cloned().collect(),
        }
    }

    /// The cut in the form in which a model reads it.
    pub fn past<'a>(&'a self, whole: &Past<'a>) -> Past<'a> {
        Past { series: &self.series, alarms: &self.alarms, work: &self.work, ..*whole }
    }
}

/// First window of the history of an origin.
pub fn begin(past: &Past<'_>, span: Duration, origin: i64) -> i64 {
    midnight(past, past.place.zone, origin) - past.width.per(span).max(1) as i64
}

/// The last window before or at `origin` that starts a local day.
fn midnight(past: &Past<'_>, zone: Zone, origin: i64) -> i64 {
    let minutes = zone.minute_of_week(past.width.start(origin)) % 1440;
    origin - i64::from(minutes * 60 / past.width.secs())
}

fn part(history: &History, from: i64, to: i64) -> History {
    let first = history.first.max(from);
    let mut part = History::new(history.width, first);
    part.counts = (first..history.end().min(to)).map(|index| history.get(index)).collect();
    part
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{DAY, Timestamp, WindowWidth};
    use crate::forecast::Place;

    #[test]
    fn a_history_begins_whole_days_before_the_local_midnight_and_ends_at_the_origin() {
        let width = WindowWidth::HOUR;
        let zone: Zone = "Asia/Shanghai".parse().expect("a zone");
        let at = |text: &str| width.index(Timestamp::parse(text).expect("a time"));
        let first = at("2026-03-01T00:00:00Z");
        let mut history = History::new(width, first);
        history.counts = (0..20 * 24).map(|n| n as f32).collect();
        let key = SeriesKey::parse("north/tv/phone").expect("a series");
        let series = BTreeMap::from([(key.clone(), history.clone())]);
        let (places, place) = (BTreeMap::new(), Place { zone, calendar: Arc::default() });
        let past =
            Past { width, series: &series, alarms: &[], work: &[], places: &places, place: &place };
        // 09:00 in Shanghai; the local day began at 16:00 the day before.
        let origin = at("2026-03-10T01:00:00Z");
        for (days, begins) in [(1, "2026-03-08T16:00:00Z"), (30, "2026-03-01T00:00:00Z")] {
            let cut = Cut::new(&past, DAY * days, origin);
            let found = &cut.past(&past).series[&key];
            assert_eq!((found.first, found.end()), (at(begins), origin));
            assert_eq!(found.get(origin - 1), history.get(origin - 1));
        }
    }
}
