//! The forecaster's thread. It receives reports, commands and outcomes of deliveries, and stores their effects in transactions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::commands::{self, Done};
use super::forecaster::Forecaster;
use super::messages::{
    Answer, Command, CommandError, Leads, Message, ReplicatedCommand, StreamEvent,
};
use super::progress::Progress;
use super::report::Report;
use crate::clock::Stopwatch;
use crate::domain::{Clock, Offset, SourceId, Timestamp};
use crate::store::{Store, StoreError};
use crate::telemetry::{Health, Metrics};

/// How long the forecaster waits for a message before it takes commands.
const INBOX_WAIT: Duration = Duration::from_millis(50);
/// Wait after a failed transaction.
const RETRY: Duration = Duration::from_secs(1);
/// Clock time between two rounds of retention.
const PRUNE_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Interval of messages to standbys about a sink's progress. A new leader writes at most this much again.
const REPLICATE_PROGRESS_EVERY_S: f64 = 5.0;

/// The progress of a sink.
#[derive(Default)]
pub struct SinkProgress {
    /// The change up to which it has written everything.
    upto: i64,
    /// The progress that was last sent to standbys, and when.
    replicated: Option<(Progress, Stopwatch)>,
}

/// Regular work with the store, such as storing a clock.
pub type PeriodicTask = Box<dyn FnMut(&mut Store) -> Result<(), StoreError> + Send>;

/// The forecaster and what it is connected to.
pub struct Engine {
    pub forecaster: Forecaster,
    pub inbox: Receiver<Message>,
    pub commands: mpsc::Receiver<Command>,
    pub stream: broadcast::Sender<StreamEvent>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
    /// Set once this source has been read to its end for the first time.
    pub caught_up: (SourceId, Arc<AtomicBool>),
    /// Runs about once a second.
    pub periodic: PeriodicTask,
    /// Replicates commands to standbys, if there may be any.
    pub standbys: Option<SyncSender<(ReplicatedCommand, Answer)>>,
    /// Whether this instance leads.
    pub leads: Arc<dyn Leads>,
    /// Called once changed alerts are stored, because there may be pages.
    pub alerts_changed: Box<dyn Fn() + Send>,
    /// Progress of the sinks.
    pub sinks: BTreeMap<&'static str, SinkProgress>,
    /// Whether `/ready` shows that names exceed the limit.
    pub limit_reported: bool,
}

impl Engine {
    /// Runs until `stop` is set, or until all senders of the inbox are dropped.
    pub fn run(mut self) {
        let mut pruned_at = self.clock.now();
        if let Err(error) = self.forecaster.store().prune_dead_letters(pruned_at) {
            tracing::warn!(%error, "store: old dead letters were not deleted, retrying in six hours");
        }
        let mut idle_rounds = 0u32;
        while !self.stop.load(Ordering::Relaxed) {
            while let Ok(command) = self.commands.try_recv() {
                self.command(command);
            }
            match self.inbox.recv_timeout(INBOX_WAIT) {
                Ok(Message::Report(handle)) => {
                    let reports = std::slice::from_ref(&handle.report);
                    self.apply(reports, None, || handle.mark_stored());
                }
                Ok(Message::Log { reports, command, next }) => self.read(reports, command, next),
                Ok(Message::Expect(sources)) => {
                    self.forecaster.expect_partitions(sources, self.clock.now());
                }
                Ok(Message::Cursor(sink, at)) => {
                    // After a restart the sink writes the same points again, which is harmless.
                    if let Err(error) = self.forecaster.put_cursor(sink, at) {
                        tracing::error!(%error, sink, "store: cannot store the progress of a sink");
                    }
                    self.sinks.entry(sink).or_default().upto = at;
                }
                Ok(Message::Deliveries(outcomes, stored)) => {
                    for (notice, receiver, outcome) in outcomes {
                        let command = ReplicatedCommand::Delivered { notice, receiver, outcome };
                        if let Err(error) = self.forecaster.carry_out(&command, None) {
                            tracing::error!(%error, "store: cannot store the outcome of a delivery");
                        }
                        self.replicate(command, Box::new(|| {}));
                    }
                    // The outbox thread may have stopped waiting.
                    let _ = stored.try_send(());
                }
                Ok(Message::Annotations(rows, stored)) => {
                    let command = ReplicatedCommand::Annotated { rows };
                    match self.forecaster.carry_out(&command, None) {
                        Ok(_) => {
                            self.replicate(command, Box::new(|| {}));
                            // The sink may have stopped waiting.
                            let _ = stored.try_send(());
                        }
                        Err(error) => {
                            tracing::error!(%error, "store: cannot store annotations, retrying");
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            idle_rounds += 1;
            if idle_rounds >= 20 {
                idle_rounds = 0;
                self.run_periodic_tasks(&mut pruned_at);
            }
        }
        self.run_periodic_tasks(&mut pruned_at);
    }

    fn run_periodic_tasks(&mut self, pruned_at: &mut Timestamp) {
        if let Err(error) = (self.periodic)(self.forecaster.store()) {
            tracing::warn!(%error, "forecaster: a periodic task failed, retrying in a second");
        }
        self.replicate_progress();
        self.page_again();
        self.measure();
        let now = self.clock.now();
        if now.since(*pruned_at) >= PRUNE_EVERY {
            *pruned_at = now;
            if let Err(error) = self.forecaster.store().prune(now) {
                tracing::warn!(%error, "store: retention failed, retrying in six hours");
            }
        }
    }

    /// Stores messages of the replicated log. The command follows the reports; it has a transaction of its own, which also
    /// stores the next offset of the log.
    fn read(&mut self, reports: Vec<Report>, command: Option<ReplicatedCommand>, next: Offset) {
        let upto = if command.is_some() { next - 1 } else { next };
        let (new, mut reports): (Vec<Report>, Vec<Report>) =
            reports.into_iter().partition(|report| self.forecaster.is_new(report));
        if !new.is_empty() {
            // Counts of a topic are stored before the topic is replaced.
            let before = self.forecaster.rename(reports);
            if !(self.apply(&before, None, || {}) && self.add_generations(&new)) {
                return;
            }
            reports = new;
        }
        let reports = self.forecaster.rename(reports);
        if self.apply(&reports, Some(upto), || {})
            && let Some(command) = command
        {
            self.carry_out(&command, next);
        }
    }

    /// Reports that a write failed. Only the first failure is logged, because writes are retried every second.
    fn store_fails(&self, error: &StoreError) {
        if self.health.failing("store", &error.to_string()) {
            tracing::error!(%error, "store: write failed, retrying every second, nothing is lost");
        }
    }

    /// Adds topics that were not counted before, and retries until that is stored. Returns whether it succeeded before
    /// `stop` was set.
    fn add_generations(&mut self, reports: &[Report]) -> bool {
        while let Err(error) = self.forecaster.add_generations(reports) {
            self.store_fails(&error);
            if self.wait_or_stop() {
                return false;
            }
        }
        true
    }

    /// Stores reports and finalizes windows, and retries until this succeeds; meanwhile the reader of the reports waits.
    /// Returns whether it succeeded before `stop` was set.
    fn apply(&mut self, reports: &[Report], log: Option<Offset>, stored: impl Fn()) -> bool {
        let mut todo = (reports, log);
        loop {
            let watch = Stopwatch::start();
            self.forecaster.leads = self.leads.leads();
            match self.forecaster.apply(todo.0, todo.1, self.clock.now()) {
                Ok((events, more)) => {
                    self.health.ready("store");
                    stored();
                    if events.iter().any(|event| matches!(event, StreamEvent::Alert(_))) {
                        (self.alerts_changed)();
                    }
                    if !reports.iter().all(Report::is_heartbeat) {
                        self.metrics.commit(watch.seconds());
                    }
                    self.measure();
                    self.report_limit();
                    let (nowcasts, at) = (self.forecaster.take_unreplicated(), self.clock.now());
                    if !nowcasts.is_empty() {
                        self.replicate(
                            ReplicatedCommand::Nowcast { nowcasts, at },
                            Box::new(|| {}),
                        );
                    }
                    for event in events {
                        // The stream may have no clients.
                        let _ = self.stream.send(event);
                    }
                    if !more {
                        break;
                    }
                    if self.stop.load(Ordering::Relaxed) {
                        return false;
                    }
                    todo = (&[], None);
                    while let Ok(command) = self.commands.try_recv() {
                        self.command(command);
                    }
                    continue;
                }
                Err(error) => {
                    if matches!(error, StoreError::Corrupt { .. }) {
                        self.forecaster.store().mark_suspect();
                    }
                    self.store_fails(&error);
                    self.measure();
                }
            }
            if self.wait_or_stop() {
                return false;
            }
            while let Err(error) = self.forecaster.reload() {
                if self.health.failing("store", &error.to_string()) {
                    tracing::error!(%error, "store: read failed, retrying every second");
                }
                if self.wait_or_stop() {
                    return false;
                }
            }
            // Answer commands at once with an error: nothing can be stored.
            while let Ok(command) = self.commands.try_recv() {
                self.command(command);
            }
        }
        let (source, flag) = &self.caught_up;
        let is_there =
            |r: &Report| r.source.in_generation(None) == *source && r.caught_up_at().is_some();
        if reports.iter().any(is_there) {
            flag.store(true, Ordering::Release);
        }
        true
    }

    /// Sets the gauges that grow or change with time alone.
    fn measure(&self) {
        self.metrics.leads(self.leads.leads());
        self.forecaster.measure(self.clock.now());
    }

    /// Shows in `/ready` whether names beyond the limit are counted under another name.
    fn report_limit(&mut self) {
        match self.forecaster.beyond_limit(self.clock.now()) {
            Some(reason) => self.limit_reported |= self.health.degraded("series", reason),
            None if std::mem::take(&mut self.limit_reported) => _ = self.health.ready("series"),
            None => {}
        }
    }

    fn wait_or_stop(&self) -> bool {
        std::thread::park_timeout(RETRY);
        self.stop.load(Ordering::Relaxed)
    }

    /// Notifies the next receivers of alerts that nobody has acknowledged, and sends reports that are due. Only the leader does
    /// this.
    fn page_again(&mut self) {
        if !self.leads.leads() {
            return;
        }
        let now = self.clock.now();
        let due = self.forecaster.overdue_pages(now).and_then(|mut due| {
            due.extend(self.forecaster.due_reports(now)?);
            Ok(due)
        });
        let commands = due.unwrap_or_else(|error| {
            tracing::warn!(%error, "store: cannot read pages, retrying in a second");
            Vec::new()
        });
        for command in commands {
            match self.forecaster.carry_out(&command, None) {
                Ok(alert) => {
                    self.replicate(command, Box::new(|| {}));
                    (self.alerts_changed)();
                    // The stream may have no clients.
                    let shown = alert.map(|alert| StreamEvent::Alert(Box::new(alert)));
                    shown.map(|event| self.stream.send(event));
                }
                Err(error) => tracing::warn!(
                    %error,
                    "store: a page or a report that is due was not stored, retrying in a second"
                ),
            }
        }
    }

    /// Replicates the progress of sinks to standbys, every few seconds.
    fn replicate_progress(&mut self) {
        let mut commands = Vec::new();
        for (sink, at) in &mut self.sinks {
            let Some(progress) = self.forecaster.progress_at(at.upto) else { continue };
            let is_known = |(sent, since): &(Progress, Stopwatch)| {
                *sent == progress || since.seconds() < REPLICATE_PROGRESS_EVERY_S
            };
            if !at.replicated.as_ref().is_some_and(is_known) {
                at.replicated = Some((progress, Stopwatch::start()));
                commands.push(ReplicatedCommand::Written { sink: (*sink).to_owned(), progress });
            }
        }
        commands.into_iter().for_each(|command| self.replicate(command, Box::new(|| {})));
    }

    fn command(&mut self, command: Command) {
        let Done { mut commands, answer, stream } =
            commands::handle(&mut self.forecaster, command, self.clock.now());
        for event in stream {
            let _ = self.stream.send(event);
        }
        // The answer waits for the last command, because the log keeps their order.
        let Some(last) = commands.pop() else { return answer() };
        commands.into_iter().for_each(|command| self.replicate(command, Box::new(|| {})));
        self.replicate(last, answer);
    }

    /// Carries out a command of the leader, and retries until it is stored. The log resumes at `next` after it.
    fn carry_out(&mut self, command: &ReplicatedCommand, next: Offset) {
        loop {
            match self.forecaster.carry_out(command, Some(next)) {
                Ok(_) => return,
                Err(CommandError::NotFound) => {
                    return tracing::warn!(
                        ?command,
                        "standby: command skipped, its alert does not exist"
                    );
                }
                Err(CommandError::Store(error) | CommandError::Full(error)) => {
                    self.health.failing("store", &error);
                    tracing::error!(
                        error,
                        ?command,
                        "standby: cannot store a command, retrying in a second, nothing is lost"
                    );
                }
            }
            if self.wait_or_stop() {
                return;
            }
        }
    }

    /// Replicates a command to standbys, then answers.
    fn replicate(&self, command: ReplicatedCommand, answer: Answer) {
        let Some(standbys) = &self.standbys else { return answer() };
        if standbys.try_send((command, answer)).is_err() {
            // The request gets no answer and fails. The client may repeat it.
            tracing::error!(
                "standby: a command was not replicated, because too many commands wait for Kafka"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::super::tests::{at, forecaster};
    use super::*;
    use crate::clock::ManualClock;
    use crate::cluster::Leadership;
    use crate::domain::{DeadLetter, Position, Reason, SeriesKey};
    use crate::staffing::Shift;
    use crate::store::Filter;
    use crate::window::{CommitPoint, Frontier};

    /// An engine that stops at the first failed write.
    fn engine(dir: &TempDir) -> Engine {
        let (_, inbox) = sync_channel(1);
        let (_, commands) = mpsc::channel(1);
        Engine {
            forecaster: forecaster(dir),
            inbox,
            commands,
            stream: broadcast::channel(16).0,
            clock: Arc::new(ManualClock::new(at(0))),
            health: Arc::default(),
            metrics: Arc::default(),
            stop: Arc::new(AtomicBool::new(true)),
            caught_up: (SourceId::new("none", 0), Arc::default()),
            periodic: Box::new(|_| Ok(())),
            standbys: None,
            leads: Arc::new(Leadership::alone()),
            alerts_changed: Box::new(|| ()),
            sinks: BTreeMap::new(),
            limit_reported: false,
        }
    }

    #[test]
    fn the_offset_of_the_log_does_not_pass_a_command_that_was_not_carried_out() {
        let dir = TempDir::new().expect("directory");
        let series = SeriesKey::parse("north/tv/phone").expect("series");
        let shift = Shift { series, start: at(0), end: at(3600), agents: 7 };
        let command =
            ReplicatedCommand::Roster { shifts: vec![shift.clone()], team_shifts: Vec::new() };
        let mut report = Report::new(SourceId::new("tickets", 0));
        let commit = CommitPoint { closed: at(0), ..CommitPoint::start(9) };
        report.progress = Some((Frontier { closed: at(0), caught_up_at: None }, commit));
        let letter = DeadLetter {
            position: Position { source: report.source.clone(), offset: 3 },
            nth: 0,
            received_at: at(0),
            reason: Reason::Malformed,
            detail: "no JSON".into(),
            bytes: (*b"{").into(),
        };
        report.dead = vec![(letter, None)];
        // Messages 0 to 4 are reports, 5 is a command. The engine stops between the two.
        let sqlite = |sql: &str| {
            let conn = Connection::open(dir.path().join("state.db")).expect("opens");
            conn.execute_batch(sql).expect("runs");
        };
        let mut one = engine(&dir);
        sqlite("CREATE TRIGGER no BEFORE INSERT ON shifts BEGIN SELECT RAISE(ABORT, 'no'); END;");
        std::thread::current().unpark();
        one.read(vec![report], Some(command.clone()), 6);
        drop(one);
        sqlite("DROP TRIGGER no;");

        let mut again = engine(&dir);
        assert!(again.forecaster.commits().len() == 1, "the reports are stored");
        assert_eq!(again.forecaster.log_offset().expect("reads"), Some(5), "it is read again");
        again.read(Vec::new(), Some(command), 6);
        assert_eq!(again.forecaster.log_offset().expect("reads"), Some(6));
        let shifts = again.forecaster.reader().shifts(&Filter::default(), at(0), Timestamp::MAX);
        assert_eq!(shifts.expect("reads"), [shift]);
    }
}
