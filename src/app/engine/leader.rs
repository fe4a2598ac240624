//! The leader's state, and what one report does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::figures;
use super::histories::Histories;
use super::issue::{IssueConfig, Issuer, Situation};
use super::marks::{Marks, Progress};
use super::nowcast::{Counted, minute};
use super::refit::{Known, RefitConfig};
use super::report::Report;
use super::said;
use super::spells::{REACH, Spells};
use crate::anomaly::Complaints;
use crate::api::StreamEvent;
use crate::domain::{
    MaintenanceAction, MaintenanceEvent, Offset, SeriesKey, SourceId, Timestamp, WindowWidth,
};
use crate::forecast::{Nowcast, PlannedWork};
use crate::store::{PartialRecord, Reader, SourceRecord, Store, StoreError, Tx, WindowRecord};
use crate::telemetry::Metrics;
use crate::window::{
    AlarmBook, AlarmRules, Cell, CommitPoint, Counts, Merge, MergeConfig, MergeState, Part,
    Partial, STALE_AFTER, Settled, SourceProgress,
};

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
pub struct LeaderConfig {
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

/// Everything that one forecaster owns, restored from the store at any time.
pub struct Leader {
    config: LeaderConfig,
    store: Store,
    reader: Reader,
    merge: Merge,
    histories: Histories,
    leaves: BTreeSet<SeriesKey>,
    alarms: AlarmBook,
    spells: Spells,
    complaints: Complaints,
    issuer: Issuer,
    commits: BTreeMap<SourceId, CommitPoint>,
    metrics: Arc<Metrics>,
    /// Whether it decides about nowcasts; those who follow are told.
    pub leads: bool,
    looked_upto: Option<Timestamp>,
    /// Nowcasts that others have to be told of.
    untold: Vec<Nowcast>,
    /// Where changes stand in the log.
    marks: Marks,
}

impl Leader {
    /// Reads the state that the store holds.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(
        config: LeaderConfig,
        store: Store,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let reader = store.reader()?;
        let mut leader = Self {
            merge: Merge::restore(merge_config(&config), MergeState::default(), &|_, _| {
                Counts::default()
            }),
            histories: Histories::new(config.width),
            leaves: BTreeSet::new(),
            alarms: AlarmBook::new(config.alarms),
            spells: Spells::default(),
            complaints: Complaints::new(config.width),
            issuer: Issuer::new(config.issue.clone(), config.refit, config.width, &metrics),
            commits: BTreeMap::new(),
            config,
            store,
            reader,
            metrics,
            leads: false,
            looked_upto: None,
            untold: Vec::new(),
            marks: Marks::default(),
        };
        leader.reload()?;
        let log = leader.log_offset()?;
        leader.mark(log)?;
        Ok(leader)
    }

    /// Throws away what is in memory and reads it again: after a transaction that failed.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn reload(&mut self) -> Result<(), StoreError> {
        let next = match self.reader.blob("next_window")? {
            Some(bytes) => postcard::from_bytes::<i64>(&bytes).ok().map(Timestamp::from_millis),
            None => None,
        };
        let looked = self.reader.blob(LOOKED_UPTO)?;
        let looked = looked.and_then(|bytes| postcard::from_bytes::<i64>(&bytes).ok());
        self.looked_upto = looked.map(Timestamp::from_millis);
        self.untold.clear();
        self.restore_merge(next)?;
        self.restore_histories(next)?;
        self.restore_alarms(next)?;
        self.issuer.restore(&self.reader, next)?;
        if let Some(next) = next {
            let work = planned_work(&self.reader, Some(next), &[])?;
            let known = Known { histories: &self.histories, spells: &self.spells, work: &work };
            self.issuer.prepare(next, &known);
        }
        Ok(())
    }

    /// What alarms did in the days that matter, window by window: as it was when these settled.
    fn restore_alarms(&mut self, next: Option<Timestamp>) -> Result<(), StoreError> {
        self.alarms = AlarmBook::new(self.config.alarms);
        let spells = self.reader.blob(SPELLS)?;
        self.spells = spells.and_then(|bytes| Spells::restored(&bytes).ok()).unwrap_or_default();
        let from = next.map_or(Timestamp::MIN, |next| next - STALE_AFTER);
        let mut lists = self.reader.rebuilt_lists(from)?.into_iter().peekable();
        let transitions = self.reader.alarm_transitions(from, Timestamp::MAX)?;
        let mut transitions = transitions.into_iter().peekable();
        let mut end = self.config.width.floor(from);
        while let Some(next) = next.filter(|next| end < *next) {
            end = self.config.width.end(end).min(next);
            while let Some((position, list)) = lists.next_if(|(_, list)| list.ts <= end) {
                self.alarms.observe_rebuilt(&position, &list);
            }
            while let Some((position, event)) = transitions.next_if(|(_, event)| event.ts <= end) {
                self.alarms.observe(&position, &event);
            }
            let spells = &mut self.spells;
            self.alarms.advance(end, |transition| spells.take(transition));
            self.spells.advance(end);
        }
        lists.for_each(|(position, list)| self.alarms.observe_rebuilt(&position, &list));
        transitions.for_each(|(position, event)| self.alarms.observe(&position, &event));
        // What was told before is not told again.
        self.alarms.take_tally();
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
        self.histories = Histories::new(self.config.width);
        self.complaints = Complaints::new(self.config.width);
        self.leaves.clear();
        let Some(next) = next else { return Ok(()) };
        self.adjust()?;
        let complaints = &mut self.complaints;
        let topics_from = next - Complaints::REACH;
        let mut restoring = self.histories.restoring(next);
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
        self.histories.adjust(self.reader.adjustments(reach, Timestamp::MAX)?);
        Ok(())
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
        let bytes = self.reader.blob(LOG_OFFSET)?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
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
        self.histories.len()
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
        figures::publish(&self.reader, &self.metrics, self.histories.by_series().keys(), next)
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
        tx.commit()
    }

    /// Notes which changes there are now that the log was read up to `log`.
    fn mark(&mut self, log: Option<Offset>) -> Result<(), StoreError> {
        let Some(log) = log else { return Ok(()) };
        let settled_upto = self.merge.next().unwrap_or(Timestamp::MIN);
        self.marks.note(Progress { log, settled_upto }, self.reader.newest_change()?);
        Ok(())
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
        let at = Situation {
            histories: &self.histories,
            alarms: &self.alarms,
            spells: &self.spells,
            work: &work,
            end,
            receivers: &self.config.receivers,
            now,
            metrics: &self.metrics,
        };
        let mut tx = self.store.begin()?;
        self.issuer.take_nowcasts(&mut tx, &at, nowcasts)?;
        tx.put_blob(LOOKED_UPTO, &to_blob(&upto.millis()))?;
        put_log_offset(&mut tx, log)?;
        tx.commit()?;
        self.looked_upto = Some(upto);
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
                self.alarms.observe(position, alarm);
            }
            for (position, list) in &report.rebuilt {
                self.alarms.observe_rebuilt(position, list);
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
            said::revise(&mut self.complaints, &window, &settled);
            let end = self.config.width.end(window.window);
            revise(&mut tx, &self.reader, &mut self.histories, &window, end)?;
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
            let spells = &mut self.spells;
            self.alarms.advance(end, |transition| spells.take(transition));
            self.spells.advance(end);
            tell_alarms(&mut self.alarms, &self.metrics, end);
            if end == end.utc_midnight() {
                tx.put_blob(SPELLS, &self.spells.stored())?;
            }
            self.metrics.settled();
            said::thin(&mut window.cells);
            admit(&mut self.leaves, &window, self.config.series_max);
            let leaves = settle(&mut tx, &self.leaves, &window, &self.alarms)?;
            self.histories.push(window.window, &leaves);
            said::push(&mut self.complaints, &window, &leaves);
            if end >= self.config.issue.vintages_from {
                said::judge(&mut tx, &self.complaints, &self.alarms, window.window)?;
            }
            told.push(StreamEvent::Windows { settled_upto: end });
            let situation = Situation {
                histories: &self.histories,
                alarms: &self.alarms,
                spells: &self.spells,
                work: once(&mut work, || planned_work(&self.reader, before, reports))?,
                end,
                receivers: &self.config.receivers,
                now,
                metrics: &self.metrics,
            };
            let said = self.issuer.step(&mut tx, &situation)?;
            told.extend(said);
        }
        let gone = self.merge.collapse();
        let quiet = reports.iter().all(Report::is_heartbeat);
        if quiet && gone.is_empty() && before == self.merge.next() {
            return Ok((told, false));
        }
        let looks = self.leads && self.config.nowcasts;
        let known = if looks { self.merge.known_upto() } else { None };
        let known = known.filter(|known| self.looked_upto < Some(minute(*known)));
        if let (Some(known), Some(end)) = (known, self.merge.next()) {
            let at = Situation {
                histories: &self.histories,
                alarms: &self.alarms,
                spells: &self.spells,
                work: once(&mut work, || planned_work(&self.reader, before, reports))?,
                end,
                receivers: &self.config.receivers,
                now,
                metrics: &self.metrics,
            };
            let nowcasts = self.issuer.look(&at, known, &counted(&self.merge, end));
            told.extend(self.issuer.take_nowcasts(&mut tx, &at, &nowcasts)?);
            let upto = minute(known);
            tx.put_blob(LOOKED_UPTO, &to_blob(&upto.millis()))?;
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
            tx.put_blob("next_window", &to_blob(&next.millis()))?;
        }
        tx.commit()?;
        if let Err(error) = self.mark(log) {
            tracing::warn!(%error, "the newest change could not be read: a new leader tells sinks more again");
        }
        if let Err(error) = self.publish(before) {
            tracing::warn!(%error, "the ledger's figures could not be read for the metrics");
        }
        Ok((told, settled_now == WINDOWS_MAX))
    }
}

fn put_log_offset(tx: &mut Tx<'_>, log: Option<Offset>) -> Result<(), StoreError> {
    log.map_or(Ok(()), |next| tx.put_blob(LOG_OFFSET, &to_blob(&next)))
}

/// Counts what alarms did up to the end of a window, and says what may be missed.
fn tell_alarms(alarms: &mut AlarmBook, metrics: &Metrics, end: Timestamp) {
    let tally = alarms.take_tally();
    metrics.alarms(&tally.counts(), alarms.standing_count());
    if tally.refused > 0 {
        let refused = tally.refused;
        tracing::error!(refused, %end, "limits.standing_alarms reached: counted, but not kept as standing");
    }
    if tally.resynced > 0 {
        let alarms = tally.resynced;
        tracing::warn!(alarms, %end, "alarms are over that were not raised again after their list was rebuilt");
    }
    if tally.lists_refused > 0 {
        let lists = tally.lists_refused;
        tracing::error!(lists, %end, "too many rebuilt lists at once: their alarms stand until they are cleared");
    }
}

/// Tickets in windows that have not settled, the first of which starts at `next`.
fn counted(merge: &Merge, next: Timestamp) -> Counted {
    let open = merge.windows().filter(|start| *start >= next);
    let of = |start| {
        let totals = merge.totals(start).into_iter();
        let tickets = totals.filter_map(|(cell, counts)| match cell {
            Cell::Tickets(series) => Some((series, counts.tickets)),
            Cell::Alarms(_) | Cell::Maintenance | Cell::Phrase(..) => None,
        });
        (start, tickets.collect())
    };
    open.map(of).collect()
}

/// Work that is planned now, or was in the weeks that are learned from; what the reports bring is not stored yet.
fn planned_work(
    reader: &Reader,
    next: Option<Timestamp>,
    reports: &[Report],
) -> Result<Vec<PlannedWork>, StoreError> {
    let Some(next) = next else { return Ok(Vec::new()) };
    let mut known: BTreeMap<Box<str>, MaintenanceEvent> = BTreeMap::new();
    let stored = reader.maintenance(next - REACH, Timestamp::MAX)?;
    let brought = reports.iter().flat_map(|report| &report.maintenance);
    for event in stored.into_iter().chain(brought.map(|(_, event)| event.clone())) {
        let newer = known.get(&event.event_id).is_none_or(|other| other.ts <= event.ts);
        if newer {
            known.insert(event.event_id.clone(), event);
        }
    }
    let planned = known.into_values().filter(|e| e.action == MaintenanceAction::Plan);
    let mut work: Vec<PlannedWork> = planned.map(|event| PlannedWork::from(&event)).collect();
    work.sort_by_key(|work| (work.starts_at, work.ends_at, work.announced_at));
    Ok(work)
}

/// What is known, read the first time.
fn once<T>(
    known: &mut Option<T>,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<&T, StoreError> {
    let value = match known.take() {
        Some(value) => value,
        None => read()?,
    };
    Ok(known.insert(value))
}

fn record(source: &SourceId, partial: Partial) -> PartialRecord {
    let Partial { window, cell, counts, upto } = partial;
    PartialRecord { window, cell, source: source.clone(), counts, upto }
}

/// Serialises small state for `put_blob`.
pub fn to_blob<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("a Vec grows as it needs to")
}

fn merge_config(config: &LeaderConfig) -> MergeConfig {
    MergeConfig {
        width: config.width,
        lateness: config.lateness,
        source_timeout: config.source_timeout,
    }
}

/// Looks up settled totals in the store.
fn settled_in(reader: &Reader, width: WindowWidth) -> impl Fn(&Cell, Timestamp) -> Counts + '_ {
    move |cell, window| {
        reader
            .windows(cell, window, width.end(window))
            .ok()
            .and_then(|rows| rows.into_iter().find(|(_, r)| r.settled))
            .map(|(_, record)| record.counts)
            .unwrap_or_default()
    }
}

fn store_events(tx: &mut Tx<'_>, report: &Report) -> Result<(), StoreError> {
    for (position, alarm) in &report.alarms {
        tx.put_alarm(position, alarm)?;
    }
    for (position, list) in &report.rebuilt {
        tx.put_rebuilt(position, list)?;
    }
    for (position, work) in &report.maintenance {
        tx.put_maintenance(position, work)?;
    }
    for (letter, place) in &report.dead {
        let place = place.as_ref().map(|(cell, start)| (cell, *start));
        tx.put_dead_letter(letter, place)?;
    }
    Ok(())
}

/// Makes the window's new series known, up to the limit.
fn admit(leaves: &mut BTreeSet<SeriesKey>, window: &Settled, series_max: usize) {
    for (cell, _) in &window.cells {
        let Cell::Tickets(series) = cell else { continue };
        if leaves.contains(series) {
            continue;
        }
        if leaves.len() >= series_max {
            tracing::error!(%series, series_max, "series limit reached: counted, but not forecast");
            continue;
        }
        leaves.insert(series.clone());
    }
}

/// Stores a settled window: every known series has a count then, zero or missing where nothing came.
fn settle(
    tx: &mut Tx<'_>,
    leaves: &BTreeSet<SeriesKey>,
    window: &Settled,
    alarms: &AlarmBook,
) -> Result<Vec<(SeriesKey, Option<u32>)>, StoreError> {
    let mut rows: BTreeMap<Cell, WindowRecord> = BTreeMap::new();
    for series in leaves {
        let record =
            WindowRecord { settled: true, missing: window.missing, ..WindowRecord::default() };
        rows.insert(Cell::Tickets(series.clone()), record);
    }
    for (scope, active) in alarms.active() {
        let record = WindowRecord { settled: true, active, ..WindowRecord::default() };
        rows.insert(Cell::Alarms(scope), record);
    }
    for (cell, counts) in &window.cells {
        let row = rows
            .entry(cell.clone())
            .or_insert(WindowRecord { settled: true, ..WindowRecord::default() });
        row.counts = *counts;
        row.missing = false;
    }
    let counted = leaves
        .iter()
        .map(|series| {
            let row = rows.get(&Cell::Tickets(series.clone())).copied().unwrap_or_default();
            (series.clone(), (!row.missing).then_some(row.counts.tickets))
        })
        .collect();
    let rows: Vec<_> = rows.into_iter().map(|(cell, row)| (cell, window.window, row)).collect();
    tx.put_windows(&rows)?;
    Ok(counted)
}

/// Stores counts that changed after their window had settled.
fn revise(
    tx: &mut Tx<'_>,
    reader: &Reader,
    histories: &mut Histories,
    window: &Settled,
    end: Timestamp,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (cell, counts) in &window.cells {
        let stored = reader.windows(cell, window.window, end)?;
        // What stood then is as it was known then.
        let active = stored.first().map_or(0, |(_, record)| record.active);
        let record = WindowRecord {
            counts: *counts,
            active,
            settled: true,
            revised: true,
            ..WindowRecord::default()
        };
        rows.push((cell.clone(), window.window, record));
        if let Cell::Tickets(series) = cell {
            histories.revise(series, window.window, counts.tickets);
        }
    }
    tx.put_windows(&rows)
}
