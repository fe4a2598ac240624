//! Lines with a limit, from files, FIFOs and standard input.

use std::io::{BufRead, Read as _, Result};

/// A longer line is cut at this length and becomes a dead letter.
pub(super) const LINE_MAX: u64 = 1 << 20;

/// A line without its line break, and its length in the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) length: u64,
    /// Whether it has a line break. Without one, its writer may not have finished it.
    pub(super) is_whole: bool,
}

/// The next line; `None` at the end of the input.
pub(super) fn next(reader: &mut impl BufRead) -> Result<Option<Line>> {
    let mut bytes = Vec::new();
    let mut length = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? as u64;
    if length == 0 {
        return Ok(None);
    }
    let mut is_whole = bytes.last() == Some(&b'\n');
    if is_whole {
        bytes.pop();
    } else if length == LINE_MAX {
        // Without a limit, a stream without line breaks would fill the memory.
        length += reader.skip_until(b'\n')? as u64;
        is_whole = true;
    }
    Ok(Some(Line { bytes, length, is_whole }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_the_limit_and_the_next_one_is_whole() {
        let long = "x".repeat(LINE_MAX as usize + 5);
        let text = format!("a\n\n{long}\nb\nrest");
        let mut reader = text.as_bytes();
        let mut lines = Vec::new();
        while let Some(line) = next(&mut reader).expect("reads") {
            lines.push((line.bytes.len(), line.length as usize, line.is_whole));
        }
        let (cut, long) = (LINE_MAX as usize, long.len() + 1);
        assert_eq!(
            lines,
            [(1, 2, true), (0, 1, true), (cut, long, true), (1, 2, true), (4, 4, false)]
        );
    }
}
