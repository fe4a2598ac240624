use std::collections::VecDeque;
use std::io::Cursor;

use super::super::merge::Input;
use super::*;

/// A target that gives scripted answers, then accepts everything.
#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    accepted: Vec<String>,
}

impl Target for Script {
    fn post(&mut self, body: &[u8]) -> Answer {
        let answer = self.answers.pop_front().unwrap_or(Answer::Accepted { rejected: vec![] });
        if matches!(answer, Answer::Accepted { .. }) {
            self.accepted.push(String::from_utf8_lossy(body).into_owned());
        }
        answer
    }
}

#[derive(Default)]
struct FakePace(Duration);

impl Pace for FakePace {
    fn elapsed(&self) -> Duration {
        self.0
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_767_233_000) + self.0
    }
    fn wait(&mut self, length: Duration) {
        self.0 += length;
    }
}

/// Collects the lines that a person would see.
#[derive(Default)]
struct Lines(Vec<String>);

impl Notes for Lines {
    fn sent(&mut self, _: u64, _: &Summary) {}
    fn line(&mut self, text: &str) {
        self.0.push(text.into());
    }
}

fn events(count: u64, every_s: u64) -> Merge {
    let line = |i| format!("{{\"event_id\":\"{i}\",\"ts\":{}}}\n", 1_767_233_000 + i * every_s);
    let text: String = (0..count).map(line).collect();
    Merge::new(vec![Input::new("f".into(), Box::new(Cursor::new(text.into_bytes())))], 0)
}

fn play(
    speed: Speed,
    answers: Vec<Answer>,
    lines: Merge,
) -> (anyhow::Result<Summary>, Script, FakePace, Lines) {
    let mut target = Script { answers: answers.into(), accepted: vec![] };
    let (mut pace, mut notes) = (FakePace::default(), Lines::default());
    let result = Player::new(speed, &mut target, &mut pace, &mut notes).play(lines);
    (result, target, pace, notes)
}

#[test]
fn nothing_is_lost_while_the_target_is_not_available() {
    let later = |after| Answer::Later { after, why: "status 503".into() };
    let answers = vec![later(None), later(Some(Duration::from_secs(7))), later(None)];
    let (result, target, pace, notes) = play(Speed::Max, answers, events(12_000, 1));
    let summary = result.expect("plays");
    assert_eq!((summary.events, summary.accepted, summary.retries), (12_000, 12_000, 3));
    let sizes: Vec<usize> = target.accepted.iter().map(|body| body.lines().count()).collect();
    assert_eq!(sizes, [5000, 5000, 2000]);
    assert!(pace.0 > Duration::from_secs(8) && notes.0[0].starts_with("status 503, retrying in"));
}

#[test]
fn rejects_are_named_by_file_and_line() {
    let answers = vec![Answer::Accepted { rejected: vec![(1, "field: `ts` is missing".into())] }];
    let (result, _, _, notes) = play(Speed::Max, answers, events(3, 1));
    let summary = result.expect("plays");
    assert_eq!((summary.accepted, summary.rejected), (2, 1));
    assert_eq!(notes.0, ["f:2: rejected: field: `ts` is missing"]);
}

#[test]
fn a_body_that_is_too_large_is_halved() {
    let answers = vec![Answer::TooLarge, Answer::TooLarge];
    let (result, target, _, notes) = play(Speed::Max, answers, events(3, 1));
    let summary = result.expect("plays");
    // 3 → 1 + 2: the first single event is too large by itself.
    assert_eq!((summary.accepted, summary.rejected, target.accepted.len()), (2, 1, 1));
    assert_eq!(notes.0, ["f:1: rejected: too large for the server"]);
}

#[test]
fn a_refusal_stops_and_names_the_line() {
    let (result, ..) = play(Speed::Max, vec![Answer::Refused("status 401".into())], events(3, 1));
    let error = result.expect_err("refused").to_string();
    assert_eq!(error, "status 401: stopped at f:1, 0 events had been accepted");
}

#[test]
fn speed_sets_the_pace_and_events_are_batched() {
    // An hour of events, one per second, at 600x: six seconds, five posts per second.
    let (result, target, pace, _) = play(Speed::Times(600.0), vec![], events(3601, 1));
    assert_eq!(result.expect("plays").accepted, 3601);
    assert!((5.9..6.5).contains(&pace.0.as_secs_f64()), "{:?}", pace.0);
    assert!((25..=40).contains(&target.accepted.len()), "{}", target.accepted.len());
}

#[test]
fn past_events_are_sent_at_once_and_later_ones_when_due() {
    // The clock starts at the time of the first event.
    let (result, _, pace, _) = play(Speed::Due, vec![], events(61, 1));
    assert_eq!(result.expect("plays").accepted, 61);
    assert!((59..=61).contains(&pace.0.as_secs()), "{:?}", pace.0);
}

#[test]
fn speeds_are_parsed_or_refused() {
    assert_eq!("max".parse(), Ok(Speed::Max));
    assert_eq!("due".parse(), Ok(Speed::Due));
    assert_eq!("60x".parse(), Ok(Speed::Times(60.0)));
    for text in ["", "0", "-1x", "fast", "NaN", "inf"] {
        assert!(text.parse::<Speed>().is_err(), "{text}");
    }
}
