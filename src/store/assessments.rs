//! Assessments of tickets, compliance by week, and the outreach list.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::params;
use sha2::Sha256;

use super::body::{self, Body};
use super::{Filter, Reader, StoreError, Tx, columns};
use crate::domain::{Scope, Timestamp};
use crate::tickets::{
    Assessment, AssessmentChanges, Compliance, ComplianceChange, ComplianceKey, Customer,
};

/// Value for a ticket without a running clock in the order of open tickets.
const NEVER: i64 = i64::MAX;
/// Number of characters of a hashed customer id.
const HASH_CHARS: usize = 20;

/// The key for hashing customer ids. The same id always has the same hash in one store, and different hashes in different
/// stores.
#[derive(Clone)]
pub struct CustomerKey(Arc<[u8]>);

impl std::fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

impl CustomerKey {
    /// A key of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The hash of a customer's id: 80 bits of HMAC-SHA-256, in hexadecimal digits.
    pub fn hashed(&self, id: &str) -> Box<str> {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return "".into() };
        mac.update(id.as_bytes());
        let digest = mac.finalize().into_bytes();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        hex[..HASH_CHARS].into()
    }
}

/// The store's own key.
pub(super) fn customer_key(conn: &rusqlite::Connection) -> Result<CustomerKey, StoreError> {
    let query = "SELECT bytes FROM secrets WHERE name = 'customers'";
    let bytes: Vec<u8> = conn.query_row(query, [], |row| row.get(0))?;
    Ok(CustomerKey::new(&bytes))
}

/// The position of an open ticket in the list: the most urgent priority first, then the clock that is over first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urgency {
    pub priority: u8,
    pub due: i64,
    pub ticket: String,
}

/// Service of tickets
impl Tx<'_> {
    /// Stores the changes of a window.
    pub fn put_assessments(&mut self, changes: &AssessmentChanges) -> Result<(), StoreError> {
        for (id, own) in &changes.tickets {
            match own {
                Some(own) => self.put_assessment(id, own)?,
                None => _ = self.run("DELETE FROM assessments WHERE ticket = ?1", [&**id])?,
            }
        }
        for (key, change) in &changes.compliance {
            self.change_compliance(key, change)?;
        }
        for (id, customer) in &changes.customers {
            self.put_customer(id, customer.as_ref())?;
        }
        self.count_sentiments(&changes.sentiments)
    }

    pub(super) fn put_assessment(&mut self, id: &str, own: &Assessment) -> Result<(), StoreError> {
        let due = own.due_at().map_or(NEVER, Timestamp::millis);
        self.run(
            "INSERT OR REPLACE INTO assessments (ticket, is_open, priority, due, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id,
                own.is_open,
                own.priority as u8,
                due,
                body::encode(own)?,
                Assessment::VERSION
            ],
        )
        .map(drop)
    }

    fn change_compliance(
        &mut self,
        key: &ComplianceKey,
        change: &ComplianceChange,
    ) -> Result<(), StoreError> {
        let ComplianceKey { monday, scope: Scope { region, service }, sla } = key;
        let (region, service) = (region.as_str(), service.as_str());
        let mut own: Compliance = {
            let mut found = self.conn.prepare_cached(
                "SELECT body, version FROM compliance
                 WHERE monday = ?1 AND region = ?2 AND service = ?3 AND sla = ?4",
            )?;
            let mut rows = found.query(params![monday, region, service, &**sla])?;
            rows.next()?.map(|row| body::column(row, 0)).transpose()?.unwrap_or_default()
        };
        own.change(change);
        self.run(
            "INSERT OR REPLACE INTO compliance (monday, region, service, sla, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![monday, region, service, &**sla, body::encode(&own)?, Compliance::VERSION],
        )
        .map(drop)
    }

    fn put_customer(&mut self, id: &str, customer: Option<&Customer>) -> Result<(), StoreError> {
        let Some(own) = customer else {
            return self.run("DELETE FROM outreach WHERE customer = ?1", [id]).map(drop);
        };
        self.run(
            "INSERT OR REPLACE INTO outreach (customer, rank, region, service, body, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id,
                own.rank(),
                own.series.region.as_str(),
                own.series.service.as_str(),
                body::encode(own)?,
                Customer::VERSION
            ],
        )
        .map(drop)
    }
}

/// Service of tickets
impl Reader {
    /// The key for hashing customer ids.
    pub fn customer_key(&self) -> Result<CustomerKey, StoreError> {
        self.read(customer_key)
    }

    /// All assessments.
    pub fn assessments(&self) -> Result<Vec<(Arc<str>, Assessment)>, StoreError> {
        self.read(|conn| {
            let mut found = conn
                .prepare_cached("SELECT ticket, body, version FROM assessments ORDER BY ticket")?;
            let mut rows = found.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let id: Arc<str> = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.into();
                all.push((id, body::column(row, 1)?));
            }
            Ok(all)
        })
    }

    /// Open tickets, the most urgent first, at most `limit`, after the position `after`.
    pub fn open_tickets(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<&Urgency>,
    ) -> Result<Vec<(Urgency, Assessment)>, StoreError> {
        let start = Urgency { priority: 0, due: i64::MIN, ticket: String::new() };
        let Urgency { priority, due, ticket } = after.unwrap_or(&start);
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT priority, due, ticket, body, version FROM assessments
                 WHERE is_open = 1 AND (priority, due, ticket) > (?1, ?2, ?3)
                 ORDER BY priority, due, ticket",
            )?;
            let mut rows = found.query(params![priority, due, ticket])?;
            let mut open = Vec::new();
            while let Some(row) = rows.next()?
                && open.len() < limit
            {
                let own: Assessment = body::column(row, 3)?;
                if filter.admits_series(&own.series) {
                    let (priority, due, ticket) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    open.push((Urgency { priority, due, ticket }, own));
                }
            }
            Ok(open)
        })
    }

    /// Compliance by week, region, service and agreement from a Monday on, the newest week first.
    pub fn compliance(
        &self,
        filter: &Filter,
        from: i32,
    ) -> Result<Vec<(ComplianceKey, Compliance)>, StoreError> {
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT monday, region, service, sla, body, version FROM compliance
                 WHERE monday >= ?1 ORDER BY monday DESC, region, service, sla",
            )?;
            let mut rows = found.query([from])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let scope = columns::scope(row, 1)?;
                if filter.admits_scope(&scope) {
                    let sla: String = row.get(3)?;
                    let key = ComplianceKey { monday: row.get(0)?, scope, sla: sla.into() };
                    all.push((key, body::column(row, 4)?));
                }
            }
            Ok(all)
        })
    }

    /// Customers on the outreach list, those with the largest rank first, at most `limit`, after a rank and customer.
    pub fn outreach(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<&(i64, String)>,
    ) -> Result<Vec<(Box<str>, Customer)>, StoreError> {
        let (rank, customer) = after.cloned().unwrap_or((i64::MAX, String::new()));
        self.read(|conn| {
            let mut found = conn.prepare_cached(
                "SELECT customer, body, version FROM outreach
                 WHERE rank < ?1 OR (rank = ?1 AND customer > ?2) ORDER BY rank DESC, customer",
            )?;
            let mut rows = found.query(params![rank, customer])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()?
                && all.len() < limit
            {
                let own: Customer = body::column(row, 1)?;
                if filter.admits_scope(&own.series.scope()) {
                    let id: String = row.get(0)?;
                    all.push((id.into(), own));
                }
            }
            Ok(all)
        })
    }
}
