//! Merges several event files by event time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};
use std::ops::Range;
use std::rc::Rc;

use super::shift;
use crate::domain::Timestamp;
use crate::ingest::without_bom;

/// Number of lines of each file that are buffered. Events are sorted if they are at most this many lines out of order.
const LOOKAHEAD: usize = 4096;
/// Longer lines are not read into memory. They cannot be events, which have at most 64 KiB.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// One line of a file, with its position for messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// Event time after shifting. A line without event time has the time of the previous line.
    pub ts: Timestamp,
    pub file: Rc<str>,
    /// Line number, from 1.
    pub number: u64,
    pub text: String,
    /// Bytes of the line in the file, including blank lines before it.
    pub bytes: u64,
    /// Why the line cannot be sent.
    pub error: Option<String>,
}

/// A file, or standard input.
pub(super) struct Input {
    name: Rc<str>,
    reader: Box<dyn BufRead>,
    number: u64,
    ts: Timestamp,
}

impl Input {
    pub(super) fn new(name: String, reader: Box<dyn BufRead>) -> Self {
        Self { name: name.into(), reader, number: 0, ts: Timestamp::from_millis(i64::MIN) }
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// An I/O error whose text names the file.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        self.read_line().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot read {}: {error}", self.name))
        })
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut skipped = 0;
        loop {
            let mut buffer = Vec::new();
            let limit = LINE_BYTES_MAX + 1;
            let reader = &mut self.reader;
            let mut bytes =
                io::Read::take(&mut *reader, limit).read_until(b'\n', &mut buffer)? as u64;
            if bytes == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.number == 1 {
                let marks = buffer.len() - without_bom(&buffer).len();
                buffer.drain(..marks);
            }
            let mut error = None;
            if bytes == limit && buffer.last() != Some(&b'\n') {
                bytes += skip_line(reader)?;
                buffer.clear();
                error = Some(format!("line longer than {LINE_BYTES_MAX} bytes"));
            }
            if error.is_none() && buffer.trim_ascii().is_empty() {
                skipped += bytes;
                continue;
            }
            let text = match std::str::from_utf8(buffer.trim_ascii()) {
                Ok(text) => text.to_owned(),
                Err(_) => {
                    error = Some("not UTF-8".into());
                    String::new()
                }
            };
            let (file, number) = (Rc::clone(&self.name), self.number);
            let bytes = bytes + skipped;
            return Ok(Some(Line { ts: self.ts, file, number, text, bytes, error }));
        }
    }

    fn next_event(&mut self, shift_ms: i64) -> io::Result<Option<Line>> {
        let Some(mut line) = self.next_line()? else { return Ok(None) };
        if line.error.is_none() {
            line.error = serde_json::from_str::<serde::de::IgnoredAny>(&line.text)
                .err()
                .map(|error| format!("not JSON: {error}"));
        }
        if line.error.is_none() && shift_ms != 0 {
            line.text = shift::shifted(&line.text, shift_ms);
        }
        if let Some(ts) = shift::event_time(&line.text) {
            self.ts = ts;
        }
        line.ts = self.ts;
        Ok(Some(line))
    }
}

/// Skips the rest of the line. Returns its length in bytes.
fn skip_line(reader: &mut Box<dyn BufRead>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let chunk = reader.fill_buf()?;
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(chunk.len(), |at| at + 1);
        let done = end.is_some() || chunk.is_empty();
        reader.consume(used);
        skipped += used as u64;
        if done {
            return Ok(skipped);
        }
    }
}

/// The lines of all inputs by event time. For equal times, the order is that of the inputs.
pub(super) struct Merge {
    inputs: Vec<Input>,
    shift_ms: i64,
    heap: BinaryHeap<Reverse<(Timestamp, usize, u64, Line)>>,
    started: bool,
    within: Option<Range<Timestamp>>,
}

impl Merge {
    pub(super) fn new(inputs: Vec<Input>, shift_ms: i64) -> Self {
        Self { inputs, shift_ms, heap: BinaryHeap::new(), started: false, within: None }
    }

    /// Skips lines whose time, after shifting, is outside `span`.
    pub(super) fn within(self, span: Range<Timestamp>) -> Self {
        Self { within: Some(span), ..self }
    }

    /// The next line.
    ///
    /// # Errors
    /// An I/O error of a file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next_of_all()? {
                Some(line) if self.within.as_ref().is_some_and(|span| !span.contains(&line.ts)) => {
                }
                found => return Ok(found),
            }
        }
    }

    fn next_of_all(&mut self) -> io::Result<Option<Line>> {
        if !self.started {
            self.started = true;
            for input in 0..self.inputs.len() {
                for _ in 0..LOOKAHEAD {
                    if !self.fill(input)? {
                        break;
                    }
                }
            }
        }
        let Some(Reverse((_, input, _, line))) = self.heap.pop() else { return Ok(None) };
        self.fill(input)?;
        Ok(Some(line))
    }

    fn fill(&mut self, input: usize) -> io::Result<bool> {
        let Some(line) = self.inputs[input].next_event(self.shift_ms)? else { return Ok(false) };
        self.heap.push(Reverse((line.ts, input, line.number, line)));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, text: &str) -> Input {
        Input::new(name.into(), Box::new(io::Cursor::new(text.to_owned().into_bytes())))
    }

    fn places(mut merge: Merge) -> Vec<String> {
        let mut places = Vec::new();
        while let Some(line) = merge.next().expect("reads") {
            places.push(format!("{}:{}", line.file, line.number));
        }
        places
    }

    #[test]
    fn files_are_merged_by_event_time() {
        let a = "{\"ts\":1767233010}\n\n{\"ts\":1767233000}\n{\"ts\":1767233030}";
        let b = "{\"ts\":1767233005}\nbroken\n{\"ts\":1767233020}\n";
        let merge = Merge::new(vec![input("a", a), input("b", b)], 0);
        assert_eq!(places(merge), ["a:3", "b:1", "b:2", "a:1", "b:3", "a:4"]);
    }

    #[test]
    fn lines_outside_the_span_are_skipped() {
        let a = "{\"ts\":1767233000}\n{\"ts\":1767233010}\n{\"ts\":1767233020}\n";
        let span = Timestamp::from_secs(1_767_233_010)..Timestamp::from_secs(1_767_233_020);
        assert_eq!(places(Merge::new(vec![input("a", a)], 0).within(span)), ["a:2"]);
    }

    #[test]
    fn an_overlong_line_has_an_error() {
        let long = format!("{}\n{{\"ts\":1767233000}}", "x".repeat(3 << 20));
        let mut merge = Merge::new(vec![input("a", &long)], 1000);
        let first = merge.next().expect("reads").expect("a line");
        let error = first.error.expect("an error");
        assert!(error.contains("longer than") && first.text.is_empty(), "{error}");
        let second = merge.next().expect("reads").expect("a line");
        assert_eq!((second.error, second.number), (None, 2));
        assert_eq!(second.text, "{\"ts\":1767233001000}");
    }
}
