//! The step: state, reports and clock time in, effects out.
//!
//! A [`Batch`] takes reports through their phases, one call of [`State::step`] after the other. The caller writes the
//! effects of each before it asks for the next, so that those of one window are in memory, not those of all. A step holds
//! no transaction. It may read what was stored before the first one ([`Stored`]).

use std::collections::BTreeSet;

use super::effects::{Effects, StoreChange};
use super::issuer::look::minute;
use super::messages::StreamEvent;
use super::report::Report;
use super::saved::Saved;
use super::state::State;
use super::stored::{Stored, final_counts, planned_work};
use super::{complaints, finalize};
use crate::domain::{Offset, SourceId, Timestamp};
use crate::forecast::PlannedWork;
use crate::store::{PartialRecord, SourceRecord, StoreError};
use crate::window::{AggregationKey, Partial};

/// Windows that are finalized in one transaction, at most: in between people's requests get their turn.
const WINDOWS_MAX: usize = 96;

/// What a batch does next.
enum Phase {
    Merge,
    Revise,
    Finalize,
    Nowcast,
    Close,
    Done,
}

/// Reports on their way through the step, and what is worked out once for all phases.
pub struct Batch<'r> {
    reports: &'r [Report],
    /// Where the log goes on, if the reports come from one.
    log: Option<Offset>,
    now: Timestamp,
    /// Whether this instance decides about nowcasts.
    leads: bool,
    phase: Phase,
    /// Start of the first window that was not final before.
    before: Option<Timestamp>,
    /// Partials that were news.
    partials: Vec<PartialRecord>,
    /// Partials that are not needed any more.
    gone: Vec<(Timestamp, AggregationKey, SourceId)>,
    /// Read where something follows from it: most reports only count.
    work: Option<Vec<PlannedWork>>,
    finalized: usize,
    is_quiet: bool,
}

impl<'r> Batch<'r> {
    /// One that starts with merging. Without reports it goes on with finalizing.
    pub fn new(reports: &'r [Report], log: Option<Offset>, now: Timestamp, leads: bool) -> Self {
        Self {
            reports,
            log,
            now,
            leads,
            phase: Phase::Merge,
            before: None,
            partials: Vec::new(),
            gone: Vec::new(),
            work: None,
            finalized: 0,
            is_quiet: false,
        }
    }

    /// Whether nothing is to be stored.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Whether there may be more windows to finalize.
    pub fn has_more(&self) -> bool {
        self.finalized == WINDOWS_MAX
    }

    /// Start of the first window that was not final before.
    pub fn before(&self) -> Option<Timestamp> {
        self.before
    }

    /// Planned work, read the first time.
    fn work(&mut self, stored: &dyn Stored) -> Result<&[PlannedWork], StoreError> {
        let work = match self.work.take() {
            Some(work) => work,
            None => planned_work(stored, self.before, self.reports)?,
        };
        Ok(self.work.insert(work))
    }
}

impl State {
    /// What is to be written next of a batch, `None` at its end.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read. The state is half-way then and has to be restored.
    pub fn step<'r>(
        &mut self,
        batch: &mut Batch<'r>,
        stored: &dyn Stored,
    ) -> Result<Option<Effects<'r>>, StoreError> {
        loop {
            match batch.phase {
                Phase::Merge => {
                    batch.phase = Phase::Revise;
                    return Ok(Some(self.merge(batch, stored)));
                }
                Phase::Revise => {
                    batch.phase = Phase::Finalize;
                    return self.revise(stored).map(Some);
                }
                Phase::Finalize => {
                    if let Some(effects) = self.finalize(batch, stored)? {
                        return Ok(Some(effects));
                    }
                    batch.gone = self.merge.collapse();
                    batch.is_quiet = batch.reports.iter().all(Report::is_heartbeat)
                        && batch.gone.is_empty()
                        && batch.before == self.merge.next();
                    batch.phase = if batch.is_quiet { Phase::Done } else { Phase::Nowcast };
                }
                Phase::Nowcast => {
                    batch.phase = Phase::Close;
                    return self.nowcast(batch, stored).map(Some);
                }
                Phase::Close => {
                    batch.phase = Phase::Done;
                    return Ok(Some(self.close(batch)));
                }
                Phase::Done => return Ok(None),
            }
        }
    }

    /// Takes what the reports bring.
    fn merge<'r>(&mut self, batch: &mut Batch<'r>, stored: &dyn Stored) -> Effects<'r> {
        let mut effects = Effects::default();
        let finalized = final_counts(stored);
        for report in batch.reports {
            let source = &report.source;
            let partials = self.merge.apply(source, report.partials.clone(), &finalized);
            batch.partials.extend(partials.into_iter().map(|partial| record(source, partial)));
            if let Some((frontier, _)) = report.progress {
                self.merge.note(source, frontier, batch.now);
            }
            for (position, alarm) in &report.alarms {
                self.observed.alarms.observe(position, alarm);
            }
            for (position, list) in &report.rebuilt {
                self.observed.alarms.observe_rebuilt(position, list);
            }
            effects.put(StoreChange::Events(report));
        }
        batch.before = self.merge.next();
        effects
    }

    /// Revises final windows whose counts have changed.
    fn revise(&mut self, stored: &dyn Stored) -> Result<Effects<'static>, StoreError> {
        let mut effects = Effects::default();
        let finalized = final_counts(stored);
        for window in self.merge.revisions() {
            self.metrics.revised();
            complaints::revise(&mut self.observed.complaints, &window, &finalized);
            let rows = finalize::revised_rows(stored, &mut self.observed.histories, &window)?;
            effects.put(StoreChange::Windows(rows));
            effects.tell(StreamEvent::Windows { finalized_upto: window.window });
        }
        Ok(effects)
    }

    /// Finalizes the next window, if it is time, and decides all that follows.
    fn finalize(
        &mut self,
        batch: &mut Batch<'_>,
        stored: &dyn Stored,
    ) -> Result<Option<Effects<'static>>, StoreError> {
        if batch.finalized == WINDOWS_MAX {
            return Ok(None);
        }
        let Some(mut window) = self.merge.finalize(batch.now) else { return Ok(None) };
        batch.finalized += 1;
        let end = self.config.width.end(window.window);
        let mut effects = self.advance_alarms(end);
        self.metrics.settled();
        complaints::thin(&mut window.cells);
        finalize::admit(&mut self.leaves, &window, self.config.series_max);
        let (rows, leaves) = finalize::final_rows(&self.leaves, &window, &self.observed.alarms);
        effects.put(StoreChange::Windows(rows));
        self.observed.histories.push(window.window, &leaves);
        complaints::push(&mut self.observed.complaints, &window, &leaves);
        if end >= self.config.issue.vintages_from {
            let Self { observed, .. } = self;
            complaints::judge(&mut effects, &observed.complaints, &observed.alarms, window.window);
        }
        effects.tell(StreamEvent::Windows { finalized_upto: end });
        let at = self.observed.situation(batch.work(stored)?, end, &self.metrics);
        effects.append(self.issuer.step(&at));
        Ok(Some(effects))
    }

    /// Takes what alarms did up to the end of a window.
    fn advance_alarms(&mut self, end: Timestamp) -> Effects<'static> {
        let mut effects = Effects::default();
        let spells = &mut self.observed.spells;
        self.observed.alarms.advance(end, |transition| spells.take(transition));
        spells.advance(end);
        finalize::count_alarms(&mut self.observed.alarms, &self.metrics, end);
        if end == end.utc_midnight() {
            effects.put(StoreChange::Saved(Saved::AlarmSpells(self.observed.spells.stored())));
        }
        effects
    }

    /// Looks at open windows, once a minute, where this instance leads.
    fn nowcast(
        &mut self,
        batch: &mut Batch<'_>,
        stored: &dyn Stored,
    ) -> Result<Effects<'static>, StoreError> {
        let looks = batch.leads && self.config.nowcasts;
        let known = if looks { self.merge.known_upto() } else { None };
        let known = known.filter(|known| self.looked_upto < Some(minute(*known)));
        let (Some(known), Some(end)) = (known, self.merge.next()) else {
            return Ok(Effects::default());
        };
        let at = self.observed.situation(batch.work(stored)?, end, &self.metrics);
        let nowcasts = self.issuer.look(&at, known, &finalize::counted(&self.merge, end));
        let mut effects = self.issuer.take_nowcasts(&at, &nowcasts);
        let upto = minute(known);
        effects.put(StoreChange::Saved(Saved::LookedUpto(upto.millis())));
        self.looked_upto = Some(upto);
        self.unreplicated.extend(nowcasts);
        Ok(effects)
    }

    /// Scores of all windows, partials, and from where on everything is read again.
    fn close(&mut self, batch: &mut Batch<'_>) -> Effects<'static> {
        let mut effects = self.issuer.flush();
        let gone = std::mem::take(&mut batch.gone);
        let held: BTreeSet<_> = gone.iter().map(|(at, cell, source)| (*at, cell, source)).collect();
        let mut partials = std::mem::take(&mut batch.partials);
        partials.retain(|p| !held.contains(&(p.window, &p.cell, &p.source)));
        effects.put(StoreChange::PutPartials(partials));
        effects.put(StoreChange::DeletePartials(gone));
        for report in batch.reports {
            let Some((frontier, commit)) = report.progress else { continue };
            effects.put(StoreChange::Source(SourceRecord {
                source: report.source.clone(),
                closed: commit.closed,
                decided_upto: commit.decided_upto,
                resume_at: commit.resume_at,
                caught_up_at: frontier.caught_up_at,
                reported_at: batch.now,
            }));
        }
        effects.put_log_offset(batch.log);
        if let Some(next) = self.merge.next() {
            effects.put(StoreChange::Saved(Saved::NextWindow(next.millis())));
        }
        effects
    }
}

fn record(source: &SourceId, partial: Partial) -> PartialRecord {
    let Partial { window, cell, counts, upto } = partial;
    PartialRecord { window, cell, source: source.clone(), counts, upto }
}

#[cfg(test)]
mod tests;
