//! Topics and phrases of windows, by scope.

use std::collections::BTreeMap;

use super::names::{all_keys, main_keys};
use super::window_rows::{each_chunk, key_windows};
use super::{Filter, Reader, StoreError};
use crate::domain::{Name, Scope, TextCounts, Timestamp};
use crate::window::AggregationKey;

/// Maximum number of phrases of a scope that are kept of a finalized window: the most frequent ones.
pub const PHRASES_KEPT: usize = 16;

/// Topics and phrases
impl Reader {
    /// Topics of windows that start in `from..to`, by scope and start; phrases too if `phrases` is set. A filter's `_all`
    /// sums over that name; its channel is ignored. Windows without tickets are left out. Open windows are summed from
    /// partials.
    pub fn topics(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        phrases: bool,
    ) -> Result<BTreeMap<(Scope, Timestamp), TextCounts>, StoreError> {
        let width = self.width();
        self.read(|conn| {
            let mut found: BTreeMap<(Scope, Timestamp), TextCounts> = BTreeMap::new();
            let keys = if phrases { all_keys(conn)? } else { main_keys(conn)? };
            for (id, key) in keys {
                let scope = match &key {
                    AggregationKey::Tickets(series) => series.scope(),
                    AggregationKey::Phrase(scope, _) => scope.clone(),
                    AggregationKey::Alarms(_) | AggregationKey::Maintenance => continue,
                };
                let Some(scope) = summed(filter, scope) else { continue };
                for (start, (record, _)) in key_windows(conn, id, width, from, to)? {
                    let sum = found.entry((scope.clone(), start)).or_default();
                    match &key {
                        AggregationKey::Phrase(_, phrase) => {
                            add(sum, phrase, record.counts.tickets)
                        }
                        _ => sum.add(&record.counts.topics),
                    }
                }
            }
            for sum in found.values_mut() {
                sum.phrases.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                sum.phrases.truncate(PHRASES_KEPT);
            }
            Ok(found)
        })
    }

    /// Calls `each` for every stored count of a phrase since `from`, phrase by phrase, in order of time.
    pub fn each_phrase(
        &self,
        from: Timestamp,
        mut each: impl FnMut(&Scope, &str, Timestamp, u32),
    ) -> Result<(), StoreError> {
        let width = self.width();
        self.read(|conn| {
            for (id, key) in all_keys(conn)? {
                let AggregationKey::Phrase(scope, phrase) = &key else { continue };
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

fn add(spoken: &mut TextCounts, phrase: &str, tickets: u32) {
    match spoken.phrases.iter_mut().find(|(known, _)| **known == *phrase) {
        Some((_, sum)) => *sum = sum.saturating_add(tickets),
        None => spoken.phrases.push((phrase.into(), tickets)),
    }
}

/// The scope under which the filter sums `scope`, if it admits it.
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
