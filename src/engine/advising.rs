//! Makes recommendations from plans, and compares them with the actual contacts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::effects::{Effects, StoreChange};
use super::histories::Histories;
use super::issued::{Issued, Plans};
use super::planning::{Planning, RosteredDesks};
use crate::domain::{Name, SeriesKey, Timestamp, WindowWidth};
use crate::staffing::{AdviceRules, Answer, Book, Recommendation, Shift, TeamShift, Uncovered};
use crate::store::{Reader, StoreError};

/// Recommendations and their rules.
pub struct Advising {
    rules: Arc<AdviceRules>,
    width: WindowWidth,
    book: Book,
}

impl Advising {
    /// Starts without recommendations.
    pub fn new(rules: Arc<AdviceRules>, width: WindowWidth) -> Self {
        Self { rules, width, book: Book::default() }
    }

    /// Restores the stored recommendations. `next` is the start of the first window that is not final.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn restore(&mut self, reader: &Reader, next: Option<Timestamp>) -> Result<(), StoreError> {
        let from = next.map_or(Timestamp::MIN, |next| next - Book::REACH);
        self.book = Book::restore(reader.recommendations_since(from)?, reader.uncovered()?);
        Ok(())
    }

    /// Makes recommendations from the plans of vintages issued at `end`, and computes the outcome of those that are over.
    pub fn step(
        &mut self,
        planning: &mut Planning,
        (issued, plans): (&Issued, &Plans),
        histories: &Histories,
        end: Timestamp,
    ) -> Effects<'static> {
        let mut effects = Effects::default();
        if !self.rules.enabled {
            return effects;
        }
        let mut put = |own| effects.put(StoreChange::Recommendation(Box::new(own)));
        let (desks, mut bench) = RosteredDesks::new(planning, issued, plans, &self.rules);
        // Actual contacts are compared first, so that it is stored even if nothing else changes.
        let over: Vec<Recommendation> = self.book.due(end).cloned().collect();
        for own in over {
            let outcome = bench.outcome(&own, self.book.all(), histories);
            let followed = outcome.and_then(|outcome| self.book.follow(&own.id, outcome));
            followed.into_iter().for_each(&mut put);
        }
        let before: Vec<Uncovered> = self.book.uncovered().to_vec();
        let changed = self.book.step(&desks, (self.width, end), &self.rules, &mut bench);
        changed.into_iter().for_each(&mut put);
        if before != self.book.uncovered() {
            effects.put(StoreChange::Uncovered(self.book.uncovered().to_vec()));
        }
        effects
    }

    /// Open recommendations at an instant, oldest first.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = &Recommendation> {
        self.book.all().iter().filter(move |own| own.is_open(now))
    }

    /// A recommendation with a person's answer. `None` if there is no such recommendation, or if it is over.
    pub fn answered(
        &self,
        id: &str,
        answer: Answer,
        by: &str,
        at: Timestamp,
    ) -> Option<Recommendation> {
        self.book.answered(id, answer, by, at)
    }

    /// Takes a recommendation and its answer.
    pub fn put(&mut self, recommendation: Recommendation) {
        self.book.put(recommendation);
    }

    /// Takes note of a new roster, which includes what was agreed before. Returns the recommendations that changed.
    pub fn roster_replaced(
        &mut self,
        shifts: &[Shift],
        team_shifts: &[TeamShift],
        team_of: impl Fn(&SeriesKey) -> Option<Name>,
    ) -> Vec<Recommendation> {
        let desk = |series: &SeriesKey| {
            team_of(series).map_or_else(|| series.to_string(), |team| team.to_string())
        };
        let of_series = shifts.iter().map(|own| (desk(&own.series), own.start, own.end));
        let of_teams = team_shifts.iter().map(|own| (own.team.to_string(), own.start, own.end));
        let spans: BTreeSet<_> = of_series.chain(of_teams).collect();
        self.book.roster_replaced(&spans.into_iter().collect::<Vec<_>>())
    }
}
