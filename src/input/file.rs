//! A file of events, one JSON object a line. It may grow while it is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::worker::{Feed, Record};
use crate::domain::{Offset, SourceId, Timestamp};

/// A longer line is cut at this length and becomes a dead letter.
const LINE_MAX: u64 = 1 << 20;

/// A file of events, one a line. Offsets are in bytes.
pub struct FileFeed {
    path: PathBuf,
    next: Offset,
}

impl FileFeed {
    /// Reads `path` from its start.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), next: 0 }
    }

    /// Reads one line. Returns its bytes and its length with the line break; `None` if the line is incomplete.
    fn line(reader: &mut impl BufRead) -> std::io::Result<Option<(Vec<u8>, u64)>> {
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? as u64;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            return Ok(Some((bytes, read)));
        }
        if read < LINE_MAX {
            // The writer may not have finished the line.
            return Ok(None);
        }
        let rest = reader.skip_until(b'\n')? as u64;
        Ok(Some((bytes, read + rest)))
    }
}

impl Feed for FileFeed {
    fn source(&self) -> SourceId {
        SourceId::new(&format!("file:{}", self.path.display()), 0)
    }

    fn seek(&mut self, offset: Offset) {
        self.next = offset;
    }

    fn poll(&mut self, now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>> {
        let shown = self.path.display();
        let mut file = File::open(&self.path).with_context(|| format!("cannot open {shown}"))?;
        let length = file.metadata()?.len();
        let next = u64::try_from(self.next).unwrap_or(0);
        ensure!(
            next <= length,
            "{shown} has {length} bytes, but {next} bytes were read before: restore the file, or use another name"
        );
        file.seek(SeekFrom::Start(next))?;
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let mut records = Vec::new();
        while records.len() < max {
            let Some((bytes, length)) = Self::line(&mut reader)? else { break };
            let offset = self.next;
            self.next += length as Offset;
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                records.push(Record { offset, appended_at: now, hint: None, bytes });
            }
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_read_once_as_the_file_grows_and_again_after_a_seek() {
        let mut file = tempfile::NamedTempFile::new().expect("temp file");
        let mut feed = FileFeed::new(file.path());
        let now = Timestamp::from_secs(0);
        let texts = |records: Vec<Record>| -> Vec<(Offset, String)> {
            let text = |r: Record| (r.offset, String::from_utf8_lossy(&r.bytes).into_owned());
            records.into_iter().map(text).collect()
        };
        write!(file, "one\n\ntwo\nthr").expect("write");
        let got = texts(feed.poll(now, 10).expect("poll"));
        assert_eq!(got, [(0, "one".into()), (5, "two".into())]);
        assert!(feed.poll(now, 10).expect("poll").is_empty(), "the third line has not ended");
        writeln!(file, "ee").expect("write");
        assert_eq!(texts(feed.poll(now, 10).expect("poll")), [(9, "three".into())]);
        feed.seek(5);
        assert_eq!(feed.poll(now, 10).expect("poll").len(), 2);
    }
}
