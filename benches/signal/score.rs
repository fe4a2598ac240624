//! Counts of what was paged in time, and of false pages.

use std::collections::BTreeMap;

use surgecast::domain::{Scope, Timestamp};

/// A page: when it was decided, and the span and size of the need that it tells of, by scope.
pub struct Page {
    pub at: Timestamp,
    /// When its alert began.
    pub since: Timestamp,
    pub parts: BTreeMap<Scope, (Timestamp, Timestamp, i32)>,
    /// Its text, to read.
    pub text: String,
}

/// The figures of a run.
#[derive(Default)]
pub struct Score {
    pub outages: usize,
    pub harmless: usize,
    /// Outages that need staff.
    pub needy: usize,
    pub in_time: usize,
    /// From the first page to the beginning of the need, minutes, of outages paged in time.
    pub warning: Vec<f64>,
    /// Pages about outages that need staff.
    pub about: usize,
    pub pages: usize,
    /// Pages without a true need of half their size in their span.
    pub wrong: usize,
    /// Of these, without any true need in their span.
    pub groundless: usize,
    /// Pages that began within planned work of their scope.
    pub planned: usize,
}

impl Score {
    pub const HEAD: &'static str = "seed                outages  harmless  need staff  in time  warning, min  pages an outage  pages  false a week  no need at all a week  in planned work";

    pub fn add(&mut self, other: &Self) {
        self.outages += other.outages;
        self.harmless += other.harmless;
        self.needy += other.needy;
        self.in_time += other.in_time;
        self.warning.extend(&other.warning);
        self.about += other.about;
        self.pages += other.pages;
        self.wrong += other.wrong;
        self.groundless += other.groundless;
        self.planned += other.planned;
    }

    pub fn row(&self, name: &str, weeks: i64) -> String {
        let mut warning = self.warning.clone();
        warning.sort_by(f64::total_cmp);
        let median = warning.get(warning.len() / 2).copied().unwrap_or(f64::NAN);
        let share = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
        let per = |n: usize| n as f64 / weeks as f64;
        format!(
            "{name:<18} {:>8} {:>9} {:>11} {:>6.0} % {median:>13.0} {:>16.2} {:>6} {:>13.2} {:>22.2} {:>16}",
            self.outages,
            self.harmless,
            self.needy,
            share(self.in_time, self.needy),
            self.about as f64 / self.needy.max(1) as f64,
            self.pages,
            per(self.wrong),
            per(self.groundless),
            self.planned,
        )
    }
}
