//! Decoding native events, beside serde_json reading the same objects without any checks.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use std::borrow::Cow;
use surgecast::ingest::{Limits, decode};

const TICKET: &[u8] = br#"{"kind":"ticket","event_id":"T-77","action":"create","ts":"2026-01-01T02:05:00+08:00","region":"north","service":"broadband","channel":"phone","priority":"P2","tier":"premium","text":"no internet since this morning"}"#;

/// The floor: serde_json with borrowed fields, nothing validated.
#[derive(Deserialize)]
#[allow(dead_code, reason = "parsed for the time it takes")]
struct Bare<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    ts: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

fn ingest(c: &mut Criterion) {
    let mut group = c.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(TICKET.len() as u64));
    let limits = Limits::default();
    group.bench_function("decode", |b| {
        b.iter(|| decode(black_box(TICKET), None, &limits).is_ok());
    });
    group.bench_function("serde_json_unchecked", |b| {
        b.iter(|| serde_json::from_slice::<Bare<'_>>(black_box(TICKET)).is_ok());
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
