//! What alarms mean at an operator, learned and read together with the baselines that it takes.

use std::borrow::Cow;

use super::baseline::{Profiles, Shown, as_counted};
use super::fit::{Response, WEEKS};
use super::prior::Prior;
use super::read::Reading;
use crate::domain::SeriesKey;
use crate::forecast::{History, Past};

/// Hours before an origin for which a baseline is wanted.
const BEFORE_HOURS: i64 = 36;

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
        let from = origin - WEEKS * 168 * per_hour(past);
        let profiles = Profiles::learn(past, origin, &as_counted);
        let base = profiles.baselines(past, from, origin, &as_counted);
        let first = Response::fit(past, &base, origin, prior);
        let shown: Shown<'_> = &|key, history| first.cleaned(key, history);
        let profiles = Profiles::learn(past, origin, shown);
        let base = profiles.baselines(past, from, origin, shown);
        Self { profiles, response: first.refined(past, &base, origin, prior) }
    }

    /// Reads what alarms, work and tickets before window `origin` mean for the horizon after it, with a second look for the
    /// same reason.
    pub fn read(&self, past: &Past<'_>, origin: i64) -> Reading {
        let from = origin - BEFORE_HOURS * per_hour(past);
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
        reading.cleaned(&self.response, series, history)
    }
}

fn per_hour(past: &Past<'_>) -> i64 {
    i64::from(3600 / past.width.secs())
}
