//! Episodes: groups of alarms at one site, and their features.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::class::{Classes, Gate};
use crate::domain::{Severity, Timestamp};
use crate::forecast::types::OVERRUN;
use crate::forecast::{AlarmSpell, PlannedWork};

/// Kind of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fault,
    /// Alarms of planned work that are active after its planned end.
    Overrun,
}

/// An alarm joins an episode if the previous alarm is at most this old, ms.
const GAP_MS: i64 = 20 * 60_000;
/// An alarm later than this after the first alarm begins a new episode, ms.
const SPAN_MS: i64 = 90 * 60_000;
/// Least number of devices whose alarms are an episode regardless of their class.
const DEVICES_MIN: usize = 3;
/// Number of features of every episode; one feature for each alarm type follows.
pub(super) const FEATURES: usize = PLAIN + DEVICE_KNOTS.len();
/// Number of features before those of [`DEVICE_KNOTS`].
pub(super) const PLAIN: usize = 6;
/// Knots of the piecewise linear effect of ln devices: two knots per doubling.
const DEVICE_KNOTS: [f64; 6] = [2.0, 2.83, 4.0, 5.66, 8.0, 11.3];

/// An episode.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    /// Number of the site.
    pub(super) site: usize,
    pub(super) kind: Kind,
    pub(super) starts: Timestamp,
    /// When half of the alarms had cleared; `None` if they have not.
    pub(super) ended: Option<Timestamp>,
    /// 1, ln devices, ln raises per device, share of critical alarms, overrun, within planned work, ln devices beyond each of
    /// [`DEVICE_KNOTS`].
    pub(super) features: [f64; FEATURES],
    /// Numbers of the alarm types and their shares of the devices.
    pub(super) types: Vec<(u16, f64)>,
    /// The most frequent type.
    pub(super) title: Arc<str>,
}

/// Episodes of one site at `now`, from alarms in order of time.
pub(super) fn episodes(
    site: usize,
    spells: &[&AlarmSpell],
    work: &[&PlannedWork],
    classes: &Classes,
    now: Timestamp,
) -> Vec<Episode> {
    let mut found = Vec::new();
    let mut group = Group::default();
    for spell in spells {
        let gate = classes.gate(spell);
        if gate == Gate::Ignored {
            continue;
        }
        if group.takes(spell, gate) {
            group.add(spell);
        } else {
            found.extend(group.episode(site, work, classes, now));
            group = Group { is_open: gate == Gate::Opens, ..Group::default() };
            group.add(spell);
        }
    }
    found.extend(group.episode(site, work, classes, now));
    for work in work.iter().filter(|w| w.ends_at < now) {
        // Alarms are in order of time: find those raised during the work.
        let from = spells.partition_point(|s| s.raised_at < work.starts_at);
        let to = spells.partition_point(|s| s.raised_at < work.ends_at);
        let active: Vec<&AlarmSpell> =
            spells[from..to].iter().filter(|s| s.is_active_at(work.ends_at)).copied().collect();
        let overrun = episode(site, Kind::Overrun, &active, &[], classes, now);
        found.extend(overrun.map(|e| Episode { starts: work.ends_at, ..e }));
    }
    found.sort_by_key(|e| e.starts);
    found
}

/// A group of alarms that may become an episode.
#[derive(Default)]
struct Group<'a> {
    spells: Vec<&'a AlarmSpell>,
    /// Whether it is an episode: it has an alarm of an opening class, or enough devices.
    is_open: bool,
    /// Its devices, collected until it is open.
    devices: Vec<Device<'a>>,
}

impl<'a> Group<'a> {
    /// Whether an alarm joins the group. An alarm that opens an episode does not join a group that is not open.
    fn takes(&self, spell: &AlarmSpell, gate: Gate) -> bool {
        let since = |earlier: &AlarmSpell| spell.raised_at.millis() - earlier.raised_at.millis();
        let ends = self.spells.first().zip(self.spells.last());
        (self.is_open || gate != Gate::Opens)
            && ends.is_some_and(|(first, last)| since(last) <= GAP_MS && since(first) <= SPAN_MS)
    }

    fn add(&mut self, spell: &'a AlarmSpell) {
        self.spells.push(spell);
        if !self.is_open {
            let device = device(spell);
            if !self.devices.contains(&device) {
                self.devices.push(device);
            }
            self.is_open = self.devices.len() >= DEVICES_MIN;
        }
    }

    fn episode(
        &self,
        site: usize,
        work: &[&PlannedWork],
        classes: &Classes,
        now: Timestamp,
    ) -> Option<Episode> {
        let spells = self.is_open.then_some(self.spells.as_slice())?;
        episode(site, Kind::Fault, spells, work, classes, now)
    }
}

/// A device by its name, or by the alarm type if it has no name.
type Device<'a> = (Option<&'a str>, Option<&'a str>);

fn device(spell: &AlarmSpell) -> Device<'_> {
    let kind = if spell.device.is_none() { spell.alarm_type.as_deref() } else { None };
    (spell.device.as_deref(), kind)
}

fn episode(
    site: usize,
    kind: Kind,
    group: &[&AlarmSpell],
    work: &[&PlannedWork],
    classes: &Classes,
    now: Timestamp,
) -> Option<Episode> {
    let first = group.first()?;
    let devices: HashSet<Device<'_>> = group.iter().map(|spell| device(spell)).collect();
    let mut by_type: BTreeMap<u16, f64> = BTreeMap::new();
    for spell in group {
        *by_type.entry(classes.number(spell)).or_default() += 1.0 / group.len() as f64;
    }
    let common = by_type.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
    let title = common.map_or(0, |(number, _)| *number);
    let critical = group.iter().filter(|s| s.severity == Severity::Critical).count();
    let within = work.iter().any(|w| w.starts_at <= first.raised_at && first.raised_at < w.ends_at);
    let n = devices.len() as f64;
    let mut features = [0.0; FEATURES];
    features[..PLAIN].copy_from_slice(&[
        1.0,
        n.ln(),
        (group.len() as f64 / n).ln(),
        critical as f64 / group.len() as f64,
        f64::from(u8::from(kind == Kind::Overrun)),
        f64::from(u8::from(within)),
    ]);
    for (feature, knot) in features[PLAIN..].iter_mut().zip(DEVICE_KNOTS) {
        *feature = (n / knot).ln().max(0.0);
    }
    Some(Episode {
        site,
        kind,
        starts: first.raised_at,
        ended: half_cleared(group, now),
        features,
        types: by_type.into_iter().collect(),
        title: match kind {
            Kind::Fault => classes.names[usize::from(title)].clone(),
            Kind::Overrun => OVERRUN.into(),
        },
    })
}

/// When half of the alarms had cleared, if that is known at `now`.
fn half_cleared(group: &[&AlarmSpell], now: Timestamp) -> Option<Timestamp> {
    let known = group.iter().filter_map(|s| s.cleared_at.filter(|at| *at < now));
    let mut cleared: Vec<Timestamp> = known.collect();
    let half = group.len().div_ceil(2);
    if cleared.len() < half {
        return None;
    }
    Some(*cleared.select_nth_unstable(half - 1).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::response::{Prior, tests};

    /// An alarm raised at this minute. An alarm of severity warning does not open an episode.
    fn alarm(minutes: i64, severity: Severity, device: u32) -> AlarmSpell {
        let raised = Timestamp::from_secs(minutes * 60);
        AlarmSpell { severity, ..tests::alarm(raised, None, device, "linkDown") }
    }

    /// Start in minutes and number of devices of each episode.
    fn found(alarms: &[AlarmSpell]) -> Vec<(i64, usize)> {
        let classes = Classes::of_prior(&Prior::shipped().alarm_class);
        let spells: Vec<&AlarmSpell> = alarms.iter().collect();
        let found = episodes(0, &spells, &[], &classes, Timestamp::from_secs(86_400));
        let devices = |e: &Episode| e.features[1].exp().round() as usize;
        found.iter().map(|e| (e.starts.millis() / 60_000, devices(e))).collect()
    }

    #[test]
    fn many_devices_are_an_episode_regardless_of_class() {
        let warning = |minutes, device| alarm(minutes, Severity::Warning, device);
        let critical = |minutes, device| alarm(minutes, Severity::Critical, device);
        assert_eq!(found(&[critical(0, 1)]), [(0, 1)]);
        assert_eq!(found(&[warning(0, 1), warning(1, 2)]), []);
        assert_eq!(found(&[warning(0, 1), warning(1, 2), warning(9, 3)]), [(0, 3)]);
        let flapping: Vec<AlarmSpell> = (0..9).map(|minute| warning(minute, 1)).collect();
        assert_eq!(found(&flapping), [], "one device");
        let apart = [warning(0, 1), warning(21, 2), warning(42, 3), warning(63, 4)];
        assert_eq!(found(&apart), [], "not together");
    }

    #[test]
    fn an_opening_alarm_joins_only_an_open_episode() {
        let mut alarms = vec![
            alarm(0, Severity::Warning, 1),
            alarm(1, Severity::Warning, 2),
            alarm(3, Severity::Critical, 4),
            alarm(4, Severity::Warning, 5),
        ];
        assert_eq!(found(&alarms), [(3, 2)], "two warnings before it are chatter");
        alarms.insert(2, alarm(2, Severity::Warning, 3));
        assert_eq!(found(&alarms), [(0, 5)]);
        alarms.push(alarm(30, Severity::Critical, 1));
        assert_eq!(found(&alarms), [(0, 5), (30, 1)]);
    }
}
