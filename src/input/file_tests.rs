//! Followed files: growth, rotations, restarts.

use std::fs;
use std::io::Write as _;

use tempfile::TempDir;

use super::*;

/// A followed file in a directory of its own, and a clock.
struct World {
    dir: TempDir,
    feed: FileFeed,
    now: i64,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        fs::write(dir.path().join("log"), "").expect("writes");
        let feed = Self::feed(&dir);
        Self { dir, feed, now: 100 }
    }

    fn feed(dir: &TempDir) -> FileFeed {
        FileFeed::open(&dir.path().join("log"), &dir.path().join("store")).expect("opens")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = fs::File::options().append(true).create(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("writes");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renames");
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect("copies");
    }

    fn cut(&self, name: &str, length: u64) {
        let file = fs::File::options().write(true).open(self.path(name));
        file.and_then(|file| file.set_len(length)).expect("is cut");
    }

    fn restart(&mut self, resume_at: Offset) {
        self.feed = Self::feed(&self.dir);
        self.feed.seek(resume_at);
    }

    /// All lines that can be read now, with their times.
    fn timed(&mut self) -> Vec<(String, i64)> {
        let mut all = Vec::new();
        loop {
            let records = self.feed.poll(Timestamp::from_secs(self.now), 2).expect("reads");
            if records.is_empty() {
                return all;
            }
            let text =
                |r: Record| (String::from_utf8_lossy(&r.bytes).into_owned(), r.appended_at.secs());
            all.extend(records.into_iter().map(text));
        }
    }

    /// All lines, after enough time for a rotation.
    fn lines(&mut self) -> String {
        let mut all = Vec::new();
        for _ in 0..4 {
            all.extend(self.timed().into_iter().map(|(line, _)| line));
            self.now += 2;
        }
        all.join(" ")
    }
}

#[test]
fn lines_are_read_once_as_the_file_grows_and_a_replay_has_their_times() {
    let mut world = World::new();
    world.append("log", "one\n\ntwo\nthr");
    assert_eq!(world.timed(), [("one".into(), 100), ("two".into(), 100)]);
    world.now = 200;
    assert_eq!(world.timed(), [], "the third line has not ended");
    world.append("log", "ee\nfour\n");
    assert_eq!(world.timed(), [("three".into(), 200), ("four".into(), 200)]);
    world.append("log", "five\n");
    for offset in [0, 5] {
        world.now += 100;
        world.restart(offset);
        let replayed = world.timed();
        let times: Vec<i64> = replayed[replayed.len() - 4..].iter().map(|(_, at)| *at).collect();
        // Nobody had read the fifth line before.
        assert_eq!(times, [100, 200, 200, 300], "from {offset}");
    }
    // A clock that is set back does not order the spans anew.
    world.now = 50;
    world.append("log", "six\n");
    assert_eq!(world.timed(), [("six".into(), 300)]);
}

const LONG: &str = "a first line that is long enough to recognize a copy by\n";

#[test]
fn a_rotation_loses_no_line_and_reads_none_twice() {
    type Steps = fn(&mut World);
    let cases: [(&str, Steps, &str); 11] = [
        (
            "renamed",
            |w| {
                w.append("log", "b\n");
                w.rename("log", "log.1");
                w.append("log", "c\n");
            },
            "b c",
        ),
        (
            "renamed, and its writer goes on for a moment",
            |w| {
                w.rename("log", "log.1");
                w.append("log", "c\n");
                assert_eq!(w.timed(), []);
                w.append("log.1", "b\n");
            },
            "b c",
        ),
        (
            "renamed without a last line break",
            |w| {
                w.append("log", "b");
                w.rename("log", "log.1");
                w.append("log", "c\n");
            },
            "b c",
        ),
        (
            "copied and cut",
            |w| {
                w.append("log", "b\n");
                w.copy("log", "log.1");
                w.cut("log", 0);
                w.append("log", "c\n");
            },
            "b c",
        ),
        (
            "copied and cut, and longer than before",
            |w| {
                w.append("log", "b\n");
                w.copy("log", "log-20260101");
                w.cut("log", 0);
                w.append(
                    "log",
                    &"another line of about the same length, and some more of it\n".repeat(2),
                );
            },
            "b another line of about the same length, and some more of it another line of about the same length, and some more of it",
        ),
        (
            "renamed twice",
            |w| {
                w.append("log", "b\n");
                w.rename("log", "log.1");
                w.append("log", "c\n");
                assert_eq!(w.lines(), "b c");
                w.rename("log.1", "log.2");
                w.rename("log", "log.1");
                w.append("log", "d\n");
            },
            "d",
        ),
        (
            "rotated twice at once",
            |w| {
                w.append("log", "b\n");
                w.rename("log", "log.1");
                w.append("log", "c\n");
                w.rename("log.1", "log.2");
                w.rename("log", "log.1");
                w.append("log", "d\n");
            },
            "b c d",
        ),
        (
            "rotated three times at once, by date",
            |w| {
                w.append("log", "b\n");
                for (day, line) in [("20260101", "c\n"), ("20260102", "d\n"), ("20260103", "e\n")] {
                    w.rename("log", &format!("log-{day}"));
                    w.append("log", line);
                }
            },
            "b c d e",
        ),
        (
            "copied and cut twice at once",
            |w| {
                w.append("log", "b\n");
                w.copy("log", "log.1");
                w.cut("log", 0);
                w.append("log", "a second line that is long enough to recognize a copy by\n");
                w.rename("log.1", "log.2");
                w.copy("log", "log.1");
                w.cut("log", 0);
                w.append("log", "d\n");
            },
            "b a second line that is long enough to recognize a copy by d",
        ),
        (
            "missing for a moment",
            |w| {
                w.append("log", "b\n");
                w.rename("log", "log.1");
                assert_eq!(w.timed(), [("b".into(), w.now)]);
                w.append("log", "c\n");
            },
            "c",
        ),
        (
            "replaced by an empty one",
            |w| {
                w.append("log", "b\n");
                w.rename("log", "log.1");
                w.append("log", "");
            },
            "b",
        ),
    ];
    for (name, steps, want) in cases {
        for restart in [false, true] {
            let mut world = World::new();
            world.append("log", LONG);
            assert_eq!(world.timed().len(), 1);
            steps(&mut world);
            if restart && name != "renamed twice" && name != "missing for a moment" {
                // The service was down while the file was rotated.
                let at = world.feed.next;
                world.restart(at);
            }
            assert_eq!(world.lines(), want, "{name}, restart {restart}");
            assert_eq!(world.feed.loss(), None, "{name}");
            // Everything is read again in the same order.
            world.restart(0);
            let again = world.lines();
            assert!(again.starts_with(LONG.trim_end()) && again.ends_with(want), "{name}: {again}");
            assert_eq!(world.feed.loss(), None, "{name}");
        }
    }
}

#[test]
fn files_that_followed_a_deleted_one_are_read() {
    for restart in [false, true] {
        let mut world = World::new();
        world.append("log", LONG);
        assert_eq!(world.timed().len(), 1);
        // Two rotations between two looks, of which only the newest file is kept.
        world.append("log", "b\n");
        world.rename("log", "log.1");
        world.append("log", "c\n");
        world.rename("log", "log.1");
        world.append("log", "d\n");
        if restart {
            let at = world.feed.next;
            world.restart(at);
            assert_eq!(world.lines(), "c d");
            assert!(world.feed.loss().is_some_and(|loss| loss.contains("was replaced")));
        } else {
            assert_eq!(world.lines(), "b c d", "the open file is read to its end");
            assert_eq!(world.feed.loss(), None);
        }
    }
}

#[test]
fn a_new_file_of_an_unknown_name_is_named_where_the_read_one_is_gone() {
    let mut world = World::new();
    world.append("log", LONG);
    assert_eq!(world.timed().len(), 1);
    world.rename("log", "log.old");
    world.append("log", "c\n");
    world.rename("log", "log.old");
    world.append("log", "d\n");
    assert_eq!(world.lines(), "d");
    let loss = world.feed.loss().expect("a loss");
    assert!(loss.contains("log.old is new and may be a rotated file"), "{loss}");
}

#[test]
fn files_that_are_older_or_of_other_names_are_not_read() {
    let mut world = World::new();
    world.append("log.3", "an old line that was read by an earlier start of the service\n");
    world.append("log", LONG);
    assert_eq!(world.timed().len(), 1);
    world.rename("log", "log.2");
    world.append("log.errors", "x\n");
    world.append("log.1.bak", "y\n");
    world.append("log", "b\n");
    world.restart(LONG.len() as Offset);
    assert_eq!(world.lines(), "b");
    assert_eq!(world.feed.loss(), None);
}

#[test]
fn a_loss_is_reported_and_reading_continues() {
    type Steps = fn(&mut World);
    let cases: [(&str, Steps, &str); 5] = [
        (
            "compressed before it was read",
            |w| {
                w.rename("log", "log.2");
                w.append("log.1.gz", "not to be read");
                w.append("log", "c\n");
            },
            "log.1.gz was compressed",
        ),
        (
            "cut without a copy",
            |w| {
                w.cut("log", 0);
                w.append("log", "c\n");
            },
            "was truncated",
        ),
        ("shorter", |w| w.cut("log", 20), "was truncated"),
        (
            "replaced while it was not read",
            |w| {
                fs::remove_file(w.path("log")).expect("deletes");
                w.append("log", "c\n");
                let at = w.feed.next;
                w.restart(at);
            },
            "was replaced",
        ),
        (
            "a renamed file grows late",
            |w| {
                w.rename("log", "log.1");
                w.append("log", "c\n");
                assert_eq!(w.lines(), "c");
                w.append("log.1", "late\n");
            },
            "renamed file",
        ),
    ];
    for (name, steps, want) in cases {
        let mut world = World::new();
        world.append("log", LONG);
        assert_eq!(world.timed().len(), 1);
        steps(&mut world);
        world.lines();
        let loss = world.feed.loss().unwrap_or_default().to_owned();
        assert!(loss.contains(want), "{name}: {loss}");
        world.append("log", "\nlast\n");
        assert!(world.lines().ends_with("last"), "{name}");
        world.now += 3700;
        world.lines();
        assert_eq!(world.feed.loss(), None, "{name}: it is shown for an hour");
    }
}

#[test]
fn new_lines_have_new_offsets_after_a_loss() {
    let mut world = World::new();
    world.append("log", LONG);
    assert_eq!(world.timed().len(), 1);
    fs::remove_file(world.path("log")).expect("deletes");
    world.append("log", "c\n");
    // Not everything that was read has been committed.
    world.restart(0);
    let records = world.feed.poll(Timestamp::from_secs(200), 9).expect("reads");
    let found: Vec<_> = records.iter().map(|record| (record.offset, record.bytes.len())).collect();
    assert_eq!(found, [(LONG.len() as Offset, 1)]);
    let loss = world.feed.loss().map(str::to_owned);
    assert!(loss.is_some());
    world.restart(LONG.len() as Offset);
    assert_eq!(world.feed.loss().map(str::to_owned), loss, "it is still shown after a restart");
}

#[test]
fn damaged_records_of_followed_files_are_named() {
    let dir = TempDir::new().expect("a directory");
    fs::create_dir(dir.path().join("store")).expect("a directory");
    fs::write(dir.path().join("store/files.db"), "x".repeat(4096)).expect("writes");
    let feed = FileFeed::open(&dir.path().join("log"), &dir.path().join("store"));
    let error = feed.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.starts_with("the store is damaged: files.db: "), "{error}");
}

#[test]
fn a_deleted_file_is_an_error_once_it_lasts() {
    let mut world = World::new();
    world.append("log", "a\n");
    assert_eq!(world.timed().len(), 1);
    world.append("log", "b\n");
    fs::remove_file(world.path("log")).expect("deletes");
    assert_eq!(world.timed().len(), 1, "the open file is read to its end");
    world.now += 60;
    let error = world.feed.poll(Timestamp::from_secs(world.now), 9).expect_err("is missing");
    assert!(format!("{error:#}").contains("missing"), "{error:#}");
    world.append("log", "c\n");
    assert_eq!(world.lines(), "c");
}

#[test]
fn records_of_what_will_not_be_read_again_are_deleted() {
    let mut world = World::new();
    for n in 0..5 {
        world.now += 10;
        world.append("log", "line\n");
        assert_eq!(world.timed(), [("line".into(), 100 + 10 * (n + 1))]);
    }
    world.feed.committed(15);
    assert_eq!(world.feed.spans.len(), 2);
    world.restart(15);
    assert_eq!(world.timed(), [("line".into(), 140), ("line".into(), 150)]);
    world.feed.committed(25);
    assert_eq!(world.feed.spans.len(), 1, "the last span has the end of what was read");
}

#[test]
fn offsets_of_earlier_releases_are_bytes_of_the_file() {
    let mut world = World::new();
    world.append("log", "one\ntwo\n");
    world.feed.seek(4);
    assert_eq!(world.lines(), "two");
    world.rename("log", "log.1");
    world.append("log", "three\n");
    assert_eq!(world.lines(), "three");
    assert_eq!(world.feed.next, 14);
}

#[test]
fn every_spelling_of_a_path_is_one_source() {
    let world = World::new();
    let path = world.path("log");
    let own = world.feed.source().topic_name().to_owned();
    let around = world.path("store/../log");
    fs::create_dir_all(world.path("store")).expect("a folder");
    assert_eq!(source_of(&around, &[]), own);
    // Sources of earlier versions have the spelling that was given.
    let before = format!("file:{}", around.display());
    assert_eq!(source_of(&path, std::slice::from_ref(&before)), before);
    assert_eq!(source_of(&path, &[before, own.clone()]), own);
    // A file that is not there yet, and another one.
    assert_ne!(source_of(&world.path("log#2"), std::slice::from_ref(&own)), own);
    assert!(source_of(&world.path("log#2"), &[]).ends_with("log%232"));
}
