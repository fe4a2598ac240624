//! Builds the tables of staffing in the background, at the start.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use crate::clock::Stopwatch;
use crate::staffing::{Profile, Table, TableBuilder};
use crate::telemetry::Metrics;

/// Positions for which tables are built ahead. Tables grow beyond them when more are needed.
const POSITIONS: u32 = 60;

/// Tables of some profiles, as they are ready.
pub struct StaffingTables {
    done: Receiver<(usize, Table)>,
}

impl StaffingTables {
    /// Starts the thread. Without it, plans use the quick approximation for chat.
    pub fn start(profiles: Vec<Profile>, metrics: Arc<Metrics>) -> Self {
        let (outbox, done) = channel();
        let build = move || {
            let watch = Stopwatch::start();
            let (mut builder, mut built) = (TableBuilder::default(), 0);
            for (at, profile) in profiles.iter().enumerate() {
                if outbox.send((at, builder.build(profile, POSITIONS))).is_err() {
                    return;
                }
                built += 1;
            }
            let seconds = watch.seconds();
            metrics.staffing_tables(seconds);
            tracing::info!(profiles = built, "staffing: tables built in {seconds:.2} s");
        };
        if let Err(error) = std::thread::Builder::new().name("staffing-tables".into()).spawn(build)
        {
            tracing::error!(%error, "staffing: cannot start the thread that builds tables, approximating chat");
        }
        Self { done }
    }

    /// The tables that became ready since the last call, with the place of their profile. It never waits.
    pub fn ready(&self) -> impl Iterator<Item = (usize, Table)> {
        self.done.try_iter()
    }
}
