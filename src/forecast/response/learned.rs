//! What alarms mean at an operator, learned and read together with the baselines that it takes.

use std::borrow::Cow;
use std::time::Duration;

use super::baseline::{Profiles, Shown, as_counted, learned_from};
use super::fit::{Response, without};
use super::prior::Prior;
use super::read::Reading;
use crate::domain::SeriesKey;
use crate::forecast::{History, Past};

/// Time before an origin for which a reading wants a baseline.
const BEFORE: Duration = Duration::from_secs(36 * 3600);

/// What alarms mean at an operator, and its tickets without them.
#[derive(Debug)]
pub struct Learned {
    profiles: Profiles,
    pub(super) response: Response,
}

impl Learned {
    /// Learns from up to eight weeks before window `origin`, with a second look: what alarms brought had lifted the
    /// baselines of the first, so that some of it was not seen.
    pub fn fit(prior: &Prior, past: &Past<'_>, origin: i64) -> Self {
        let from = learned_from(past.width, origin);
        let told = |shown: Shown<'_>| {
            let profiles = Profiles::learn(past, origin, shown);
            let base = profiles.baselines(past, from, origin, shown);
            (profiles, base)
        };
        // The first baselines are let go of before the second are made: of many series they are hundreds of megabytes.
        let first = Response::fit(past, &told(&as_counted).1, origin, prior);
        let (profiles, base) = told(&|key, history| first.cleaned(key, history));
        Self { profiles, response: first.refined(past, &base, origin, prior) }
    }

    /// Reads what alarms, work and tickets before window `origin` mean for the horizon after it, with a second look for the
    /// same reason.
    pub fn read(&self, past: &Past<'_>, origin: i64) -> Reading {
        let from = origin - past.width.per(BEFORE) as i64;
        let shown: Shown<'_> = &|key, history| self.response.cleaned(key, history);
        let mut base = self.profiles.baselines(past, from, origin, shown);
        let first = self.response.read(past, &base, origin);
        if first.explained().next().is_none() {
            return first;
        }
        let shown: Shown<'_> = &|key, history| self.cleaned(&first, key, history);
        base.extend(self.profiles.baselines_of(first.explained(), past, from, origin, shown));
        self.response.read(past, &base, origin)
    }

    /// A history without what alarms and work account for, as of a reading.
    pub fn cleaned<'h>(
        &self,
        reading: &Reading,
        series: &SeriesKey,
        history: &'h History,
    ) -> Cow<'h, History> {
        without(history, reading.past_effects(&self.response, series))
    }
}
