//! The lay of the land: which series an alarm's scope has, with their counts and baselines.

use std::collections::{BTreeMap, HashMap};

use super::baseline::{Baseline, Baselines};
use super::channels::Channels;
use crate::domain::{Scope, SeriesKey, Timestamp, WindowWidth, Zone};
use crate::forecast::{AlarmSpell, History, Past, PlannedWork};

/// One series of a scope.
pub(super) struct Leaf<'a> {
    pub(super) key: &'a SeriesKey,
    pub(super) history: &'a History,
    pub(super) base: &'a Baseline,
    /// Number of the channel's kernel.
    pub(super) kernel: usize,
    /// Tickets of an average window.
    pub(super) mean: f64,
    /// Whether it is among the largest of its site: the others hardly tell how an incident goes.
    pub(super) tells: bool,
}

/// Series of a site that tell how an incident goes.
const TELLING: usize = 6;

impl Leaf<'_> {
    /// Tickets without alarms in a window: a baseline of nothing at all would make any ticket a proof.
    pub(super) fn expected(&self, index: i64) -> f64 {
        self.base.at(index).max(0.02 * self.mean).max(0.01)
    }

    /// What an incident of size 1 at full strength brings in a window that expects `expected`.
    pub(super) fn unit(&self, expected: f64, daytime: f64) -> f64 {
        if daytime <= 0.0 {
            return self.mean;
        }
        self.mean.powf(1.0 - daytime) * expected.powf(daytime)
    }

    /// Variance of the tickets of a window that expects `expected`.
    pub(super) fn variance(&self, expected: f64) -> f64 {
        expected + f64::from(self.base.dispersion) * expected.powi(2)
    }

    /// Tickets of a window before `origin`, `None` where they are missing.
    pub(super) fn count(&self, index: i64, origin: i64) -> Option<f64> {
        let count = f64::from(self.history.get(index));
        (index < origin && count.is_finite()).then_some(count.max(0.0))
    }
}

/// A region's service with its series.
pub(super) struct Site<'a> {
    pub(super) scope: Scope,
    pub(super) zone: Zone,
    pub(super) leaves: Vec<Leaf<'a>>,
}

/// Sites by scope, as known at an origin.
pub(super) struct SiteContext<'a> {
    pub(super) width: WindowWidth,
    /// First window that is not known.
    pub(super) origin: i64,
    pub(super) sites: Vec<Site<'a>>,
    index: HashMap<Scope, usize>,
}

impl<'a> SiteContext<'a> {
    pub(super) fn new(
        past: &Past<'a>,
        base: &'a Baselines,
        origin: i64,
        channels: &Channels,
    ) -> Self {
        let mut sites: BTreeMap<Scope, Site<'a>> = BTreeMap::new();
        for (key, history) in past.series.iter().filter(|(key, _)| !key.is_roll_up()) {
            let Some(base) = base.get(key) else { continue };
            let mean = f64::from(base.average);
            if mean.is_nan() || mean <= 0.0 {
                continue;
            }
            let scope = key.scope();
            let site = sites.entry(scope.clone()).or_insert_with(|| {
                let zone = past.place_of(key).zone;
                Site { scope, zone, leaves: Vec::new() }
            });
            let kernel = channels.number(&key.channel);
            site.leaves.push(Leaf { key, history, base, kernel, mean, tells: true });
        }
        let mut sites: Vec<Site<'a>> = sites.into_values().collect();
        for leaves in sites.iter_mut().map(|site| &mut site.leaves) {
            let mut means: Vec<f64> = leaves.iter().map(|leaf| leaf.mean).collect();
            means.sort_by(|a, b| b.total_cmp(a));
            let least = means[means.len().min(TELLING) - 1];
            leaves.iter_mut().for_each(|leaf| leaf.tells = leaf.mean >= least);
        }
        let index = sites.iter().enumerate().map(|(i, site)| (site.scope.clone(), i)).collect();
        Self { width: past.width, origin, sites, index }
    }

    /// The instant of the origin: what happens from then on is not known.
    pub(super) fn now(&self) -> Timestamp {
        self.width.start(self.origin)
    }

    /// Minutes of a window.
    pub(super) fn minutes(&self) -> f64 {
        f64::from(self.width.secs()) / 60.0
    }

    /// Alarms raised in `from..now`, by site and time; the order they are handed in does not matter.
    pub(super) fn alarms<'p>(&self, past: &Past<'p>, from: Timestamp) -> Vec<Vec<&'p AlarmSpell>> {
        let mut found: Vec<Vec<&AlarmSpell>> = vec![Vec::new(); self.sites.len()];
        let now = self.now();
        for spell in past.alarms.iter().filter(|s| s.raised_at >= from && s.raised_at < now) {
            if let Some(site) = self.index.get(&spell.scope) {
                found[*site].push(spell);
            }
        }
        for spells in &mut found {
            spells.sort_by(|a, b| {
                let key = |s: &AlarmSpell| (s.raised_at, s.severity, s.cleared_at);
                let text = |s: &'p AlarmSpell| (s.alarm_type.as_deref(), s.device.as_deref());
                key(a).cmp(&key(b)).then_with(|| text(a).cmp(&text(b)))
            });
        }
        found
    }

    /// Work that is known at the origin, touches `from` or later, and was not called off before it began.
    pub(super) fn work<'p>(&self, past: &Past<'p>, from: Timestamp) -> Vec<Vec<&'p PlannedWork>> {
        let now = self.now();
        let mut found: Vec<Vec<&PlannedWork>> = vec![Vec::new(); self.sites.len()];
        for work in past.work {
            let called_off = work.cancelled_at.is_some_and(|at| at < now && at <= work.starts_at);
            if work.announced_at >= now || called_off || work.ends_at < from {
                continue;
            }
            for (site, found) in self.sites.iter().zip(&mut found) {
                if work.covers(&site.scope) {
                    found.push(work);
                }
            }
        }
        for works in &mut found {
            works.sort_by_key(|w| (w.starts_at, w.ends_at, w.announced_at));
        }
        found
    }
}
