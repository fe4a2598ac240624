//! When the pages of a receiver are tried: waiting after failures, limits of the receiver, pages that no longer matter.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::alert::NotificationKind;
use crate::domain::{Timestamp, with_jitter};
use crate::output::receivers::{Fault, Limit, Refusal};
use crate::store::OutboxRow;

/// Waits after consecutive failures. A page is only useful soon: the first tries are quick, and no wait is long, so that a
/// recovered receiver is soon noticed.
const WAITS_S: [u64; 5] = [1, 2, 5, 15, 30];
/// Waits of a page that is refused while other pages are delivered.
const PAGE_WAITS_S: [u64; 6] = [1, 5, 15, 60, 300, 900];
/// After this time a page is given up, and a person has to act.
const GIVE_UP_AFTER: Duration = Duration::from_secs(86_400);

/// The state of a receiver.
#[derive(Clone, Debug, Default)]
pub struct Circuit {
    /// Number of consecutive failures caused by the receiver.
    failures: u32,
    /// No page is tried before this time.
    until: Option<Timestamp>,
    /// Recent deliveries, for the limit.
    sent: VecDeque<Timestamp>,
}

/// What to do next for a receiver.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Try this page.
    Try(usize),
    /// Try nothing before this time.
    Wait(Timestamp),
    /// Nothing is pending.
    Idle,
}

impl Circuit {
    /// Whether the last try failed because of the receiver.
    pub fn is_open(&self) -> bool {
        self.failures > 0
    }

    /// A receiver took a page.
    pub fn delivered(&mut self, limit: Option<Limit>, now: Timestamp) {
        (self.failures, self.until) = (0, None);
        let Some(limit) = limit else { return };
        self.sent.push_back(now);
        while self.sent.len() > limit.pages as usize {
            self.sent.pop_front();
        }
        if let Some(oldest) = self.sent.front().filter(|_| self.sent.len() >= limit.pages as usize)
        {
            self.until = Some(*oldest + limit.per);
        }
    }

    /// A try failed. Returns when the page is tried again at the earliest; `random` is from 0 to 1.
    pub fn failed(
        &mut self,
        row: &OutboxRow,
        refusal: &Refusal,
        now: Timestamp,
        random: f64,
    ) -> Timestamp {
        let nth = |waits: &[u64], n: u32| {
            let at = (n as usize).min(waits.len() - 1);
            with_jitter(Duration::from_secs(waits[at]), random)
        };
        if refusal.fault == Fault::Receiver || refusal.retry_after.is_some() {
            let wait = refusal.retry_after.unwrap_or_else(|| nth(&WAITS_S, self.failures));
            self.failures += 1;
            self.until = Some(now + wait);
            return now + wait;
        }
        // It answers: other pages may be delivered.
        (self.failures, self.until) = (0, None);
        now + refusal.retry_after.unwrap_or_else(|| nth(&PAGE_WAITS_S, row.attempts))
    }

    /// The page to try at `now`: of the pages that are due, the one that was stored first. While the receiver does not answer,
    /// critical pages come first. `skip` are pages whose outcome is being stored.
    pub fn next(
        &self,
        rows: &[OutboxRow],
        skip: impl Fn(&OutboxRow) -> bool,
        now: Timestamp,
    ) -> Next {
        let pending = || rows.iter().enumerate().filter(|(_, row)| !skip(row));
        let Some(earliest) = pending().map(|(_, row)| row.next_at).min() else { return Next::Idle };
        if let Some(until) = self.until.filter(|until| *until > now) {
            return Next::Wait(until);
        }
        let due = pending().filter(|(_, row)| row.next_at <= now);
        let first = due.min_by_key(|(at, row)| {
            let is_last = self.is_open() && row.notice.alert.severity < MOST_SEVERE;
            (is_last, *at)
        });
        first.map_or(Next::Wait(earliest), |(at, _)| Next::Try(at))
    }
}

const MOST_SEVERE: crate::alert::AlertSeverity = crate::alert::AlertSeverity::Critical;

/// Pages that are no longer tried, each with the reason: the span that it warns of is over, a later page of the same alert replaces it, or a day has passed. Pages that were never tried are not replaced by later ones.
pub fn outdated(rows: &[OutboxRow], now: Timestamp) -> BTreeMap<usize, String> {
    let mut reasons = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let (alert, kind) = (&row.notice.alert, row.notice.kind);
        let later = || rows[at + 1..].iter().filter(|row| row.notice.alert.id == alert.id);
        let is_over = kind != NotificationKind::Resolved && alert.to <= now;
        let reason = if now.since(row.created_at) >= GIVE_UP_AFTER {
            "was tried for a day".to_owned()
        } else if is_over {
            format!("came too late: the span that it warns of ended at {}", alert.to)
        } else if row.attempts > 0 && later().next().is_some() {
            "was replaced by a later page of the same alert".to_owned()
        } else {
            continue;
        };
        let reason = match &row.last_error {
            Some(error) => format!("{reason}; last try: {error}"),
            None => reason,
        };
        reasons.insert(at, reason);
    }
    reasons
}
