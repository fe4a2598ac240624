use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;

use super::super::queue::tests::span;
use super::*;
use crate::config::Secret;
use crate::telemetry::config::OtlpSettings;
use crate::telemetry::{Exposition, State};

/// A collector that gives these answers (status, further headers, body) in turn. Sends the ids of the spans in each request.
fn collector(answers: Vec<(u16, &'static str, Vec<u8>)>) -> (String, Receiver<Vec<u64>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let (send, requests) = channel();
    std::thread::spawn(move || {
        for (stream, (status, headers, body)) in listener.incoming().flatten().zip(answers) {
            let mut reader = BufReader::new(&stream);
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|_| line != "\r\n") {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut request = vec![0; length];
            reader.read_exact(&mut request).expect("a body");
            let request = ExportTraceServiceRequest::decode(&*request).expect("a request");
            let scopes = request.resource_spans.iter().flat_map(|one| &one.scope_spans);
            let id = |bytes: &Vec<u8>| u64::from_be_bytes(bytes[..].try_into().expect("8 bytes"));
            let ids = scopes.flat_map(|one| &one.spans).map(|span| id(&span.span_id)).collect();
            send.send(ids).expect("the test listens");
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} -\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let mut stream = &stream;
            stream.write_all(&[head.into_bytes(), body].concat()).expect("written");
        }
    });
    (url, requests)
}

fn exporter(url: &str, header: Option<&str>) -> Exporter {
    let header = header.map(Secret::new);
    let settings = OtlpSettings { url: url.into(), service_name: "surgecast".into(), header };
    let client = OtlpClient::new(settings).expect("a client");
    Exporter::new(Arc::default(), client, &Resource::builder_empty().build())
}

/// Number of spans that were sent, dropped and refused.
fn counts(metrics: &Metrics) -> [u64; 3] {
    let text = metrics.text(Exposition::Classic);
    ["sent", "dropped", "refused"].map(|outcome| {
        let name = format!("surgecast_trace_spans_total{{outcome=\"{outcome}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().expect("a number"))
    })
}

fn reason(health: &Health) -> String {
    match health.report().components.get(COMPONENT) {
        Some(State::Degraded(why)) => why.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_is_not_taken_for_now_is_sent_again() {
    let answers = vec![
        (200, "", Vec::new()),
        (503, "retry-after: 7\r\n", b"busy".to_vec()),
        (429, "retry-after: 86400\r\n", Vec::new()),
        (200, "", Vec::new()),
        (200, "", Vec::new()),
    ];
    let (url, requests) = collector(answers);
    let (exporter, health, metrics) = (exporter(&url, None), Health::default(), Metrics::default());
    let reporter = Reporter::new(&health, &metrics);
    assert_eq!(exporter.round(&reporter, false), Ok(false), "nothing to send, and no probe is due");
    assert_eq!(exporter.round(&reporter, true), Ok(true), "a probe");
    assert_eq!(requests.recv(), Ok(vec![]));
    assert_eq!(health.report().status, "ready");
    (0..600).for_each(|n| exporter.queue.push(span(n)));
    assert_eq!(exporter.round(&reporter, false), Err(Some(Duration::from_secs(7))));
    assert!(reason(&health).contains("takes nothing now (503"), "{}", reason(&health));
    assert!(reason(&health).contains("busy"), "{}", reason(&health));
    assert_eq!(
        exporter.round(&reporter, false),
        Err(Some(Duration::from_secs(60))),
        "not for a day"
    );
    assert_eq!(exporter.round(&reporter, false), Ok(true));
    assert_eq!(health.report().status, "ready");
    assert_eq!(counts(&metrics), [600, 0, 0]);
    let sent: Vec<Vec<u64>> = requests.try_iter().collect();
    let first: Vec<u64> = (0..512).collect();
    assert_eq!(sent, [first.clone(), first.clone(), first, (512..600).collect()]);
}

#[test]
fn what_will_never_be_taken_is_counted_and_not_sent_again() {
    let partial = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 2,
            error_message: "too old".into(),
        }),
    };
    let answers = vec![
        (200, "", partial.encode_to_vec()),
        (400, "", b"bad".to_vec()),
        (401, "", Vec::new()),
        (301, "location: http://127.0.0.1:1/\r\n", Vec::new()),
        (404, "", Vec::new()),
    ];
    let (url, requests) = collector(answers);
    let (exporter, health, metrics) = (exporter(&url, None), Health::default(), Metrics::default());
    let reporter = Reporter::new(&health, &metrics);
    let send = |n: u64| {
        (0..n).for_each(|n| exporter.queue.push(span(n)));
        let result = exporter.round(&reporter, false);
        assert_eq!(requests.try_iter().map(|ids| ids.len() as u64).collect::<Vec<_>>(), [n]);
        result
    };
    assert_eq!(send(5), Ok(true));
    assert_eq!(counts(&metrics), [3, 0, 2]);
    for (n, part) in
        [(3, "refuses spans (400"), (1, "otlp_header_file"), (1, "redirects"), (1, "4318")]
    {
        assert_eq!(send(n), Err(None));
        assert!(reason(&health).contains(part), "{part}: {}", reason(&health));
    }
    assert_eq!(counts(&metrics), [3, 0, 8]);
    assert!(exporter.queue.take(9).is_empty());
}

#[test]
fn a_collector_that_is_not_there_is_named() {
    let exporter = exporter("http://127.0.0.1:1", None);
    let (health, metrics) = (Health::default(), Metrics::default());
    exporter.queue.push(span(1));
    assert_eq!(exporter.round(&Reporter::new(&health, &metrics), false), Err(None));
    assert!(reason(&health).starts_with("no answer from the OTLP collector at http://127.0.0.1:1"));
    assert_eq!(exporter.queue.take(9).len(), 1, "it waits");
}

#[test]
fn dropped_spans_are_counted() {
    let exporter = exporter("http://127.0.0.1:1", None);
    let (health, metrics) = (Health::default(), Metrics::default());
    let reporter = Reporter::new(&health, &metrics);
    (0..WAITING_MAX as u64 + 9).for_each(|n| exporter.queue.push(span(n)));
    exporter.report_dropped(&reporter);
    exporter.report_dropped(&reporter);
    assert_eq!(counts(&metrics), [0, 9, 0]);
}

#[test]
fn a_header_that_is_none_is_named_without_its_text() {
    let exporter = exporter("http://127.0.0.1:1", Some("s3cret without a name"));
    let (health, metrics) = (Health::default(), Metrics::default());
    assert_eq!(exporter.round(&Reporter::new(&health, &metrics), true), Err(None));
    assert!(reason(&health).contains("has no header"), "{}", reason(&health));
    assert!(!reason(&health).contains("s3cret"));
}
