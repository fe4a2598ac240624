//! The learned alarm response of an operator together with its baselines.

use std::borrow::Cow;
use std::time::Duration;

use super::baseline::{Cleaning, Profiles, as_counted, learned_from};
use super::fit::{Response, without};
use super::prior::Prior;
use super::read::Reading;
use crate::domain::SeriesKey;
use crate::forecast::{History, Past};

/// Time before an origin for which a reading needs baselines.
const BEFORE: Duration = Duration::from_secs(36 * 3600);

/// The learned alarm response of an operator, and its weekly profiles without alarms.
#[derive(Debug)]
pub struct Learned {
    profiles: Profiles,
    pub(super) response: Response,
}

impl Learned {
    /// Learns from up to eight weeks before window `origin`, in two passes. The baselines of the first pass still include effects
    /// of alarms, which hides a part of these effects.
    pub fn fit(prior: &Prior, past: &Past<'_>, origin: i64) -> Self {
        let from = learned_from(past.width, origin);
        let baselines = |cleaning: Cleaning<'_>| {
            let profiles = Profiles::learn(past, origin, cleaning);
            let base = profiles.baselines(past, from, origin, cleaning);
            (profiles, base)
        };
        // Drop the first baselines before making the second: for many series they take hundreds of megabytes.
        let first = Response::fit(past, &baselines(&as_counted).1, origin, prior);
        let (profiles, base) = baselines(&|key, history| first.cleaned(key, history));
        Self { profiles, response: first.refined(past, &base, origin, prior) }
    }

    /// Evaluates alarms, work and tickets before window `origin` for the horizon after it, in two passes, like [`Self::fit`].
    pub fn read(&self, past: &Past<'_>, origin: i64) -> Reading {
        let from = origin - past.width.per(BEFORE) as i64;
        let cleaning: Cleaning<'_> = &|key, history| self.response.cleaned(key, history);
        let mut base = self.profiles.baselines(past, from, origin, cleaning);
        let first = self.response.read(past, &base, origin);
        if first.explained().next().is_none() {
            return first;
        }
        let cleaning: Cleaning<'_> = &|key, history| self.cleaned(&first, key, history);
        base.extend(self.profiles.baselines_of(first.explained(), past, from, origin, cleaning));
        self.response.read(past, &base, origin)
    }

    /// A history without the tickets that a reading attributes to alarms and work.
    pub fn cleaned<'h>(
        &self,
        reading: &Reading,
        series: &SeriesKey,
        history: &'h History,
    ) -> Cow<'h, History> {
        without(history, reading.past_effects(&self.response, series))
    }
}
