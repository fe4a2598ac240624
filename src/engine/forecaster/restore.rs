//! What the leader knows, read from the store.

use super::stored::{planned_work, settled_in};
use super::{Forecaster, LOOKED_UPTO, SPELLS, merge_config};
use crate::anomaly::Complaints;
use crate::domain::Timestamp;
use crate::engine::histories::Histories;
use crate::engine::refit::Known;
use crate::engine::spells::Spells;
use crate::store::StoreError;
use crate::window::{
    AlarmBook, Cell, CommitPoint, Merge, MergeState, Part, STALE_AFTER, SourceProgress,
};

impl Forecaster {
    /// Throws away what is in memory and reads it again: after a transaction that failed.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        let next = self.reader.state("next_window")?.map(Timestamp::from_millis);
        self.looked_upto = self.reader.state(LOOKED_UPTO)?.map(Timestamp::from_millis);
        self.untold.clear();
        self.restore_merge(next)?;
        self.restore_histories(next)?;
        self.restore_alarms(next)?;
        self.issuer.restore(&self.reader, next)?;
        if let Some(next) = next {
            let work = planned_work(&self.reader, Some(next), &[])?;
            let known =
                Known { histories: &self.seen.histories, spells: &self.seen.spells, work: &work };
            self.issuer.prepare(next, &known);
        }
        Ok(())
    }

    /// What alarms did in the days that matter, window by window: as it was when these settled.
    fn restore_alarms(&mut self, next: Option<Timestamp>) -> Result<(), StoreError> {
        self.seen.alarms = AlarmBook::new(self.config.alarms);
        self.seen.spells = self.reader.state(SPELLS)?.map(Spells::restored).unwrap_or_default();
        let from = next.map_or(Timestamp::MIN, |next| next - STALE_AFTER);
        let mut lists = self.reader.rebuilt_lists(from)?.into_iter().peekable();
        let transitions = self.reader.alarm_transitions(from, Timestamp::MAX)?;
        let mut transitions = transitions.into_iter().peekable();
        let mut end = self.config.width.floor(from);
        while let Some(next) = next.filter(|next| end < *next) {
            end = self.config.width.end(end).min(next);
            while let Some((position, list)) = lists.next_if(|(_, list)| list.ts <= end) {
                self.seen.alarms.observe_rebuilt(&position, &list);
            }
            while let Some((position, event)) = transitions.next_if(|(_, event)| event.ts <= end) {
                self.seen.alarms.observe(&position, &event);
            }
            let spells = &mut self.seen.spells;
            self.seen.alarms.advance(end, |transition| spells.take(transition));
            self.seen.spells.advance(end);
        }
        lists.for_each(|(position, list)| self.seen.alarms.observe_rebuilt(&position, &list));
        transitions.for_each(|(position, event)| self.seen.alarms.observe(&position, &event));
        // What was told before is not told again.
        self.seen.alarms.take_tally();
        Ok(())
    }

    fn restore_merge(&mut self, next: Option<Timestamp>) -> Result<(), StoreError> {
        let records = self.reader.sources()?;
        self.commits = records
            .iter()
            .map(|r| {
                let commit = CommitPoint {
                    resume_at: r.resume_at,
                    closed: r.closed,
                    decided_upto: r.decided_upto,
                };
                (r.source.clone(), commit)
            })
            .collect();
        let sources = records.into_iter().map(|r| {
            let progress = SourceProgress {
                closed: r.closed,
                caught_up_at: r.caught_up_at,
                reported_at: r.reported_at,
            };
            (r.source, progress)
        });
        let parts = self
            .reader
            .partials()?
            .into_iter()
            .map(|p| (p.window, p.cell, p.source, Part { counts: p.counts, upto: p.upto }));
        let state = MergeState { sources: sources.collect(), parts: parts.collect(), next };
        let settled = settled_in(&self.reader, self.config.width);
        self.merge = Merge::restore(merge_config(&self.config), state, &settled);
        Ok(())
    }

    fn restore_histories(&mut self, next: Option<Timestamp>) -> Result<(), StoreError> {
        self.seen.histories = Histories::new(self.config.width);
        self.seen.complaints = Complaints::new(self.config.width);
        self.leaves.clear();
        let Some(next) = next else { return Ok(()) };
        self.adjust()?;
        let complaints = &mut self.seen.complaints;
        let topics_from = next - Complaints::REACH;
        let mut restoring = self.seen.histories.restoring(next);
        let leaves = &mut self.leaves;
        self.reader.each_cell(next - Histories::REACH, |cell, windows| {
            let Cell::Tickets(series) = cell else { return };
            if windows.is_empty() {
                return;
            }
            let recent = windows.partition_point(|(start, _)| *start < topics_from);
            let said = windows[recent..].iter();
            let said = said.map(|(start, record)| (*start, record.counts.topics, record.missing));
            if recent < windows.len() {
                complaints.restore(&series.scope(), said);
            }
            let counts = windows.iter();
            let counts = counts.map(|(start, record)| {
                (*start, (!record.missing).then_some(record.counts.tickets))
            });
            restoring.leaf(series, counts);
            leaves.insert(series.clone());
        })?;
        restoring.finish();
        self.reader.each_phrase(next - Complaints::PHRASE_REACH, |scope, phrase, window, n| {
            complaints.restore_phrase(scope, window, phrase, n);
        })?;
        Ok(())
    }

    /// Reads what planners say of the windows that are kept and of those to come.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn adjust(&mut self) -> Result<(), StoreError> {
        let reach = self.merge.next().unwrap_or(Timestamp::MIN) - Histories::REACH;
        self.seen.histories.adjust(self.reader.adjustments(reach, Timestamp::MAX)?);
        Ok(())
    }
}
