//! Standard input and FIFOs as sources of events.

use std::fs::File;
use std::io::{BufReader, Read, Result};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::lines;
use crate::domain::Clock;
use crate::store::{EventLog, LogRecord};
use crate::telemetry::Health;

/// Maximum number of lines that are stored at once.
const LINES_MAX: usize = 1000;
/// Wait after a failed read or write.
const RETRY: Duration = Duration::from_secs(1);

/// Reads inputs that cannot be read again. Their lines are first stored in the event log.
#[derive(Clone)]
pub struct LineReader {
    pub log: Arc<EventLog>,
    /// Called after lines were stored.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
}

impl LineReader {
    /// Reads standard input to its end.
    pub fn read_standard_input(&self) {
        match self.read("standard input", std::io::stdin()) {
            Ok(()) => tracing::info!("standard input: ended"),
            Err(error) => {
                self.health.degraded("standard input", &format!("cannot be read: {error}"));
                tracing::error!(%error, "standard input: cannot be read, restart the service to go on");
            }
        }
    }

    /// Reads a FIFO or another named stream without end: one writer after the other.
    pub fn read_fifo(&self, path: &Path) {
        let name = format!("file:{}", path.display());
        loop {
            // Opening waits for a writer.
            match File::open(path).and_then(|file| self.read(&name, file)) {
                Ok(()) => {
                    self.health.recovered(&name);
                    std::thread::park_timeout(RETRY);
                }
                Err(error) => {
                    if self.health.degraded(&name, &format!("cannot be read: {error}")) {
                        tracing::error!(%error, input = name, "input: cannot be read, retrying every second");
                    }
                    std::thread::park_timeout(RETRY);
                }
            }
        }
    }

    /// Stores the lines of an input up to its end. The last one needs no line break.
    fn read(&self, name: &str, input: impl Read) -> Result<()> {
        let mut input = BufReader::with_capacity(1 << 18, input);
        let mut waiting: Vec<LogRecord> = Vec::new();
        loop {
            let line = lines::next(&mut input);
            let has_ended = !matches!(line, Ok(Some(_)));
            if let Ok(Some(line)) = &line {
                let bytes = line.bytes.trim_ascii().to_vec();
                waiting.extend((!bytes.is_empty()).then_some(LogRecord { kind: None, bytes }));
            }
            if has_ended || waiting.len() >= LINES_MAX || !input.buffer().contains(&b'\n') {
                self.store(name, &mut waiting);
            }
            if has_ended {
                return line.map(drop);
            }
        }
    }

    /// Stores lines, and retries until that succeeds.
    fn store(&self, name: &str, waiting: &mut Vec<LogRecord>) {
        while !waiting.is_empty() {
            match self.log.append(waiting, self.clock.now()) {
                Ok(_) => {
                    waiting.clear();
                    self.health.recovered(name);
                    (self.wake)();
                }
                Err(error) => {
                    if self.health.degraded(name, &format!("cannot store lines: {error}")) {
                        tracing::error!(%error, input = name, "input: cannot store lines, retrying every second");
                    }
                    std::thread::park_timeout(RETRY);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::Timestamp;

    #[test]
    fn lines_are_stored_in_order_and_long_ones_are_cut() {
        let dir = tempfile::tempdir().expect("a directory");
        let log = Arc::new(EventLog::open(dir.path()).expect("a log"));
        let reader = LineReader {
            log: log.clone(),
            wake: Arc::new(|| {}),
            clock: Arc::new(ManualClock::new(Timestamp::from_secs(7))),
            health: Arc::default(),
        };
        let long = "x".repeat(lines::LINE_MAX as usize + 9);
        reader.read("test", format!("one\n\n{long}\n two \nlast").as_bytes()).expect("reads");
        let stored = log.read_from(0, 10).expect("reads");
        let lengths: Vec<usize> = stored.iter().map(|entry| entry.bytes.len()).collect();
        assert_eq!(lengths, [3, lines::LINE_MAX as usize, 3, 4]);
    }
}
