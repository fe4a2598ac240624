//! What a fit has learned, or the prior says: one value that everything else reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::class::Classes;
use super::damp::DampLaw;
use super::ending::Ending;
use super::episode::{Episode, FIGURES};
use super::ground::Site;
use super::kernel::Kernel;
use super::onset::Onset;
use super::prior::{Prior, RealPrior, SizePrior};
use super::solve::{Row, dot};
use super::track::RESTLESS;
use super::work::WorkLaw;
use crate::domain::{Name, Scope};

/// A linear score of an episode: figures and types, then service, then region and service.
#[derive(Clone, Debug, Default)]
pub(super) struct Score {
    pub(super) coefficients: Vec<f64>,
    pub(super) services: BTreeMap<Name, f64>,
    pub(super) scopes: HashMap<Scope, f64>,
}

impl Score {
    pub(super) fn of(&self, episode: &Episode, site: &Site<'_>) -> f64 {
        let service = self.services.get(&site.scope.service).copied().unwrap_or(0.0);
        let scope = self.scopes.get(&site.scope).copied().unwrap_or(0.0);
        dot(&row(episode), &self.coefficients) + service + scope
    }
}

/// An episode's figures and type shares.
pub(super) fn row(episode: &Episode) -> Row {
    let figures = episode.figures.iter().copied().enumerate().filter(|(_, v)| *v != 0.0);
    let types =
        episode.types.iter().map(|(number, share)| (FIGURES + usize::from(*number), *share));
    figures.chain(types).collect()
}

#[derive(Clone, Debug)]
pub(super) struct Law {
    pub(super) classes: Classes,
    pub(super) channels: BTreeMap<Name, usize>,
    pub(super) kernels: Vec<Kernel>,
    /// Log-odds that an episode means tickets.
    pub(super) real: Score,
    /// ln of the excess in multiples of the average window.
    pub(super) size: Score,
    pub(super) size_spread: f64,
    pub(super) onset: Onset,
    pub(super) ending: Ending,
    /// 0: an incident brings as many tickets at any hour; 1: as the hour's own volume has it.
    pub(super) daytime: f64,
    /// Complaints at night, in multiples of those by day of the same incident.
    pub(super) night: f64,
    /// Spread of the ln of how far a day's level strays within hours, by itself.
    pub(super) restless: f64,
    pub(super) work: WorkLaw,
    pub(super) damp: DampLaw,
}

impl Law {
    /// Before any history. Kernels are numbered by the channels' names, so that laws of the same channels agree.
    pub(super) fn of_prior<'a>(prior: &Prior, channels: impl Iterator<Item = &'a Name>) -> Self {
        let channels: BTreeSet<&Name> = channels.collect();
        let names = channels.iter().map(|channel| channel.as_str());
        let kernel = |name| Kernel::of_prior(prior.channel(name), prior.night.backlog);
        let kernels = std::iter::once("default").chain(names).map(kernel).collect();
        let score = |c: [f64; FIGURES]| Score { coefficients: c.to_vec(), ..Score::default() };
        Self {
            classes: Classes::untaught(&prior.alarm_class),
            channels: channels.into_iter().cloned().zip(1..).collect(),
            kernels,
            real: score(real_figures(&prior.real)),
            size: score(size_figures(&prior.size)),
            size_spread: prior.size.spread,
            onset: Onset::of_prior(prior),
            ending: Ending::of_prior(&prior.ending),
            daytime: 0.0,
            night: prior.night.awake,
            restless: RESTLESS,
            work: WorkLaw::of_prior(&prior.work),
            damp: DampLaw::default(),
        }
    }

    /// Share of an incident's complaints that come, by how far people are asleep.
    pub(super) fn awake(&self, asleep: f64) -> f64 {
        1.0 - asleep * (1.0 - self.night)
    }

    /// Number of a channel's kernel; 0 for one that was not there at the fit.
    pub(super) fn kernel_of(&self, channel: &Name) -> usize {
        self.channels.get(channel).copied().unwrap_or(0)
    }
}

/// The prior's log-odds by figure.
pub(super) fn real_figures(r: &RealPrior) -> [f64; FIGURES] {
    let plain = [r.intercept, r.devices, r.repeats, r.critical, r.overrun, r.within_work];
    std::array::from_fn(|i| plain.get(i).copied().unwrap_or(0.0))
}

/// The prior's ln size by figure.
pub(super) fn size_figures(s: &SizePrior) -> [f64; FIGURES] {
    let plain = [s.median.ln(), s.devices, 0.0, s.critical];
    std::array::from_fn(|i| plain.get(i).copied().unwrap_or(0.0))
}
