//! A fit: what eight weeks of alarms and tickets taught.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use super::baseline::{Baselines, learned_from};
use super::class::Classes;
use super::damp::DampLaw;
use super::episode::{Episode, episodes};
use super::filter::{EVIDENCE_HOURS, Posterior};
use super::ground::{Ground, Site};
use super::law::Law;
use super::learn::{EPISODES_MAX, Explained, FIRST, THEN, TRACKS_MAX, learn};
use super::prior::Prior;
use super::track::{Track, restless};
use super::work::WorkLaw;
use crate::domain::{SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{AlarmSpell, History, Past, PlannedWork};

/// An episode whose odds and tickets both say nothing is not looked into: standard deviations.
const NOTICEABLE: f64 = 1.0;

/// What alarms mean here. Depends on windows, alarms and work before `until` alone.
#[derive(Clone, Debug)]
pub struct Response {
    pub(super) law: Law,
    /// Tickets by window that past alarms and planned work account for, never more than came; negative where alarms kept
    /// tickets away.
    pub(super) past: BTreeMap<SeriesKey, HashMap<i64, f32>>,
}

impl Response {
    /// What the prior says, for an operator without history.
    pub fn untaught(past: &Past<'_>, prior: &Prior) -> Self {
        let law = Law::of_prior(prior, past.series.keys().map(|key| &key.channel));
        Self { law, past: BTreeMap::new() }
    }

    /// Learns from up to eight weeks before window `until`. `base` says what each series would have brought
    /// without alarms; series that it does not have, and roll-ups, teach nothing.
    ///
    /// A first look: `base` is still lifted by what alarms brought.
    pub fn fit(past: &Past<'_>, base: &Baselines, until: i64, prior: &Prior) -> Self {
        Self::untaught(past, prior).looked(past, base, until, prior, FIRST)
    }

    /// Learns on from a `base` that was told without what [`Self::cleaned`] takes out.
    pub fn refined(self, past: &Past<'_>, base: &Baselines, until: i64, prior: &Prior) -> Self {
        self.looked(past, base, until, prior, THEN)
    }

    fn looked(
        mut self,
        past: &Past<'_>,
        base: &Baselines,
        until: i64,
        prior: &Prior,
        rounds: Range<usize>,
    ) -> Self {
        let law = &mut self.law;
        let ground = Ground::new(past, base, until, law);
        let from = learned_from(past.width, until);
        let start = past.width.start(from);
        let (alarms, work) = (ground.alarms(past, start), ground.work(past, start));
        law.classes = Classes::learn(&ground, &alarms, from, &prior.alarm_class);
        law.damp = DampLaw::learn(&ground, &alarms);
        law.restless = restless(&ground, from);
        law.work = WorkLaw::learn(&ground, &work, from, &prior.work);
        let mut found: Vec<Episode> = Vec::new();
        for (site, spells) in alarms.iter().enumerate() {
            let spells = law.damp.others(&ground.sites[site].scope, spells);
            found.extend(episodes(site, &spells, &work[site], &law.classes, ground.now()));
        }
        learn(law, prior, &ground, &sample(&ground, &found), rounds);
        self.past.clear();
        for (number, site) in ground.sites.iter().enumerate() {
            let from = found.partition_point(|e| e.site < number);
            let to = found.partition_point(|e| e.site <= number);
            let explained = explain(law, &ground, site, &found[from..to], &work[number], |_, _| {});
            for (leaf, tickets) in site.leaves.iter().zip(explained) {
                if !tickets.is_empty() {
                    self.past.insert(leaf.key.clone(), tickets);
                }
            }
        }
        self
    }

    /// A history without what alarms account for, as of the fit.
    pub fn cleaned<'h>(&self, series: &SeriesKey, history: &'h History) -> Cow<'h, History> {
        without(history, windows(&self.past, series))
    }
}

/// Tickets by window of a series.
pub(super) fn windows<'p>(
    past: &'p BTreeMap<SeriesKey, HashMap<i64, f32>>,
    series: &SeriesKey,
) -> impl Iterator<Item = (i64, f64)> + use<'p> {
    let found = past.get(series).into_iter().flatten();
    found.map(|(index, tickets)| (*index, f64::from(*tickets)))
}

/// A history less tickets by window.
pub(super) fn without<'h>(
    history: &'h History,
    tickets: impl Iterator<Item = (i64, f64)>,
) -> Cow<'h, History> {
    let mut cleaned = Cow::Borrowed(history);
    for (index, tickets) in tickets {
        let count = cleaned.get(index);
        if !count.is_nan() {
            cleaned.to_mut().set(index, (f64::from(count) - tickets).max(0.0) as f32);
        }
    }
    cleaned
}

/// Evenly spread episodes, no more than can be learned from in seconds.
fn sample<'e>(ground: &Ground<'_>, all: &'e [Episode]) -> Vec<&'e Episode> {
    let tracks: usize = all.iter().map(|e| ground.sites[e.site].leaves.len()).sum();
    let step = all.len().div_ceil(EPISODES_MAX).max(tracks.div_ceil(TRACKS_MAX)).max(1);
    all.iter().step_by(step).collect()
}

/// Tickets by window and leaf that a site's episodes and work account for. `each` is shown the episodes that
/// may be felt.
pub(super) fn explain(
    law: &Law,
    ground: &Ground<'_>,
    site: &Site<'_>,
    episodes: &[Episode],
    work: &[&PlannedWork],
    mut each: impl FnMut(&Episode, &Posterior),
) -> Vec<HashMap<i64, f32>> {
    let mut explained = works(law, ground, site, work);
    for episode in episodes {
        let others = |leaf: usize, index: i64| explained.at(leaf, index);
        let track = Track::new(ground, site, episode, EVIDENCE_HOURS, law, &others);
        if !noticeable(law, site, episode, &track) {
            continue;
        }
        let posterior = Posterior::new(law, ground, site, episode, &track);
        if posterior.real > 0.02 {
            explained.add(&track, &posterior.expected(law, ground, episode, &track));
        }
        each(episode, &posterior);
    }
    let leaves = site.leaves.iter().enumerate();
    leaves
        .map(|(number, leaf)| {
            let shares = explained.windows(number).filter_map(|(index, tickets)| {
                let count = leaf.count(index, ground.origin)?;
                let share = count * tickets / (leaf.expected(index) + tickets);
                (share > 0.01).then_some((index, share as f32))
            });
            shares.collect()
        })
        .collect()
}

/// Adds what damping alarms kept away since `from`, as negative tickets.
pub(super) fn damp(
    law: &Law,
    ground: &Ground<'_>,
    site: &Site<'_>,
    spells: &[&AlarmSpell],
    from: Timestamp,
    explained: &mut [HashMap<i64, f32>],
) {
    let damping = law.damp.of(&site.scope, spells, ground.now());
    if damping.is_none() {
        return;
    }
    for index in ground.width.index(from)..ground.origin {
        let at = middle(ground.width, index);
        let factor: f64 = damping.factors(at).map(|(_, ways)| ways[0].1).product();
        if (factor - 1.0).abs() < 0.01 {
            continue;
        }
        for (leaf, explained) in site.leaves.iter().zip(explained.iter_mut()) {
            // As much as a forecast takes off: where another share than usual comes, that is carried on as it is.
            if leaf.count(index, ground.origin).is_some() {
                let kept = (factor - 1.0) * leaf.expected(index);
                *explained.entry(index).or_default() += kept as f32;
            }
        }
    }
}

/// Tickets of planned work so far.
pub(super) fn works(
    law: &Law,
    ground: &Ground<'_>,
    site: &Site<'_>,
    work: &[&PlannedWork],
) -> Explained {
    let mut explained = Explained::default();
    for work in work {
        let first = ground.width.index(work.starts_at);
        let last = ground.width.index(work.ends_at + Duration::from_secs(7200)) + 1;
        for (number, leaf) in site.leaves.iter().enumerate() {
            for index in first..last.min(ground.origin) {
                let tickets = law.work.effect(&[work], leaf, middle(ground.width, index));
                explained.raise(number, site.leaves.len(), index, tickets);
            }
        }
    }
    explained
}

pub(super) fn middle(width: WindowWidth, index: i64) -> Timestamp {
    width.start(index) + width.length() / 2
}

/// Whether an episode may be felt before its tickets are looked at, or they rose at all.
fn noticeable(law: &Law, site: &Site<'_>, episode: &Episode, track: &Track) -> bool {
    let odds = law.real.of(episode, site);
    // While little has been seen, the odds decide.
    let waits = episode.ended.is_none() || track.windows < 16;
    if odds > -0.5 || (waits && odds > -4.0) {
        return true;
    }
    let (mut excess, mut variance) = (0.0, 1.0);
    for leaf in &track.leaves {
        for (count, expected) in leaf.count.iter().zip(&leaf.expected) {
            if !count.is_nan() {
                excess += count - expected;
                variance += expected;
            }
        }
    }
    excess > NOTICEABLE * variance.sqrt()
}
