//! Election of the leader: the instance to which the group assigns the log's only partition.
//!
//! Every forecaster reads the whole log into a store of its own. The leader also pages people, writes to sinks and answers
//! the API. Standbys forward requests to it, and take over with their own stores.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::domain::Backoff;
use crate::engine::{Answer, Leads, ReplicatedCommand};
use crate::kafka::{self, Change, Consumer, KafkaProblem, LogWriter, Settings, Wire, sessions};
use crate::telemetry::Health;

const POLL: Duration = Duration::from_millis(100);
const ANNOUNCE_EVERY_S: f64 = 2.0;
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(2));

/// Whether this instance leads, and the leader's address.
#[derive(Debug)]
pub struct Leadership {
    /// Unique name of this process.
    pub instance: String,
    leads: AtomicBool,
    leader_url: Mutex<Option<String>>,
}

impl Leadership {
    /// A single instance: it always leads.
    pub fn alone() -> Self {
        let (instance, leader_url) = (String::new(), Mutex::default());
        Self { instance, leads: AtomicBool::new(true), leader_url }
    }

    /// One of several instances: it leads when it is elected.
    pub fn by_election(instance: String) -> Self {
        Self { instance, leads: AtomicBool::new(false), leader_url: Mutex::default() }
    }

    /// Sets the address that the leader announced.
    pub fn set_leader_url(&self, url: &str) {
        let mut known = self.leader_url.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() != Some(url) {
            tracing::info!(url, "cluster: leader announced");
            *known = Some(url.to_owned());
        }
    }

    fn set(&self, leads: bool) {
        if self.leads.swap(leads, Ordering::AcqRel) != leads {
            tracing::info!(leads, "cluster: leadership changed");
        }
    }
}

impl Leads for Leadership {
    fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    fn leader_url(&self) -> Option<String> {
        self.leader_url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The thread that takes part in the election. While this instance leads, it announces its address and replicates commands.
pub struct Candidate {
    pub settings: Settings,
    pub leadership: Arc<Leadership>,
    /// Address of this instance.
    pub url: String,
    /// Commands to replicate. Each answer is sent once its command is in the log.
    pub commands: Receiver<(ReplicatedCommand, Answer)>,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl Candidate {
    /// Runs until `stop` is set.
    pub fn run(self) {
        sessions::run(&self.stop, &self.health, BACKOFF, || {
            let ended = self.session();
            self.leadership.set(false);
            ended
        });
    }

    fn session(&self) -> Result<(), KafkaProblem> {
        kafka::prepare(&self.settings, self.health.clone())?;
        let log = LogWriter::open(&self.settings, self.health.clone())?;
        let consumer = Consumer::election(&self.settings, self.health.clone())?;
        let mut announced: Option<Stopwatch> = None;
        while !self.stop.load(Ordering::Relaxed) {
            if let Err(problem) = consumer.poll(POLL) {
                consumer.context().mark_unhealthy(&problem.0);
            }
            for change in consumer.changes() {
                match change {
                    Change::Assigned(..) => {
                        // Holding the partition is enough. `LogFeed` reads the log.
                        consumer.pause(true);
                        self.leadership.set(true);
                        announced = None;
                    }
                    Change::Revoked(_) => self.leadership.set(false),
                    // Only consumers that count look for these.
                    Change::Deleted(_) | Change::Recreated(_) => {}
                    Change::Failed(problem) => return Err(problem),
                }
            }
            if !self.leadership.leads() {
                continue;
            }
            let (mut messages, answers) = self.pending();
            if announced.is_none_or(|since| since.seconds() >= ANNOUNCE_EVERY_S) {
                announced = Some(Stopwatch::start());
                let (instance, url) = (self.leadership.instance.clone(), self.url.clone());
                messages.push(Wire::Leader { instance, url });
            }
            if !messages.is_empty() {
                log.write(messages)?;
            }
            answers.into_iter().for_each(|answer| answer());
        }
        Ok(())
    }

    /// Commands to replicate since the last call, and their answers.
    fn pending(&self) -> (Vec<Wire>, Vec<Answer>) {
        let (mut messages, mut answers) = (Vec::new(), Vec::new());
        while let Ok((command, answer)) = self.commands.try_recv() {
            match serde_json::to_value(&command) {
                Ok(what) => {
                    let instance = self.leadership.instance.clone();
                    messages.push(Wire::Replicated { instance, what });
                    answers.push(answer);
                }
                Err(error) => {
                    tracing::error!(%error, "cluster: cannot encode a command, so standbys do not get it")
                }
            }
        }
        (messages, answers)
    }
}
