//! Merges the partials of all sources into one count per aggregation key and window, and finalizes windows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::entry::{Entry, Part};
use super::folded::{BeyondTally, Folded, FoldedPart};
use super::names::{CountedUnder, Names};
use super::{AggregationKey, Counts, Partial};
use crate::domain::{SourceId, Timestamp, WindowWidth};

/// Rules of merging and finalizing.
#[derive(Clone, Copy, Debug)]
pub struct MergeConfig {
    pub width: WindowWidth,
    pub lateness: Duration,
    /// Windows no longer wait for a source that has not reported for this long. They become *missing*.
    pub source_timeout: Duration,
    /// Maximum number of ticket series, and of alarm scopes, that are counted under their own names.
    pub series_max: usize,
}

/// The position up to which a source has counted. It is sent after the partials that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// Windows that end at or before this are closed, and their partials have been sent.
    pub closed: Timestamp,
    /// Clock time at which the source had read everything available; `None` while it has not.
    pub caught_up_at: Option<Timestamp>,
}

/// The newest frontier of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    pub closed: Timestamp,
    pub caught_up_at: Option<Timestamp>,
    /// Clock time of the last report.
    pub reported_at: Timestamp,
}

/// A finalized window, or a revision of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizedWindow {
    pub window: Timestamp,
    /// Counts by aggregation key. Absent keys are zero in a complete window, unknown in a missing window, and unchanged in a
    /// revision.
    pub counts: Vec<(AggregationKey, Counts)>,
    /// Whether a source was silent past its time-out.
    pub missing: bool,
    /// Whether the window had been finalized before.
    pub revised: bool,
}

/// The state that a restart needs.
#[derive(Clone, Debug, Default)]
pub struct MergeState {
    pub sources: Vec<(SourceId, SourceProgress)>,
    pub parts: Vec<(Timestamp, AggregationKey, SourceId, Part)>,
    /// Parts that are counted under another key.
    pub folded: Vec<FoldedPart>,
    /// Names that have stored counts.
    pub names: Names,
    /// Start of the first window that is not final.
    pub next: Option<Timestamp>,
}

/// Stored parts that are counted under another key from now on.
#[derive(Debug, Default)]
pub struct Refolded {
    pub partials: BTreeMap<(Timestamp, AggregationKey, SourceId), Partial>,
    pub folded: Vec<FoldedPart>,
    /// Stored partials that are no longer needed.
    pub removed: Vec<(Timestamp, AggregationKey, SourceId)>,
}

/// New partials: those that replace stored ones, and those that are counted under another key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub partials: Vec<Partial>,
    pub folded: Vec<FoldedPart>,
}

/// Merges the partials of all sources. Merging is associative, commutative and idempotent.
#[derive(Debug)]
pub struct Merge {
    config: MergeConfig,
    sources: BTreeMap<SourceId, SourceProgress>,
    open: BTreeMap<Timestamp, BTreeMap<AggregationKey, Entry>>,
    folded: Folded,
    names: Names,
    next: Option<Timestamp>,
    changed_after: BTreeSet<(Timestamp, AggregationKey)>,
    refolded: Refolded,
}

impl Merge {
    /// Restores a merge. `finalized` returns the total of a key in a finalized window.
    pub fn restore(
        config: MergeConfig,
        state: MergeState,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Self {
        let mut merge = Self {
            config,
            sources: state.sources.into_iter().collect(),
            open: BTreeMap::new(),
            folded: Folded::restore(state.folded),
            names: state.names.limited(config.series_max),
            next: state.next,
            changed_after: BTreeSet::new(),
            refolded: Refolded::default(),
        };
        let mut parts = state.parts;
        // Sums before what is added to them, phrases after the tickets that admit their scope.
        parts.sort_by_key(|(_, key, ..)| (key.is_secondary(), !key.is_other()));
        for (window, key, source, part) in parts {
            merge.restore_part(window, key, source, part);
        }
        if let Some(next) = merge.next {
            for (window, entries) in merge.open.range_mut(..next) {
                for (key, entry) in entries {
                    let parts = entry.total();
                    entry.base = finalized(key, *window).minus(parts);
                }
            }
        }
        // These were counted before the restart.
        merge.folded.take_tally();
        merge
    }

    /// Takes a stored part. A store of an earlier release, or with a higher limit, may have too many names. In windows that are
    /// not final, names beyond the limit are counted under another key from now on.
    fn restore_part(
        &mut self,
        window: Timestamp,
        key: AggregationKey,
        source: SourceId,
        part: Part,
    ) {
        let is_open = self.next.is_none_or(|next| window >= next);
        let place = if is_open { self.names.place(&key) } else { CountedUnder::Own };
        if place == CountedUnder::Own {
            return self.open.entry(window).or_default().entry(key).or_default().put(&source, part);
        }
        let partial = Partial { window, key, counts: part.counts, upto: part.upto };
        let nothing = |_: &_, _| Counts::default();
        if let CountedUnder::Other(other) = place
            && let Some((part, sum)) = self.fold(&source, &partial, other, &nothing)
        {
            let place = (window, sum.key.clone(), source.clone());
            self.refolded.partials.insert(place, sum);
            self.refolded.folded.push(part);
        }
        self.refolded.removed.push((window, partial.key, source));
    }

    /// Stored parts that [`Self::restore`] counted under other keys, for which the store has to be changed.
    pub fn take_refolded(&mut self) -> Refolded {
        std::mem::take(&mut self.refolded)
    }

    /// Makes windows wait for a source. A known source keeps its progress.
    pub fn expect(&mut self, source: SourceId, now: Timestamp) {
        self.sources.entry(source).or_insert(SourceProgress {
            closed: Timestamp::from_millis(i64::MIN / 4),
            caught_up_at: None,
            reported_at: now,
        });
    }

    /// Removes a source that will never report again, such as a file that was read to its end, or a topic that was deleted.
    /// Its counts stay.
    pub fn release(&mut self, source: &SourceId) {
        self.sources.remove(source);
    }

    /// Takes a source's changed partials. Returns those that were new; the others were replays.
    ///
    /// `finalized` returns the total of a key in a finalized window that is no longer held here.
    pub fn apply(
        &mut self,
        source: &SourceId,
        mut partials: Vec<Partial>,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Applied {
        let closed = self.sources.get(source).map(|s| s.closed);
        // The source has closed these windows, so their partials can only be replays.
        partials.retain(|partial| {
            closed.is_none_or(|closed| self.config.width.end(partial.window) > closed)
        });
        // Phrases follow the tickets that admit their scope.
        partials.sort_by_key(|partial| partial.key.is_secondary());
        let mut applied = Applied::default();
        let mut others: BTreeMap<(Timestamp, AggregationKey), Partial> = BTreeMap::new();
        for partial in partials {
            let key = match self.counted_under(&partial) {
                CountedUnder::Nothing => continue,
                CountedUnder::Other(key) => key,
                // Other names are counted under this key too.
                CountedUnder::Own if partial.key.is_other() => partial.key.clone(),
                CountedUnder::Own => {
                    if self.join(source, &partial, finalized) {
                        applied.partials.push(partial);
                    }
                    continue;
                }
            };
            if let Some((part, sum)) = self.fold(source, &partial, key, finalized) {
                applied.folded.push(part);
                others.insert((sum.window, sum.key.clone()), sum);
            }
        }
        applied.partials.extend(others.into_values());
        applied
    }

    /// Takes a partial under its own key. Returns whether it was new.
    fn join(
        &mut self,
        source: &SourceId,
        partial: &Partial,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> bool {
        let before = self.part(source, partial.window, &partial.key);
        if before.is_some_and(|old| old.upto >= partial.upto) {
            return false;
        }
        self.put(source, partial, before, finalized);
        true
    }

    /// Takes a partial that is counted under another key, `key`. Returns its part and the source's new partial of `key`, if the
    /// partial was new.
    fn fold(
        &mut self,
        source: &SourceId,
        partial: &Partial,
        key: AggregationKey,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) -> Option<(FoldedPart, Partial)> {
        let (part, change) = self.folded.take(source, partial)?;
        let before = self.part(source, partial.window, &key);
        let counts = change.on(before.map(|part| part.counts).unwrap_or_default());
        let upto = before.map_or(partial.upto, |part| part.upto.max(partial.upto));
        let sum = Partial { window: partial.window, key, counts, upto };
        self.put(source, &sum, before, finalized);
        Some((part, sum))
    }

    /// The key under which a partial is counted. If the window already has its own key, that key is used.
    fn counted_under(&mut self, partial: &Partial) -> CountedUnder {
        let held = self.open.get(&partial.window);
        if held.is_some_and(|entries| entries.contains_key(&partial.key)) {
            return CountedUnder::Own;
        }
        self.names.place(&partial.key)
    }

    fn part(&self, source: &SourceId, window: Timestamp, key: &AggregationKey) -> Option<Part> {
        self.open.get(&window)?.get(key)?.part(source)
    }

    /// Replaces the part of a source. `before` is the previous part.
    fn put(
        &mut self,
        source: &SourceId,
        partial: &Partial,
        before: Option<Part>,
        finalized: &dyn Fn(&AggregationKey, Timestamp) -> Counts,
    ) {
        let is_final = self.next.is_some_and(|next| partial.window < next);
        let entries = self.open.entry(partial.window).or_default();
        let entry = entries.entry(partial.key.clone()).or_insert_with(|| Entry {
            base: if is_final {
                finalized(&partial.key, partial.window)
            } else {
                Counts::default()
            },
            parts: Vec::new(),
        });
        entry.put(source, Part { counts: partial.counts, upto: partial.upto });
        let changed = before.map(|old| old.counts).unwrap_or_default() != partial.counts;
        if is_final && changed {
            self.changed_after.insert((partial.window, partial.key.clone()));
        }
    }

    /// Takes a source's frontier. Call it after [`Self::apply`] with the partials that it covers.
    pub fn note(&mut self, source: &SourceId, frontier: Frontier, now: Timestamp) {
        let known = self.sources.entry(source.clone()).or_insert(SourceProgress {
            closed: frontier.closed,
            caught_up_at: frontier.caught_up_at,
            reported_at: now,
        });
        known.closed = known.closed.max(frontier.closed);
        known.caught_up_at = frontier.caught_up_at;
        known.reported_at = known.reported_at.max(now);
    }

    /// Finalizes the next window, if every source allows it. Call until `None`.
    pub fn finalize(&mut self, now: Timestamp) -> Option<FinalizedWindow> {
        if self.sources.is_empty() {
            return None;
        }
        let window = self.next.or_else(|| self.open.keys().next().copied())?;
        let end = self.config.width.end(window);
        // Without this check, windows in the future would be finalized.
        if end > now {
            return None;
        }
        let mut missing = false;
        for progress in self.sources.values() {
            let read_all = progress.caught_up_at.is_some_and(|at| at >= end + self.config.lateness);
            if progress.closed >= end || read_all {
                continue;
            }
            if now.since(progress.reported_at) <= self.config.source_timeout {
                return None;
            }
            missing = true;
        }
        self.next = Some(end);
        Some(FinalizedWindow { window, counts: self.totals(window), missing, revised: false })
    }

    /// Finalized windows whose counts changed since the last call.
    pub fn revisions(&mut self) -> Vec<FinalizedWindow> {
        let mut by_window: BTreeMap<Timestamp, Vec<(AggregationKey, Counts)>> = BTreeMap::new();
        for (window, key) in std::mem::take(&mut self.changed_after) {
            let Some(entry) = self.open.get(&window).and_then(|entries| entries.get(&key)) else {
                continue;
            };
            let total = entry.total();
            by_window.entry(window).or_default().push((key, total));
        }
        by_window
            .into_iter()
            .map(|(window, counts)| FinalizedWindow {
                window,
                counts,
                missing: false,
                revised: true,
            })
            .collect()
    }

    /// Drops parts of finalized windows that can no longer change. Returns them, so that the store drops them too.
    pub fn collapse(&mut self) -> Vec<(Timestamp, AggregationKey, SourceId)> {
        let Some(next) = self.next else { return Vec::new() };
        let (sources, folded, width) = (&self.sources, &mut self.folded, self.config.width);
        let mut removed = Vec::new();
        for (window, entries) in self.open.range_mut(..next) {
            let end = width.end(*window);
            for (key, entry) in entries.iter_mut() {
                let mut base = entry.base;
                entry.parts.retain(|(source, part)| {
                    // A released source never reports again.
                    let is_final = sources.get(source).is_none_or(|s| s.closed >= end);
                    if is_final {
                        base = base.plus(part.counts);
                        if key.is_other() {
                            folded.drop_source(*window, source);
                        }
                        removed.push((*window, key.clone(), source.clone()));
                    }
                    !is_final
                });
                entry.base = base;
            }
            entries.retain(|_, entry| !entry.parts.is_empty());
        }
        self.open.retain(|window, entries| *window >= next || !entries.is_empty());
        removed
    }

    /// The time up to which the counts of open windows are complete: the earliest `caught_up_at` of the sources that have
    /// counted in them. `None` if one of these has not caught up.
    pub fn known_upto(&self) -> Option<Timestamp> {
        let from = self.next?;
        let entries = self.open.range(from..).flat_map(|(_, entries)| entries.values());
        let counting: BTreeSet<&SourceId> =
            entries.flat_map(|entry| entry.parts.iter().map(|(source, _)| source)).collect();
        // A released source has no more counts.
        let counting = counting.into_iter().filter(|source| self.sources.contains_key(source));
        let upto = |source| self.sources.get(source).and_then(|s: &SourceProgress| s.caught_up_at);
        counting.map(upto).min().flatten()
    }

    /// Windows that are not final, each with a source that has counted in it. A pair may occur more than once.
    pub fn open_sources(&self) -> impl Iterator<Item = (Timestamp, &SourceId)> + '_ {
        let open = self.open.range(self.next.unwrap_or(Timestamp::MIN)..);
        open.flat_map(|(window, entries)| {
            let parts = entries.values().flat_map(|entry| entry.parts.iter());
            parts.map(|(source, _)| (*window, source))
        })
    }

    /// Totals of a window so far.
    pub fn totals(&self, window: Timestamp) -> Vec<(AggregationKey, Counts)> {
        self.open.get(&window).map_or_else(Vec::new, |entries| {
            entries.iter().map(|(key, entry)| (key.clone(), entry.total())).collect()
        })
    }

    /// Start of the first window that is not final.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Known sources and their progress.
    pub fn sources(&self) -> &BTreeMap<SourceId, SourceProgress> {
        &self.sources
    }

    /// The state that a restart needs.
    pub fn state(&self) -> MergeState {
        let mut parts = Vec::new();
        for (window, entries) in &self.open {
            for (key, entry) in entries {
                for (source, part) in &entry.parts {
                    parts.push((*window, key.clone(), source.clone(), *part));
                }
            }
        }
        let sources = self.sources.iter().map(|(source, at)| (source.clone(), *at)).collect();
        let (folded, names) = (self.folded.all(), self.names.clone());
        MergeState { sources, parts, folded, names, next: self.next }
    }

    /// The names that are counted.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Events since the last call that were counted under other names.
    pub fn take_beyond(&mut self) -> BeyondTally {
        self.folded.take_tally()
    }

    /// Starts of the windows held in memory, oldest first.
    pub fn windows(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.open.keys().copied()
    }

    /// Number of windows in memory.
    pub fn open_windows(&self) -> usize {
        self.open.len()
    }
}
