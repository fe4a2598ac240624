//! `surgecast backup` beside a running service, and a start from the copy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::program::{Program, surgecast};
use crate::serve::serve;
use crate::store_files::{counted, hour_ago};

/// Tickets of one batch.
const BATCH: usize = 20;

fn body(batch: usize) -> String {
    let ticket = |n| {
        json!({"kind": "ticket", "event_id": format!("{batch}-{n}"), "ts": hour_ago().to_string(), "region": "north",
               "service": "tv", "channel": "phone"})
    };
    json!((0..BATCH).map(ticket).collect::<Vec<_>>()).to_string()
}

fn post(program: &Program, batch: usize) {
    assert_eq!(program.post("/api/v1/events", body(batch)).status, 202);
}

fn backup(folder: &Path, to: &str) -> (bool, String) {
    let done = surgecast(&["backup", to, "--config", "surgecast.toml"])
        .current_dir(folder)
        .output()
        .expect("it runs");
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn what_was_accepted_before_a_backup_is_counted_once_after_a_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let program = serve(folder, "", &[]);
    (0..10).for_each(|batch| post(&program, batch));
    counted(&program, 200);
    // More arrives while the store is copied.
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(10));
    let before = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                post(&program, sent.load(Ordering::Relaxed));
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        program.wait_for("/api/v1/status", |_| sent.load(Ordering::Relaxed) > 15);
        let before = sent.load(Ordering::Relaxed);
        let (is_done, said) = backup(folder, "copy");
        stop.store(true, Ordering::Relaxed);
        assert!(is_done && said.contains("no damage found"), "{said}");
        before
    });
    let copy = folder.join("copy");
    for file in ["state.db", "events.db"] {
        let mode = fs::metadata(copy.join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let (is_done, said) = backup(folder, "copy");
    assert!(!is_done && said.contains("name a new or empty folder"), "{said}");
    program.kill();

    let store = folder.join("store");
    fs::remove_dir_all(&store).expect("the store is lost");
    fs::create_dir(&store).expect("a folder");
    for file in ["state.db", "events.db"] {
        fs::copy(copy.join(file), store.join(file)).expect(file);
    }
    let program = serve(folder, "", &[]);
    assert!(!program.said().contains("events.db"), "{}", program.said());
    let all = sent.load(Ordering::Relaxed);
    // Everything again: what the copy has is not counted twice.
    (0..all).for_each(|batch| post(&program, batch));
    counted(&program, (all * BATCH) as u64);
    program.kill();

    // Without sending again, the copy has all that was accepted before.
    fs::remove_dir_all(&store).expect("the store is lost again");
    fs::create_dir(&store).expect("a folder");
    for file in ["state.db", "events.db"] {
        fs::copy(copy.join(file), store.join(file)).expect(file);
    }
    let program = serve(folder, "", &[]);
    let path = format!(
        "/api/v1/windows?from={}&to={}&region=north&service=tv&channel=phone",
        hour_ago() - std::time::Duration::from_secs(7200),
        hour_ago() + std::time::Duration::from_secs(7200)
    );
    let least = (before * BATCH) as u64;
    program.wait_for(&path, |windows| {
        let windows = windows.as_array().into_iter().flatten();
        windows.map(|window| window["tickets"].as_u64().unwrap_or(0)).sum::<u64>() >= least
    });
}

#[test]
fn a_backup_without_a_store_says_so_and_leaves_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("surgecast.toml"), "[store]\npath = \"nowhere\"\n")
        .expect("config");
    let (is_done, said) = backup(folder.path(), "copy");
    assert!(!is_done && said.contains("there is no state.db"), "{said}");
    assert!(!folder.path().join("copy").exists());
}
