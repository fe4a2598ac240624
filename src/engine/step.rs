//! The step: (state, reports, clock time) → effects.
//!
//! A [`Batch`] processes reports in phases, one for each call of [`State::step`]. The caller writes the effects of a call
//! before the next call, so the effects of only one window are in memory. A step holds no transaction. It may read the store as
//! it was before the first step ([`Stored`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::effects::{Effects, StoreChange};
use super::issuer::WindowNews;
use super::issuer::look::{look_at, minute};
use super::messages::StreamEvent;
use super::report::Report;
use super::saved::Saved;
use super::situation::Observed;
use super::state::State;
use super::stored::{Stored, final_counts, planned_work};
use super::{complaints, finalize};
use crate::anomaly::Anomaly;
use crate::domain::{Offset, Scope, SeriesKey, SourceId, Timestamp};
use crate::forecast::PlannedWork;
use crate::store::{PartialRecord, SourceRecord, StoreError};
use crate::telemetry::span;
use crate::window::{AggregationKey, FoldedPart, Partial, with_restored};

/// Maximum number of windows that are finalized in one transaction. People's requests are handled between transactions.
const WINDOWS_MAX: usize = 96;

/// The next phase of a batch.
enum Phase {
    Merge,
    Revise,
    Finalize,
    Nowcast,
    Close,
    Done,
}

/// The reports of a batch, and values that several phases share.
pub struct Batch<'r> {
    reports: &'r [Report],
    /// Next offset of the replicated log, if the reports come from it.
    log: Option<Offset>,
    now: Timestamp,
    /// Whether this instance leads. Only the leader issues nowcasts.
    leads: bool,
    phase: Phase,
    /// Start of the first window that was not final before the batch.
    before: Option<Timestamp>,
    /// New partials.
    partials: Vec<PartialRecord>,
    /// New parts that are counted under another key.
    folded: Vec<FoldedPart>,
    /// Stored partials that are counted under another key from now on.
    removed: Vec<(Timestamp, AggregationKey, SourceId)>,
    /// Partials that are no longer needed.
    dropped: Vec<(Timestamp, AggregationKey, SourceId)>,
    /// Planned work. It is read when it is first needed, because most batches only count.
    work: Option<Vec<PlannedWork>>,
    finalized: usize,
    /// The end of the last window that was finalized. Messages about tickets before it have taken effect.
    taken_before: Option<Timestamp>,
    is_quiet: bool,
}

impl<'r> Batch<'r> {
    /// A new batch. Without reports it only finalizes further windows.
    pub fn new(reports: &'r [Report], log: Option<Offset>, now: Timestamp, leads: bool) -> Self {
        Self {
            reports,
            log,
            now,
            leads,
            phase: Phase::Merge,
            before: None,
            partials: Vec::new(),
            folded: Vec::new(),
            removed: Vec::new(),
            dropped: Vec::new(),
            work: None,
            finalized: 0,
            taken_before: None,
            is_quiet: false,
        }
    }

    /// Whether there is nothing to store.
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Number of windows that were finalized.
    pub fn finalized(&self) -> usize {
        self.finalized
    }

    /// Whether there may be more windows to finalize.
    pub fn has_more(&self) -> bool {
        self.finalized == WINDOWS_MAX
    }

    /// Start of the first window that was not final before the batch.
    pub fn before(&self) -> Option<Timestamp> {
        self.before
    }

    /// Planned work. The first call reads it.
    fn work(&mut self, stored: &dyn Stored) -> Result<&[PlannedWork], StoreError> {
        let work = match self.work.take() {
            Some(work) => work,
            None => planned_work(stored, self.before, self.reports)?,
        };
        Ok(self.work.insert(work))
    }
}

impl State {
    /// The next effects of a batch; `None` at its end.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read. Then the state is inconsistent and must be restored.
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
                    batch.dropped = self.merge.collapse();
                    batch.is_quiet = batch.reports.iter().all(Report::is_heartbeat)
                        && batch.removed.is_empty()
                        && batch.dropped.is_empty()
                        && batch.before == self.merge.next()
                        && self.look_is_due(batch).is_none();
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

    /// Takes the reports.
    fn merge<'r>(&mut self, batch: &mut Batch<'r>, stored: &dyn Stored) -> Effects<'r> {
        let mut effects = Effects::default();
        let finalized = final_counts(stored);
        let refolded = self.merge.take_refolded();
        batch
            .partials
            .extend(refolded.partials.into_iter().map(|((.., source), p)| record(&source, p)));
        batch.folded.extend(refolded.folded);
        batch.removed.extend(refolded.removed);
        for report in batch.reports {
            let source = &report.source;
            let applied = self.merge.apply(source, report.partials.clone(), &finalized);
            for partial in &report.partials {
                self.issuer.memory.sources.note(source, partial.window);
            }
            batch.partials.extend(applied.partials.into_iter().map(|p| record(source, p)));
            batch.folded.extend(applied.folded);
            if let Some((frontier, _)) = &report.progress {
                self.merge.note(source, *frontier, batch.now);
            }
            for (position, alarm) in &report.alarms {
                self.observed.alarms.observe(position, alarm);
            }
            for (position, list) in &report.rebuilt {
                self.observed.alarms.observe_rebuilt(position, list);
            }
            for tickets in &report.tickets {
                self.observed.tickets.observe_batch(tickets);
            }
            effects.put(StoreChange::Events(report, self.late_under_other(report)));
        }
        self.beyond.take(
            &self.merge.take_beyond(),
            self.config.series_max,
            &self.metrics,
            batch.now,
        );
        batch.before = self.merge.next();
        effects
    }

    /// Keys of late events that are counted under another key, which is the value.
    fn late_under_other(&self, report: &Report) -> BTreeMap<AggregationKey, AggregationKey> {
        let late = report.dead.iter().filter_map(|(_, place)| place.as_ref());
        let found = late.map(|(key, _)| (key, self.merge.names().find(key)));
        found
            .filter(|(key, other)| *key != other)
            .map(|(key, other)| (key.clone(), other))
            .collect()
    }

    /// Revises finalized windows whose counts have changed.
    fn revise(&mut self, stored: &dyn Stored) -> Result<Effects<'static>, StoreError> {
        let mut effects = Effects::default();
        let finalized = final_counts(stored);
        for window in self.merge.revisions() {
            self.metrics.revised();
            complaints::revise(&mut self.observed.complaints, &window, &finalized);
            finalize::admit_revised(&mut self.leaves, &window, self.merge.names());
            let of = (&mut self.observed.histories, &self.leaves);
            let rows = finalize::revised_rows(stored, of, &window)?;
            effects.put(StoreChange::Windows(rows));
            effects.emit(StreamEvent::Windows { finalized_upto: window.window });
        }
        Ok(effects)
    }

    /// Finalizes the next window if it is due, and decides all its consequences.
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
        batch.taken_before = Some(end);
        // Windows that are only counted have no spans: a start may read months of them.
        let _window = self.config.issue.issues_at(end).then(|| span!("window").entered());
        let mut effects = self.advance_alarms(window.window, end);
        effects.append(self.advance_tickets(window.window, end));
        self.metrics.finalized();
        complaints::thin(&mut window.counts);
        if self.restored.begins() {
            self.observed.histories.truncate(window.window);
            let histories = self.observed.histories.by_series();
            self.leaves.retain(|series| histories.contains_key(series));
        }
        let restored = self.restored.at(stored, window.window)?;
        finalize::admit(&mut self.leaves, &window);
        finalize::admit_restored(&mut self.leaves, &restored, self.merge.names());
        let (alarms, names) = (&self.observed.alarms, self.merge.names());
        let (rows, leaves) = finalize::final_rows(&self.leaves, &window, alarms, names);
        effects.put(StoreChange::Windows(rows));
        let learned = match restored.is_empty() {
            true => Cow::Borrowed(&leaves),
            false => Cow::Owned(with_restored(&leaves, &restored)),
        };
        self.observed.histories.push(window.window, &learned);
        complaints::push(&mut self.observed.complaints, &window, &leaves);
        if self.config.issue.issues_at(end) {
            let Self { observed, config, .. } = self;
            let Observed { complaints, alarms, .. } = observed;
            let rules = &config.issue.anomalies;
            complaints::judge(&mut effects, complaints, alarms, (window.window, end), rules);
        }
        let found: Vec<Anomaly> =
            effects.changes.iter().filter_map(StoreChange::anomaly).cloned().collect();
        effects.emit(StreamEvent::Windows { finalized_upto: end });
        let at = self.observed.situation(batch.work(stored)?, end, &self.metrics);
        let news = WindowNews { anomalies: &found, sources: self.merge.sources() };
        effects.append(self.issuer.step(&at, &news));
        Ok(Some(effects))
    }

    /// Advances alarms to the end of a window.
    fn advance_alarms(&mut self, start: Timestamp, end: Timestamp) -> Effects<'static> {
        let mut effects = Effects::default();
        let Observed { alarms, spells, .. } = &mut self.observed;
        let names = self.merge.names();
        let place = |scope: &Scope| names.scope(scope).unwrap_or_else(|| scope.clone());
        let types =
            alarms.advance_window((start, end), place, |transition| spells.take(transition));
        spells.advance(end);
        if !types.is_empty() {
            effects.put(StoreChange::AlarmTypes(start, types));
        }
        finalize::count_alarms(alarms, &self.metrics, end);
        if end == end.utc_midnight() {
            effects.put(StoreChange::Saved(Saved::AlarmSpells(self.observed.spells.stored())));
        }
        effects
    }

    /// Advances tickets to the end of a window. Their changes are stored in the transaction of the window.
    fn advance_tickets(&mut self, start: Timestamp, end: Timestamp) -> Effects<'static> {
        let (tickets, names) = (&mut self.observed.tickets, self.merge.names());
        let place = |series: &SeriesKey| match names.find(&AggregationKey::Tickets(series.clone()))
        {
            AggregationKey::Tickets(found) => found,
            _ => series.clone(),
        };
        let changes = tickets.advance(end, place);
        let alarms = &self.observed.alarms;
        let critical = || finalize::critical_places(alarms, names);
        let zone = |series: &SeriesKey| self.config.zone(&series.region);
        let assessed = self.observed.assessments.advance(end, &changes, zone, critical);
        let mut effects = Effects::default();
        if !changes.is_empty() {
            finalize::count_tickets(tickets, &self.metrics, end);
            effects.put(StoreChange::Tickets(start, changes));
        }
        if !assessed.is_empty() {
            effects.put(StoreChange::Assessments(assessed));
        }
        effects
    }

    /// The time as of which open windows have to be examined now, if this instance leads.
    fn look_is_due(&self, batch: &Batch<'_>) -> Option<Timestamp> {
        let known = self.merge.known_upto().filter(|_| batch.leads && self.config.nowcasts)?;
        (self.looked_upto < Some(look_at(known))).then_some(known)
    }

    /// Examines open windows if they are due.
    fn nowcast(
        &mut self,
        batch: &mut Batch<'_>,
        stored: &dyn Stored,
    ) -> Result<Effects<'static>, StoreError> {
        let (Some(known), Some(end)) = (self.look_is_due(batch), self.merge.next()) else {
            return Ok(Effects::default());
        };
        let _nowcast = span!("nowcast").entered();
        let at = self.observed.situation(batch.work(stored)?, end, &self.metrics);
        let tickets = self.looked_upto < Some(minute(known));
        let counted = finalize::counted(&self.merge, end);
        let nowcasts = self.issuer.look(&at, known, &counted, tickets);
        let mut effects = self.issuer.take_nowcasts(&at, &nowcasts);
        let upto = look_at(known);
        effects.put(StoreChange::Saved(Saved::LookedUpto(upto.millis())));
        self.looked_upto = Some(upto);
        self.unreplicated.extend(nowcasts);
        Ok(effects)
    }

    /// Effects for scores, partials, and the offsets at which sources and the log resume.
    fn close<'r>(&mut self, batch: &mut Batch<'r>) -> Effects<'r> {
        let mut effects: Effects<'r> = self.issuer.flush();
        for report in batch.reports.iter().filter(|report| !report.tickets.is_empty()) {
            effects.put(StoreChange::TicketMessages(report, batch.taken_before));
        }
        let dropped = std::mem::take(&mut batch.dropped);
        let held: BTreeSet<_> =
            dropped.iter().map(|(at, key, source)| (*at, key, source)).collect();
        let mut partials = std::mem::take(&mut batch.partials);
        partials.retain(|p| !held.contains(&(p.window, &p.key, &p.source)));
        effects.put(StoreChange::PutPartials(partials));
        let mut folded = std::mem::take(&mut batch.folded);
        let closed: BTreeSet<_> = held.iter().map(|(at, _, source)| (*at, *source)).collect();
        folded.retain(|part| !closed.contains(&(part.window, &part.source)));
        effects.put(StoreChange::PutFolded(folded));
        effects.put(StoreChange::DeletePartials(std::mem::take(&mut batch.removed)));
        effects.put(StoreChange::DeletePartials(dropped));
        for report in batch.reports {
            let Some((frontier, commit)) = &report.progress else { continue };
            effects.put(StoreChange::Source(SourceRecord {
                source: report.source.clone(),
                closed: commit.closed,
                decided_upto: commit.decided_upto,
                resume_at: commit.resume_at,
                caught_up_at: frontier.caught_up_at,
                reported_at: batch.now,
                beside: commit.beside.clone(),
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
    let Partial { window, key, counts, upto } = partial;
    PartialRecord { window, key, source: source.clone(), counts, upto }
}

#[cfg(test)]
mod tests;
