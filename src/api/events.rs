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
use crate::ingest::{self, Decoded, Decoder, Headers};
use crate::store::LogRecord;

/// Events that one request may carry.
const EVENTS_MAX: usize = 50_000;

/// What events are that do not say it themselves.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `alarm`, `ticket` or `maintenance`, for events that do not say it themselves.
    #[param(value_type = Option<String>)]
    pub kind: Option<EventKind>,
}

/// Takes one event, a JSON array or NDJSON
///
/// What is answered with 202 is on the disk, or with Kafka on every replica in sync. Rejected events are kept as dead letters with their reason. Where none was accepted, the answer is 422.
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
    let answer = answer.await.map_err(|_| Problem::busy("the request was cut off"))??;
    Ok(answered(answer))
}

/// 202 where an event was accepted, else 422: a sender that looks at the status only has to notice.
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
    /// The first event that it holds.
    event: Option<Event>,
}

struct Taken {
    records: Vec<Record>,
    answer: Accepted,
}

/// Writes to the other log, also what could not be decoded: counting makes dead letters of it.
fn elsewhere(writer: &dyn WriteEvents, records: &[Record]) -> Result<(), Problem> {
    let mut keyed = Vec::with_capacity(records.len());
    for Record { log, event } in records {
        match event {
            Some(event) => {
                keyed.push(Keyed { kind: event.kind(), key: event.key(), bytes: &log.bytes });
            }
            // It will be a dead letter of whatever topic it is in.
            None => {
                let kind = log.kind.unwrap_or(EventKind::Ticket);
                keyed.push(Keyed { kind, key: "", bytes: &log.bytes });
            }
        }
    }
    writer.write(&keyed).map_err(|why| Problem::busy(&why))
}

fn take(body: &[u8], kind: Option<EventKind>, decoder: &Decoder) -> Result<Taken, Problem> {
    let events = cut(body)?;
    if events.is_empty() {
        return Err(Problem::bad_request("the body holds no event"));
    }
    if events.len() > EVENTS_MAX {
        let found = events.len();
        return Err(Problem::too_large(format!("{found} events: send up to {EVENTS_MAX} at once")));
    }
    let (mut records, mut rejected) = (Vec::with_capacity(events.len()), Vec::new());
    for (index, bytes) in events.iter().enumerate() {
        let event = match decoder.decode(bytes, &Headers::default(), kind) {
            Ok(decoded) => match refused_whole(&decoded) {
                None => decoded.first(),
                Some(reason) => {
                    rejected.push(Rejected { index, reason });
                    None
                }
            },
            Err(reject) => {
                rejected.push(Rejected { index, reason: reject.to_string() });
                None
            }
        };
        // Rejects go into the log too: counting makes dead letters of them, with a position.
        records.push(Record { log: LogRecord { kind, bytes: bytes.to_vec() }, event });
    }
    let accepted = records.len() - rejected.len();
    Ok(Taken { records, answer: Accepted { accepted, rejected } })
}

/// Why nothing of a batch within a body was accepted, by its first event; `None` where something was.
fn refused_whole(decoded: &Decoded) -> Option<String> {
    let Decoded::Many(all) = decoded else { return None };
    let reasons: Option<Vec<String>> =
        all.iter().map(|one| one.as_ref().err().map(ToString::to_string)).collect();
    reasons.and_then(|reasons| reasons.into_iter().next())
}

/// A CloudEvent whose attributes are in headers, as one that holds them: logs keep bodies only.
fn unbound(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Problem> {
    if !headers.contains_key("ce-specversion") {
        return Ok(body);
    }
    let data: serde_json::Value = serde_json::from_slice(ingest::without_bom(&body))
        .map_err(|error| Problem::bad_request(format!("the body is no JSON: {error}")))?;
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
    let body = ingest::without_bom(body);
    let whole = ingest::split(body);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match whole {
        Ok(events) => Ok(events),
        Err(_) if first != Some(&b'[') && body.contains(&b'\n') => Ok(body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
            .collect()),
        Err(error) => Err(Problem::bad_request(format!("the body is no JSON: {error}"))),
    }
}
