//! What customers said: topics and phrases of windows, by scope.

use std::collections::BTreeMap;

use super::names::{all_cells, main_cells};
use super::window_rows::{cell_windows, each_chunk};
use super::{Filter, Reader, StoreError};
use crate::domain::{Name, Scope, Spoken, Timestamp};
use crate::window::AggregationKey;

/// Of a scope's phrases in a settled window so many are kept: those that most tickets have.
pub const PHRASES_KEPT: usize = 16;

/// Topics and phrases
impl Reader {
    /// What was said in windows that start in `from..to`, by scope and start. A filter's `_all` sums up, and its channel is
    /// ignored. Windows without tickets are left out; those still open are summed from partials. `phrases`: with these.
    pub fn topics(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        phrases: bool,
    ) -> Result<BTreeMap<(Scope, Timestamp), Spoken>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let mut found: BTreeMap<(Scope, Timestamp), Spoken> = BTreeMap::new();
            let cells = if phrases { all_cells(conn)? } else { main_cells(conn)? };
            for (id, cell) in cells {
                let scope = match &cell {
                    AggregationKey::Tickets(series) => series.scope(),
                    AggregationKey::Phrase(scope, _) => scope.clone(),
                    AggregationKey::Alarms(_) | AggregationKey::Maintenance => continue,
                };
                let Some(scope) = summed(filter, scope) else { continue };
                for (start, (record, _)) in cell_windows(conn, id, width, from, to)? {
                    let spoken = found.entry((scope.clone(), start)).or_default();
                    match &cell {
                        AggregationKey::Phrase(_, phrase) => {
                            add(spoken, phrase, record.counts.tickets)
                        }
                        _ => spoken.add(&record.counts.topics),
                    }
                }
            }
            for spoken in found.values_mut() {
                spoken.phrases.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                spoken.phrases.truncate(PHRASES_KEPT);
            }
            Ok(found)
        })
    }

    /// Hands every stored count of a phrase that is not older than `from` to `each`, phrase by phrase, in order of time.
    pub fn each_phrase(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&Scope, &str, Timestamp, u32),
    ) -> Result<(), StoreError> {
        let width = self.width();
        self.read(|conn| {
            for (id, cell) in all_cells(conn)? {
                let AggregationKey::Phrase(scope, phrase) = &cell else { continue };
                each_chunk(conn, id, from, Timestamp::MAX, |day, chunk| {
                    for (start, record) in chunk.rows(day, width).filter(|row| row.0 >= from) {
                        each(scope, phrase, start, record.counts.tickets);
                    }
                })?;
            }
            Ok(())
        })
    }
}

fn add(spoken: &mut Spoken, phrase: &str, tickets: u32) {
    match spoken.phrases.iter_mut().find(|(known, _)| **known == *phrase) {
        Some((_, sum)) => *sum = sum.saturating_add(tickets),
        None => spoken.phrases.push((phrase.into(), tickets)),
    }
}

/// The scope that a filter counts another towards, if it admits it.
fn summed(filter: &Filter, scope: Scope) -> Option<Scope> {
    let pick = |wanted: &Option<Name>, name: Name| match wanted {
        None => Some(name),
        Some(wanted) => (wanted.is_all() || *wanted == name).then(|| wanted.clone()),
    };
    Some(Scope {
        region: pick(&filter.region, scope.region)?,
        service: pick(&filter.service, scope.service)?,
    })
}
