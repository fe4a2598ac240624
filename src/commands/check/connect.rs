//! `--connect`: tries addresses, the store and every server that the config names, all at once.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use super::reach;
use crate::app::Settings;

/// What was found.
#[derive(Default)]
pub(super) struct Tried {
    /// What answers, for a person: a line each.
    pub(super) found: Vec<String>,
    /// What does not, each with its key and what to do.
    pub(super) problems: Vec<String>,
}

/// Connects to all that the config names, at the same time. Nothing is sent to receivers, and nothing is changed.
pub(super) fn try_out(settings: &Settings) -> Tried {
    let mut tried = Tried::default();
    tried.problems.extend(here(settings));
    let answers: Vec<Result<String, String>> = thread::scope(|scope| {
        let mut asked = Vec::new();
        if let Some(kafka) = &settings.kafka {
            asked.push(scope.spawn(|| reach::kafka(kafka)));
        }
        if let Some(influxdb) = &settings.influxdb {
            asked.push(scope.spawn(|| reach::influxdb(influxdb)));
        }
        for (place, receiver) in settings.receivers.iter().enumerate() {
            asked.push(scope.spawn(move || reach::receiver(place, receiver)));
        }
        let lost = || Err("a check ended without an answer".to_owned());
        asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| lost())).collect()
    });
    for answer in answers {
        match answer {
            Ok(found) => tried.found.push(found),
            Err(problem) => tried.problems.push(problem),
        }
    }
    tried
}

/// Problems with this machine.
fn here(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    for (key, address) in [("server", settings.server.listen), ("admin", settings.admin.listen)] {
        if let Err(error) = try_listen(address) {
            problems.push(format!("{key}.listen {address}: {error}"));
        }
    }
    if let Err(error) = try_write(&settings.store.path) {
        let path = settings.store.path.display();
        problems.push(format!("store.path {path}: {error}; use a directory that can be written"));
    }
    problems
}

fn try_listen(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

/// Writes and removes a file where the store will be; leaves a directory behind only if it was there.
fn try_write(folder: &Path) -> io::Result<()> {
    let was_there = folder.exists();
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!(".surgecast-check-{}", std::process::id()));
    let written = fs::write(&probe, b"check").and_then(|()| fs::remove_file(&probe));
    if !was_there {
        // Parents that were made stay: they are empty and the service would make them too.
        fs::remove_dir(folder)?;
    }
    written
}
