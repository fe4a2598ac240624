//! The lives of tickets: messages that have not taken effect, open tickets, and backlogs.

use std::sync::Arc;

use rusqlite::params;

use super::body::{self, Body};
use super::{Change, Filter, Reader, StoreError, Tx, columns};
use crate::domain::{SeriesKey, TicketMessage, Timestamp};
use crate::window::{Backlog, BacklogWindow, MessageKey, Ticket, TicketChanges};

/// Name of the saved [`TicketChanges::forgotten_upto`], in milliseconds.
const FORGOTTEN: &str = "tickets_forgotten";

/// The lives of tickets
impl Tx<'_> {
    /// Stores a message until it takes effect. Of two messages with the same key the first one is kept.
    pub fn put_ticket_message(&mut self, message: &TicketMessage) -> Result<(), StoreError> {
        let MessageKey { ts, kind, subject } = MessageKey::of(message);
        self.run(
            "INSERT OR IGNORE INTO ticket_messages (ts, kind, subject, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![ts.millis(), kind, &*subject, body::encode(message)?, TicketMessage::VERSION],
        )
        .map(drop)
    }

    /// Replaces a stored message that has not taken effect.
    pub(super) fn replace_ticket_message(
        &mut self,
        message: &TicketMessage,
    ) -> Result<(), StoreError> {
        let MessageKey { ts, kind, subject } = MessageKey::of(message);
        self.run(
            "UPDATE ticket_messages SET body = ?4, version = ?5
             WHERE ts = ?1 AND kind = ?2 AND subject = ?3",
            params![ts.millis(), kind, &*subject, body::encode(message)?, TicketMessage::VERSION],
        )
        .map(drop)
    }

    /// Stores the changes caused by messages up to the end of the window that begins at `start`.
    pub fn put_tickets(
        &mut self,
        start: Timestamp,
        changes: &TicketChanges,
    ) -> Result<(), StoreError> {
        if let Some(before) = changes.taken_before {
            self.run("DELETE FROM ticket_messages WHERE ts < ?1", [before.millis()])?;
        }
        for (id, ticket) in &changes.tickets {
            match ticket {
                Some(ticket) => self.run(
                    "INSERT OR REPLACE INTO tickets (ticket, body, version) VALUES (?1, ?2, ?3)",
                    params![&**id, body::encode(ticket)?, Ticket::VERSION],
                )?,
                None => self.run("DELETE FROM tickets WHERE ticket = ?1", [&**id])?,
            };
        }
        for (series, backlog) in &changes.series {
            let SeriesKey { region, service, channel } = series;
            self.run(
                "INSERT OR REPLACE INTO backlogs (region, service, channel, body, version)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    region.as_str(),
                    service.as_str(),
                    channel.as_str(),
                    body::encode(backlog)?,
                    Backlog::VERSION
                ],
            )?;
        }
        self.change_attained(&changes.attained)?;
        if !changes.windows.is_empty() {
            self.changed(Change::Window(start));
        }
        for (series, window) in &changes.windows {
            let SeriesKey { region, service, channel } = series;
            self.run(
                "INSERT OR REPLACE INTO backlog_windows
                     (start, region, service, channel, body, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    start.millis(),
                    region.as_str(),
                    service.as_str(),
                    channel.as_str(),
                    body::encode(window)?,
                    BacklogWindow::VERSION
                ],
            )?;
        }
        match changes.forgotten_upto {
            Some(upto) => self.put_state(FORGOTTEN, &upto.millis()),
            None => Ok(()),
        }
    }
}

/// The lives of tickets
impl Reader {
    /// Messages that have not taken effect, in the order in which they do.
    pub fn ticket_messages(&self) -> Result<Vec<TicketMessage>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM ticket_messages ORDER BY ts, kind, subject",
            )?;
            let mut rows = found.query([])?;
            let mut messages = Vec::new();
            while let Some(row) = rows.next()? {
                messages.push(body::column(row, 0)?);
            }
            Ok(messages)
        })
    }

    /// Tickets that are open, or were open recently, and the time up to which others have been forgotten.
    #[expect(clippy::type_complexity, reason = "a list and one time")]
    pub fn tickets(&self) -> Result<(Vec<(Arc<str>, Ticket)>, Option<Timestamp>), StoreError> {
        let forgotten = self.state::<i64>(FORGOTTEN)?.map(Timestamp::from_millis);
        let tickets = self.read(|conn| {
            let mut found =
                conn.prepare_cached("SELECT ticket, body, version FROM tickets ORDER BY ticket")?;
            let mut rows = found.query([])?;
            let mut tickets = Vec::new();
            while let Some(row) = rows.next()? {
                let id: Arc<str> = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.into();
                tickets.push((id, body::column(row, 1)?));
            }
            Ok(tickets)
        })?;
        Ok((tickets, forgotten))
    }

    /// The open tickets of each series, in order of the series.
    pub fn backlogs(&self, filter: &Filter) -> Result<Vec<(SeriesKey, Backlog)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT region, service, channel, body, version FROM backlogs
                 ORDER BY region, service, channel",
            )?;
            let mut rows = found.query([])?;
            let mut backlogs = Vec::new();
            while let Some(row) = rows.next()? {
                let series = columns::series(row, 0)?;
                if filter.admits_series(&series) {
                    backlogs.push((series, body::column(row, 3)?));
                }
            }
            Ok(backlogs)
        })
    }

    /// The open tickets of one series; `None` if nothing is known about them.
    pub fn backlog(&self, series: &SeriesKey) -> Result<Option<Backlog>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM backlogs
                 WHERE region = ?1 AND service = ?2 AND channel = ?3",
            )?;
            let SeriesKey { region, service, channel } = series;
            let mut rows = found.query([region.as_str(), service.as_str(), channel.as_str()])?;
            rows.next()?.map(|row| body::column(row, 0)).transpose()
        })
    }

    /// The changes of tickets in the window that begins at `start`, by series.
    pub fn backlog_at(
        &self,
        start: Timestamp,
    ) -> Result<Vec<(SeriesKey, BacklogWindow)>, StoreError> {
        self.by_series("backlog_windows", start)
    }

    /// The windows of a series in `from..to` in which its tickets changed, oldest first.
    pub fn backlog_windows(
        &self,
        series: &SeriesKey,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, BacklogWindow)>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            // One look-up for each window: the key of the table begins with the start.
            let mut found = conn.prepare_cached(
                "SELECT body, version FROM backlog_windows
                 WHERE start = ?1 AND region = ?2 AND service = ?3 AND channel = ?4",
            )?;
            let SeriesKey { region, service, channel } = series;
            let (region, service, channel) = (region.as_str(), service.as_str(), channel.as_str());
            let mut windows = Vec::new();
            let mut start = width.floor(from);
            while start < to {
                let mut rows = found.query(params![start.millis(), region, service, channel])?;
                if let Some(row) = rows.next()?.filter(|_| start >= from) {
                    windows.push((start, body::column(row, 0)?));
                }
                start = width.end(start);
            }
            Ok(windows)
        })
    }

    /// The rows of a table with one row per series and window, for the window that begins at `start`.
    pub(super) fn by_series<B: Body>(
        &self,
        table: &'static str,
        start: Timestamp,
    ) -> Result<Vec<(SeriesKey, B)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(&format!(
                "SELECT region, service, channel, body, version FROM {table}
                 WHERE start = ?1 ORDER BY region, service, channel"
            ))?;
            let mut rows = found.query([start.millis()])?;
            let mut windows = Vec::new();
            while let Some(row) = rows.next()? {
                windows.push((columns::series(row, 0)?, body::column(row, 3)?));
            }
            Ok(windows)
        })
    }
}
