use std::collections::VecDeque;
use std::io::Cursor;

use super::super::merge::Input;
use super::*;

/// Answers from a script, then takes everything.
#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    taken: Vec<String>,
}

impl Target for Script {
    fn post(&mut self, body: &[u8]) -> Answer {
        let answer = self.answers.pop_front().unwrap_or(Answer::Taken { rejected: vec![] });
        if matches!(answer, Answer::Taken { .. }) {
            self.taken.push(String::from_utf8_lossy(body).into_owned());
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

#[derive(Default)]
struct Heard(Vec<String>);

impl Notes for Heard {
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
) -> (anyhow::Result<Summary>, Script, FakePace, Heard) {
    let mut target = Script { answers: answers.into(), taken: vec![] };
    let (mut pace, mut notes) = (FakePace::default(), Heard::default());
    let result = Player::new(speed, &mut target, &mut pace, &mut notes).play(lines);
    (result, target, pace, notes)
}

#[test]
fn nothing_is_lost_while_the_target_is_away() {
    let later = |after| Answer::Later { after, why: "status 503".into() };
    let answers = vec![later(None), later(Some(Duration::from_secs(7))), later(None)];
    let (result, target, pace, heard) = play(Speed::Max, answers, events(12_000, 1));
    let summary = result.expect("plays");
    assert_eq!((summary.events, summary.accepted, summary.retries), (12_000, 12_000, 3));
    let sizes: Vec<usize> = target.taken.iter().map(|body| body.lines().count()).collect();
    assert_eq!(sizes, [5000, 5000, 2000]);
    assert!(pace.0 > Duration::from_secs(8) && heard.0[0].starts_with("status 503; trying again"));
}

#[test]
fn rejects_are_named_by_file_and_line() {
    let answers = vec![Answer::Taken { rejected: vec![(1, "field: `ts` is missing".into())] }];
    let (result, _, _, heard) = play(Speed::Max, answers, events(3, 1));
    let summary = result.expect("plays");
    assert_eq!((summary.accepted, summary.rejected), (2, 1));
    assert_eq!(heard.0, ["f:2: rejected: field: `ts` is missing"]);
}

#[test]
fn a_body_that_is_too_large_is_halved() {
    let answers = vec![Answer::TooLarge, Answer::TooLarge];
    let (result, target, _, heard) = play(Speed::Max, answers, events(3, 1));
    let summary = result.expect("plays");
    // 3 → 1 + 2: the first single one is too large by itself.
    assert_eq!((summary.accepted, summary.rejected, target.taken.len()), (2, 1, 1));
    assert_eq!(heard.0, ["f:1: rejected: too large for the server"]);
}

#[test]
fn a_refusal_stops_and_says_where() {
    let (result, ..) = play(Speed::Max, vec![Answer::Refused("status 401".into())], events(3, 1));
    let error = result.expect_err("refused").to_string();
    assert_eq!(error, "status 401: stopped at f:1, 0 events had been accepted");
}

#[test]
fn speed_paces_and_coalesces() {
    // An hour of events, one a second, at 600x: six seconds, five posts a second.
    let (result, target, pace, _) = play(Speed::Times(600.0), vec![], events(3601, 1));
    assert_eq!(result.expect("plays").accepted, 3601);
    assert!((5.9..6.5).contains(&pace.0.as_secs_f64()), "{:?}", pace.0);
    assert!((25..=40).contains(&target.taken.len()), "{}", target.taken.len());
}

#[test]
fn what_is_due_goes_at_once_and_the_rest_in_time() {
    // The clock stands where the first event is.
    let (result, _, pace, _) = play(Speed::Due, vec![], events(61, 1));
    assert_eq!(result.expect("plays").accepted, 61);
    assert!((59..=61).contains(&pace.0.as_secs()), "{:?}", pace.0);
}

#[test]
fn speeds_are_read_or_refused() {
    assert_eq!("max".parse(), Ok(Speed::Max));
    assert_eq!("due".parse(), Ok(Speed::Due));
    assert_eq!("60x".parse(), Ok(Speed::Times(60.0)));
    for text in ["", "0", "-1x", "fast", "NaN", "inf"] {
        assert!(text.parse::<Speed>().is_err(), "{text}");
    }
}
