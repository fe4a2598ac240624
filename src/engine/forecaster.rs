//! The forecaster: its state and its store. What a step decides is written here, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accuracy_metrics;
use super::config::ForecasterConfig;
use super::effects::{Effects, StoreChange};
use super::messages::{CommandError, ReplicatedCommand, StreamEvent};
use super::progress::{Progress, ProgressIndex};
use super::report::Report;
use super::saved::LOG_OFFSET;
use super::state::State;
use super::step::Batch;
use super::write::{Outbox, write};
use crate::alert::Alert;
use crate::domain::{Offset, SourceId, Timestamp};
use crate::forecast::Nowcast;
use crate::store::{Reader, Store, StoreError};
use crate::telemetry::Metrics;
use crate::window::CommitPoint;

/// Everything that one forecaster owns. It leads or stands by.
pub struct Forecaster {
    state: State,
    store: Store,
    reader: Reader,
    commits: BTreeMap<SourceId, CommitPoint>,
    /// Whether it decides about nowcasts; standbys are sent them.
    pub leads: bool,
    /// Where the log goes on, if there is one, and which changes follow from it.
    read_upto: Option<Offset>,
    progress: ProgressIndex,
}

impl Forecaster {
    /// Reads the state that the store holds.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(
        config: ForecasterConfig,
        store: Store,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let reader = store.reader()?;
        let mut forecaster = Self {
            state: State::new(config, metrics),
            store,
            reader,
            commits: BTreeMap::new(),
            leads: false,
            read_upto: None,
            progress: ProgressIndex::default(),
        };
        forecaster.reload()?;
        forecaster.read_upto = forecaster.log_offset()?;
        forecaster.note_progress();
        Ok(forecaster)
    }

    /// Throws away what is in memory and reads it again: after a transaction that failed.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        self.commits = self.state.restore(&self.reader)?;
        Ok(())
    }

    /// Where each source starts again that was read before.
    pub fn commits(&self) -> &BTreeMap<SourceId, CommitPoint> {
        &self.commits
    }

    /// Where the log between counters and forecaster goes on, if it was read before.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn log_offset(&self) -> Result<Option<Offset>, StoreError> {
        self.reader.state(LOG_OFFSET)
    }

    /// Makes windows wait for a source.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        self.state.merge.expect(source, now);
    }

    /// End of the last final window.
    pub fn finalized_upto(&self) -> Option<Timestamp> {
        self.state.merge.next()
    }

    /// The store, for state that is not the forecaster's.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The store's reader.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Series that are forecast, roll-ups included.
    pub fn series(&self) -> usize {
        self.state.observed.histories.len()
    }

    /// Sets the metrics of how far it is.
    pub fn measure(&self, now: Timestamp) {
        let merge = &self.state.merge;
        let age = merge.next().map_or(0.0, |next| now.since(next).as_secs_f64());
        self.state.metrics.frontier(age, merge.open_windows(), self.series());
    }

    /// The ledger's accuracy as metrics, once an hour of what is news.
    fn publish(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let State { merge, config, metrics, observed, .. } = &self.state;
        let Some(next) = merge.next().filter(|next| *next >= config.issue.told_from) else {
            return Ok(());
        };
        let hour = |at: Timestamp| at.secs().div_euclid(3600);
        if before.map(hour) == Some(hour(next)) && metrics.has_ledger() {
            return Ok(());
        }
        accuracy_metrics::publish(
            &self.reader,
            metrics,
            observed.histories.by_series().keys(),
            next,
        )
    }

    /// Nowcasts since the last call, for standbys.
    pub fn take_unreplicated(&mut self) -> Vec<Nowcast> {
        std::mem::take(&mut self.state.unreplicated)
    }

    /// From what everything follows that a sink was told, which has come to the change `seq`.
    pub fn progress_at(&self, seq: i64) -> Option<Progress> {
        self.progress.progress(seq)
    }

    /// Notes which changes there are now that the log was read so far.
    fn note_progress(&mut self) {
        let Some(log) = self.read_upto else { return };
        let finalized_upto = self.state.merge.next().unwrap_or(Timestamp::MIN);
        match self.reader.newest_change() {
            Ok(seq) => self.progress.note(Progress { log, finalized_upto }, seq),
            Err(error) => {
                tracing::warn!(%error, "the newest change could not be read: a new leader tells sinks more again");
            }
        }
    }

    /// Stores reports and all that follows from them, in one transaction, with where the log that they come from goes
    /// on, if they come from one. Returns what the live stream is told, and whether there are more windows to finalize:
    /// then it is called again, with nothing.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored: then nothing was, and the caller reloads and tries again.
    pub fn apply(
        &mut self,
        reports: &[Report],
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(Vec<StreamEvent>, bool), StoreError> {
        let mut batch = Batch::new(reports, log, now, self.leads);
        let mut stream = Vec::new();
        let mut tx = self.store.begin()?;
        while let Some(effects) = self.state.step(&mut batch, &self.reader)? {
            let outbox = Outbox { receivers: &self.state.config.receivers, now };
            write(&mut tx, effects.changes, &outbox)?;
            stream.extend(effects.stream);
        }
        if batch.is_quiet() {
            drop(tx);
        } else {
            tx.commit()?;
        }
        self.read_upto = log.or(self.read_upto);
        self.note_progress();
        if !batch.is_quiet()
            && let Err(error) = self.publish(batch.before())
        {
            tracing::warn!(%error, "the ledger's figures could not be read for the metrics");
        }
        Ok((stream, batch.has_more()))
    }

    /// Stores a command and, in the same transaction, where the log that it comes from goes on. Returns the alert that it
    /// concerns.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] for an alert that is not there, or that it could not be stored; the state is read again
    /// then.
    pub fn carry_out(
        &mut self,
        command: &ReplicatedCommand,
        log: Option<Offset>,
    ) -> Result<Option<Alert>, CommandError> {
        let result = self.try_carry_out(command, log);
        if let Err(CommandError::Store(_)) = &result
            && let Err(error) = self.reload()
        {
            tracing::error!(%error, "cannot read the store");
        }
        result
    }

    fn try_carry_out(
        &mut self,
        command: &ReplicatedCommand,
        log: Option<Offset>,
    ) -> Result<Option<Alert>, CommandError> {
        if let ReplicatedCommand::Written { sink, progress } = command {
            let known = self.reader.cursor(sink)?;
            let news = self.progress.seq(*progress).filter(|seq| *seq > known);
            let cursor = |seq| StoreChange::Cursor { sink: sink.clone(), seq }.into();
            self.commit(news.map(cursor).unwrap_or_default(), log, Timestamp::MIN)?;
            return Ok(None);
        }
        let Some(decision) = self.state.carry_out(command, &self.reader)? else {
            return Ok(None);
        };
        self.commit(decision.effects, log, decision.pages_at)?;
        if decision.changes_adjustments {
            self.state.adjust(&self.reader)?;
        }
        Ok(decision.alert)
    }

    /// Stores how far a sink has come.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn put_cursor(&mut self, sink: &str, seq: i64) -> Result<(), StoreError> {
        self.commit(StoreChange::Cursor { sink: sink.to_owned(), seq }.into(), None, Timestamp::MIN)
    }

    /// Writes effects in one transaction, with where the log goes on, if they come from there. Pages are due at `now`.
    fn commit(
        &mut self,
        mut effects: Effects<'static>,
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        effects.put_log_offset(log);
        let mut tx = self.store.begin()?;
        let outbox = Outbox { receivers: &self.state.config.receivers, now };
        write(&mut tx, effects.changes, &outbox)?;
        tx.commit()?;
        if log.is_some() {
            self.read_upto = log;
            self.note_progress();
        }
        Ok(())
    }
}
