//! Who forecasts for all: the one that the group gives the log's partition to.
//!
//! Every instance that can forecast reads the whole log into a store of its own. The one that leads also pages people,
//! writes to sinks and answers the API; the others send their questions there and take over with what they have.

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

/// What this instance knows of who leads.
#[derive(Debug)]
pub struct Leadership {
    /// This instance's name, different for each start.
    pub instance: String,
    leads: AtomicBool,
    leader_url: Mutex<Option<String>>,
}

impl Leadership {
    /// One that leads for good, for there are no others.
    pub fn alone() -> Self {
        let (instance, leader_url) = (String::new(), Mutex::default());
        Self { instance, leads: AtomicBool::new(true), leader_url }
    }

    /// One that may be elected.
    pub fn among_others(instance: String) -> Self {
        Self { instance, leads: AtomicBool::new(false), leader_url: Mutex::default() }
    }

    /// Somebody says that it leads.
    pub fn heard(&self, url: &str) {
        let mut known = self.leader_url.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() != Some(url) {
            tracing::info!(url, "the leader is");
            *known = Some(url.to_owned());
        }
    }

    fn set(&self, leads: bool) {
        if self.leads.swap(leads, Ordering::AcqRel) != leads {
            tracing::info!(leads, "leadership changed");
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

/// The thread that stands for election, announces itself and mirrors what the leader was told.
pub struct Candidate {
    pub settings: Settings,
    pub leadership: Arc<Leadership>,
    /// Where this instance answers.
    pub url: String,
    pub told: Receiver<(ReplicatedCommand, Answer)>,
    pub health: Arc<Health>,
    pub stop: Arc<AtomicBool>,
}

impl Candidate {
    /// Runs until `stop` is set.
    pub fn run(self) {
        sessions::run(&self.stop, &self.health, BACKOFF, || {
            let ended = self.stand();
            self.leadership.set(false);
            ended
        });
    }

    fn stand(&self) -> Result<(), KafkaProblem> {
        kafka::prepare(&self.settings, self.health.clone())?;
        let log = LogWriter::open(&self.settings, self.health.clone())?;
        let consumer = Consumer::election(&self.settings, self.health.clone())?;
        let mut announced: Option<Stopwatch> = None;
        while !self.stop.load(Ordering::Relaxed) {
            if let Err(problem) = consumer.poll(POLL) {
                consumer.context().ill(&problem.0);
            }
            for change in consumer.changes() {
                match change {
                    Change::Assigned(..) => {
                        // Holding the partition is all it takes; the log is read elsewhere.
                        consumer.pause(true);
                        self.leadership.set(true);
                        announced = None;
                    }
                    Change::Revoked(_) => self.leadership.set(false),
                    Change::Failed(problem) => return Err(problem),
                }
            }
            if !self.leadership.leads() {
                continue;
            }
            let (mut messages, answers) = self.mirrored();
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

    /// What the leader was told since the last call, and the answers that wait for it to be written.
    fn mirrored(&self) -> (Vec<Wire>, Vec<Answer>) {
        let (mut messages, mut answers) = (Vec::new(), Vec::new());
        while let Ok((told, answer)) = self.told.try_recv() {
            match serde_json::to_value(&told) {
                Ok(what) => {
                    let instance = self.leadership.instance.clone();
                    messages.push(Wire::Replicated { instance, what });
                    answers.push(answer);
                }
                Err(error) => tracing::error!(%error, "cannot mirror a change"),
            }
        }
        (messages, answers)
    }
}
