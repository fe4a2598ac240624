//! Retention: deletes old data.

use std::collections::BTreeMap;
use std::time::Duration;

use super::block::Table;
use super::codes::Code;
use super::names::key_ids;
use super::vintage::Parts;
use super::{DeliveryState, StoreError, Tx, block, chunk, columns};
use crate::alert::AlertState;
use crate::domain::{DAY, HOUR, Name, SeriesKey, Timestamp, WindowWidth};
use crate::forecast::{HORIZON, Vintage};

/// Retention of windows, scores, alerts and others: a year and a month, so that the same season of last year can be compared.
const LONG: Duration = Duration::from_secs(400 * DAY.as_secs());
/// Vintages with every lead.
pub const VINTAGES_KEPT: Duration = Duration::from_secs(14 * DAY.as_secs());
const REJECTS_MAX: u32 = 100_000;
/// Retention of annotations after their end. Older episodes are not written any more.
const ANNOTATIONS: Duration = Duration::from_secs(30 * DAY.as_secs());
const TRANSITIONS: Duration = Duration::from_secs(7 * DAY.as_secs());

impl Tx<'_> {
    /// `texts`: how long customers' texts and ids are kept.
    pub(super) fn prune(mut self, now: Timestamp, texts: Duration) -> Result<(), StoreError> {
        self.prune_ledger(now)?;
        self.prune_windows(now - LONG, now - texts)?;
        self.prune_alarms(now)?;
        self.run("DELETE FROM backlog_windows WHERE start < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM service_windows WHERE start < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM sentiment_windows WHERE start < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM alarm_types WHERE start < ?1", [(now - LONG).millis()])?;
        let monday = chunk::day(now - LONG) - 7;
        self.run("DELETE FROM compliance WHERE monday < ?1", [monday])?;
        self.run("DELETE FROM staffed WHERE start < ?1", [(now - VINTAGES_KEPT).millis()])?;
        self.run("DELETE FROM changes WHERE at < ?1", [(now - LONG).millis()])?;
        self.prune_letters(now - texts, REJECTS_MAX)?;
        self.prune_people(now)?;
        self.prune_annotations(now - ANNOTATIONS, now - LONG)?;
        self.commit()
    }

    /// Deletes only dead letters; `texts` as for [`Self::prune`].
    pub(super) fn prune_dead_letters(
        mut self,
        now: Timestamp,
        texts: Duration,
    ) -> Result<(), StoreError> {
        self.prune_letters(now - texts, REJECTS_MAX)?;
        self.commit()
    }

    fn prune_ledger(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let all_leads_from = (now - VINTAGES_KEPT).millis();
        self.run("INSERT INTO retention_open (only) VALUES (1)", [])?;
        self.thin(all_leads_from)?;
        self.run("DELETE FROM vintage_blocks WHERE issued_at < ?1", [all_leads_from])?;
        self.run("DELETE FROM lead_blocks WHERE issued_at < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM adjusted_vintages WHERE issued_at < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM nowcasts WHERE issued_at < ?1", [all_leads_from])?;
        self.run("DELETE FROM retention_open", [])?;
        self.run("DELETE FROM adjusted_scores WHERE day < ?1", [chunk::day(now - LONG)])?;
        self.run("DELETE FROM nowcast_scores WHERE day < ?1", [chunk::day(now - LONG)])?;
        for of_days in
            ["DELETE FROM scores WHERE day < ?1", "DELETE FROM score_days WHERE day < ?1"]
        {
            self.run(of_days, [chunk::day(now - LONG)])?;
        }
        self.run("DELETE FROM surges WHERE start < ?1", [(now - LONG).millis()])?;
        self.run("DELETE FROM calls WHERE first < ?1", [(now - LONG).millis()])?;
        Ok(())
    }

    /// Copies the three kept leads of vintages issued before `cutoff` to `lead_blocks`.
    fn thin(&self, cutoff: i64) -> Result<(), StoreError> {
        let mut old = self.conn.prepare_cached(
            "SELECT issued_at, block, members, body, version FROM vintage_blocks WHERE issued_at < ?1",
        )?;
        let mut rows = old.query([cutoff])?;
        // A placeholder: parts hold no series, and the ids stay the same.
        let placeholder = SeriesKey::new(Name::all(), Name::all(), Name::all());
        while let Some(row) = rows.next()? {
            let issued_at = columns::time(row, 0)?;
            let mut thinned = BTreeMap::new();
            for (series, parts) in block::all(row, 1)? {
                let mut vintage = parts.vintage(&placeholder, issued_at)?;
                keep_leads(&mut vintage, self.width);
                thinned.insert(series, Parts::of(&vintage));
            }
            block::put(self.conn, Table::Leads, issued_at, thinned)?;
        }
        Ok(())
    }

    fn prune_windows(&mut self, before: Timestamp, phrases: Timestamp) -> Result<(), StoreError> {
        for (key_id, is_phrase) in key_ids(self.conn)? {
            let before = if is_phrase { phrases } else { before };
            let end = chunk::key(key_id, chunk::day(before));
            self.run(
                "DELETE FROM chunks WHERE key >= ?1 AND key < ?2",
                [chunk::key(key_id, 0), end],
            )?;
            let at = before.millis();
            self.run("DELETE FROM late WHERE cell = ?1 AND start < ?2", [key_id, at])?;
            self.run("DELETE FROM partials WHERE cell = ?1 AND start < ?2", [key_id, at])?;
        }
        self.run("DELETE FROM folded WHERE start < ?1", [before.millis()])?;
        // Names come from outside, so their number has no limit. Delete those without data.
        self.run(
            "DELETE FROM cells WHERE
                 NOT EXISTS (SELECT 1 FROM partials p WHERE p.cell = cells.id)
                 AND NOT EXISTS (SELECT 1 FROM late l WHERE l.cell = cells.id)
                 AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.key BETWEEN cells.id << 24
                     AND (cells.id << 24) + 16777215)",
            [],
        )?;
        self.forget_keys();
        Ok(())
    }

    fn prune_alarms(&self, now: Timestamp) -> Result<(), StoreError> {
        let cutoff = (now - TRANSITIONS).millis();
        // The newest message stays: SQLite would give its number again, and readers continue after the number they have.
        let newest: i64 =
            self.conn
                .query_row("SELECT coalesce(max(id), 0) FROM transitions", [], |row| row.get(0))?;
        // Keep the last message of an alarm that was active at the cutoff, so that it still counts as active later.
        self.run(
            "DELETE FROM transitions WHERE ts < ?1 AND id < ?2 AND (clear = 1 OR EXISTS (
                 SELECT 1 FROM transitions n WHERE n.alarm = transitions.alarm AND n.ts < ?1
                     AND (n.ts, n.topic, n.part, n.position)
                       > (transitions.ts, transitions.topic, transitions.part, transitions.position)))",
            [cutoff, newest],
        )?;
        self.run("DELETE FROM alarms WHERE raised_at IS NULL AND ts < ?1", [cutoff])?;
        self.run("DELETE FROM rebuilt WHERE ts < ?1", [cutoff])?;
        let long = (now - LONG).millis();
        self.run("DELETE FROM transitions WHERE ts < ?1 AND id < ?2", [long, newest])?;
        self.run("DELETE FROM alarms WHERE ts < ?1", [long])?;
        self.run("DELETE FROM maintenance WHERE ends_at < ?1", [long])?;
        Ok(())
    }

    fn prune_people(&self, now: Timestamp) -> Result<(), StoreError> {
        let long = (now - LONG).millis();
        self.run("DELETE FROM anomalies WHERE start < ?1", [long])?;
        let (resolved, pending) = (AlertState::Resolved.code(), DeliveryState::Pending.code());
        self.run(
            "DELETE FROM alerts WHERE since < ?1 AND state = ?2",
            rusqlite::params![long, resolved],
        )?;
        self.run(
            "DELETE FROM outbox WHERE state <> ?2 AND created_at < ?1",
            rusqlite::params![long, pending],
        )?;
        self.run("DELETE FROM shifts WHERE ends_at < ?1", [long])?;
        self.run("DELETE FROM team_shifts WHERE ends_at < ?1", [long])?;
        self.run("DELETE FROM recommendations WHERE ends_at < ?1", [long])?;
        self.run("DELETE FROM adjustments WHERE ends_at < ?1", [long])?;
        self.run("DELETE FROM silences WHERE ends_at < ?1", [long])?;
        self.run("DELETE FROM audit WHERE at < ?1", [long])?;
        Ok(())
    }
}

/// Keeps the forecast points 1, 3 and 6 h ahead. The last one starts one window before the horizon's end.
fn keep_leads(vintage: &mut Vintage, width: WindowWidth) {
    let kept = [HOUR, HOUR * 3, HORIZON.saturating_sub(width.length())];
    let issued_at = vintage.issued_at;
    // The surges have been judged already.
    vintage.surges = None;
    vintage.targets.retain(|target| kept.iter().any(|lead| target.start == issued_at + *lead));
}
