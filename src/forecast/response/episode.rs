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
/// Figures that every episode has; one a type follows.
pub(super) const FIGURES: usize = PLAIN + BENDS.len();
/// Those of them before the ones that bend.
pub(super) const PLAIN: usize = 6;
/// Distinct devices at which what one more means may change: two a doubling.
const BENDS: [f64; 6] = [2.0, 2.83, 4.0, 5.66, 8.0, 11.3];

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
    /// [`BENDS`].
    pub(super) figures: [f64; FIGURES],
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
    let mut group: Vec<&AlarmSpell> = Vec::new();
    for spell in spells {
        let gate = classes.gate(spell);
        if gate == Gate::Ignored {
            continue;
        }
        let since = |earlier: &AlarmSpell| spell.raised_at.millis() - earlier.raised_at.millis();
        let joins = group
            .first()
            .zip(group.last())
            .is_some_and(|(first, last)| since(last) <= GAP_MS && since(first) <= SPAN_MS);
        if joins {
            group.push(spell);
        } else if gate == Gate::Opens {
            found.extend(episode(site, Kind::Fault, &group, work, classes, now));
            group = vec![spell];
        }
    }
    found.extend(episode(site, Kind::Fault, &group, work, classes, now));
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

fn episode(
    site: usize,
    kind: Kind,
    group: &[&AlarmSpell],
    work: &[&PlannedWork],
    classes: &Classes,
    now: Timestamp,
) -> Option<Episode> {
    let first = group.first()?;
    let devices: HashSet<(Option<&str>, Option<&str>)> = group
        .iter()
        .map(|s| {
            let kind = if s.device.is_none() { s.alarm_type.as_deref() } else { None };
            (s.device.as_deref(), kind)
        })
        .collect();
    let mut by_type: BTreeMap<u16, f64> = BTreeMap::new();
    for spell in group {
        *by_type.entry(classes.number(spell)).or_default() += 1.0 / group.len() as f64;
    }
    let common = by_type.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
    let title = common.map_or(0, |(number, _)| *number);
    let critical = group.iter().filter(|s| s.severity == Severity::Critical).count();
    let within = work.iter().any(|w| w.starts_at <= first.raised_at && first.raised_at < w.ends_at);
    let n = devices.len() as f64;
    let mut figures = [0.0; FIGURES];
    figures[..PLAIN].copy_from_slice(&[
        1.0,
        n.ln(),
        (group.len() as f64 / n).ln(),
        critical as f64 / group.len() as f64,
        f64::from(u8::from(kind == Kind::Overrun)),
        f64::from(u8::from(within)),
    ]);
    for (figure, bend) in figures[PLAIN..].iter_mut().zip(BENDS) {
        *figure = (n / bend).ln().max(0.0);
    }
    Some(Episode {
        site,
        kind,
        starts: first.raised_at,
        ended: half_cleared(group, now),
        figures,
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
