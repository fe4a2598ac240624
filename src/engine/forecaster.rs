//! The leader's state, and what one report does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use self::stored::{
    admit, counted, once, planned_work, record, revise, settle, settled_in, store_events,
    tell_alarms,
};
use super::figures;
use super::histories::Histories;
use super::issue::{IssueConfig, Issuer, Situation};
use super::marks::{Marks, Progress};
use super::messages::StreamEvent;
use super::nowcast::minute;
use super::refit::RefitConfig;
use super::report::Report;
use super::said;
use super::spells::Spells;
use crate::anomaly::Complaints;
use crate::domain::{Offset, SeriesKey, SourceId, Timestamp, WindowWidth};
use crate::forecast::{Nowcast, PlannedWork};
use crate::store::{PartialRecord, Reader, SourceRecord, Store, StoreError, Tx};
use crate::telemetry::Metrics;
use crate::window::{AlarmBook, AlarmRules, CommitPoint, Counts, Merge, MergeConfig, MergeState};

mod restore;
mod stored;

/// Windows that settle in one transaction, at most: in between people's requests get their turn.
const WINDOWS_MAX: usize = 96;
/// Name of the blob that says where the log goes on.
const LOG_OFFSET: &str = "log_offset";
/// Name of the blob with what alarms did, as of a midnight.
const SPELLS: &str = "spells";
/// Name of the blob that says up to when open windows have been looked at.
const LOOKED_UPTO: &str = "looked_upto";

/// Rules of the leader.
#[derive(Clone)]
pub struct ForecasterConfig {
    pub width: WindowWidth,
    pub lateness: Duration,
    pub source_timeout: Duration,
    /// Distinct ticket series that are kept; more are refused loudly.
    pub series_max: usize,
    pub alarms: AlarmRules,
    pub issue: IssueConfig,
    pub refit: Option<RefitConfig>,
    /// Whether open windows are looked at. What is said then depends on when events were read.
    pub nowcasts: bool,
    /// Notification channels by name.
    pub receivers: Vec<String>,
}

/// What has settled.
struct Seen {
    histories: Histories,
    alarms: AlarmBook,
    spells: Spells,
    /// What customers said.
    complaints: Complaints,
}

impl Seen {
    /// What a step works with, where windows before `end` have settled.
    fn situation<'a>(
        &'a self,
        (work, end, now): (&'a [PlannedWork], Timestamp, Timestamp),
        config: &'a ForecasterConfig,
        metrics: &'a Metrics,
    ) -> Situation<'a> {
        let Self { histories, alarms, spells, complaints } = self;
        let receivers = &config.receivers;
        Situation { histories, alarms, spells, complaints, work, end, receivers, now, metrics }
    }
}

/// Everything that one forecaster owns, restored from the store at any time.
pub struct Forecaster {
    config: ForecasterConfig,
    store: Store,
    reader: Reader,
    merge: Merge,
    seen: Seen,
    leaves: BTreeSet<SeriesKey>,
    issuer: Issuer,
    commits: BTreeMap<SourceId, CommitPoint>,
    metrics: Arc<Metrics>,
    /// Whether it decides about nowcasts; those who follow are told.
    pub leads: bool,
    looked_upto: Option<Timestamp>,
    /// Nowcasts that others have to be told of.
    untold: Vec<Nowcast>,
    /// Where the log goes on, if there is one, and where changes stand in it.
    read_upto: Option<Offset>,
    marks: Marks,
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
        let mut leader = Self {
            merge: Merge::restore(merge_config(&config), MergeState::default(), &|_, _| {
                Counts::default()
            }),
            seen: Seen {
                histories: Histories::new(config.width),
                alarms: AlarmBook::new(config.alarms),
                spells: Spells::default(),
                complaints: Complaints::new(config.width),
            },
            leaves: BTreeSet::new(),
            issuer: Issuer::new(config.issue.clone(), config.refit, config.width, &metrics),
            commits: BTreeMap::new(),
            config,
            store,
            reader,
            metrics,
            leads: false,
            looked_upto: None,
            untold: Vec::new(),
            read_upto: None,
            marks: Marks::default(),
        };
        leader.reload()?;
        leader.read_upto = leader.log_offset()?;
        leader.mark();
        Ok(leader)
    }

    /// Where each source starts again that was read before.
    pub fn commits(&self) -> &BTreeMap<SourceId, CommitPoint> {
        &self.commits
    }

    /// Where the log between counters and leader goes on, if it was read before.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn log_offset(&self) -> Result<Option<Offset>, StoreError> {
        self.reader.state(LOG_OFFSET)
    }

    /// Makes windows wait for a source.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        self.merge.expect(source, now);
    }

    /// End of the last settled window.
    pub fn settled_upto(&self) -> Option<Timestamp> {
        self.merge.next()
    }

    /// The store, for state that is not the leader's.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Series that are forecast, roll-ups included.
    pub fn series(&self) -> usize {
        self.seen.histories.len()
    }

    /// Tells the metrics how far it is.
    pub fn measure(&self, now: Timestamp) {
        let age = self.merge.next().map_or(0.0, |next| now.since(next).as_secs_f64());
        self.metrics.frontier(age, self.merge.open_windows(), self.series());
    }

    /// The store's reader.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The issuer, for what people tell the system.
    pub fn issuer(&mut self) -> &mut Issuer {
        &mut self.issuer
    }

    /// The ledger's figures as metrics, once an hour of what is news.
    fn publish(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let Some(next) = self.merge.next().filter(|next| *next >= self.config.issue.told_from)
        else {
            return Ok(());
        };
        let hour = |at: Timestamp| at.secs().div_euclid(3600);
        if before.map(hour) == Some(hour(next)) && self.metrics.has_ledger() {
            return Ok(());
        }
        figures::publish(&self.reader, &self.metrics, self.seen.histories.by_series().keys(), next)
    }

    /// Nowcasts since the last call, for those who follow.
    pub fn untold(&mut self) -> Vec<Nowcast> {
        std::mem::take(&mut self.untold)
    }

    /// Stores in one transaction, with where the log goes on, if it comes from there.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored: then nothing was.
    pub fn write(
        &mut self,
        log: Option<Offset>,
        run: impl FnOnce(&mut Tx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin()?;
        run(&mut tx)?;
        put_log_offset(&mut tx, log)?;
        tx.commit()?;
        if log.is_some() {
            self.read_upto = log;
            self.mark();
        }
        Ok(())
    }

    /// Notes which changes there are now that the log was read so far.
    fn mark(&mut self) {
        let Some(log) = self.read_upto else { return };
        let settled_upto = self.merge.next().unwrap_or(Timestamp::MIN);
        match self.reader.newest_change() {
            Ok(seq) => self.marks.note(Progress { log, settled_upto }, seq),
            Err(error) => {
                tracing::warn!(%error, "the newest change could not be read: a new leader tells sinks more again");
            }
        }
    }

    /// From what everything follows that a sink was told, which has come to the change `seq`.
    pub fn written(&self, seq: i64) -> Option<Progress> {
        self.marks.progress(seq)
    }

    /// Takes it that a sink was told, by another instance, what follows from `progress`.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub fn skip(
        &mut self,
        sink: &str,
        progress: Progress,
        log: Option<Offset>,
    ) -> Result<(), StoreError> {
        let known = self.reader.cursor(sink)?;
        let news = self.marks.seq(progress).filter(|seq| *seq > known);
        self.write(log, |tx| news.map_or(Ok(()), |seq| tx.put_cursor(sink, seq)))
    }

    /// Takes nowcasts that another instance issued, with where the log goes on. Those that are here already change
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be stored.
    pub fn follow(
        &mut self,
        nowcasts: &[Nowcast],
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let issued_at = nowcasts.first().map(|nowcast| nowcast.vintage.issued_at);
        let news = issued_at.filter(|at| self.looked_upto < Some(*at));
        let (Some(upto), Some(end)) = (news, self.merge.next()) else { return Ok(()) };
        let work = planned_work(&self.reader, Some(end), &[])?;
        let at = self.seen.situation((&work, end, now), &self.config, &self.metrics);
        let mut tx = self.store.begin()?;
        self.issuer.take_nowcasts(&mut tx, &at, nowcasts)?;
        tx.put_state(LOOKED_UPTO, &upto.millis())?;
        put_log_offset(&mut tx, log)?;
        tx.commit()?;
        self.looked_upto = Some(upto);
        self.read_upto = log.or(self.read_upto);
        self.mark();
        Ok(())
    }

    /// Stores reports and all that follows from them, in one transaction, with where the log that they come from goes
    /// on, if they come from one. Returns what the live stream should tell, and whether there is more to settle: then
    /// it is called again, with nothing.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored: then nothing was, and the caller reloads and tries again.
    pub fn apply(
        &mut self,
        reports: &[Report],
        log: Option<Offset>,
        now: Timestamp,
    ) -> Result<(Vec<StreamEvent>, bool), StoreError> {
        let settled = settled_in(&self.reader, self.config.width);
        let mut news: Vec<PartialRecord> = Vec::new();
        for report in reports {
            let source = &report.source;
            let partials = self.merge.apply(source, report.partials.clone(), &settled);
            news.extend(partials.into_iter().map(|p| record(source, p)));
            if let Some((frontier, _)) = report.progress {
                self.merge.note(source, frontier, now);
            }
            for (position, alarm) in &report.alarms {
                self.seen.alarms.observe(position, alarm);
            }
            for (position, list) in &report.rebuilt {
                self.seen.alarms.observe_rebuilt(position, list);
            }
        }
        let mut told = Vec::new();
        let mut tx = self.store.begin()?;
        for report in reports {
            store_events(&mut tx, report)?;
        }
        let before = self.merge.next();
        for window in self.merge.revisions() {
            self.metrics.revised();
            said::revise(&mut self.seen.complaints, &window, &settled);
            let end = self.config.width.end(window.window);
            revise(&mut tx, &self.reader, &mut self.seen.histories, &window, end)?;
            told.push(StreamEvent::Windows { settled_upto: window.window });
        }
        drop(settled);
        // Read where something follows from it: most reports only count.
        let mut work: Option<Vec<PlannedWork>> = None;
        let mut settled_now = 0;
        while settled_now < WINDOWS_MAX
            && let Some(mut window) = self.merge.settle(now)
        {
            settled_now += 1;
            let end = self.config.width.end(window.window);
            let spells = &mut self.seen.spells;
            self.seen.alarms.advance(end, |transition| spells.take(transition));
            self.seen.spells.advance(end);
            tell_alarms(&mut self.seen.alarms, &self.metrics, end);
            if end == end.utc_midnight() {
                tx.put_state(SPELLS, &self.seen.spells.stored())?;
            }
            self.metrics.settled();
            said::thin(&mut window.cells);
            admit(&mut self.leaves, &window, self.config.series_max);
            let leaves = settle(&mut tx, &self.leaves, &window, &self.seen.alarms)?;
            self.seen.histories.push(window.window, &leaves);
            said::push(&mut self.seen.complaints, &window, &leaves);
            if end >= self.config.issue.vintages_from {
                said::judge(&mut tx, &self.seen.complaints, &self.seen.alarms, window.window)?;
            }
            told.push(StreamEvent::Windows { settled_upto: end });
            let situation = self.seen.situation(
                (once(&mut work, || planned_work(&self.reader, before, reports))?, end, now),
                &self.config,
                &self.metrics,
            );
            let said = self.issuer.step(&mut tx, &situation)?;
            told.extend(said);
        }
        let gone = self.merge.collapse();
        let quiet = reports.iter().all(Report::is_heartbeat);
        if quiet && gone.is_empty() && before == self.merge.next() {
            drop(tx);
            self.read_upto = log.or(self.read_upto);
            self.mark();
            return Ok((told, false));
        }
        let looks = self.leads && self.config.nowcasts;
        let known = if looks { self.merge.known_upto() } else { None };
        let known = known.filter(|known| self.looked_upto < Some(minute(*known)));
        if let (Some(known), Some(end)) = (known, self.merge.next()) {
            let at = self.seen.situation(
                (once(&mut work, || planned_work(&self.reader, before, reports))?, end, now),
                &self.config,
                &self.metrics,
            );
            let nowcasts = self.issuer.look(&at, known, &counted(&self.merge, end));
            told.extend(self.issuer.take_nowcasts(&mut tx, &at, &nowcasts)?);
            let upto = minute(known);
            tx.put_state(LOOKED_UPTO, &upto.millis())?;
            self.looked_upto = Some(upto);
            self.untold.extend(nowcasts);
        }
        let held: BTreeSet<_> = gone.iter().cloned().collect();
        news.retain(|p| !held.contains(&(p.window, p.cell.clone(), p.source.clone())));
        self.issuer.flush(&mut tx)?;
        tx.put_partials(&news)?;
        tx.delete_partials(&gone)?;
        for report in reports {
            let Some((frontier, commit)) = report.progress else { continue };
            tx.put_source(&SourceRecord {
                source: report.source.clone(),
                closed: commit.closed,
                decided_upto: commit.decided_upto,
                resume_at: commit.resume_at,
                caught_up_at: frontier.caught_up_at,
                reported_at: now,
            })?;
        }
        put_log_offset(&mut tx, log)?;
        if let Some(next) = self.merge.next() {
            tx.put_state("next_window", &next.millis())?;
        }
        tx.commit()?;
        self.read_upto = log.or(self.read_upto);
        self.mark();
        if let Err(error) = self.publish(before) {
            tracing::warn!(%error, "the ledger's figures could not be read for the metrics");
        }
        Ok((told, settled_now == WINDOWS_MAX))
    }
}

fn put_log_offset(tx: &mut Tx<'_>, log: Option<Offset>) -> Result<(), StoreError> {
    log.map_or(Ok(()), |next| tx.put_state(LOG_OFFSET, &next))
}

fn merge_config(config: &ForecasterConfig) -> MergeConfig {
    MergeConfig {
        width: config.width,
        lateness: config.lateness,
        source_timeout: config.source_timeout,
    }
}
