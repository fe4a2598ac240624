//! Follows the store's journal and writes what changed to InfluxDB. What it cannot write waits in the store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::engine::Input;
use super::leadership::Leadership;
use crate::api::Leads as _;
use crate::domain::Timestamp;
use crate::sink::influx::{self, InfluxClient, Line, Written};
use crate::store::{Change, Reader, StoreError};
use crate::telemetry::{Health, Metrics};

/// Its name in the store, in health and in metrics.
const NAME: &str = "influxdb";
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that are read together: a day of windows.
const CHANGES_MAX: usize = 96;
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// Until somebody has put something right.
const MISCONFIGURED_WAIT: Duration = Duration::from_secs(10);

/// The thread's parts.
pub struct InfluxSink {
    pub reader: Reader,
    pub client: InfluxClient,
    /// Base of links.
    pub public_url: String,
    pub leader: SyncSender<Input>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub leadership: Arc<Leadership>,
    pub stop: Arc<AtomicBool>,
}

/// With their numbers, oldest first.
type Changes = Vec<(i64, Change)>;

/// What a round came to.
enum Round {
    /// Everything is written.
    Idle,
    /// There is more.
    More,
    Wait(Duration),
    /// The leader is gone.
    Over,
}

impl InfluxSink {
    /// Runs until `stop` is set or the leader is gone.
    pub fn run(self) {
        let mut cursor = self.reader.cursor(NAME).unwrap_or_default();
        let mut back_off = BACK_OFF.0;
        // For jitter only: several services do not come back at the same moment.
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()));
        while !self.stop.load(Ordering::Relaxed) {
            if !self.leadership.leads() {
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            }
            match self.round(&mut cursor, back_off) {
                Round::Idle => {
                    back_off = BACK_OFF.0;
                    std::thread::park_timeout(LOOK_EVERY);
                }
                Round::More => back_off = BACK_OFF.0,
                Round::Wait(wait) => {
                    std::thread::park_timeout(wait.mul_f64(rng.random_range(0.75..1.25)));
                    back_off = (back_off * 2).min(BACK_OFF.1);
                }
                Round::Over => return,
            }
        }
    }

    fn round(&self, cursor: &mut i64, back_off: Duration) -> Round {
        let (changes, lines) = match self.gather(*cursor) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "cannot read what InfluxDB has to be told");
                return Round::Wait(back_off);
            }
        };
        let Some((last, _)) = changes.last() else {
            return Round::Idle;
        };
        match self.client.write(&lines) {
            Written::Done { refused } => {
                for refused in refused {
                    self.metrics.sink_refused(NAME, refused.lines.max(1));
                    tracing::error!(
                        lines = refused.lines,
                        "InfluxDB refuses points: {}",
                        refused.why
                    );
                }
                if self.health.ready(NAME) {
                    tracing::info!("InfluxDB takes points");
                }
                self.metrics.sink_written(NAME, lines.len());
                *cursor = *last;
                if self.leader.send(Input::Cursor(NAME, *last)).is_err() {
                    return Round::Over;
                }
                if changes.len() < CHANGES_MAX { Round::Idle } else { Round::More }
            }
            Written::Later(why) => {
                self.say(&why);
                Round::Wait(back_off)
            }
            Written::Misconfigured(why) => {
                self.say(&why);
                Round::Wait(MISCONFIGURED_WAIT)
            }
        }
    }

    fn say(&self, why: &str) {
        if self.health.degraded(NAME, why) {
            tracing::warn!("{why}; points wait in the store, everything else goes on");
        }
    }

    /// What changed after the cursor, as points.
    fn gather(&self, after: i64) -> Result<(Changes, Vec<Line>), StoreError> {
        let changes = self.reader.changes(after, CHANGES_MAX)?;
        let (mut windows, mut issues) = (BTreeSet::new(), BTreeSet::new());
        let mut lines = Vec::new();
        for (_, change) in &changes {
            match change {
                Change::Window(start) => _ = windows.insert(*start),
                Change::Issue(at) => _ = issues.insert(*at),
                Change::Anomalies(start) => {
                    let found = self.reader.anomalies_at(*start)?;
                    lines.extend(found.iter().filter_map(influx::anomaly));
                }
                Change::Alert(_, id) => {
                    let found = self.reader.alert(id)?;
                    lines.extend(found.and_then(|a| influx::alert(&a, &self.public_url)));
                }
            }
        }
        if !windows.is_empty() {
            lines.extend(influx::windows(&self.reader.windows_at(&windows)?));
        }
        let newest = self.reader.newest_issue()?;
        for issued_at in issues {
            self.issue(issued_at, newest == Some(issued_at), &mut lines)?;
        }
        Ok((changes, lines))
    }

    /// Of an issue that is not the newest only the window that it begins with will stand: the next one has
    /// written, or will write, the others anew.
    fn issue(
        &self,
        issued_at: Timestamp,
        newest: bool,
        lines: &mut Vec<Line>,
    ) -> Result<(), StoreError> {
        for vintage in self.reader.vintages_at(issued_at)? {
            let kept = if newest { vintage.targets.len() } else { 1 };
            let targets = vintage.targets.get(..kept).unwrap_or(&vintage.targets);
            lines.extend(influx::forecast(&vintage, targets));
        }
        let staffed = self.reader.staffed(issued_at)?;
        lines.extend(staffed.iter().filter_map(|(series, t)| influx::staffing(series, t)));
        if newest {
            for (plan, outlook) in self.reader.plans()? {
                lines.extend(influx::outlook(&outlook));
                let targets = plan.iter().flat_map(|plan| &plan.targets);
                lines.extend(targets.filter_map(|t| influx::staffing(&outlook.series, t)));
            }
        }
        Ok(())
    }
}
