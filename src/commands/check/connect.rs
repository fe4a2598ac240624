//! `check --connect`: tests addresses, store and servers of a config at the same time.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use super::reach;
use crate::app::Settings;

/// The result of the test.
#[derive(Default)]
pub(super) struct Tried {
    /// One line for each server that answers.
    pub(super) found: Vec<String>,
    /// One line for each problem: the key and what to do.
    pub(super) problems: Vec<String>,
}

/// Connects to all servers of the config at the same time. Sends nothing to receivers and changes nothing.
pub(super) fn try_out(settings: &Settings) -> Tried {
    let mut tried = Tried::default();
    tried.problems.extend(local_problems(settings));
    let answers: Vec<Result<String, String>> = thread::scope(|scope| {
        let mut tests = Vec::new();
        if let Some(kafka) = &settings.kafka {
            tests.push(scope.spawn(|| reach::kafka(kafka)));
        }
        if let Some(influxdb) = &settings.influxdb {
            tests.push(scope.spawn(|| reach::influxdb(influxdb)));
        }
        if let Some(grafana) = &settings.grafana {
            tests.push(scope.spawn(|| reach::grafana(grafana)));
        }
        if let Some(otlp) = &settings.otlp {
            tests.push(scope.spawn(|| reach::otlp(otlp)));
        }
        for (index, receiver) in settings.alerts.receivers.iter().enumerate() {
            tests.push(scope.spawn(move || reach::receiver(index, receiver)));
        }
        let lost = || Err("a test ended without a result".to_owned());
        tests.into_iter().map(|test| test.join().unwrap_or_else(|_| lost())).collect()
    });
    for answer in answers {
        match answer {
            Ok(found) => tried.found.push(found),
            Err(problem) => tried.problems.push(problem),
        }
    }
    tried
}

/// Problems with the listen addresses and the store.
fn local_problems(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, address) in [("server", settings.server.listen), ("admin", settings.admin.listen)] {
        if let Err(error) = try_listen(address) {
            problems.push(format!("{key}.listen {address}: {error}"));
        }
    }
    if let Err(error) = try_write(&settings.store.path) {
        let path = settings.store.path.display();
        problems.push(format!("store.path {path}: {error}; use a writable directory"));
    }
    problems
}

fn try_listen(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

/// Writes and removes a file in the store's directory. Removes the directory if it did not exist before.
fn try_write(folder: &Path) -> io::Result<()> {
    let existed = folder.exists();
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".surgecast-check-{}", std::process::id()));
    let written = fs::write(&probe, b"check").and_then(|()| fs::remove_file(&probe));
    if !existed {
        // Its parents stay, if they were created: they are empty, and the service would create them too.
        fs::remove_dir(folder)?;
    }
    written
}
