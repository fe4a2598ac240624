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
use super::state::{ApiState, WriteError, WriteEvents};
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
        let mut taken = take(&body, query.kind, &decoder)?;
        match writer {
            Some(writer) => {
                fit(&mut taken, &decoder, writer.bytes_max())?;
                elsewhere(&*writer, &taken.records)?;
            }
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
    /// Its first event. All parts of a divided batch have the first event of the batch, so they are written to the same
    /// partition, and ids are known in all of them.
    event: Option<Event>,
}

struct Taken {
    records: Vec<Record>,
    answer: Accepted,
}

/// Maximum size of an undecodable event that is still written to Kafka.
const BAD_BYTES_MAX: usize = 512 << 10;

/// Larger batches are divided for Kafka, if that is possible.
const PART_BYTES_MAX: usize = 512 << 10;

/// Divides batches that are large for Kafka. An event that is too large for it and cannot be divided is refused: Kafka would
/// refuse it with each attempt.
///
/// # Errors
/// [`Problem`] with 413 if there is nothing else in the request.
fn fit(taken: &mut Taken, decoder: &Decoder, bytes_max: usize) -> Result<(), Problem> {
    let Taken { records, answer } = taken;
    let (all, mut refused) = (records.len(), 0);
    let mut fitting = Vec::with_capacity(all);
    for (index, mut record) in std::mem::take(records).into_iter().enumerate() {
        let LogRecord { kind, bytes } = &record.log;
        let (kind, found) = (*kind, bytes.len());
        if record.event.is_some() && found > bytes_max.min(PART_BYTES_MAX) {
            if let Some(parts) = decoder.divide(bytes, kind, bytes_max.min(PART_BYTES_MAX)) {
                let event = &record.event;
                let of = |bytes| Record { log: LogRecord { kind, bytes }, event: event.clone() };
                fitting.extend(parts.into_iter().map(of));
                continue;
            }
            if found > bytes_max {
                record.event = None;
                let reason = format!(
                    "limit: {found} bytes: Kafka accepts at most {bytes_max} at once (`message.max.bytes` in \
                     kafka.properties), and this cannot be divided: send smaller events or batches"
                );
                answer.accepted = answer.accepted.saturating_sub(1);
                answer.rejected.retain(|rejected| rejected.index != index);
                refused += 1;
                if refused == all {
                    return Err(Problem::too_large(reason));
                }
                answer.rejected.push(Rejected { index, nth: None, reason });
            }
        }
        fitting.push(record);
    }
    *records = fitting;
    answer.rejected.sort_by_key(|rejected| (rejected.index, rejected.nth));
    Ok(())
}

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
    writer.write(&keyed).map_err(|error| match error {
        WriteError::TooLarge(why) => {
            let most = records.iter().map(|record| record.log.bytes.len()).max().unwrap_or(0);
            Problem::too_large(format!(
                "an event or batch of up to {most} bytes was refused: {why}, or send less at once"
            ))
        }
        WriteError::Failed(why) => Problem::busy(&why),
    })
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
        Err(_) if first != Some(&b'[') && body.contains(&b'\n') => {
            Ok(ingest::lines_of(body).collect())
        }
        Err(error) => Err(Problem::bad_request(format!("the body is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;

    /// Keeps what is written: key and length of each record.
    #[derive(Default)]
    struct Written(Mutex<Vec<(String, usize)>>);

    impl WriteEvents for Written {
        fn write(&self, events: &[Keyed<'_>]) -> Result<(), WriteError> {
            let all = events.iter().map(|event| (event.key.to_owned(), event.bytes.len()));
            self.0.lock().expect("no panic").extend(all);
            Ok(())
        }

        fn bytes_max(&self) -> usize {
            1_000_000
        }
    }

    fn alert(n: usize) -> Value {
        json!({"status": "firing", "labels": {"alertname": "LinkDown", "instance": format!("dev{n}")},
            "annotations": {"summary": "x".repeat(1500)}, "startsAt": "2026-11-28T20:35:55Z"})
    }

    fn webhook(count: usize) -> Value {
        json!({"version": "4", "alerts": (0..count).map(alert).collect::<Vec<_>>()})
    }

    type Done = (Vec<(String, usize)>, Accepted);

    /// Writes a body; then the records, accepted and rejected, or the status of the problem.
    fn write(body: &[Value]) -> Result<Done, (u16, String)> {
        let body: Vec<String> = body.iter().map(Value::to_string).collect();
        let mut decoder = Decoder::default();
        decoder.limits.event_bytes = 4 << 20;
        let written = Written::default();
        let done = take(body.join("\n").as_bytes(), None, &decoder).and_then(|mut taken| {
            fit(&mut taken, &decoder, written.bytes_max())?;
            elsewhere(&written, &taken.records)?;
            Ok(taken.answer)
        });
        let answer = done.map_err(|problem| (problem.status().as_u16(), format!("{problem:?}")))?;
        Ok((written.0.into_inner().expect("no panic"), answer))
    }

    #[test]
    fn what_is_too_large_for_a_record_is_divided_or_refused_for_good() {
        let (written, answer) = write(&[webhook(800), alert(1)]).expect("written");
        assert_eq!((answer.accepted, answer.rejected.len()), (2, 0));
        assert!((4..8).contains(&written.len()), "{written:?}");
        assert!(written.iter().all(|(_, length)| *length <= PART_BYTES_MAX), "{written:?}");
        let (key, _) = &written[0];
        let parts = written.iter().filter(|(other, _)| other == key).count();
        assert_eq!(parts, written.len() - 1, "parts of a batch are in one partition");
        // One event that no record can hold, alone and among others.
        let mut large = alert(2);
        large["annotations"]["summary"] = json!("x".repeat(1_100_000));
        let (status, detail) = write(std::slice::from_ref(&large)).expect_err("refused");
        assert_eq!(status, 413);
        assert!(detail.contains("Kafka accepts at most 1000000 at once"), "{detail}");
        let (written, answer) = write(&[alert(1), large, alert(3)]).expect("written");
        assert_eq!((written.len(), answer.accepted), (3, 2));
        assert_eq!(written[1].1, BAD_BYTES_MAX, "its beginning becomes a dead letter");
        let [rejected] = &answer.rejected[..] else { panic!("{:?}", answer.rejected) };
        assert_eq!(rejected.index, 1);
        assert!(rejected.reason.starts_with("limit: "), "{}", rejected.reason);
    }

    #[test]
    fn a_refusal_that_repeats_is_not_an_invitation_to_repeat() {
        struct Refusing(WriteError);
        impl WriteEvents for Refusing {
            fn write(&self, _: &[Keyed<'_>]) -> Result<(), WriteError> {
                Err(self.0.clone())
            }

            fn bytes_max(&self) -> usize {
                1_000_000
            }
        }
        let body = alert(1).to_string();
        let taken = take(body.as_bytes(), None, &Decoder::default()).expect("taken");
        for (error, status) in [
            (WriteError::TooLarge("raise max.message.bytes".into()), 413),
            (WriteError::Failed("no broker answers".into()), 503),
        ] {
            let problem = elsewhere(&Refusing(error), &taken.records).expect_err("refused");
            assert_eq!(problem.status().as_u16(), status, "{problem:?}");
        }
    }
}
