//! Anomalies of the weeks: how many there are, and how many are false.
//!
//! An episode of `high`, `shift_up`, `complaints` or `phrase` is true if an incident raised the true rate of the series by a tenth
//! or more in one of the six hours before. An `alarm_storm` or a `forecast_unreliable` is true if an incident with severe alarms, or
//! one that raises the rate by a tenth, was there at this time. All other episodes are false: the operator never has fewer tickets
//! than usual, and its sources are never silent.

use std::collections::{BTreeMap, BTreeSet};

use surgecast::anomaly::{Anomaly, AnomalyKind};
use surgecast::domain::{HOUR, Name, SeriesKey};
use surgecast::simulate::IncidentKind;

use super::world::{WIDTH, World};

/// Windows before an anomaly in which an incident may explain it.
const WINDOWS: i64 = 24;
/// Smallest true excess of an incident, as a share of the usual rate.
const EXCESS: f64 = 0.1;

/// Number of episodes, and of false ones, by kind.
pub type Flags = BTreeMap<&'static str, (usize, usize)>;

impl World {
    /// Counts episodes by their worst window.
    pub fn flags(&mut self, peaks: &[Anomaly]) -> Flags {
        let mut flags = Flags::new();
        let mut seen = BTreeSet::new();
        for peak in peaks {
            if !seen.insert((peak.series.clone(), peak.kind, peak.window)) {
                continue;
            }
            let is_false = !self.is_true(peak);
            if is_false && std::env::var_os("SIGNAL_FALSE").is_some() {
                println!("false anomaly {peak:?}");
            }
            let count = flags.entry(peak.kind.as_str()).or_default();
            count.0 += 1;
            count.1 += usize::from(is_false);
        }
        flags
    }

    fn is_true(&mut self, peak: &Anomaly) -> bool {
        use AnomalyKind::{AlarmStorm, Complaints, ForecastUnreliable, High, Phrase, ShiftUp};
        match peak.kind {
            High | ShiftUp | Complaints | Phrase => self.is_raised(peak),
            AlarmStorm => self.has_alarms(peak),
            ForecastUnreliable => self.is_raised(peak) || self.has_alarms(peak),
            _ => false,
        }
    }

    fn is_raised(&mut self, peak: &Anomaly) -> bool {
        let matches = |own: &Name, leaf: &Name| *own == Name::all() || own == leaf;
        let covers = |leaf: &SeriesKey| {
            matches(&peak.series.region, &leaf.region)
                && matches(&peak.series.service, &leaf.service)
                && matches(&peak.series.channel, &leaf.channel)
        };
        let leaves = self.operator.series().to_vec();
        let places: Vec<_> = leaves.into_iter().filter(|(key, _)| covers(key)).collect();
        let last = WIDTH.index(peak.window);
        (last - WINDOWS..=last).any(|index| {
            let rates = places.iter().map(|(_, at)| self.operator.rate(*at, WIDTH.start(index)));
            let (rate, usual) = rates
                .fold((0.0, 0.0), |sum, one| (sum.0 + one.rate, sum.1 + one.without_incidents));
            rate >= usual * (1.0 + EXCESS)
        })
    }

    fn has_alarms(&mut self, peak: &Anomaly) -> bool {
        let day = WIDTH.index(peak.window).div_euclid(96);
        let incidents = self.operator.incidents(day - 1, day + 1);
        incidents.iter().any(|one| {
            let is_known = !matches!(one.kind, IncidentKind::Chatter | IncidentKind::Surge);
            let is_here = self.scope(one) == peak.series.scope();
            let is_now = one.starts <= WIDTH.end(peak.window) && one.ends + HOUR >= peak.window;
            is_known && is_here && is_now
        })
    }
}

/// Prints episodes a day.
pub fn print(flags: &Flags, days: i64) {
    let per = |n: usize| n as f64 / days as f64;
    let all = flags.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    for (kind, (n, wrong)) in flags.iter().map(|(kind, n)| (*kind, *n)).chain([("all", all)]) {
        println!("anomalies {kind:<20} {:>6.2} a day, false {:>6.2} a day", per(n), per(wrong));
    }
}
