//! The forecaster over all cores: parts of the series, put together in order.

use std::num::NonZero;
use std::thread;

use crate::forecast::{Ensemble, Part, Past, Prior, Product, Vintage};

/// Series that are worth a thread.
const SERIES_MIN: usize = 16;

/// Runs `work` on equal parts at once; results come in the parts' order.
fn in_parts<T: Send>(series: usize, work: impl Fn(Part) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let of = cores.min(series / SERIES_MIN).max(1);
    if of == 1 {
        return vec![work(Part::WHOLE)];
    }
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            (0..of).map(|number| scope.spawn(move || work(Part { number, of }))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, T>| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    })
}

/// Fits every series to what was known before `origin`.
pub fn fit(past: &Past<'_>, origin: i64) -> Product {
    Product::fitted(Prior::shipped(), past, origin, ensemble)
}

fn ensemble(past: &Past<'_>, origin: i64) -> Ensemble {
    let parts = in_parts(past.series.len(), |part| Ensemble::fitted(past, origin, part));
    let mut parts = parts.into_iter();
    let mut model = parts.next().unwrap_or_default();
    parts.for_each(|part| model.absorb(part));
    model
}

/// One vintage a series, in order.
pub fn predict(model: &Product, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
    model.vintages(past, origin, vintages)
}

fn vintages(model: &Ensemble, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
    let parts = in_parts(past.series.len(), |part| model.vintages(past, origin, part));
    parts.into_iter().flatten().collect()
}
