//! Chooses origins.

use super::super::Past;
use super::super::open::OpenHours;

/// Fractional part of the golden ratio: the fractional parts of its multiples fill 0 to 1 evenly.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// Windows from `from` on that can be an origin: the call centre is open, and each of the following `steps` windows is known in
/// at least one series.
pub fn candidates(past: &Past<'_>, steps: usize, from: i64) -> Vec<i64> {
    let Some(first) = past.series.values().map(|history| history.first).min() else {
        return Vec::new();
    };
    let end = past.series.values().map(super::super::History::end).max().unwrap_or(first);
    let known = |index: i64| past.series.values().any(|history| !history.get(index).is_nan());
    let open = OpenHours::of_all(past, first, end);
    // Number of known windows in a row, counted backwards.
    let (mut run, mut found) = (0usize, Vec::new());
    for origin in (from.max(first + 1)..end).rev() {
        run = if known(origin) { run + 1 } else { 0 };
        if run >= steps && open.is_open(past.width.start(origin)) {
            found.push(origin);
        }
    }
    found.reverse();
    found
}

/// Chooses `count` of the candidates, one in each of `count` equal blocks. Positions within the blocks follow the golden
/// ratio, which spreads them evenly over days and times of day.
pub fn spread(candidates: &[i64], count: usize) -> Vec<i64> {
    let count = count.min(candidates.len());
    let block = |i: usize| i * candidates.len() / count;
    (0..count)
        .map(|i| {
            let place = ((i as f64 + 0.5) * GOLDEN).fract();
            let (from, to) = (block(i), block(i + 1));
            candidates[from + (place * (to - from) as f64) as usize]
        })
        .collect()
}
