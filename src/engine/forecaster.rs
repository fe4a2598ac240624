//! The forecaster: its state and its store. It writes the effects of steps, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{Span, field};

use super::accuracy_metrics;
use super::config::ForecasterConfig;
use super::effects::{Effects, StoreChange};
use super::messages::{CommandError, ReplicatedCommand, StreamEvent};
use super::progress::{Progress, ProgressIndex};
use super::report::Report;
use super::saved::{LOG_OFFSET, Saved};
use super::state::State;
use super::step::Batch;
use super::write::{Outbox, write};
use crate::alert::Alert;
use crate::domain::{Offset, SourceId, Timestamp};
use crate::forecast::Nowcast;
use crate::store::{Reader, Store, StoreError};
use crate::telemetry::{Metrics, count, fail, span};
use crate::window::CommitPoint;

/// One forecaster. It leads or stands by.
pub struct Forecaster {
    pub(super) state: State,
    store: Store,
    reader: Reader,
    commits: BTreeMap<SourceId, CommitPoint>,
    /// Whether it leads. Only the leader issues nowcasts; it replicates them to standbys.
    pub leads: bool,
    /// Next offset of the replicated log, if there is one.
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
        forecaster.state.begin_metrics();
        forecaster.read_upto = forecaster.log_offset()?;
        forecaster.note_progress();
        Ok(forecaster)
    }

    /// Drops the state in memory and reads it again. Needed after a failed transaction.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        self.commits = self.state.restore(&self.reader)?;
        Ok(())
    }

    /// Where each known source resumes.
    pub fn commits(&self) -> &BTreeMap<SourceId, CommitPoint> {
        &self.commits
    }

    /// How far each source is counted, in the generation that is being counted.
    pub fn counted(&self) -> impl Iterator<Item = (SourceId, CommitPoint)> {
        let generations = &self.state.generations;
        self.commits
            .iter()
            .filter_map(|(named, commit)| Some((generations.counted(named)?, commit.clone())))
    }

    /// Next offset of the replicated log, if it was read before.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn log_offset(&self) -> Result<Option<Offset>, StoreError> {
        self.reader.state(LOG_OFFSET)
    }

    /// Makes windows wait for a source.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        let source = self.state.generations.current(&source);
        self.state.merge.expect(source, now);
    }

    /// The name under which a source is counted now.
    pub fn current(&self, source: &SourceId) -> SourceId {
        self.state.generations.current(source)
    }

    /// Makes windows wait for all partitions of some topics, and no longer for partitions that these topics had before.
    pub fn expect_partitions(&mut self, partitions: Vec<SourceId>, now: Timestamp) {
        let State { merge, generations, .. } = &mut self.state;
        let has_topic = |name: &str| partitions.iter().any(|one| one.topic_name() == name);
        let known: Vec<SourceId> = merge.sources().keys().cloned().collect();
        for source in known {
            if has_topic(source.topic_name()) && !partitions.contains(&source.in_generation(None)) {
                merge.release(&source);
            }
        }
        for source in partitions {
            merge.expect(generations.current(&source), now);
        }
    }

    /// Whether a report belongs to a topic that was not counted before.
    pub fn is_new(&self, report: &Report) -> bool {
        self.state.generations.is_new(&report.source)
    }

    /// Adds the topics of reports to those that are counted. Windows no longer wait for the topics that they replace.
    ///
    /// # Errors
    /// [`StoreError`] if that could not be stored; then nothing has changed.
    pub fn add_generations(&mut self, reports: &[Report]) -> Result<(), StoreError> {
        let mut generations = self.state.generations.clone();
        let replaced: Vec<SourceId> =
            reports.iter().flat_map(|report| generations.add(&report.source)).collect();
        let saved = StoreChange::Saved(Saved::Generations(generations.clone()));
        self.commit(saved.into(), None, Timestamp::MIN)?;
        self.state.generations = generations;
        for source in replaced {
            tracing::warn!(%source, "log: the topic was created again or has a gap; its new counts are added");
            self.state.merge.release(&source);
        }
        Ok(())
    }

    /// Gives reports the names of their sources. Drops reports of topics that were replaced.
    pub fn rename(&self, reports: Vec<Report>) -> Vec<Report> {
        self.state.generations.rename(reports)
    }

    /// End of the last finalized window.
    pub fn finalized_upto(&self) -> Option<Timestamp> {
        self.state.merge.next()
    }

    /// The store, for other parts' state.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The store's reader.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Number of series that are forecast, roll-ups included.
    pub fn series(&self) -> usize {
        self.state.observed.histories.len()
    }

    /// Why events are counted under another name, if there were any in the last hour.
    pub fn beyond_limit(&self, now: Timestamp) -> Option<&str> {
        self.state.beyond.reason(now)
    }

    /// Updates the metrics of progress.
    pub fn measure(&self, now: Timestamp) {
        let merge = &self.state.merge;
        let age = merge.next().map_or(0.0, |next| now.since(next).as_secs_f64());
        self.state.metrics.frontier(age, merge.open_windows(), self.series());
        self.state.metrics.named_series(merge.names().series());
    }

    /// Publishes the ledger's accuracy as metrics, once an hour of event time, for windows recent enough to notify.
    fn publish(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let State { merge, config, metrics, observed, .. } = &self.state;
        let Some(next) = merge.next().filter(|next| *next >= config.issue.notify_from) else {
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

    /// Nowcasts since the last call, to replicate.
    pub fn take_unreplicated(&mut self) -> Vec<Nowcast> {
        std::mem::take(&mut self.state.unreplicated)
    }

    /// The progress of a sink that has written all changes up to `seq`.
    pub fn progress_at(&self, seq: i64) -> Option<Progress> {
        self.progress.progress(seq)
    }

    /// Records the newest change at the current position of the log.
    fn note_progress(&mut self) {
        let Some(log) = self.read_upto else { return };
        let finalized_upto = self.state.merge.next().unwrap_or(Timestamp::MIN);
        match self.reader.newest_change() {
            Ok(seq) => self.progress.note(Progress { log, finalized_upto }, seq),
            Err(error) => {
                tracing::warn!(%error, "store: cannot read the newest change; if the leader changes, more points than usual are written to sinks twice");
            }
        }
    }

    /// Stores reports and all their consequences in one transaction. `log` is the next offset of the replicated log, if they
    /// come from it. Returns events of the live stream, and whether more windows may be finalized: then call again without
    /// reports.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is stored, and the caller must [reload](Self::reload) and retry.
    pub fn apply(
        &mut self,
        reports: &[Report],
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(Vec<StreamEvent>, bool), StoreError> {
        let round = span!(
            "forecaster.round",
            reports = count(reports.len()),
            windows = field::Empty,
            leads = self.leads,
            quiet = field::Empty,
        )
        .entered();
        let applied = self.try_apply(reports, log, now, &round);
        if applied.is_err() {
            fail(&round, "store");
        }
        applied
    }

    fn try_apply(
        &mut self,
        reports: &[Report],
        log: Option<Offset>,
        now: Timestamp,
        round: &Span,
    ) -> Result<(Vec<StreamEvent>, bool), StoreError> {
        let reports = self.state.paired(reports);
        let mut batch = Batch::new(&reports, log, now, self.leads);
        let mut stream = Vec::new();
        let mut tx = self.store.begin()?;
        while let Some(effects) = self.state.step(&mut batch, &self.reader)? {
            let outbox = outbox(&self.state.config, now);
            write(&mut tx, effects.changes, &outbox)?;
            stream.extend(effects.stream);
        }
        round.record("windows", count(batch.finalized()));
        if batch.is_quiet() {
            round.record("quiet", true);
            drop(tx);
        } else {
            span!("commit").in_scope(|| tx.commit())?;
        }
        self.read_upto = log.or(self.read_upto);
        self.note_progress();
        if !batch.is_quiet()
            && let Err(error) = self.publish(batch.before())
        {
            tracing::warn!(%error, "store: cannot read the ledger for the metrics of accuracy");
        }
        Ok((stream, batch.has_more()))
    }

    /// Carries out a command and stores it. `log` is the next offset of the replicated log, if the command comes from it;
    /// it is stored in the same transaction. Returns the alert that the command concerns.
    ///
    /// # Errors
    /// [`CommandError::NotFound`] for an unknown alert; [`CommandError::Store`] if it could not be stored, after which
    /// the state has been read again.
    pub fn carry_out(
        &mut self,
        command: &ReplicatedCommand,
        log: Option<Offset>,
    ) -> Result<Option<Alert>, CommandError> {
        let result = self.try_carry_out(command, log);
        if let Err(CommandError::Store(_) | CommandError::Full(_)) = &result
            && let Err(error) = self.reload()
        {
            tracing::error!(%error, "store: read failed");
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
            let newer = self.progress.seq(*progress).filter(|seq| *seq > known);
            let cursor = |seq| StoreChange::Cursor { sink: sink.clone(), seq }.into();
            self.commit(newer.map(cursor).unwrap_or_default(), log, Timestamp::MIN)?;
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

    /// Stores the change up to which a sink has written everything.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn put_cursor(&mut self, sink: &str, seq: i64) -> Result<(), StoreError> {
        self.commit(StoreChange::Cursor { sink: sink.to_owned(), seq }.into(), None, Timestamp::MIN)
    }

    /// Writes effects in one transaction, with the next offset of the log, if they come from it. Pages are due at `now`.
    fn commit(
        &mut self,
        mut effects: Effects<'static>,
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        effects.put_log_offset(log);
        let mut tx = self.store.begin()?;
        let outbox = outbox(&self.state.config, now);
        write(&mut tx, effects.changes, &outbox)?;
        tx.commit()?;
        if log.is_some() {
            self.read_upto = log;
            self.note_progress();
        }
        Ok(())
    }
}

fn outbox(config: &ForecasterConfig, now: Timestamp) -> Outbox<'_> {
    let ForecasterConfig { receivers, escalation, .. } = config;
    Outbox { receivers, escalation, now }
}
