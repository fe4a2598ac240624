//! Fits and forecasts of 100 to 10,000 series with eight weeks of 15-minute windows, compared with a fit of augurs' MSTL with
//! AutoETS for one series.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use surgecast::domain::{SeriesKey, Timestamp, WindowWidth, Zone};
use surgecast::forecast::{Calendar, Ensemble, History, Part, Past, Place, fit_mstl};

const WIDTH: WindowWidth = WindowWidth::QUARTER;
const WINDOWS: i64 = 8 * 7 * 96;
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// Parallel parts: the performance goals assume two cores.
const CORES: usize = 2;

/// Counts on a daily and weekly profile, different for each series.
fn history(number: usize, first: i64, zone: Zone) -> History {
    let mut history = History::new(WIDTH, first);
    let mut state = number as u64 + 1;
    for index in first..first + WINDOWS {
        let minute = f64::from(zone.minute_of_week(WIDTH.start(index)));
        let hour = (minute % 1440.0) / 1440.0 * std::f64::consts::TAU;
        let weekend = if minute >= 7200.0 { 0.6 } else { 1.0 };
        let rate = (2 + number % 30) as f64 * weekend * (1.2 - hour.cos());
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5;
        history.set(index, (rate + 3.0 * rate.sqrt() * noise).max(0.0).round() as f32);
    }
    history
}

/// Runs both halves at once.
fn halves<T: Send>(work: impl Fn(Part) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let parts = (0..CORES).map(|number| Part { number, of: CORES });
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn forecasts(c: &mut Criterion) {
    let place = Place {
        zone: "Asia/Shanghai".parse().unwrap_or(Zone::UTC),
        calendar: Arc::new(Calendar::default()),
    };
    let places = BTreeMap::new();
    let first = WIDTH.index(Timestamp::from_secs(1_772_323_200));
    let origin = first + WINDOWS;
    let mut group = c.benchmark_group("forecast");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for size in SIZES {
        let keyed = (0..size).filter_map(|number| {
            let key = SeriesKey::parse(&format!("r{}/s{number}/phone", number % 20)).ok()?;
            Some((key, history(number, first, place.zone)))
        });
        let series: BTreeMap<SeriesKey, History> = keyed.collect();
        let place = &place;
        let past =
            Past { width: WIDTH, series: &series, alarms: &[], work: &[], places: &places, place };
        let fit = || halves(|part| Ensemble::fitted(&past, origin - 24, part));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("fit", size), |b| b.iter(fit));
        let mut model = Ensemble::default();
        for part in fit() {
            if model.is_empty() { model = part } else { model.absorb(part) }
        }
        group.bench_function(BenchmarkId::new("predict", size), |b| {
            b.iter(|| black_box(halves(|part| model.vintages(&past, origin, part))));
        });
    }
    group.throughput(Throughput::Elements(1));
    let one = history(7, first, place.zone);
    group.bench_function("peer_mstl_ets_fit_of_one", |b| b.iter(|| fit_mstl(&one, origin)));
    group.finish();
}

criterion_group!(benches, forecasts);
criterion_main!(benches);
