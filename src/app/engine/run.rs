//! The leader's thread: reports, commands and deliveries in, transactions out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::commands::{self, Answer, Done, Told};
use super::leader::Leader;
use super::report::{Handed, Report};
use crate::api::{Command, Leads, StreamEvent};
use crate::app::clock::Stopwatch;
use crate::domain::{Clock, Offset, SourceId, Timestamp};
use crate::store::{DeliveryOutcome, Store, StoreError};
use crate::telemetry::{Health, Metrics};

/// How long the leader waits for a report before it looks for commands.
const PATIENCE: Duration = Duration::from_millis(50);
/// Between two tries to store what could not be stored.
const RETRY: Duration = Duration::from_secs(1);
/// Store time between two rounds of retention.
const PRUNE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// What other threads send the leader.
pub enum Input {
    /// From a reader of this process. The channel is bounded: while the leader cannot store, readers wait.
    Report(Handed),
    /// Reports read from the log, and where it goes on.
    Log(Vec<Report>, Offset),
    /// Windows wait for these from now on.
    Expect(Vec<SourceId>),
    /// What another instance, which leads, was told.
    Told(Vec<Told>),
    /// A sink has come this far.
    Cursor(&'static str, i64),
    /// Tries of the outbox: (notice id, receiver, outcome), and whom to tell that they are stored.
    Deliveries(Vec<(String, String, DeliveryOutcome)>, SyncSender<()>),
}

/// Regular work with the store, such as persisting a clock.
pub type Chore = Box<dyn FnMut(&mut Store) -> Result<(), StoreError> + Send>;

/// The leader and what it is connected to.
pub struct Engine {
    pub leader: Leader,
    pub inbox: Receiver<Input>,
    pub commands: mpsc::Receiver<Command>,
    pub stream: broadcast::Sender<StreamEvent>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub stop: Arc<AtomicBool>,
    /// Set once the source named has been read to its end for the first time.
    pub caught_up: (SourceId, Arc<AtomicBool>),
    /// Done about once a second.
    pub chore: Chore,
    /// Those who follow, where there are any.
    pub others: Option<SyncSender<(Told, Answer)>>,
    /// Whether this instance is the one that decides.
    pub leads: Arc<dyn Leads>,
}

impl Engine {
    /// Runs until `stop` is set and the inbox is empty, or everybody is gone.
    pub fn run(mut self) {
        let mut pruned_at = self.clock.now();
        let mut idle_rounds = 0u32;
        while !self.stop.load(Ordering::Relaxed) {
            while let Ok(command) = self.commands.try_recv() {
                self.command(command);
            }
            match self.inbox.recv_timeout(PATIENCE) {
                Ok(Input::Report(handed)) => {
                    let reports = std::slice::from_ref(&handed.report);
                    self.apply(reports, None, || handed.mark_stored());
                }
                Ok(Input::Log(reports, next)) => self.apply(&reports, Some(next), || {}),
                Ok(Input::Expect(sources)) => {
                    let now = self.clock.now();
                    sources.into_iter().for_each(|source| self.leader.expect(source, now));
                }
                Ok(Input::Cursor(sink, at)) => {
                    self.persist("a sink's cursor", |store| commands::move_cursor(store, sink, at));
                }
                Ok(Input::Told(told)) => {
                    for told in &told {
                        self.follow(told);
                    }
                }
                Ok(Input::Deliveries(outcomes, stored)) => {
                    for (notice, receiver, outcome) in outcomes {
                        let told = Told::Delivered { notice, receiver, outcome };
                        self.follow(&told);
                        self.mirror(told, Box::new(|| {}));
                    }
                    // The outbox thread may have stopped waiting.
                    let _ = stored.try_send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            idle_rounds += 1;
            if idle_rounds >= 20 {
                idle_rounds = 0;
                self.chores(&mut pruned_at);
            }
        }
        self.chores(&mut pruned_at);
    }

    fn chores(&mut self, pruned_at: &mut Timestamp) {
        if let Err(error) = (self.chore)(self.leader.store()) {
            tracing::warn!(%error, "a regular task failed; it is tried again");
        }
        let now = self.clock.now();
        if now.since(*pruned_at) >= PRUNE_EVERY {
            *pruned_at = now;
            if let Err(error) = self.leader.store().prune(now) {
                tracing::warn!(%error, "retention failed; it is tried again in six hours");
            }
        }
    }

    /// Stores reports, however long it takes: until then their reader waits.
    fn apply(&mut self, reports: &[Report], log: Option<Offset>, stored: impl Fn()) {
        let mut todo = (reports, log);
        loop {
            let watch = Stopwatch::start();
            self.leader.leads = self.leads.leads();
            match self.leader.apply(todo.0, todo.1, self.clock.now()) {
                Ok((told, more)) => {
                    self.health.ready("store");
                    stored();
                    if !reports.iter().all(Report::is_heartbeat) {
                        self.metrics.commit(watch.seconds());
                    }
                    self.leader.measure(self.clock.now());
                    let (nowcasts, at) = (self.leader.untold(), self.clock.now());
                    if !nowcasts.is_empty() {
                        self.mirror(Told::Nowcast { nowcasts, at }, Box::new(|| {}));
                    }
                    for event in told {
                        // Nobody may be listening.
                        let _ = self.stream.send(event);
                    }
                    if !more || self.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    todo = (&[], None);
                    while let Ok(command) = self.commands.try_recv() {
                        self.command(command);
                    }
                    continue;
                }
                Err(error) => {
                    self.health.failing("store", &error.to_string());
                    tracing::error!(%error, "cannot store; waiting, nothing is lost");
                }
            }
            if self.wait_or_stop() {
                return;
            }
            while let Err(error) = self.leader.reload() {
                tracing::error!(%error, "cannot read the store");
                if self.wait_or_stop() {
                    return;
                }
            }
        }
        let (source, flag) = &self.caught_up;
        let is_there = |r: &Report| r.source == *source && r.caught_up_at().is_some();
        if reports.iter().any(is_there) {
            flag.store(true, Ordering::Release);
        }
    }

    fn wait_or_stop(&self) -> bool {
        std::thread::park_timeout(RETRY);
        self.stop.load(Ordering::Relaxed)
    }

    fn persist(&mut self, what: &str, mut write: impl FnMut(&mut Store) -> Result<(), StoreError>) {
        if let Err(error) = write(self.leader.store()) {
            tracing::error!(%error, what, "cannot store");
        }
    }

    fn command(&mut self, command: Command) {
        let Done { told, answer, news } =
            commands::handle(&mut self.leader, command, self.clock.now());
        for event in news {
            let _ = self.stream.send(event);
        }
        match told {
            Some(told) => self.mirror(told, answer),
            None => answer(),
        }
    }

    fn follow(&mut self, told: &Told) {
        if let Err(error) = commands::carry_out(&mut self.leader, told) {
            tracing::error!(%error, ?told, "cannot follow");
        }
    }

    /// Lets those who follow know, then answers.
    fn mirror(&self, told: Told, answer: Answer) {
        let Some(others) = &self.others else { return answer() };
        if others.try_send((told, answer)).is_err() {
            // Without its answer a request fails, and may be made again.
            tracing::error!("too many changes wait for Kafka: those who follow lack one");
        }
    }
}
