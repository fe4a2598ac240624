//! Property tests of all formats, with mutated bytes.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::samples::{COMMUNITY, SAMPLES, decoder, sample};
use crate::domain::{Event, EventKind};
use crate::ingest::{Decoded, Decoder, Headers, Reject};

const BINARY: Headers<'static> =
    Headers(&[("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"s")]);

/// Invalid values, edge cases and some valid values.
const TOKENS: [&str; 22] = [
    "null",
    "true",
    "-0",
    "0.5",
    "-5",
    "1e999",
    "-1e999",
    "1e-999",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890123456789012345678901234567890",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"_all\"",
    "\"2026-01-01T02:03:04+0000\"",
    "\"+0000\"",
    "\"é+000\"",
    "[]",
    "{}",
    "[{\"id\":[{\"name\":{\"place\":[]}}]},[],7,\"x\"]",
];

/// Decodes bytes with and without headers, and checks that the result is valid.
fn read(decoder: &Decoder, bytes: &[u8]) -> Result<Decoded, Reject> {
    let _ = decoder.decode(bytes, &BINARY, Some(EventKind::Ticket));
    let found = decoder.decode(bytes, &Headers::default(), Some(EventKind::Alarm));
    check(&found);
    found
}

fn check(found: &Result<Decoded, Reject>) {
    let is_id =
        |id: &str| (1..=256).contains(&id.chars().count()) && !id.contains(char::is_control);
    match found {
        Err(reject) => {
            assert!(!reject.detail.is_empty() && !reject.detail.contains('\n'), "{reject:?}");
            assert!(reject.detail.len() < 2000, "{reject:?}");
        }
        Ok(Decoded::Many(many)) => {
            assert!(!many.iter().any(|one| matches!(one, Ok(Decoded::Many(_)))));
            many.iter().for_each(check);
        }
        Ok(Decoded::One(event)) => {
            assert!(is_id(event.id()) && is_id(event.key()), "{event:?}");
            if let Event::Alarm(alarm) = event {
                let texts = [&alarm.text, &alarm.device, &alarm.alarm_type].into_iter().flatten();
                assert!(texts.map(|text| text.chars().count()).all(|chars| chars <= 1000));
            }
        }
        Ok(Decoded::ListRebuilt(list)) => {
            assert!(list.system.iter().all(|system| is_id(system)), "{list:?}");
            assert!(list.object.iter().all(|object| object.chars().count() <= 1000));
        }
        Ok(Decoded::Update { event, arrival }) => {
            check(&Ok(Decoded::One(event.clone())));
            check(&Ok(Decoded::One(arrival.clone())));
        }
        Ok(Decoded::Null | Decoded::Ignored { .. }) => {}
    }
}

/// The sample with a new value for one of its keys, or with that key twice.
fn replaced(text: &str, at: Index, token: &str, twice: bool) -> String {
    let keys: Vec<usize> = text.match_indices("\":").map(|(at, _)| at).collect();
    let end = keys[at.index(keys.len())];
    let start = text[..end].rfind('"').expect("a key has two quotes");
    let key = &text[start..=end];
    if twice {
        return format!("{}{key}:{token},{}", &text[..start], &text[start..]);
    }
    let mut rest = serde_json::Deserializer::from_str(&text[end + 2..]).into_iter::<Value>();
    rest.next();
    let after = end + 2 + rest.byte_offset();
    format!("{}{token}{}", &text[..end + 2], &text[after..])
}

proptest! {
    #[test]
    fn random_edits_never_panic(
        which in 0..SAMPLES.len(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<Index>()),
    ) {
        let mut bytes = SAMPLES[which].1.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        let _ = read(&decoder(), &bytes);
    }

    #[test]
    fn odd_values_never_panic(
        which in 0..SAMPLES.len(),
        changes in prop::collection::vec((any::<Index>(), 0..TOKENS.len(), any::<bool>()), 1..4),
    ) {
        let mut text = SAMPLES[which].1.to_owned();
        for (at, token, twice) in changes {
            if let Ok(Value::Object(_)) = serde_json::from_str(&text) {
                text = replaced(&text, at, TOKENS[token], twice);
            }
        }
        let _ = read(&decoder(), text.as_bytes());
    }

    #[test]
    fn nesting_never_panics(which in 0..SAMPLES.len(), at in any::<Index>(), depth in 1..300_usize,
        opener in prop::sample::select(vec![("[", "]"), ("{\"event\":", "}"), ("{\"data\":", "}")]),
    ) {
        let token = format!("{}1{}", opener.0.repeat(depth), opener.1.repeat(depth));
        let found = read(&decoder(), replaced(SAMPLES[which].1, at, &token, false).as_bytes());
        if depth > 64 {
            let reject = found.expect_err("too deep");
            prop_assert!(reject.detail.contains("nested"), "{}", reject);
        }
    }

    #[test]
    fn both_parsers_give_the_same_event(
        which in 0..SAMPLES.len(), at in any::<Index>(), token in 0..TOKENS.len(),
    ) {
        let text = replaced(SAMPLES[which].1, at, TOKENS[token], false);
        // Read and write the text with serde_json: the result is the same.
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            let decoder = decoder();
            prop_assert_eq!(read(&decoder, text.as_bytes()), read(&decoder, value.to_string().as_bytes()));
        }
    }
}

#[test]
fn a_community_is_never_stored_or_shown() {
    let decoder = decoder();
    for name in ["trap", "enterprise trap"] {
        let bytes = sample(name).as_bytes();
        for at in 0..bytes.len() {
            for byte in *b"\\\",{0\xff" {
                let mut bytes = bytes.to_vec();
                bytes[at] = byte;
                let shown = format!("{:?}", read(&decoder, &bytes));
                assert!(!shown.contains(COMMUNITY), "{shown}");
            }
        }
        // Also if it has an invalid type.
        for token in [format!("[\"{COMMUNITY}\"]"), format!("{{\"{COMMUNITY}\":1}}")] {
            let odd = sample(name).replace(&format!("\"{COMMUNITY}\""), &token);
            let shown = format!("{:?}", read(&decoder, odd.as_bytes()));
            assert!(!shown.contains(COMMUNITY), "{shown}");
        }
    }
}

#[test]
fn differences_between_the_parsers_are_known_and_harmless() {
    // Text that sonic-rs accepts and serde_json refuses is in fields that the decoder ignores, and does not change the
    // event. Text that sonic-rs refuses becomes a dead letter, which can be replayed.
    let cases = [
        // (name, text at the start of the object, accepted by us, accepted by serde_json)
        ("duplicate of a field that is read", "\"alarmId\":\"a\",", false, true),
        ("duplicate of a field that is ignored", "\"zzz\":1,\"zzz\":2,", true, true),
        ("lone surrogate", "\"zzz\":\"\\ud800\",", true, false),
        ("unknown escape", "\"zzz\":\"\\x\",", false, false),
        ("raw control character", "\"zzz\":\"a\tb\",", false, false),
        ("number out of range", "\"zzz\":1e999,", true, false),
        ("leading zero", "\"zzz\":01,", false, false),
        ("lone minus", "\"zzz\":-,", false, false),
        ("bad literal", "\"zzz\":nil,", false, false),
        ("lone surrogate that is read", "\"objectInstance\":\"\\ud800\",", false, false),
        ("number out of range that is read", "\"objectInstance\":1e999,", false, false),
    ];
    let decoder = Decoder::default();
    let plain = sample("28.532");
    let want = decoder.decode(plain.as_bytes(), &Headers::default(), None);
    let mut wrong = Vec::new();
    for (what, before, ours, peer) in cases {
        let text = plain.replacen('{', &format!("{{{before}"), 1);
        let found = decoder.decode(text.as_bytes(), &Headers::default(), None);
        let accepted = (found.is_ok(), serde_json::from_str::<Value>(&text).is_ok());
        if accepted != (ours, peer) {
            wrong.push(format!("{what}: {accepted:?}: {found:?}"));
        }
        if found.is_ok() {
            assert_eq!(found, want, "{what}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
