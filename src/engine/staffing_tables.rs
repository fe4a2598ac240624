//! Builds the tables of staffing in the background, at the start.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::staffing::{Profile, Rules, Table, TableBuilder};
use crate::telemetry::Metrics;

/// Tables are built in advance up to this number of positions. They grow when more positions are needed.
const POSITIONS: u32 = 60;

/// Tables of some profiles, in the order in which they become ready.
pub struct StaffingTables {
    done: Receiver<(usize, Table)>,
    /// How many tables are not ready yet.
    missing: usize,
    /// How long to wait for each table.
    patience: Duration,
}

impl StaffingTables {
    /// Starts the thread. Without the thread, plans use the quick approximation for chat.
    pub fn start(
        rules: Arc<Rules>,
        profiles: Vec<Profile>,
        patience: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (outbox, done) = channel();
        let missing = profiles.len();
        let build = move || {
            let watch = Stopwatch::start();
            let (mut builder, mut built) = (TableBuilder::default(), 0);
            for (at, profile) in profiles.iter().enumerate() {
                if outbox.send((at, builder.build(profile, POSITIONS))).is_err() {
                    return;
                }
                built += 1;
            }
            rules.share(builder);
            let seconds = watch.seconds();
            metrics.staffing_tables(seconds);
            tracing::info!(profiles = built, "staffing: tables built in {seconds:.2} s");
        };
        if let Err(error) = std::thread::Builder::new().name("staffing-tables".into()).spawn(build)
        {
            tracing::error!(%error, "staffing: cannot start the thread that builds tables, plans for chat are approximations");
        }
        Self { done, missing, patience }
    }

    /// The tables that became ready since the last call, each with the index of its profile. It waits for tables at most as
    /// long as `patience`.
    pub fn ready(&mut self) -> Vec<(usize, Table)> {
        let mut ready = Vec::new();
        while self.missing > 0 {
            match self.done.recv_timeout(self.patience) {
                Ok(table) => {
                    ready.push(table);
                    self.missing -= 1;
                }
                Err(RecvTimeoutError::Timeout) => break,
                // The thread has ended: tables that it has not built stay missing.
                Err(RecvTimeoutError::Disconnected) => self.missing = 0,
            }
        }
        ready
    }
}
