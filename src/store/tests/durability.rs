//! Durability, refused stores, and a full disk.

use super::*;

#[test]
fn committed_data_are_there_after_reopening() {
    let dir = TempDir::new().expect("directory");
    let source = SourceRecord {
        source: SourceId::new("support.tickets", 3),
        closed: at(0),
        decided_upto: 41,
        resume_at: 17,
        caught_up_at: None,
        reported_at: at(5),
        beside: Default::default(),
    };
    let mut store = open(&dir);
    put(&mut store, |tx| {
        tx.put_source(&source)?;
        tx.put_state("clock", &12)?;
        tx.put_windows(&[(phone(), at(0), finalized(7))])
    });
    drop(store);
    let reader = reader(&open(&dir));
    assert_eq!(reader.sources().expect("reads"), [source]);
    assert_eq!(reader.state("clock").expect("reads"), Some(12));
    assert_eq!(reader.windows(&phone(), at(0), at(DAY)).expect("reads"), [(at(0), finalized(7))]);
    assert_eq!(reader.keys().expect("reads"), [phone()]);
}

#[test]
fn committed_data_survive_a_crash() {
    let (dir, copy) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    let mut store = open(&dir);
    put(&mut store, |tx| tx.put_windows(&[(phone(), at(0), finalized(7))]));
    let mut tx = store.begin().expect("begins");
    tx.put_windows(&[(phone(), at(0), finalized(8))]).expect("puts");
    // Copy the files while a transaction is open and the store is not closed.
    for file in [FILE, "state.db-wal"] {
        std::fs::copy(dir.path().join(file), copy.path().join(file)).expect("copies");
    }
    let found = reader(&open(&copy)).windows(&phone(), at(0), at(DAY)).expect("reads");
    assert_eq!(found, [(at(0), finalized(7))]);
}

#[test]
fn a_transaction_without_commit_is_rolled_back() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let mut tx = store.begin().expect("begins");
    tx.put_windows(&[(phone(), at(0), finalized(7))]).expect("puts");
    tx.put_vintage(&vintage(0)).expect("puts");
    drop(tx);
    assert_eq!(reader(&store).keys().expect("reads"), []);
    // The ids that it assigned are not used any more.
    put(&mut store, |tx| {
        tx.put_windows(&[(phone(), at(0), finalized(8))])?;
        tx.put_vintage(&vintage(0))
    });
    let reader = reader(&store);
    assert_eq!(reader.windows(&phone(), at(0), at(DAY)).expect("reads"), [(at(0), finalized(8))]);
    assert!(reader.vintage(&series("phone"), None).expect("reads").is_some());
}

#[test]
fn refuses_stores_that_it_cannot_use() {
    let dir = TempDir::new().expect("directory");
    let store = open(&dir);
    // This acts like a second process: the lock belongs to the file handle, not to the process.
    let second = Store::open(dir.path(), WindowWidth::QUARTER).err().expect("refused");
    assert!(matches!(second, StoreError::InUse { .. }));
    drop(store);
    let hour = WindowWidth::new(Duration::from_secs(3600)).expect("a width");
    let other = Store::open(dir.path(), hour).err().expect("refused");
    let text = other.to_string().replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @"the store in DIR has windows of 15 min, not 60 min: keep that width or use another directory");
    let raw = Connection::open(dir.path().join(FILE)).expect("opens");
    raw.execute_batch("PRAGMA user_version = 99").expect("sets");
    let newer = Store::open(dir.path(), WindowWidth::QUARTER).err().expect("refused");
    let ours = STEPS.len() as i64;
    assert!(matches!(newer, StoreError::Version { found: 99, known, .. } if known == ours));
    drop(raw);
    let garbage = TempDir::new().expect("directory");
    std::fs::write(garbage.path().join(FILE), [7; 8192]).expect("writes");
    let damaged = Store::open(garbage.path(), WindowWidth::QUARTER).err().expect("refused");
    assert!(matches!(damaged, StoreError::Corrupt { .. }));
    assert!(matches!(Reader::open(&dir.path().join("none")), Err(StoreError::Io { .. })));
}

/// A body larger than the free space.
#[derive(serde::Serialize, serde::Deserialize)]
struct Large(Vec<u8>);

impl Body for Large {}

#[test]
fn a_full_disk_is_an_error_and_the_store_survives_it() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    put(&mut store, |tx| tx.put_state("clock", &1));
    let pages: i64 =
        store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("counts");
    let limit = |store: &Store, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.conn.query_row(&sql, [], |_| Ok(())).expect("limits");
    };
    limit(&store, pages + 4);
    let mut tx = store.begin().expect("begins");
    tx.put_state("clock", &2).expect("fits");
    let large = Large(vec![7; 1 << 20]);
    let error = tx.put_state("large", &large).expect_err("does not fit");
    assert!(matches!(error, StoreError::Full));
    drop(tx);
    let reader = reader(&store);
    assert_eq!(reader.state("clock").expect("reads"), Some(1));
    put(&mut store, |tx| tx.put_state("clock", &3));
    limit(&store, 1 << 20);
    put(&mut store, |tx| tx.put_state("large", &large));
    assert_eq!(reader.state("clock").expect("reads"), Some(3));
}

#[test]
fn readers_see_whole_transactions_while_one_writes() {
    let dir = TempDir::new().expect("directory");
    let mut store = open(&dir);
    let reader = reader(&store);
    let pass = |n: u32| [(phone(), at(0), finalized(n)), (phone(), at(HOUR), finalized(n))];
    put(&mut store, |tx| tx.put_windows(&pass(0)));
    std::thread::scope(|threads| {
        for _ in 0..6 {
            let reader = reader.clone();
            threads.spawn(move || {
                let mut last = 0;
                while last < 40 {
                    let found = reader.windows(&phone(), at(0), at(DAY)).expect("reads");
                    assert_eq!(found[0].1, found[1].1);
                    assert!(found[0].1.counts.tickets >= last, "counts never decrease");
                    last = found[0].1.counts.tickets;
                }
            });
        }
        for n in 1..=40 {
            put(&mut store, |tx| tx.put_windows(&pass(n)));
        }
    });
}

#[test]
fn threads_may_share_readers_and_the_event_log() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<Reader>();
    shared::<EventLog>();
    sent::<Store>();
}
