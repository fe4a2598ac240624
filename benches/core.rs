//! The aggregator, compared with a plain hash count.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use surgecast::domain::{Brief, Event, Timestamp, WindowWidth};
use surgecast::ingest::{Lexicon, Limits, decode};
use surgecast::simulate::{Operator, OperatorConfig};
use surgecast::window::{AggregationKey, Aggregator, AggregatorConfig};

const WIDTH: WindowWidth = WindowWidth::QUARTER;

fn aggregator(c: &mut Criterion) {
    let start = Timestamp::from_secs(1_772_323_200);
    let mut operator = Operator::new(OperatorConfig::standard(7, start));
    let hour = start.millis() / 3_600_000;
    let events: Vec<(i64, Timestamp, Event)> = (hour..hour + 24)
        .flat_map(|hour| operator.hour(hour))
        .filter_map(|event| {
            let decoded = decode(&event.line, Some(event.kind), &Limits::default()).ok()?;
            Some((event.offset, event.append_at, decoded))
        })
        .collect();
    let config = AggregatorConfig {
        width: WIDTH,
        lateness: Duration::from_secs(600),
        max_future_skew: Some(Duration::from_secs(300)),
        names_max: AggregatorConfig::NAMES,
    };
    let mut group = c.benchmark_group("aggregator");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("exactly_once", |b| {
        b.iter_batched_ref(
            || Aggregator::new(config),
            |aggregator| {
                for (offset, appended_at, event) in &events {
                    black_box(aggregator.observe(*offset, *appended_at, event));
                }
                let commit = aggregator.commit_point();
                black_box(aggregator.changed());
                aggregator.committed(&commit);
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("exactly_once_with_texts", |b| {
        b.iter_batched_ref(
            || {
                let mut aggregator = Aggregator::new(config);
                aggregator.set_classifier(Arc::new(Lexicon::default()));
                aggregator
            },
            |aggregator| {
                for (offset, appended_at, event) in &events {
                    black_box(aggregator.observe(*offset, *appended_at, event));
                }
                let commit = aggregator.commit_point();
                black_box(aggregator.changed());
                aggregator.committed(&commit);
            },
            BatchSize::LargeInput,
        );
    });
    // Lower bound: no ids, no lateness, no state for restarts.
    group.bench_function("plain_count", |b| {
        b.iter(|| {
            let mut counts: HashMap<(i64, AggregationKey), u32> = HashMap::new();
            for (_, _, event) in &events {
                *counts
                    .entry((WIDTH.index(event.ts()), AggregationKey::of(&Brief::from(event).place)))
                    .or_default() += 1;
            }
            counts
        });
    });
    group.finish();
}

criterion_group!(benches, aggregator);
criterion_main!(benches);
