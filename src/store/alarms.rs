//! Alarms and planned work: their events, and their current state.
//!
//! The order of events is (ts, topic, partition, offset), never the order of arrival.

use rusqlite::{Connection, OptionalExtension, params};

use super::body::{self, Body};
use super::{ActiveAlarm, Change, Filter, PlannedKey, Reader, StoreError, Tx, columns};
use crate::domain::{
    AlarmAction, AlarmEvent, ListRebuilt, MaintenanceAction, MaintenanceEvent, Position, Timestamp,
};

/// Alarms and planned work
impl Tx<'_> {
    /// Stores an alarm's message, once per position and time. The newest (ts, source, offset) is the alarm's state.
    pub fn put_alarm(&mut self, position: &Position, event: &AlarmEvent) -> Result<(), StoreError> {
        let clear = event.action == AlarmAction::Clear;
        let body = body::encode(event)?;
        let (source, offset) = (&position.source, position.offset);
        let new = self.run(
            "INSERT OR IGNORE INTO transitions (topic, part, position, ts, alarm, clear, event, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                &*source.topic,
                source.partition,
                offset,
                event.ts.millis(),
                &*event.alarm_id,
                clear,
                body,
                AlarmEvent::VERSION
            ],
        )?;
        if new == 0 {
            return Ok(());
        }
        let known = state(self.conn, &event.alarm_id)?;
        let raised_at = match &known {
            Some(known) if known.key >= (event.ts, position.clone()) => {
                return self.correct(&event.alarm_id, known);
            }
            _ if clear => None,
            Some(State { raised_at: Some(raised_at), .. }) => Some(*raised_at),
            _ => Some(event.ts),
        };
        self.run(
            "INSERT OR REPLACE INTO alarms (alarm, ts, topic, part, position, raised_at, event, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                &*event.alarm_id,
                event.ts.millis(),
                &*source.topic,
                source.partition,
                offset,
                raised_at.map(Timestamp::millis),
                body,
                AlarmEvent::VERSION
            ],
        )
        .map(drop)
    }

    /// Corrects `raised_at` after a message that is older than the state: the alarm may have been active for a longer or
    /// shorter time.
    fn correct(&self, alarm: &str, known: &State) -> Result<(), StoreError> {
        let Some(raised_at) = known.raised_at else { return Ok(()) };
        let corrected = raised_at_of(self.conn, alarm, known.key.0, Some(raised_at))?;
        self.run(
            "UPDATE alarms SET raised_at = ?2 WHERE alarm = ?1",
            params![alarm, corrected.unwrap_or(raised_at).millis()],
        )
        .map(drop)
    }

    /// Stores that a system rebuilt its alarm list, once per position.
    pub fn put_rebuilt(
        &mut self,
        position: &Position,
        list: &ListRebuilt,
    ) -> Result<(), StoreError> {
        let source = &position.source;
        self.run(
            "INSERT OR IGNORE INTO rebuilt (topic, part, position, ts, list, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                &*source.topic,
                source.partition,
                position.offset,
                list.ts.millis(),
                body::encode(list)?,
                ListRebuilt::VERSION
            ],
        )
        .map(drop)
    }

    /// Stores planned work. The newest (ts, source, offset) of an event id wins.
    pub fn put_maintenance(
        &mut self,
        position: &Position,
        event: &MaintenanceEvent,
    ) -> Result<(), StoreError> {
        for work in [work(self.conn, &event.event_id)?.as_ref(), Some(event)].into_iter().flatten()
        {
            let key = PlannedKey::of_work(work).text()?;
            self.changed(Change::Planned(work.starts_at, key));
        }
        self.run(
            "INSERT INTO maintenance
                 (event_id, ts, topic, part, position, cancelled, starts_at, ends_at, event, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (event_id) DO UPDATE SET
                 ts = excluded.ts, topic = excluded.topic, part = excluded.part,
                 position = excluded.position, cancelled = excluded.cancelled,
                 starts_at = excluded.starts_at, ends_at = excluded.ends_at, event = excluded.event,
                 version = excluded.version
             WHERE (excluded.ts, excluded.topic, excluded.part, excluded.position)
                 > (ts, topic, part, position)",
            params![
                &*event.event_id,
                event.ts.millis(),
                &*position.source.topic,
                position.source.partition,
                position.offset,
                event.action == MaintenanceAction::Cancel,
                event.starts_at.millis(),
                event.ends_at.millis(),
                body::encode(event)?,
                MaintenanceEvent::VERSION
            ],
        )
        .map(drop)
    }
}

/// The newest message of planned work, which may cancel it.
fn work(conn: &Connection, id: &str) -> Result<Option<MaintenanceEvent>, StoreError> {
    let mut found =
        conn.prepare_cached("SELECT event, version FROM maintenance WHERE event_id = ?1")?;
    let mut rows = found.query([id])?;
    rows.next()?.map(|row| body::column(row, 0)).transpose()
}

/// Alarms and planned work
impl Reader {
    /// The newest message of planned work, which may cancel it.
    pub fn work(&self, id: &str) -> Result<Option<MaintenanceEvent>, StoreError> {
        self.read(|conn| work(conn, id))
    }

    /// Stored messages of alarms after a cursor, in the order in which they were stored, with the next cursor.
    pub fn alarm_messages(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<(i64, Vec<(Position, AlarmEvent)>), StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT topic, part, position, event, version, id FROM transitions
                 WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut rows = found.query([after, columns::count(limit)])?;
            let (mut cursor, mut messages) = (after, Vec::new());
            while let Some(row) = rows.next()? {
                let source = columns::source(row, 0)?;
                messages.push((Position { source, offset: row.get(2)? }, body::column(row, 3)?));
                cursor = row.get(5)?;
            }
            Ok((cursor, messages))
        })
    }

    /// Alarms whose newest message up to `at` is not a clear. Held clears and rebuilt lists are ignored; only
    /// [`crate::window::AlarmBook`] takes them into account. Most severe first, then newest. Exact for the last 7 days;
    /// older states are known as far as messages are kept.
    pub fn active_alarms(
        &self,
        filter: &Filter,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<ActiveAlarm>, StoreError> {
        let mut active = self.read(|conn| {
            let mut active = unchanged_since(conn, at, filter)?;
            active.extend(changed_since(conn, at, filter)?);
            Ok(active)
        })?;
        active.sort_by(|a, b| {
            (a.event.severity, b.raised_at, &a.event.alarm_id).cmp(&(
                b.event.severity,
                a.raised_at,
                &b.event.alarm_id,
            ))
        });
        active.truncate(limit);
        Ok(active)
    }

    /// Alarm messages with event time in `from..to`, in order of (ts, source, offset).
    pub fn alarm_transitions(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Position, AlarmEvent)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT topic, part, position, event, version FROM transitions
                 WHERE ts >= ?1 AND ts < ?2 ORDER BY ts, topic, part, position",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut transitions = Vec::new();
            while let Some(row) = rows.next()? {
                let source = columns::source(row, 0)?;
                let event = body::column(row, 3)?;
                transitions.push((Position { source, offset: row.get(2)? }, event));
            }
            Ok(transitions)
        })
    }

    /// Rebuilt lists with event time `from` or later, in order of (ts, source, offset).
    pub fn rebuilt_lists(
        &self,
        from: Timestamp,
    ) -> Result<Vec<(Position, ListRebuilt)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT topic, part, position, list, version FROM rebuilt
                 WHERE ts >= ?1 ORDER BY ts, topic, part, position",
            )?;
            let mut rows = found.query([from.millis()])?;
            let mut lists = Vec::new();
            while let Some(row) = rows.next()? {
                let source = columns::source(row, 0)?;
                let position = Position { source, offset: row.get(2)? };
                lists.push((position, body::column(row, 3)?));
            }
            Ok(lists)
        })
    }

    /// Planned work that overlaps `from..to` and is not cancelled, in order of its start.
    pub fn maintenance(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<MaintenanceEvent>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT event, version FROM maintenance
                 WHERE ends_at > ?1 AND starts_at < ?2 AND cancelled = 0
                 ORDER BY starts_at, event_id",
            )?;
            let mut rows = found.query([from.millis(), to.millis()])?;
            let mut planned = Vec::new();
            while let Some(row) = rows.next()? {
                planned.push(body::column(row, 0)?);
            }
            Ok(planned)
        })
    }
}

struct State {
    key: (Timestamp, Position),
    raised_at: Option<Timestamp>,
}

fn state(conn: &Connection, alarm: &str) -> Result<Option<State>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT ts, topic, part, position, raised_at FROM alarms WHERE alarm = ?1")?
        .query_row([alarm], |row| {
            let source = columns::source(row, 1)?;
            let position = Position { source, offset: row.get(3)? };
            let raised_at = row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis);
            Ok(State { key: (columns::time(row, 0)?, position), raised_at })
        })
        .optional()?)
}

/// Since when an alarm has been active as of `at`: the first raise or change after the last clear. `known` is the time that was
/// stored before messages were pruned. It is used if no clear is stored any more.
fn raised_at_of(
    conn: &Connection,
    alarm: &str,
    at: Timestamp,
    known: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT ts, clear FROM transitions WHERE alarm = ?1 AND ts <= ?2
         ORDER BY ts DESC, topic DESC, part DESC, position DESC",
    )?;
    let mut rows = found.query(params![alarm, at.millis()])?;
    let mut raised = None;
    while let Some(row) = rows.next()? {
        if row.get(1)? {
            return Ok(raised);
        }
        raised = Some(columns::time(row, 0)?);
    }
    Ok([raised, known].into_iter().flatten().min())
}

/// Active alarms without a message after `at`: their current state is the answer.
fn unchanged_since(
    conn: &Connection,
    at: Timestamp,
    filter: &Filter,
) -> Result<Vec<ActiveAlarm>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT raised_at, event, version FROM alarms WHERE raised_at IS NOT NULL AND ts <= ?1",
    )?;
    let mut rows = found.query([at.millis()])?;
    let mut active = Vec::new();
    while let Some(row) = rows.next()? {
        let event: AlarmEvent = body::column(row, 1)?;
        if filter.admits_scope(&event.scope) {
            let raised_at = columns::time(row, 0)?;
            active.push(ActiveAlarm { event, raised_at });
        }
    }
    Ok(active)
}

/// Alarms with messages after `at`: their earlier messages give the answer.
fn changed_since(
    conn: &Connection,
    at: Timestamp,
    filter: &Filter,
) -> Result<Vec<ActiveAlarm>, StoreError> {
    let mut found = conn.prepare_cached(
        "SELECT t.event, t.version FROM alarms a JOIN transitions t ON t.id = (
             SELECT id FROM transitions WHERE alarm = a.alarm AND ts <= ?1
             ORDER BY ts DESC, topic DESC, part DESC, position DESC LIMIT 1)
         WHERE a.ts > ?1 AND t.clear = 0",
    )?;
    let mut rows = found.query([at.millis()])?;
    let mut active = Vec::new();
    while let Some(row) = rows.next()? {
        let event: AlarmEvent = body::column(row, 0)?;
        if filter.admits_scope(&event.scope) {
            let raised_at = raised_at_of(conn, &event.alarm_id, at, None)?.unwrap_or(event.ts);
            active.push(ActiveAlarm { event, raised_at });
        }
    }
    Ok(active)
}
