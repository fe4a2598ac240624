//! Fits and forecasts on all cores: the series are divided into parts, and results are joined in order.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;

use crate::forecast::{Ensemble, Part, Past, Prior, Product, Vintage};

/// Maximum number of series of a part that is forecast at once.
const FORECAST: usize = 512;
/// Number of series of a part that is fitted at once. A part takes a quarter of a second.
const FITTED: usize = 32;

/// Gives forecasts priority: a refit in the background pauses between two parts while a forecast is made.
#[derive(Debug, Default)]
pub struct Gate(RwLock<()>);

impl Gate {
    fn low_priority(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn high_priority(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` on parts of about `size` series, on all cores. Results are in the order of the parts.
fn in_parts<T: Send>(series: usize, size: usize, work: impl Fn(Part) -> T + Sync) -> Vec<T> {
    let of = series.div_ceil(size).max(1);
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(of);
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= of {
                return done;
            }
            done.push((number, work(Part { number, of })));
        }
    };
    if cores == 1 {
        return run().into_iter().map(|(_, done)| done).collect();
    }
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(joined).collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, done)| done).collect()
}

/// Fits every series to its history before `origin` (index of a window). A second thread meanwhile learns the alarm
/// response.
pub fn fit(past: &Past<'_>, origin: i64, gate: &Gate) -> Product {
    let part = |part| {
        let _turn = gate.low_priority();
        Ensemble::fitted(past, origin, part)
    };
    let prior = Prior::shipped();
    let (parts, learned) = thread::scope(|scope| {
        let learned = scope.spawn(|| Product::learned(&prior, past, origin));
        (in_parts(past.series.len(), FITTED, part), joined(learned))
    });
    let mut parts = parts.into_iter();
    let mut ensemble = parts.next().unwrap_or_default();
    parts.for_each(|part| ensemble.absorb(part));
    Product::fitted(prior, ensemble, learned)
}

/// The result of a thread. A panic of the thread continues in the caller.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// One vintage for each series, in order. `origin` is the index of the first forecast window.
pub fn predict(model: &Product, past: &Past<'_>, origin: i64, gate: &Gate) -> Vec<Vintage> {
    let _turn = gate.high_priority();
    model.vintages(past, origin, vintages)
}

fn vintages(model: &Ensemble, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    // Fewer than 16 series are not worth a thread.
    let size = past.series.len().div_ceil(cores).clamp(16, FORECAST);
    let parts = in_parts(past.series.len(), size, |part| model.vintages(past, origin, part));
    parts.into_iter().flatten().collect()
}
