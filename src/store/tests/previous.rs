//! Stores of earlier releases can be read, and are copied before a migration.

use super::sample;
use super::*;
use crate::store::migrate::migrate;
use crate::store::schema::Step;

/// The sample of `sample::fill` with schema version 10, the last without versions of bodies, as SQL text. It was made by
/// `SURGECAST_SAMPLE=FILE cargo test --lib store::tests::sample` and Python's `sqlite3.Connection.iterdump`.
const VERSION_10: &str = include_str!("version_10.sql");

fn older(dir: &TempDir) -> Connection {
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute_batch(VERSION_10).expect("loads");
    raw
}

fn schema_version(file: &str, dir: &TempDir) -> i64 {
    let raw = Connection::open(dir.path().join(file)).expect("opens");
    migrate::version(&raw).expect("reads")
}

/// All rows of a database, as text.
fn content(raw: &Connection) -> Vec<String> {
    let mut tables = raw
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .expect("prepares");
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).expect("reads");
    let mut content = Vec::new();
    for table in tables.map(|name| name.expect("a name")) {
        let mut rows = raw.prepare(&format!("SELECT * FROM {table}")).expect("prepares");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("reads");
        while let Some(row) = rows.next().expect("reads") {
            let values = (0..columns).map(|i| format!("{:?}", row.get_ref(i).expect("a value")));
            content.push(format!("{table} {}", values.collect::<Vec<_>>().join(" ")));
        }
    }
    content
}

fn copy_name() -> String {
    format!("state.db.before-v{}", STEPS.len())
}

#[test]
fn a_store_without_versions_of_bodies_can_be_read() {
    let dir = TempDir::new().expect("directory");
    let before = content(&older(&dir));
    sample::check(&reader(&open(&dir)));
    // The copy is unchanged and complete.
    assert_eq!(schema_version(&copy_name(), &dir), 10);
    let copy = Connection::open(dir.path().join(copy_name())).expect("opens");
    assert_eq!(content(&copy), before);
    // Opening the store again makes no copy.
    std::fs::remove_file(dir.path().join(copy_name())).expect("removes");
    sample::check(&reader(&open(&dir)));
    assert!(!dir.path().join(copy_name()).exists());
}

#[test]
fn a_store_may_have_rows_with_and_without_versions() {
    let dir = TempDir::new().expect("directory");
    drop(older(&dir));
    let mut store = open(&dir);
    let key = series("phone");
    let later = at(2 * HOUR);
    put(&mut store, |tx| {
        tx.put_vintage(&vintage(2 * HOUR))?;
        tx.put_windows(&[(phone(), later, finalized(9))])?;
        tx.put_scores(&key, at(0), &ByLead::from([(60, Score { n: 1, ..Score::default() })]))?;
        tx.put_cursor("influxdb", 301)
    });
    let reader = reader(&store);
    let issued: Vec<_> = reader.vintages_between(at(0), later).expect("reads");
    let issued: Vec<_> = issued.iter().map(|vintage| vintage.issued_at).collect();
    assert_eq!(issued, [at(0), at(HOUR), at(HOUR), later]);
    let windows = reader.windows(&phone(), at(0), at(DAY)).expect("reads");
    let tickets: Vec<_> = windows.iter().map(|(_, record)| record.counts.tickets).collect();
    assert_eq!(tickets, [7, 700, 9]);
    let scores = reader.scores(&key, at(0), at(DAY)).expect("reads");
    assert_eq!(
        scores.iter().map(|(_, lead, score)| (*lead, score.n)).collect::<Vec<_>>(),
        [(60, 6), (180, 6)]
    );
    assert_eq!(reader.cursor("influxdb").expect("reads"), 301);
}

#[test]
fn a_failed_step_leaves_the_store_unchanged() {
    let dir = TempDir::new().expect("directory");
    let raw = older(&dir);
    let before = content(&raw);
    let nothing = || Step::Sql("");
    let mut steps: Vec<_> = (0..10).map(|_| nothing()).collect();
    steps.push(Step::Sql("DELETE FROM alerts; DROP TABLE shifts;"));
    steps.push(Step::Run(|_| Err(StoreError::Full)));
    let path = dir.path().join(FILE);
    let error = migrate(&raw, &path, &steps).expect_err("fails");
    assert!(matches!(error, StoreError::Full));
    assert_eq!(content(&raw), before);
    assert_eq!(schema_version(FILE, &dir), 10);
    drop(raw);
    sample::check(&reader(&open(&dir)));
}

#[test]
fn only_the_newest_copy_is_kept() {
    let dir = TempDir::new().expect("directory");
    drop(older(&dir));
    for name in ["state.db.before-v10", "state.db.before-v16.unfinished"] {
        std::fs::write(dir.path().join(name), "old").expect("writes");
    }
    drop(open(&dir));
    let names = std::fs::read_dir(dir.path())
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let copies: Vec<_> = names.filter(|name| name.contains("before")).collect();
    assert_eq!(copies, [copy_name()]);
}

#[test]
fn without_a_copy_the_store_is_not_migrated() {
    let dir = TempDir::new().expect("directory");
    drop(older(&dir));
    std::fs::create_dir(dir.path().join(copy_name())).expect("makes");
    let error = Store::open(dir.path(), WindowWidth::QUARTER).err().expect("refused");
    let text = error.to_string().replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @"DIR/state.db was not migrated, because no copy of it could be made: cannot rename to DIR/state.db.before-v23: Is a directory (os error 21); check that it exists and is writable; make room for a second state.db, then start again");
    assert_eq!(schema_version(FILE, &dir), 10);
    assert!(!dir.path().join(format!("{}.unfinished", copy_name())).exists());
}

#[test]
fn a_reader_explains_what_to_do_with_an_older_or_newer_store() {
    let dir = TempDir::new().expect("directory");
    let raw = older(&dir);
    let text = |dir: &TempDir| {
        let error = Reader::open(dir.path()).err().expect("refused").to_string();
        error.replace(&dir.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(text(&dir), @"DIR/state.db has schema version 10, this surgecast reads version 23: start the service once, it migrates the store and keeps a copy");
    raw.execute_batch("PRAGMA user_version = 99").expect("sets");
    insta::assert_snapshot!(text(&dir), @"DIR/state.db has schema version 99, this surgecast reads versions up to 23: use a newer surgecast");
}
