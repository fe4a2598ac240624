//! Topics and phrases of one scope, window by window.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::usual::Usual;
use crate::domain::{DAY, TOPICS, Topic, WEEK, WindowWidth};

/// Length of the history of phrases.
pub(super) const PHRASE_REACH: Duration = Duration::from_secs(7 * 86_400);

/// Weeks from which the usual number is computed.
pub(super) const WEEKS: i64 = 4;
/// Length of the history of topics.
pub(super) const TOPIC_REACH: Duration =
    Duration::from_secs(WEEKS as u64 * WEEK.as_secs() + DAY.as_secs());
/// With fewer comparable windows, no anomaly is reported.
const SAMPLES_MIN: usize = 3;
/// With fewer windows at the same time of the week, other days of the week are used too.
const WEEKLY_MIN: usize = 6;

/// Topics of one window; `known` is false before the scope's first ticket.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    topics: [u32; TOPICS],
    known: bool,
    missing: bool,
}

/// Windows of one scope, without gaps.
#[derive(Debug, Default)]
pub(super) struct ScopeHistory {
    /// Index of the first window.
    first: i64,
    windows: VecDeque<Window>,
    /// Tickets by phrase and window.
    pub(super) phrases: BTreeMap<Box<str>, BTreeMap<i64, u32>>,
}

impl ScopeHistory {
    pub(super) fn add(&mut self, index: i64, topics: &[u32; TOPICS], missing: bool) {
        if self.windows.is_empty() {
            self.first = index;
        }
        while index < self.first {
            self.windows.push_front(Window::default());
            self.first -= 1;
        }
        let place = (index - self.first) as usize;
        if place >= self.windows.len() {
            self.windows.resize(place + 1, Window::default());
        }
        let window = &mut self.windows[place];
        window.known = true;
        window.missing |= missing;
        for (sum, n) in window.topics.iter_mut().zip(topics) {
            *sum = sum.saturating_add(*n);
        }
    }

    /// Subtracts an earlier count from a window, if the history has that window.
    pub(super) fn take_off(&mut self, index: i64, topics: &[u32; TOPICS]) {
        let place = usize::try_from(index - self.first).ok();
        if let Some(window) = place.and_then(|place| self.windows.get_mut(place)) {
            for (sum, n) in window.topics.iter_mut().zip(topics) {
                *sum = sum.saturating_sub(*n);
            }
        }
    }

    pub(super) fn add_phrase(&mut self, index: i64, phrase: &str, tickets: u32) {
        match self.phrases.get_mut(phrase) {
            Some(counts) => _ = counts.insert(index, tickets),
            None => _ = self.phrases.insert(phrase.into(), [(index, tickets)].into()),
        }
    }

    pub(super) fn trim(&mut self, before: i64) {
        while self.first < before && self.windows.pop_front().is_some() {
            self.first += 1;
        }
    }

    pub(super) fn trim_phrases(&mut self, before: i64) {
        self.phrases.retain(|_, counts| {
            while counts.first_key_value().is_some_and(|(index, _)| *index < before) {
                counts.pop_first();
            }
            !counts.is_empty()
        });
    }

    /// The known windows of `from..to`.
    pub(super) fn known(&self, from: i64, to: i64) -> usize {
        (from..to).filter(|index| self.sum(*index, &[]).is_some()).count()
    }

    /// Tickets of some topics; `None` if the window is not known.
    pub(super) fn sum(&self, index: i64, topics: &[Topic]) -> Option<f64> {
        let window = self.windows.get(usize::try_from(index - self.first).ok()?)?;
        (window.known && !window.missing)
            .then(|| topics.iter().map(|topic| f64::from(window.topics[*topic as usize])).sum())
    }

    /// Comparable counts: the same window and its neighbours in the four weeks before, or else on other days.
    pub(super) fn usual(&self, index: i64, topics: &[Topic], width: WindowWidth) -> Option<Usual> {
        let (day, week) = (width.per(DAY) as i64, width.per(WEEK) as i64);
        let around = |back: i64| (-1..=1).filter_map(move |by| self.sum(index - back + by, topics));
        let mut samples: Vec<f64> = (1..=WEEKS).flat_map(|n| around(n * week)).collect();
        if samples.len() < WEEKLY_MIN {
            samples.extend((1..=6).flat_map(|n| around(n * day)));
        }
        if samples.len() < SAMPLES_MIN { None } else { Usual::of(&mut samples) }
    }
}
