//! `surgecast import tickets` into a running system, twice, and history beside live events.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use surgecast::domain::Timestamp;

use crate::program::{Program, surgecast};
use crate::serve::serve;
use crate::store_files::{counted, hour_ago};

/// A table without ids; some rows are equal.
fn table(file: &Path, rows: usize, at: Timestamp) {
    let mut text = "Opened;Area;Product;Via\n".to_owned();
    for n in 0..rows {
        let at = at - Duration::from_secs(n as u64 / 2);
        writeln!(text, "{at};north;tv;phone").expect("written");
    }
    text.push_str("yesterday;north;tv;phone\n");
    std::fs::write(file, text).expect("a file");
}

fn import(folder: &Path, file: &str, more: &[&str]) -> String {
    let mapping = ["--map", "ts=Opened", "--map", "region=Area", "--map", "service=Product"];
    let rest = ["--map", "channel=Via", "--delimiter", ";"];
    let args = [&["import", "tickets", file], &mapping[..], &rest, more].concat();
    let done = surgecast(&args).current_dir(folder).output().expect("it runs");
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{said}");
    said
}

fn wait_until_final(program: &Program) {
    let end = (hour_ago() + Duration::from_secs(900)).to_string();
    program.wait_for("/api/v1/status", |status| {
        status["settled_upto"].as_str().is_some_and(|upto| upto >= end.as_str())
    });
}

#[test]
fn a_second_import_counts_nothing_twice_and_says_what_is_final() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    table(&folder.join("calls.csv"), 100, hour_ago());
    let program = serve(folder, "", &[]);
    let said = import(folder, "calls.csv", &["--url", &program.url, "--dry-run"]);
    assert!(said.contains("101 rows: 100 would be counted"), "{said}");
    assert!(said.contains("0 duplicates, 1 rejected"), "{said}");
    assert!(said.contains("  north/tv/phone: 100, "), "{said}");
    assert!(said.contains("the first in line 102: `ts`: `yesterday`"), "{said}");
    let said = import(folder, "calls.csv", &["--url", &program.url]);
    assert!(said.contains("100 events accepted, 0 rejected"), "{said}");
    counted(&program, 100);
    wait_until_final(&program);
    let said = import(folder, "calls.csv", &["--url", &program.url]);
    assert!(
        said.contains("not sent: 100 events in windows that the system has finalized"),
        "{said}"
    );
    assert!(!said.contains("accepted"), "{said}");
    counted(&program, 100);

    // Older history, beside what was counted: a source of its own.
    table(&folder.join("older.csv"), 50, hour_ago() - Duration::from_secs(3600));
    let said = import(folder, "older.csv", &["--out", "older.ndjson"]);
    assert!(said.contains("older.ndjson: 50 events written"), "{said}");
    program.interrupt();
    for _ in 0..2 {
        let program = serve(folder, "", &["older.ndjson"]);
        counted(&program, 150);
        program.interrupt();
    }
    let again =
        surgecast(&["import", "tickets", "older.csv", "--map", "ts=Opened", "--delimiter", ";"])
            .args(["--out", "older.ndjson"])
            .current_dir(folder)
            .output()
            .expect("it runs");
    assert_eq!(again.status.code(), Some(64), "a file is not overwritten");
}

#[test]
fn a_dry_run_needs_no_system() {
    let folder = tempfile::tempdir().expect("a folder");
    table(&folder.path().join("calls.csv"), 10, hour_ago());
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", nowhere.local_addr().expect("an address"));
    drop(nowhere);
    let said = import(folder.path(), "calls.csv", &["--url", &url, "--dry-run"]);
    assert!(said.contains("it is not known which windows that system has finalized"), "{said}");
    assert!(said.contains("11 rows: 10 would be counted"), "{said}");
}
