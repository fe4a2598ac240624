//! Restores the state from the store.

use std::collections::BTreeMap;

use super::State;
use crate::domain::{SourceId, Timestamp};
use crate::engine::alarm_spells::AlarmSpells;
use crate::engine::histories::Histories;
use crate::engine::refit::Known;
use crate::engine::restored_ahead::RestoredAhead;
use crate::engine::saved::{ALARM_SPELLS, GENERATIONS, LOOKED_UPTO, NEXT_WINDOW};
use crate::engine::stored::{final_counts, planned_work};
use crate::store::{Filter, Reader, StoreError, WARM_START};
use crate::tickets::AssessmentBook;
use crate::window::{
    AlarmBook, CommitPoint, Merge, MergeState, Names, Pairing, Part, STALE_AFTER, SourceProgress,
    TicketBook,
};

impl State {
    /// Drops the state in memory and reads it again. Returns where each source resumes.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn restore(
        &mut self,
        reader: &Reader,
    ) -> Result<BTreeMap<SourceId, CommitPoint>, StoreError> {
        let next = reader.state(NEXT_WINDOW)?.map(Timestamp::from_millis);
        self.looked_upto = reader.state(LOOKED_UPTO)?.map(Timestamp::from_millis);
        self.unreplicated.clear();
        self.restored = RestoredAhead::new(reader.state(WARM_START)?.as_ref(), next);
        let known_upto = next.or(self.restored.upto());
        let names = self.restore_names(reader, known_upto)?;
        let names = self.restore_histories(reader, known_upto, names)?;
        let commits = self.restore_merge(reader, next, names)?;
        self.adjust(reader)?;
        self.restore_alarms(reader, next)?;
        self.restore_tickets(reader, next)?;
        self.issuer.restore(reader, next, &self.observed.histories)?;
        for (window, source) in self.merge.open_sources() {
            self.issuer.memory.sources.note(source, window);
        }
        if let Some(upto) = known_upto {
            let work = planned_work(reader, Some(upto), &[])?;
            let known = Known {
                histories: &self.observed.histories,
                spells: &self.observed.spells,
                work: &work,
            };
            self.issuer.prepare(upto, &known);
        }
        Ok(commits)
    }

    /// Replays the alarms of the last days, window by window, as they were processed when these windows were finalized.
    fn restore_alarms(
        &mut self,
        reader: &Reader,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.observed.alarms = AlarmBook::new(self.config.alarms);
        self.observed.pairing = Pairing::default();
        let spells = reader.state(ALARM_SPELLS)?;
        self.observed.spells = spells.map(AlarmSpells::restored).unwrap_or_default();
        let from = next.map_or(Timestamp::MIN, |next| next - STALE_AFTER);
        let mut lists = reader.rebuilt_lists(from)?.into_iter().peekable();
        let transitions = reader.alarm_transitions(from, Timestamp::MAX)?;
        // Stored messages have the ids of their alarms.
        transitions.iter().for_each(|(_, event)| _ = self.observed.pairing.take(event));
        let mut transitions = transitions.into_iter().peekable();
        let mut end = self.config.width.floor(from);
        while let Some(next) = next.filter(|next| end < *next) {
            end = self.config.width.end(end).min(next);
            while let Some((position, list)) = lists.next_if(|(_, list)| list.ts <= end) {
                self.observed.alarms.observe_rebuilt(&position, &list);
            }
            while let Some((position, event)) = transitions.next_if(|(_, event)| event.ts <= end) {
                self.observed.alarms.observe(&position, &event);
            }
            let spells = &mut self.observed.spells;
            self.observed.alarms.advance(end, |transition| spells.take(transition));
            self.observed.spells.advance(end);
        }
        lists.for_each(|(position, list)| self.observed.alarms.observe_rebuilt(&position, &list));
        transitions.for_each(|(position, event)| self.observed.alarms.observe(&position, &event));
        // The replayed alarms were counted before.
        self.observed.alarms.take_tally();
        Ok(())
    }

    /// Reads the tickets as of the last finalized window, and messages that have not taken effect.
    fn restore_tickets(
        &mut self,
        reader: &Reader,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (tickets, forgotten) = reader.tickets()?;
        let series = reader.backlogs(&Filter::default())?;
        let rules = self.config.tickets;
        let book = TicketBook::restored(rules, (next, forgotten), tickets, series);
        self.observed.tickets = book.judged_by(self.config.terms());
        let messages = reader.ticket_messages()?;
        messages.iter().for_each(|message| self.observed.tickets.observe(message));
        let policy = self.config.policy.clone();
        self.customer_key = match (policy.hash_customers, &self.config.customer_key) {
            (false, _) => None,
            (true, Some(key)) => Some(key.clone()),
            (true, None) => Some(reader.customer_key()?),
        };
        self.observed.assessments = AssessmentBook::restored(policy, reader.assessments()?);
        Ok(())
    }

    fn restore_merge(
        &mut self,
        reader: &Reader,
        next: Option<Timestamp>,
        names: Names,
    ) -> Result<BTreeMap<SourceId, CommitPoint>, StoreError> {
        self.generations = reader.state(GENERATIONS)?.unwrap_or_default();
        let mut records = reader.sources()?;
        // Windows do not wait for a topic that exists no more.
        records.retain(|record| self.generations.current(&record.source) == record.source);
        let commits = records
            .iter()
            .map(|r| {
                let commit = CommitPoint {
                    resume_at: r.resume_at,
                    closed: r.closed,
                    decided_upto: r.decided_upto,
                    beside: r.beside.clone(),
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
        let parts = reader
            .partials()?
            .into_iter()
            .map(|p| (p.window, p.key, p.source, Part { counts: p.counts, upto: p.upto }));
        let (sources, parts) = (sources.collect(), parts.collect());
        let state = MergeState { sources, parts, folded: reader.folded()?, names, next };
        self.merge = Merge::restore(self.config.merge(), state, &final_counts(reader));
        Ok(commits)
    }

    /// Reads the adjustments of windows in the histories and of later ones.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn adjust(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let reach = self.merge.next().unwrap_or(Timestamp::MIN) - Histories::REACH;
        self.observed.histories.adjust(reader.adjustments(reach, Timestamp::MAX)?);
        Ok(())
    }
}
