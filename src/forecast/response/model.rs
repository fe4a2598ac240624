//! Parameters of the alarm response, learned or from the prior.

use std::collections::{BTreeMap, HashMap};

use super::channels::Channels;
use super::class::Classes;
use super::context::Site;
use super::damp::DampingModel;
use super::ending::Ending;
use super::episode::{Episode, FEATURES};
use super::kernel::Kernel;
use super::onset::Onset;
use super::prior::{Prior, RealPrior, SizePrior};
use super::volatility::VOLATILITY;
use super::work::WorkEffect;
use crate::domain::{Name, Scope};
use crate::stats::{SparseRow, sparse_dot};

/// A linear score of an episode: features and types, plus service, plus region and service.
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
        sparse_dot(&row(episode), &self.coefficients) + service + scope
    }
}

/// An episode's features and type shares as a sparse row.
pub(super) fn row(episode: &Episode) -> SparseRow {
    let features = episode.features.iter().copied().enumerate().filter(|(_, v)| *v != 0.0);
    let types =
        episode.types.iter().map(|(number, share)| (FEATURES + usize::from(*number), *share));
    features.chain(types).collect()
}

/// Parameters of the alarm response.
#[derive(Clone, Debug)]
pub(super) struct ResponseModel {
    pub(super) classes: Classes,
    pub(super) channels: Channels,
    pub(super) kernels: Vec<Kernel>,
    /// Log-odds that customers notice an episode.
    pub(super) real: Score,
    /// ln of the excess in multiples of the average window.
    pub(super) size: Score,
    pub(super) size_spread: f64,
    pub(super) onset: Onset,
    pub(super) ending: Ending,
    /// 0: an incident causes the same tickets at any hour; 1: in proportion to the usual volume of the hour.
    pub(super) daytime: f64,
    /// Complaints at night, in multiples of those by day for the same incident.
    pub(super) night: f64,
    /// Level volatility: standard deviation of ln level within hours, without incidents.
    pub(super) level_volatility: f64,
    pub(super) work: WorkEffect,
    pub(super) damp: DampingModel,
}

impl ResponseModel {
    /// The prior model. Kernels are numbered like their channels; 0 is for unknown channels.
    pub(super) fn of_prior<'a>(prior: &Prior, channels: impl Iterator<Item = &'a Name>) -> Self {
        let channels = Channels::new(channels);
        let names = channels.names().map(Name::as_str);
        let kernel = |name| Kernel::of_prior(prior.channel(name), prior.night.backlog);
        let kernels = std::iter::once("default").chain(names).map(kernel).collect();
        let score = |c: [f64; FEATURES]| Score { coefficients: c.to_vec(), ..Score::default() };
        Self {
            classes: Classes::of_prior(&prior.alarm_class),
            channels,
            kernels,
            real: score(real_features(&prior.real)),
            size: score(size_features(&prior.size)),
            size_spread: prior.size.spread,
            onset: Onset::of_prior(prior),
            ending: Ending::of_prior(&prior.ending),
            daytime: 0.0,
            night: prior.night.awake,
            level_volatility: VOLATILITY,
            work: WorkEffect::of_prior(&prior.work),
            damp: DampingModel::default(),
        }
    }

    /// Share of an incident's complaints, by the share of sleeping customers.
    pub(super) fn awake(&self, asleep: f64) -> f64 {
        1.0 - asleep * (1.0 - self.night)
    }
}

/// The prior's log-odds by feature.
pub(super) fn real_features(r: &RealPrior) -> [f64; FEATURES] {
    let plain = [r.intercept, r.devices, r.repeats, r.critical, r.overrun, r.within_work];
    std::array::from_fn(|i| plain.get(i).copied().unwrap_or(0.0))
}

/// The prior's ln size by feature.
pub(super) fn size_features(s: &SizePrior) -> [f64; FEATURES] {
    let plain = [s.median.ln(), s.devices, 0.0, s.critical];
    std::array::from_fn(|i| plain.get(i).copied().unwrap_or(0.0))
}
