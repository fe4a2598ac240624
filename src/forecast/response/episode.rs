//! Episodes: alarms of one site that come together, and what they look like.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::class::{Classes, Gate};
use crate::domain::{Severity, Timestamp};
use crate::forecast::{AlarmSpell, PlannedWork};

/// What began an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fault,
    /// Alarms of planned work that stand past its planned end.
    Overrun,
}

/// An alarm joins while the last one is no older, ms.
const GAP_MS: i64 = 20 * 60_000;
/// What comes later than this after the first is an episode of its own, ms.
const SPAN_MS: i64 = 90 * 60_000;
/// Devices whose alarms are an episode together whatever their class: faults are told by how many they strike, too.
const MASS: usize = 3;
/// Features that every episode has; one a type follows.
pub(super) const FEATURES: usize = PLAIN + DEVICE_KNOTS.len();
/// Those of them before the ones of [`DEVICE_KNOTS`].
pub(super) const PLAIN: usize = 6;
/// Distinct devices at which what one more means may change: two a doubling.
const DEVICE_KNOTS: [f64; 6] = [2.0, 2.83, 4.0, 5.66, 8.0, 11.3];

/// Alarms that came together.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    /// Number of the site.
    pub(super) site: usize,
    pub(super) kind: Kind,
    pub(super) starts: Timestamp,
    /// When half of the alarms had cleared, where they have.
    pub(super) ended: Option<Timestamp>,
    /// 1, ln devices, ln raises per device, share of critical ones, overrun, within planned work, ln devices beyond
    /// [`DEVICE_KNOTS`].
    pub(super) features: [f64; FEATURES],
    /// Numbers of the alarm types and their shares of the devices.
    pub(super) types: Vec<(u16, f64)>,
    /// The most frequent type.
    pub(super) title: Arc<str>,
}

/// Episodes of one site from alarms by time, known at `now`.
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
        // Alarms are by time: only those raised during the work are looked at.
        let from = spells.partition_point(|s| s.raised_at < work.starts_at);
        let to = spells.partition_point(|s| s.raised_at < work.ends_at);
        let left: Vec<&AlarmSpell> =
            spells[from..to].iter().filter(|s| s.stands_at(work.ends_at)).copied().collect();
        let overrun = episode(site, Kind::Overrun, &left, &[], classes, now);
        found.extend(overrun.map(|e| Episode { starts: work.ends_at, ..e }));
    }
    found.sort_by_key(|e| e.starts);
    found
}

/// Alarms that come together.
#[derive(Default)]
struct Group<'a> {
    spells: Vec<&'a AlarmSpell>,
    /// Whether it is an episode: one of them opens it, or many devices do.
    is_open: bool,
    /// Its devices, until it is open.
    devices: Vec<Device<'a>>,
}

impl<'a> Group<'a> {
    /// Whether an alarm belongs to it. What opens an episode does not belong to alarms that are none by themselves.
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
            self.is_open = self.devices.len() >= MASS;
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

/// A device by its name, or by the type of alarm where it has none.
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
            Kind::Overrun => "planned work overruns".into(),
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

    /// An alarm after so many minutes: warnings open no episode by themselves.
    fn alarm(minutes: i64, severity: Severity, device: u32) -> AlarmSpell {
        let raised = Timestamp::from_secs(minutes * 60);
        AlarmSpell { severity, ..tests::alarm(raised, None, device, "linkDown") }
    }

    /// Start in minutes and number of devices of each episode.
    fn found(alarms: &[AlarmSpell]) -> Vec<(i64, usize)> {
        let classes = Classes::untaught(&Prior::shipped().alarm_class);
        let spells: Vec<&AlarmSpell> = alarms.iter().collect();
        let found = episodes(0, &spells, &[], &classes, Timestamp::from_secs(86_400));
        let devices = |e: &Episode| e.features[1].exp().round() as usize;
        found.iter().map(|e| (e.starts.millis() / 60_000, devices(e))).collect()
    }

    #[test]
    fn many_devices_are_an_episode_whatever_their_class() {
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
    fn what_opens_an_episode_joins_one_and_no_less() {
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
