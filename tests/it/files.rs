//! Followed files and FIFOs as log writers rotate them, with kills between: every line is counted once.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::Program;
use crate::serve::serve;
use crate::store_files::{counted, hour_ago};

/// Tickets of an hour ago, one a line.
fn lines(name: &str, count: usize) -> String {
    let ticket = |n| {
        format!(
            "{{\"kind\":\"ticket\",\"event_id\":\"{name}-{n}\",\"ts\":\"{}\",\"region\":\"north\",\"service\":\"tv\",\"channel\":\"phone\"}}\n",
            hour_ago()
        )
    };
    (0..count).map(ticket).collect()
}

/// The log of a writer, and a service that follows it.
struct Followed {
    folder: tempfile::TempDir,
    sent: u64,
}

impl Followed {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self) -> Program {
        serve(self.folder.path(), "", &["tickets.ndjson"])
    }

    fn append(&mut self, name: &str, tickets: &str, count: usize) {
        let path = self.path(name);
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("the file");
        file.write_all(lines(tickets, count).as_bytes()).expect("written");
        self.sent += count as u64;
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn copy_and_truncate(&self, to: &str) {
        let log = self.path("tickets.ndjson");
        fs::copy(&log, self.path(to)).expect("copied");
        File::options().write(true).open(log).and_then(|file| file.set_len(0)).expect("truncated");
    }
}

#[test]
fn rotated_files_are_counted_exactly_across_kills() {
    let mut log = Followed { folder: tempfile::tempdir().expect("a folder"), sent: 0 };
    log.append("tickets.ndjson", "a", 20);
    let program = log.serve();
    counted(&program, log.sent);
    // By rename. The writer has the old file open for a moment longer.
    log.rename("tickets.ndjson", "tickets.ndjson.1");
    log.append("tickets.ndjson.1", "b", 7);
    log.append("tickets.ndjson", "c", 11);
    counted(&program, log.sent);
    // By copy and truncate, with lines of other lengths after it.
    log.copy_and_truncate("tickets.ndjson.2");
    log.append("tickets.ndjson", "after the cut", 30);
    counted(&program, log.sent);
    program.kill();
    // Rotated by rename while the service is down: the rest of the old file and the new one.
    log.append("tickets.ndjson", "d", 5);
    log.rename("tickets.ndjson", "tickets.ndjson.3");
    log.append("tickets.ndjson", "e", 9);
    let program = log.serve();
    counted(&program, log.sent);
    let ready = ready(&program);
    assert!(!program.said().contains("may be missing"), "{}", program.said());
    assert_eq!(ready["status"], "ready", "{ready}");
    program.kill();
    let program = log.serve();
    counted(&program, log.sent);
}

/// The answer of `/ready`.
pub fn ready(program: &Program) -> Value {
    let said = program.said();
    let admin = said.split("probes and metrics on ").nth(1).and_then(|rest| rest.lines().next());
    let url = format!("{}/ready", admin.expect("an address"));
    let answer = reqwest::blocking::get(url).and_then(|answer| answer.json());
    answer.expect("an answer")
}

#[test]
fn a_loss_in_a_file_is_reported_and_later_lines_are_counted() {
    let mut log = Followed { folder: tempfile::tempdir().expect("a folder"), sent: 0 };
    log.append("tickets.ndjson", "a", 20);
    let program = log.serve();
    counted(&program, log.sent);
    program.kill();
    // Replaced while the service was down, and the old content is nowhere: what was in it is unknown.
    fs::remove_file(log.path("tickets.ndjson")).expect("removed");
    log.append("tickets.ndjson", "b", 3);
    let program = log.serve();
    counted(&program, log.sent);
    let ready = ready(&program);
    let mut states = ready["components"].as_object().into_iter().flatten();
    let is_said = |state: &Value| {
        state["reason"].as_str().is_some_and(|why| why.contains("replaced, truncated or deleted"))
    };
    assert!(states.any(|(_, state)| is_said(state)), "{ready}");
    assert!(program.said().contains("surgecast replay"), "{}", program.said());
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    let done = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(done.success());
}

#[test]
fn a_fifo_is_read_from_one_writer_after_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("tickets.fifo");
    make_fifo(&fifo);
    let program = serve(folder.path(), "", &["tickets.fifo"]);
    let mut sent = 0;
    for (writer, count) in [("a", 12), ("b", 5), ("c", 31)] {
        let mut pipe = File::options().write(true).open(&fifo).expect("a reader");
        pipe.write_all(lines(writer, count).as_bytes()).expect("written");
        drop(pipe);
        sent += count as u64;
        counted(&program, sent);
    }
    // What was counted from a FIFO is in the log, and counted once after a kill.
    program.kill();
    let program = serve(folder.path(), "", &["tickets.fifo"]);
    let mut pipe = File::options().write(true).open(&fifo).expect("a reader");
    pipe.write_all(lines("d", 4).as_bytes()).expect("written");
    drop(pipe);
    counted(&program, sent + 4);
}
