//! `POST /events`: synced to the local log before the answer.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::params::Params;
use super::problem::Problem;
use super::requests::{Accepted, Refused, Rejected};
use super::state::{ApiState, WriteEvents};
use crate::domain::{Event, EventKind, Keyed};
use crate::ingest::{self, Decoded, Decoder, Headers, Reject};
use crate::store::LogRecord;

/// Maximum number of events in one request.
const EVENTS_MAX: usize = 50_000;

/// Query parameters of `POST /events`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `alarm`, `ticket` or `maintenance`: the kind of events that have no `kind`.
    #[param(value_type = Option<String>)]
    pub kind: Option<EventKind>,
}

/// Accepts one event, a JSON array or NDJSON
///
/// With 202, the accepted events are on disk, or with Kafka on all in-sync replicas. Rejected events are stored as dead
/// letters with a reason. A batch counts as one event, and is accepted if at least one of its events is; `rejected` lists
/// its rejected events. If no event was accepted, the status is 422.
#[utoipa::path(post, path = "/events", params(EventsQuery), request_body(content = String, content_type = "application/json"), responses((status = 202, body = Accepted), (status = 400, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, content_type = "application/problem+json", body = Refused), (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn events(
    State(state): State<ApiState>,
    Params(query): Params<EventsQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let most = state.info.body_bytes_max;
            Problem::too_large(format!("the body is larger than {most} bytes: send less at once"))
        }
        _ => Problem::bad_request(format!("the body cannot be read: {}", error.body_text())),
    })?;
    let now = state.clock.now();
    let (log, decoder, wake) = (state.log.clone(), state.decoders.current(), state.wake.clone());
    let body = unbound(&headers, body)?;
    let writer = state.writer.clone();
    let answer = tokio::task::spawn_blocking(move || {
        let taken = take(&body, query.kind, &decoder)?;
        match writer {
            Some(writer) => elsewhere(&*writer, &taken.records)?,
            None => {
                let records: Vec<_> = taken.records.into_iter().map(|r| r.log).collect();
                log.append(&records, now)?;
                wake();
            }
        }
        Ok::<_, Problem>(taken.answer)
    });
    let answer =
        answer.await.map_err(|_| Problem::busy("the request was interrupted: try again"))??;
    Ok(answered(answer))
}

/// 202 if an event was accepted, otherwise 422, so that a sender that only checks the status notices.
fn answered(answer: Accepted) -> Response {
    if answer.accepted > 0 || answer.rejected.is_empty() {
        return (StatusCode::ACCEPTED, Json(answer)).into_response();
    }
    let first = answer.rejected.first().map_or("", |rejected| rejected.reason.as_str());
    let detail = format!("no event was accepted; the first one: {first}");
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    problem.with(&Refused { problem: problem.clone(), answer })
}

/// One event of a body, decoded where that is possible.
struct Record {
    log: LogRecord,
    /// Its first event.
    event: Option<Event>,
}

struct Taken {
    records: Vec<Record>,
    answer: Accepted,
}

/// Maximum size of an undecodable event that is still written to Kafka.
const BAD_BYTES_MAX: usize = 512 << 10;

/// Writes to Kafka, including events that could not be decoded: they become dead letters when they are counted.
fn elsewhere(writer: &dyn WriteEvents, records: &[Record]) -> Result<(), Problem> {
    let mut keyed = Vec::with_capacity(records.len());
    for Record { log, event } in records {
        match event {
            Some(event) => {
                keyed.push(Keyed { kind: event.kind(), key: event.key(), bytes: &log.bytes });
            }
            // It becomes a dead letter, whichever topic it is in.
            None => {
                let kind = log.kind.unwrap_or(EventKind::Ticket);
                // Its beginning shows what it is. Kafka refuses longer records, and then the whole request.
                let bytes = log.bytes.get(..BAD_BYTES_MAX).unwrap_or(&log.bytes);
                keyed.push(Keyed { kind, key: "", bytes });
            }
        }
    }
    writer.write(&keyed).map_err(|why| Problem::busy(&why))
}

fn take(body: &[u8], kind: Option<EventKind>, decoder: &Decoder) -> Result<Taken, Problem> {
    let events = cut(body)?;
    if events.is_empty() {
        return Err(Problem::bad_request("the body contains no event"));
    }
    if events.len() > EVENTS_MAX {
        let found = events.len();
        return Err(Problem::too_large(format!("{found} events: send up to {EVENTS_MAX} at once")));
    }
    let (mut records, mut rejected) = (Vec::with_capacity(events.len()), Vec::new());
    let mut accepted = 0;
    for (index, bytes) in events.iter().enumerate() {
        let decoded = decoder.decode(bytes, &Headers::default(), kind);
        accepted += usize::from(name_rejects(index, &decoded, &mut rejected));
        let event = decoded.ok().and_then(Decoded::first);
        // Rejects go into the log too: counting makes dead letters of them, with a position.
        records.push(Record { log: LogRecord { kind, bytes: bytes.to_vec() }, event });
    }
    Ok(Taken { records, answer: Accepted { accepted, rejected } })
}

/// Lists the rejected events of one event or batch. Returns whether any event was accepted.
fn name_rejects(
    index: usize,
    decoded: &Result<Decoded, Reject>,
    rejected: &mut Vec<Rejected>,
) -> bool {
    let all = match decoded {
        Ok(Decoded::Many(all)) => all,
        Ok(_) => return true,
        Err(reject) => {
            rejected.push(Rejected { index, nth: None, reason: reject.to_string() });
            return false;
        }
    };
    let of = all.len();
    let bad = all.iter().enumerate().filter_map(|(nth, one)| Some((nth, one.as_ref().err()?)));
    // All of them become dead letters, but the answer is limited.
    let room = EVENTS_MAX.saturating_sub(rejected.len()).max(1);
    rejected.extend(bad.take(room).map(|(nth, reject)| {
        let reason = format!("event {} of {of}: {reject}", nth + 1);
        Rejected { index, nth: Some(nth), reason }
    }));
    all.iter().any(Result::is_ok)
}

/// Converts a CloudEvent in binary mode to structured mode, because logs store only bodies.
fn unbound(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Problem> {
    if !headers.contains_key("ce-specversion") {
        return Ok(body);
    }
    let data: serde_json::Value = serde_json::from_slice(ingest::without_bom(&body))
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?;
    let attributes = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("ce-")?;
        Some((name.to_owned(), value.to_str().ok()?.into()))
    });
    let mut event: serde_json::Map<String, serde_json::Value> = attributes.collect();
    event.insert("data".into(), data);
    Ok(serde_json::Value::Object(event).to_string().into())
}

/// Cuts a body into events. NDJSON is cut at line ends, so that one bad line is one reject.
fn cut(body: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    if let Some(name) = ingest::foreign(body) {
        return Err(Problem::bad_request(format!("the body is not JSON: it is {name}")));
    }
    let body = ingest::without_bom(body);
    let whole = ingest::split(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match whole {
        Ok(events) => Ok(events),
        Err(_) if first != Some(&b'[') && body.contains(&b'\n') => Ok(body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
            .collect()),
        Err(error) => Err(Problem::bad_request(format!("the body is not JSON: {error}"))),
    }
}
