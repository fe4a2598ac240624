//! Mutates samples: changes, cuts and moves bytes, and puts in values of the wrong type.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64;

/// Longest input: a little more than the largest event.
const BYTES_MAX: usize = 70_000;

/// Invalid values, edge cases and some valid values.
const TOKENS: [&[u8]; 62] = [
    b"null",
    b"true",
    b"nil",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"-0",
    b"-0.0",
    b"0.5",
    b"-5",
    b"01",
    b"+1",
    b"1.",
    b".5",
    b"1e",
    b"-",
    b"0x10",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"9007199254740993",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"123456789012345678901234567890123456789012345678901234567890",
    b"1767233000",
    b"1767233000000.5",
    b"631151999.9999",
    b"4102444800",
    b"\"\"",
    b"\" \"",
    b"\"\\u0000\"",
    b"\"\\ud800\"",
    b"\"\\udc00\\ud800\"",
    b"\"\\ud83d\\ude00\"",
    b"\"\\uD83\"",
    b"\"\\x\"",
    b"\"\x01\"",
    b"\"\xff\xfe\"",
    b"\"\xed\xa0\x80\"",
    b"\"\xc0\xaf\"",
    b"\"\xf4\x90\x80\x80\"",
    b"\"\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf\"",
    b"\"_all\"",
    b"\"a/b\"",
    b"\"a|b\"",
    b"\"2026-01-01T02:03:04Z\"",
    b"\"2026-01-01T02:03:04+0000\"",
    b"\"2026-06-30T23:59:60Z\"",
    b"\"9999-12-31T23:59:59.999999999Z\"",
    b"\"0000-00-00T00:00:00Z\"",
    b"\"-262144-01-01T00:00:00Z\"",
    b"\"2026-01-01T00:00:00+99:99\"",
    b"\"\xc3\xa9+000\"",
    b"\"1767233000\"",
    b"\"e30=\"",
    b"[]",
    b"{}",
    b"[[],{},7,\"x\",null]",
    b"[{\"id\":[{\"name\":{\"place\":[]}}]},[],7,\"x\"]",
    b"{\"\":{\"\":\"\"},\"\":1}",
];

/// Keys of the formats of events.
const KEYS: [&str; 26] = [
    "",
    "kind",
    "event_id",
    "ts",
    "specversion",
    "data",
    "data_base64",
    "event",
    "eventList",
    "alarm",
    "troubleTicket",
    "commonEventHeader",
    "stndDefinedFields",
    "faultFields",
    "notificationType",
    "eventTime",
    "variable_bindings",
    "alarmedObject",
    "perceivedSeverity",
    "ticketType",
    "description",
    "alarmId",
    "severity",
    "state",
    "place",
    "channel",
];

/// Bytes with a meaning for parsers.
const BYTES: &[u8] = b"\"\\{}[],:=;#'\n\r\t\0\x7f\x80\xc3\xed\xf0\xff0-9eE.+/_|*";

/// Generates mutated samples from a seed.
pub(super) struct Mutator<'a> {
    samples: &'a [&'a [u8]],
    rng: ChaCha8Rng,
}

impl<'a> Mutator<'a> {
    pub(super) fn new(seed: &str, samples: &'a [&'a [u8]]) -> Self {
        Self { samples, rng: ChaCha8Rng::seed_from_u64(xxh3_64(seed.as_bytes())) }
    }

    /// A sample with one to four mutations.
    pub(super) fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.sample().to_vec();
        for _ in 0..self.rng.random_range(1..=4) {
            self.mutate(&mut bytes);
            bytes.truncate(BYTES_MAX);
        }
        bytes
    }

    fn sample(&mut self) -> &'a [u8] {
        self.samples[self.rng.random_range(0..self.samples.len())]
    }

    /// A random position in the bytes, including their end.
    fn position(&mut self, bytes: &[u8]) -> usize {
        self.rng.random_range(0..=bytes.len())
    }

    /// A short range.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.position(bytes);
        start..(start + self.rng.random_range(0..40)).min(bytes.len())
    }

    fn token(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..100) {
            // Long and deeply nested values.
            0 => quoted(&b"x\xc3\xa9".repeat(self.rng.random_range(1..9_000))),
            1..=3 => quoted(&b"y".repeat(self.rng.random_range(60..270))),
            4 => b"9".repeat(self.rng.random_range(1..400)),
            5..=7 => {
                let openers: [(&[u8], &[u8]); 4] = [
                    (b"[", b"]"),
                    (b"{\"event\":", b"}"),
                    (b"{\"data\":", b"}"),
                    (b"{\"\":", b"}"),
                ];
                let (open, close) = openers[self.rng.random_range(0..openers.len())];
                let depth = self.rng.random_range(1..200);
                [&open.repeat(depth)[..], b"1", &close.repeat(depth)].concat()
            }
            _ => TOKENS[self.rng.random_range(0..TOKENS.len())].to_vec(),
        }
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.rng.random_range(0..16) {
            0 if !bytes.is_empty() => {
                let at = self.rng.random_range(0..bytes.len());
                bytes[at] ^= 1 << self.rng.random_range(0..8);
            }
            1 if !bytes.is_empty() => {
                let at = self.rng.random_range(0..bytes.len());
                bytes[at] = BYTES[self.rng.random_range(0..BYTES.len())];
            }
            2 => {
                let at = self.position(bytes);
                bytes.insert(at, BYTES[self.rng.random_range(0..BYTES.len())]);
            }
            3 => {
                let end = self.position(bytes);
                bytes.truncate(end);
            }
            4 => drop(bytes.drain(self.range(bytes))),
            5 => {
                let part = self.range(bytes);
                let part = bytes[part].repeat(self.rng.random_range(1..4));
                let at = self.position(bytes);
                bytes.splice(at..at, part);
            }
            // Insert a part of another sample; join the start of this one and the end of another.
            6 => {
                let other = self.sample();
                let (part, at) = (self.range(other), self.position(bytes));
                bytes.splice(at..at, other[part].iter().copied());
            }
            7 => {
                let other = self.sample();
                let (from, at) = (self.position(other), self.position(bytes));
                bytes.splice(at.., other[from..].iter().copied());
            }
            // Insert a field of this or another format.
            8 | 9 => {
                let key = KEYS[self.rng.random_range(0..KEYS.len())];
                let field = [b"\"", key.as_bytes(), b"\":", &self.token(), b","].concat();
                let openers: Vec<usize> = positions(bytes, |b| b == b'{').collect();
                if !openers.is_empty() {
                    let at = openers[self.rng.random_range(0..openers.len())] + 1;
                    bytes.splice(at..at, field);
                }
            }
            how => self.replace_value(bytes, how),
        }
    }

    /// Changes the value after a `:`, `=` or `,`.
    fn replace_value(&mut self, bytes: &mut Vec<u8>, how: u32) {
        let starts: Vec<usize> = positions(bytes, |b| matches!(b, b':' | b'=' | b',')).collect();
        if starts.is_empty() {
            return;
        }
        let mut pick = || starts[self.rng.random_range(0..starts.len())] + 1;
        let (first, second) = (value(bytes, pick()), value(bytes, pick()));
        match how {
            // Replace one value by another.
            10 => {
                let other = bytes[second].to_vec();
                bytes.splice(first, other);
            }
            // Repeat the field.
            11 => {
                let start =
                    bytes[..first.start].iter().rposition(|b| matches!(b, b'{' | b',' | b'\n'));
                let start = start.map_or(0, |at| at + 1);
                let field = [&bytes[start..first.end], b","].concat();
                bytes.splice(start..start, field);
            }
            _ => drop(bytes.splice(first, self.token())),
        }
    }
}

fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", text, b"\""].concat()
}

fn positions(bytes: &[u8], is: impl Fn(u8) -> bool) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter(move |(_, b)| is(**b)).map(|(at, _)| at)
}

/// The value that begins at `from`, after blanks: a quoted text, a group in brackets, or a word.
fn value(bytes: &[u8], from: usize) -> std::ops::Range<usize> {
    let start = (from..bytes.len()).find(|at| !bytes[*at].is_ascii_whitespace()).unwrap_or(from);
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted && depth > 0 => depth -= 1,
            b',' | b'}' | b']' | b'\n' if !quoted && depth == 0 => return start..at,
            _ => {}
        }
    }
    start..bytes.len()
}
