//! Standard input as a source of events.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::Clock;
use crate::store::{EventLog, LogRecord};

/// Most lines that are stored at once.
const LINES_MAX: usize = 1000;
/// Wait after a failed write.
const RETRY: Duration = Duration::from_secs(1);

/// Reads standard input to its end. Its lines go into the event log first, because it cannot be read again. `wake` is
/// called after lines were stored.
pub fn read_standard_input(
    log: &EventLog,
    wake: &(dyn Fn() + Send + Sync),
    clock: &Arc<dyn Clock>,
) {
    let mut input = std::io::BufReader::with_capacity(1 << 18, std::io::stdin());
    let mut waiting: Vec<LogRecord> = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = input.read_until(b'\n', &mut line);
        let ended = !matches!(read, Ok(n) if n > 0);
        let line = line.trim_ascii().to_vec();
        if !line.is_empty() {
            waiting.push(LogRecord { kind: None, bytes: line });
        }
        let full = waiting.len() >= LINES_MAX || input.buffer().is_empty();
        while (full || ended) && !waiting.is_empty() {
            match log.append(&waiting, clock.now()) {
                Ok(_) => {
                    waiting.clear();
                    wake();
                }
                Err(error) => {
                    tracing::error!(%error, "standard input: cannot store lines, retrying in a second");
                    std::thread::park_timeout(RETRY);
                }
            }
        }
        if ended {
            tracing::info!("standard input: ended");
            return;
        }
    }
}
