//! Sites: the series of each alarm scope, with their counts and baselines.

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
    /// Whether its tickets are evidence for episodes. Only those of the largest series of a site are.
    pub(super) is_evidence: bool,
}

/// Maximum number of series of a site whose tickets are evidence.
const EVIDENCE_MAX: usize = 6;

impl Leaf<'_> {
    /// Expected tickets without alarms in a window, always above zero: with a baseline of zero, any ticket would prove an
    /// incident.
    pub(super) fn expected(&self, index: i64) -> f64 {
        self.base.at(index).max(0.02 * self.mean).max(0.01)
    }

    /// Tickets of an incident of size 1 at full strength in a window with `expected` tickets.
    pub(super) fn unit(&self, expected: f64, daytime: f64) -> f64 {
        if daytime <= 0.0 {
            return self.mean;
        }
        self.mean.powf(1.0 - daytime) * expected.powf(daytime)
    }

    /// Variance of the tickets of a window with `expected` tickets.
    pub(super) fn variance(&self, expected: f64) -> f64 {
        expected + f64::from(self.base.dispersion) * expected.powi(2)
    }

    /// Tickets of a window before `origin`; `None` if missing.
    pub(super) fn count(&self, index: i64, origin: i64) -> Option<f64> {
        let count = f64::from(self.history.get(index));
        (index < origin && count.is_finite()).then_some(count.max(0.0))
    }
}

/// A service in a region, with its series.
pub(super) struct Site<'a> {
    pub(super) scope: Scope,
    pub(super) zone: Zone,
    pub(super) leaves: Vec<Leaf<'a>>,
}

/// All sites, as known at an origin.
pub(super) struct SiteContext<'a> {
    pub(super) width: WindowWidth,
    /// First unknown window.
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
            site.leaves.push(Leaf { key, history, base, kernel, mean, is_evidence: true });
        }
        let mut sites: Vec<Site<'a>> = sites.into_values().collect();
        for leaves in sites.iter_mut().map(|site| &mut site.leaves) {
            let mut means: Vec<f64> = leaves.iter().map(|leaf| leaf.mean).collect();
            means.sort_by(|a, b| b.total_cmp(a));
            let least = means[means.len().min(EVIDENCE_MAX) - 1];
            leaves.iter_mut().for_each(|leaf| leaf.is_evidence = leaf.mean >= least);
        }
        let index = sites.iter().enumerate().map(|(i, site)| (site.scope.clone(), i)).collect();
        Self { width: past.width, origin, sites, index }
    }

    /// The time of the origin.
    pub(super) fn now(&self) -> Timestamp {
        self.width.start(self.origin)
    }

    /// Length of a window, minutes.
    pub(super) fn minutes(&self) -> f64 {
        f64::from(self.width.secs()) / 60.0
    }

    /// Alarms raised in `from..now`, by site and time. The order in `past` does not matter.
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

    /// Work by site that is known at the origin, ends at `from` or later, and was not cancelled before its start.
    pub(super) fn work<'p>(&self, past: &Past<'p>, from: Timestamp) -> Vec<Vec<&'p PlannedWork>> {
        let now = self.now();
        let mut found: Vec<Vec<&PlannedWork>> = vec![Vec::new(); self.sites.len()];
        for work in past.work {
            let is_cancelled = work.cancelled_at.is_some_and(|at| at < now && at <= work.starts_at);
            if work.announced_at >= now || is_cancelled || work.ends_at < from {
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
