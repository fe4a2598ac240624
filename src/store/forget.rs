//! Removes customers' texts and ids on request.

use std::path::Path;

use rusqlite::{Connection, params};

use super::codes::key_kind::PHRASE;
use super::events::EventLog;
use super::{CustomerKey, Store, StoreError, Tx, body, chunk};
use crate::domain::{Act, AuditEntry, TicketMessage, Timestamp, WindowWidth};
use crate::tickets::Assessment;

/// What to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Everything in which this text occurs: an id, a name, a phone number.
    Customer(String),
    /// Everything that was received before this time.
    Before(Timestamp),
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub dead_letters: usize,
    pub phrases: usize,
    /// Events that have not been counted yet: the text in them was replaced by `*`.
    pub events: usize,
    /// Number of tickets whose customer was removed. The tickets stay, without the customer.
    pub tickets: usize,
}

/// Removes customers' texts and ids from the store in `dir`, and overwrites their bytes. Counts do not change. The audit trail
/// records when and how much was removed, but not which customer. `key` is the key for hashing customer ids, if it is not the
/// store's own key.
///
/// # Errors
/// As [`Store::open`]; [`StoreError::InUse`] while the service runs.
pub fn forget(
    dir: &Path,
    width: WindowWidth,
    what: &Forget,
    key: Option<CustomerKey>,
    now: Timestamp,
) -> Result<Forgotten, StoreError> {
    let mut store = Store::open(dir, width)?;
    // The log first: if this fails, the trail must not say that the text is gone.
    let events = match what {
        Forget::Customer(text) => EventLog::open(dir)?.redact(text)?,
        Forget::Before(_) => 0,
    };
    store.conn.execute_batch("PRAGMA secure_delete = ON")?;
    let mut tx = store.begin()?;
    let dead_letters = tx.forget_dead_letters(what)?;
    let phrases = tx.forget_phrases(what)?;
    let tickets = tx.forget_customers(what, key)?;
    let done = Forgotten { dead_letters, phrases, events, tickets };
    tx.put_audit(&done.entry(what, now))?;
    tx.commit()?;
    empty_log(&store.conn)?;
    Ok(done)
}

impl Forgotten {
    /// The entry of the audit trail. It is not known who ran the command.
    fn entry(self, what: &Forget, now: Timestamp) -> AuditEntry {
        let subject = match what {
            Forget::Customer(_) => "customer".to_owned(),
            Forget::Before(at) => format!("before {at}"),
        };
        let Self { dead_letters, phrases, events, tickets } = self;
        let detail = format!(
            "dead_letters={dead_letters} phrases={phrases} events_waiting={events} tickets={tickets}"
        );
        AuditEntry { at: now, who: None, is_signed_in: false, act: Act::Forgotten, subject, detail }
    }
}

/// Moves everything from the write-ahead log to the database, and truncates the log, because it contains old pages.
pub(super) fn empty_log(conn: &Connection) -> Result<(), StoreError> {
    Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

impl Tx<'_> {
    fn forget_dead_letters(&mut self, what: &Forget) -> Result<usize, StoreError> {
        match what {
            Forget::Customer(text) => self.run(
                "DELETE FROM dead_letters WHERE instr(bytes, CAST(?1 AS BLOB)) > 0 OR instr(detail, ?1) > 0",
                [text],
            ),
            Forget::Before(at) => {
                self.run("DELETE FROM dead_letters WHERE received_at < ?1", [at.millis()])
            }
        }
    }

    /// Removes the customer from tickets and from the outreach list. Customer ids may be hashed or plain.
    fn forget_customers(
        &mut self,
        what: &Forget,
        key: Option<CustomerKey>,
    ) -> Result<usize, StoreError> {
        let hashed = match what {
            Forget::Customer(text) => {
                // The store's own key may have been in use before.
                let own = super::assessments::customer_key(self.conn)?;
                let keys = [Some(own), key].into_iter().flatten();
                Some((keys.map(|key| key.hashed(text)).collect::<Vec<_>>(), text))
            }
            Forget::Before(_) => None,
        };
        let is_meant = |customer: &str, at: Timestamp| match (what, &hashed) {
            (Forget::Before(before), _) => at < *before,
            (_, Some((hashes, text))) => {
                hashes.iter().any(|hash| **hash == *customer) || customer.contains(text.as_str())
            }
            (_, None) => false,
        };
        let (mut rows, mut messages) = (Vec::new(), Vec::new());
        {
            let mut found =
                self.conn.prepare_cached("SELECT ticket, body, version FROM assessments")?;
            let mut all = found.query([])?;
            while let Some(row) = all.next()? {
                let own: Assessment = body::column(row, 1)?;
                if own.customer.as_deref().is_some_and(|id| is_meant(id, own.opened_at)) {
                    let ticket: String = row.get(0)?;
                    rows.push((ticket, own));
                }
            }
            let mut found =
                self.conn.prepare_cached("SELECT body, version FROM ticket_messages")?;
            let mut all = found.query([])?;
            while let Some(row) = all.next()? {
                let message: TicketMessage = body::column(row, 0)?;
                let customer = message.facts.as_ref().and_then(|facts| facts.customer.as_deref());
                if customer.is_some_and(|id| is_meant(id, message.ts)) {
                    messages.push(message);
                }
            }
        }
        for (ticket, own) in &mut rows {
            if let Some(customer) = own.customer.take() {
                self.run("DELETE FROM outreach WHERE customer = ?1", [&*customer])?;
            }
            self.put_assessment(ticket, own)?;
        }
        for message in &mut messages {
            message.facts.iter_mut().for_each(|facts| facts.customer = None);
            self.replace_ticket_message(message)?;
        }
        Ok(rows.len() + messages.len())
    }

    /// Removes phrases, which are stored in lower case.
    fn forget_phrases(&mut self, what: &Forget) -> Result<usize, StoreError> {
        let (text, end) = match what {
            Forget::Customer(text) => (text.to_lowercase(), i64::MAX),
            Forget::Before(at) => (String::new(), chunk::day(*at)),
        };
        let ids: Vec<i64> = {
            let mut found = self.conn.prepare_cached(
                "SELECT id FROM cells WHERE kind = ?1 AND (?2 = '' OR instr(lower(channel), ?2) > 0)",
            )?;
            let ids = found.query_map(params![PHRASE, text], |row| row.get(0))?;
            ids.collect::<Result<_, _>>()?
        };
        let mut gone = 0;
        for id in ids {
            let to = if end == i64::MAX { chunk::key(id + 1, 0) } else { chunk::key(id, end) };
            let rows = self
                .run("DELETE FROM chunks WHERE key >= ?1 AND key < ?2", [chunk::key(id, 0), to])?;
            if matches!(what, Forget::Customer(_)) {
                self.run("DELETE FROM partials WHERE cell = ?1", [id])?;
                self.run("DELETE FROM cells WHERE id = ?1", [id])?;
            }
            gone += usize::from(rows > 0 || matches!(what, Forget::Customer(_)));
        }
        self.forget_keys();
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeadLetter, Position, Reason, SourceId};
    use crate::store::{LogRecord, Reader};

    #[test]
    fn a_customer_and_old_texts_are_forgotten() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = Timestamp::from_secs;
        let mut store = Store::open(dir.path(), WindowWidth::QUARTER).expect("opens");
        let mut tx = store.begin().expect("begins");
        for (n, text) in ["call C-4711 back", "hello", "hello again"].iter().enumerate() {
            let position = Position { source: SourceId::new("t", 0), offset: n as i64 };
            let letter = DeadLetter {
                position,
                nth: 0,
                received_at: at(100 * (n as i64 + 1)),
                reason: Reason::Malformed,
                detail: "no JSON".into(),
                bytes: text.as_bytes().into(),
            };
            tx.put_dead_letter(&letter, None).expect("stored");
        }
        tx.commit().expect("commits");
        drop(store);
        let log = EventLog::open(dir.path()).expect("opens");
        let bytes = br#"{"event_id":"1","customer":"C-4711"}"#.to_vec();
        let other = br#"{"event_id":"2","customer":"C-4712"}"#.to_vec();
        let records = [&bytes, &other].map(|b| LogRecord { kind: None, bytes: b.clone() });
        log.append(&records, at(1)).expect("appended");
        drop(log);

        let customer = Forget::Customer("C-4711".into());
        let done =
            forget(dir.path(), WindowWidth::QUARTER, &customer, None, at(1000)).expect("forgets");
        assert_eq!(done, Forgotten { dead_letters: 1, events: 1, ..Forgotten::default() });
        let done =
            forget(dir.path(), WindowWidth::QUARTER, &customer, None, at(1000)).expect("forgets");
        assert_eq!(done, Forgotten::default());
        let log = EventLog::open(dir.path()).expect("opens");
        let kept: Vec<Vec<u8>> =
            log.read_from(0, 10).expect("reads").into_iter().map(|entry| entry.bytes).collect();
        assert_eq!(kept, [br#"{"event_id":"1","customer":"******"}"#.to_vec(), other]);
        drop(log);
        let before = Forget::Before(at(250));
        let done =
            forget(dir.path(), WindowWidth::QUARTER, &before, None, at(2000)).expect("forgets");
        assert_eq!(done.dead_letters, 1);
        let left = Reader::open(dir.path()).expect("opens").dead_letter_counts().expect("reads");
        assert_eq!(left.values().sum::<u64>(), 1);
        let trail = Reader::open(dir.path()).expect("opens").audit(9, None).expect("reads");
        let trail: Vec<_> =
            trail.into_iter().map(|(_, entry)| (entry.subject, entry.detail)).collect();
        let entry = |subject: &str, detail: &str| (subject.to_owned(), detail.to_owned());
        assert_eq!(
            trail,
            [
                entry(
                    "before 1970-01-01T00:04:10Z",
                    "dead_letters=1 phrases=0 events_waiting=0 tickets=0"
                ),
                entry("customer", "dead_letters=1 phrases=0 events_waiting=1 tickets=0"),
            ]
        );
        for file in ["state.db", "events.db", "state.db-wal", "events.db-wal"] {
            let bytes = std::fs::read(dir.path().join(file)).unwrap_or_default();
            assert!(!bytes.windows(6).any(|part| part == b"C-4711"), "{file}");
        }
    }
}
