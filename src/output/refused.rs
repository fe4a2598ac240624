//! Points that a sink has refused for good: they are kept in a file, and the health shows them for an hour.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sink::Refused;
use crate::domain::{Clock, HOUR, Timestamp};
use crate::telemetry::Health;

/// When a file reaches this size, it is renamed. The file that was renamed before is replaced.
const BYTES_MAX: u64 = 4_000_000;
/// Only the owner may read the file, because points name regions and alarms.
const PRIVATE: u32 = 0o600;

/// What one sink has refused since this process began.
pub struct RefusedPoints {
    sink: &'static str,
    component: String,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    count: usize,
    newest: Option<Timestamp>,
}

impl RefusedPoints {
    /// The refused points of a sink; `store` is the folder in which they are kept.
    pub fn new(
        sink: &'static str,
        store: &Path,
        clock: Arc<dyn Clock>,
        health: Arc<Health>,
    ) -> Self {
        let path = store.join(format!("refused-{sink}.txt"));
        let component = format!("{sink} refused");
        Self { sink, component, path, clock, health, count: 0, newest: None }
    }

    /// Keeps the refused points, logs one line, and reports them to health.
    pub fn take(&mut self, refused: &[Refused]) {
        let Some(first) = refused.first() else { return };
        let now = self.clock.now();
        let (sink, path) = (self.sink, self.path.display());
        let lines: usize = refused.iter().map(|refused| refused.lines.max(1)).sum();
        self.count += lines;
        self.newest = Some(now);
        let kept = match self.keep(now, refused) {
            Ok(true) => {
                format!("; they are kept in {path}: write them again once the reason is gone")
            }
            Ok(false) => String::new(),
            Err(error) => format!("; they could not be kept in {path}: {error}"),
        };
        tracing::error!(lines, "{sink} refuses points: {}{kept}", first.why);
        let text = format!(
            "{} were refused since this process began, the newest at {now}: {}{kept}",
            self.count, first.why
        );
        self.health.degraded(&self.component, &text);
    }

    /// Ends the report to health an hour after the newest refused point.
    pub fn look(&mut self) {
        if self.newest.is_some_and(|newest| newest + HOUR <= self.clock.now()) {
            self.newest = None;
            self.health.remove(&self.component);
        }
    }

    /// Appends the refused points to the file, each after a comment with the time and the reason. Returns whether there are any.
    fn keep(&self, now: Timestamp, refused: &[Refused]) -> io::Result<bool> {
        let mut text = Vec::new();
        for Refused { why, point, .. } in refused {
            let Some(point) = point else { continue };
            text.extend_from_slice(format!("# {now} {}\n", why.replace('\n', " ")).as_bytes());
            text.extend_from_slice(point);
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(false);
        }
        self.file()?.write_all(&text)?;
        Ok(true)
    }

    fn file(&self) -> io::Result<File> {
        if std::fs::metadata(&self.path).is_ok_and(|known| known.len() >= BYTES_MAX) {
            std::fs::rename(&self.path, self.path.with_extension("txt.1"))?;
        }
        OpenOptions::new().append(true).create(true).mode(PRIVATE).open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;
    use crate::telemetry::State;

    fn refused(why: &str, point: &str) -> Refused {
        Refused { lines: 1, why: why.into(), point: Some(point.into()) }
    }

    #[test]
    fn refused_points_are_kept_and_shown_for_an_hour() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_232_800)));
        let health: Arc<Health> = Arc::default();
        let mut own = RefusedPoints::new("influxdb", dir.path(), clock.clone(), health.clone());
        own.take(&[]);
        own.look();
        assert_eq!(health.report().components.len(), 0);
        let both = [refused("type\nconflict", "a b=1 1"), refused("too old", "a b=2 2")];
        own.take(&both);
        own.take(&[Refused { lines: 3, why: "partly".into(), point: None }]);
        let path = dir.path().join("refused-influxdb.txt");
        let text = std::fs::read_to_string(&path).expect("kept");
        assert_eq!(
            text,
            "# 2026-01-01T02:00:00Z type conflict\na b=1 1\n# 2026-01-01T02:00:00Z too old\na b=2 2\n"
        );
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, PRIVATE);
        let State::Degraded(shown) = &health.report().components["influxdb refused"] else {
            panic!("{:?}", health.report())
        };
        assert!(shown.starts_with("5 were refused") && shown.ends_with("partly"), "{shown}");
        clock.advance(HOUR - Duration::from_secs(1));
        own.look();
        assert_eq!(health.report().components.len(), 1);
        clock.advance(Duration::from_secs(1));
        own.look();
        assert_eq!(health.report().components.len(), 0);
    }

    #[test]
    fn the_files_are_bounded_and_a_full_disk_is_reported() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_767_232_800)));
        let health: Arc<Health> = Arc::default();
        let mut own = RefusedPoints::new("influxdb", dir.path(), clock.clone(), health.clone());
        let large = "x".repeat(1_000_000);
        for _ in 0..20 {
            own.take(&[refused("no", &large)]);
        }
        let sizes = std::fs::read_dir(dir.path()).expect("a folder");
        let sizes: Vec<u64> =
            sizes.map(|file| file.expect("a file").metadata().expect("a size").len()).collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().sum::<u64>() < 2 * (BYTES_MAX + 1_000_100), "{sizes:?}");
        let gone = dir.path().join("gone");
        let mut own = RefusedPoints::new("influxdb", &gone, clock, health.clone());
        own.take(&[refused("no", "a b=1 1")]);
        let shown = format!("{:?}", health.report());
        assert!(shown.contains("could not be kept"), "{shown}");
    }
}
