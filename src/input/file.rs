//! A file of events, one per line. It may grow, and it may be rotated while it is read.
//!
//! Offsets are in bytes and continue over rotations: each content of the file has a base ([`Content`]). The time at which a
//! span was first read is stored before its lines are used. It takes the place of the append time, so that a replay has the
//! same result.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};

use super::file_content::{Found, Seen, after, find, head_of};
use super::lines;
use super::worker::{Feed, Record};
use crate::domain::{Offset, SourceId, Timestamp};
use crate::store::{Content, FollowedFile, Span};

/// How long a writer may still write to a renamed file after the new file exists.
const RENAMED_GRACE: Duration = Duration::from_secs(3);
/// How long a file may be missing while it is rotated.
const MISSING_GRACE: Duration = Duration::from_secs(10);
/// How long a loss is shown in `/ready`, and how long a renamed file is watched for late lines.
const SHOWN: Duration = Duration::from_secs(3600);
/// Bytes before the position that are compared, to detect a file that was truncated and has grown again.
const TAIL: u64 = 64;

/// A file of events, one per line.
pub struct FileFeed {
    path: PathBuf,
    source: String,
    followed: FollowedFile,
    /// Oldest first.
    contents: Vec<Content>,
    spans: Vec<Span>,
    next: Offset,
    open: Option<Open>,
    missing_since: Option<Timestamp>,
    replaced_since: Option<Timestamp>,
    /// A renamed file that was read to its end, with its length and the time until which it is watched.
    renamed: Option<(File, u64, Timestamp)>,
    /// A description of what was lost, and the time until which it is shown.
    loss: Option<(String, Timestamp)>,
}

/// The open file of one content.
struct Open {
    file: File,
    /// Base of the content.
    base: Offset,
    /// Whether the file's name belongs to another content by now.
    is_copy: bool,
    /// The bytes before the position.
    tail: Vec<u8>,
}

impl FileFeed {
    /// Reads `path` from its start. `dir` is the store's directory.
    ///
    /// # Errors
    /// If the records of followed files cannot be read.
    pub fn open(path: &Path, dir: &Path) -> anyhow::Result<Self> {
        let source = source_of(path, &FollowedFile::sources(dir)?);
        let followed = FollowedFile::open(dir, &source)?;
        let (contents, spans, loss) = (followed.contents()?, followed.spans()?, followed.loss()?);
        Ok(Self {
            path: path.to_path_buf(),
            source,
            followed,
            contents,
            spans,
            next: 0,
            open: None,
            missing_since: None,
            replaced_since: None,
            renamed: None,
            loss,
        })
    }

    fn lost(&mut self, now: Timestamp, what: &str) {
        let text = format!("{}: {what}", self.path.display());
        tracing::error!(
            loss = text,
            "file: events may be missing; read the missing lines with `surgecast replay`"
        );
        let until = now + SHOWN;
        if let Err(error) = self.followed.put_loss(&text, until) {
            tracing::warn!(%error, "file: cannot store this problem, so a restart will hide it");
        }
        self.loss = Some((text, until));
    }

    /// The content that has the next byte.
    fn content(&self) -> Option<Content> {
        self.content_at(self.next)
    }

    fn content_at(&self, offset: Offset) -> Option<Content> {
        self.contents.iter().rev().find(|content| content.base <= offset).copied()
    }

    /// Finds the file that has a content, at least up to `offset` or its end.
    fn find(&self, content: &Content, offset: Offset) -> Option<Found> {
        let least = u64::try_from(content.ended.unwrap_or(offset) - content.base).unwrap_or(0);
        find(&self.path, content, least, None)
    }

    /// Opens the file of the content that has the next byte. Returns whether there is one.
    fn prepare(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        loop {
            let Some(content) = self.content() else { return self.begin(now, None, None) };
            if self.open.as_ref().is_some_and(|open| open.base == content.base) {
                return Ok(true);
            }
            if let Some(Found { file, is_named, .. }) = self.find(&content, self.next) {
                let (base, is_copy) = (content.base, !is_named);
                self.open = Some(Open { file, base, is_copy, tail: Vec::new() });
                return Ok(true);
            }
            let Some(ended) = content.ended else {
                if self.path.exists() {
                    self.lost(now, "it was replaced, truncated or deleted while it was not read, and its earlier content is not in its directory");
                }
                let since = self.spans.last().map(|span| system_time(span.read_at));
                return self.begin(now, Some(content), since);
            };
            let bytes = ended - self.next;
            self.lost(now, &format!("{bytes} bytes of an earlier content cannot be read again"));
            self.next = ended;
        }
    }

    /// Begins the content that follows `before`, which ends here. `since`: when its file was last written or read, if it may have
    /// been deleted.
    fn begin(
        &mut self,
        now: Timestamp,
        before: Option<Content>,
        since: Option<SystemTime>,
    ) -> anyhow::Result<bool> {
        let path = self.next_path(now, before, since);
        let Some(seen) = Seen::at(&path)? else { return self.is_missing(now) };
        self.missing_since = None;
        let is_copy = path != self.path;
        let file = File::open(&path)?;
        // In earlier releases offsets were bytes of the only content.
        let is_first = self.contents.is_empty();
        let is_shorter = u64::try_from(self.next)? > seen.length;
        if is_first && is_shorter {
            self.lost(
                now,
                &format!("it has {} bytes, but {} were read before", seen.length, self.next),
            );
        }
        // Offsets that were read before are not used again: their lines are known.
        self.next = if before.is_some() { self.next.max(self.read_upto()) } else { self.next };
        let base = if is_first && !is_shorter { 0 } else { self.next };
        let (head_bytes, head) = head_of(&file, seen.length)?;
        let Seen { device, inode, .. } = seen;
        let content = Content { base, device, inode, head_bytes, head, ended: None };
        let ended = before.map(|content| Content { ended: Some(base), ..content });
        let changed: Vec<Content> = ended.into_iter().chain([content]).collect();
        self.followed.put(&changed, None)?;
        self.contents.retain(|known| changed.iter().all(|content| content.base != known.base));
        self.contents.extend(changed);
        self.open = Some(Open { file, base, is_copy, tail: Vec::new() });
        self.replaced_since = None;
        Ok(true)
    }

    /// The file with the following content: a file that was rotated before it was read, or the file with the name.
    fn next_path(
        &mut self,
        now: Timestamp,
        before: Option<Content>,
        since: Option<SystemTime>,
    ) -> PathBuf {
        let Some(content) = before else { return self.path.clone() };
        let after = after(&self.path, &content, &self.contents, since);
        for other in after.unclear {
            self.lost(
                now,
                &format!(
                    "{} is new and may be a rotated file that was not read: its name does not tell",
                    other.display()
                ),
            );
        }
        for other in after.compressed {
            self.lost(now, &format!("{} was compressed before it was read", other.display()));
        }
        after.first.unwrap_or_else(|| self.path.clone())
    }

    /// Handles a missing file: this is an error if it lasts.
    fn is_missing(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let since = *self.missing_since.get_or_insert(now);
        if now.since(since) > MISSING_GRACE {
            bail!("the file is missing: create it again, or restart the service without it");
        }
        Ok(false)
    }

    /// Detects that the open file was truncated: continues with a copy of it, or starts again. Returns whether it was truncated.
    fn was_cut(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let (Some(content), Some(open)) = (self.content(), &mut self.open) else {
            return Ok(false);
        };
        let position = u64::try_from(self.next - content.base)?;
        let length = open.file.metadata()?.len();
        let mut tail = vec![0; open.tail.len()];
        let is_same = length >= position
            && open.file.read_exact_at(&mut tail, position - open.tail.len() as u64).is_ok()
            && tail == open.tail;
        if is_same || content.ended.is_some() {
            return Ok(false);
        }
        if let Some(Found { file, .. }) = find(&self.path, &content, position, Some(content.inode))
        {
            tracing::info!(file = %self.path.display(), "file: truncated after it was copied, reading the rest of the copy");
            (open.file, open.is_copy, open.tail) = (file, true, Vec::new());
            return Ok(true);
        }
        self.lost(now, &format!("it was truncated or rewritten: it has {length} bytes, {position} had been read, and no copy is in its directory"));
        self.begin(now, Some(content), None)
    }

    /// Reads lines. `is_last`: the file will not grow, so that its last line needs no line break.
    fn read(&mut self, now: Timestamp, max: usize, is_last: bool) -> anyhow::Result<Vec<Record>> {
        let (Some(content), Some(open)) = (self.content(), &mut self.open) else {
            return Ok(Vec::new());
        };
        let end = content.ended.unwrap_or(Offset::MAX);
        let (mut next, mut records) = (self.next, Vec::new());
        open.file.seek(SeekFrom::Start(u64::try_from(next - content.base)?))?;
        let mut reader = BufReader::with_capacity(1 << 18, &open.file);
        while records.len() < max && next < end {
            let Some(line) = lines::next(&mut reader)? else { break };
            if !line.is_whole && !is_last && content.ended.is_none() {
                break;
            }
            let (offset, bytes) = (next, line.bytes);
            next += line.length as Offset;
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                records.push(Record { offset, appended_at: now, hint: None, bytes });
            }
        }
        if next == self.next {
            return Ok(records);
        }
        self.store(now, content, next)?;
        for record in &mut records {
            let span = self.spans.partition_point(|span| span.ended <= record.offset);
            record.appended_at = self.spans.get(span).map_or(now, |span| span.read_at);
        }
        Ok(records)
    }

    /// Stores the time at which the bytes up to `next` were first read, before they are used.
    fn store(&mut self, now: Timestamp, content: Content, next: Offset) -> anyhow::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let last = self.spans.last().copied();
        let position = u64::try_from(next - content.base)?;
        if last.is_none_or(|last| last.ended < next) {
            let read_at = last.map_or(now, |last| last.read_at.max(now));
            let span = Span { ended: next, read_at };
            let (head_bytes, head) = head_of(&open.file, position)?;
            let content = Content { head_bytes, head, ..content };
            self.followed.put(&[content], Some(span))?;
            self.spans.push(span);
            let known = self.contents.iter_mut().find(|known| known.base == content.base);
            known.into_iter().for_each(|known| *known = content);
        }
        open.tail = vec![0; position.min(TAIL) as usize];
        open.file.read_exact_at(&mut open.tail, position - position.min(TAIL))?;
        self.next = next;
        Ok(())
    }

    /// Called at the end of the open file. Returns whether another content follows.
    fn move_on(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let (Some(content), Some(open)) = (self.content(), &self.open) else { return Ok(false) };
        if content.ended.is_some() {
            self.open = None;
            // `next` is at the base of the content that follows.
            return Ok(self.content().is_some_and(|next| next.base != content.base));
        }
        let named = Seen::at(&self.path)?;
        if named.is_some_and(|seen| seen.is(&content)) && !open.is_copy {
            (self.missing_since, self.replaced_since) = (None, None);
            return Ok(false);
        }
        let since = *self.replaced_since.get_or_insert(now);
        let may_grow = !open.is_copy && now.since(since) < RENAMED_GRACE;
        if named.is_none() {
            return self.is_missing(now);
        }
        if may_grow {
            return Ok(false);
        }
        let mut since = None;
        if let Some(open) = self.open.take() {
            let found = open.file.metadata()?;
            let length = found.len();
            since = found.modified().ok();
            self.renamed = Some((open.file, length, now + SHOWN));
        }
        tracing::info!(file = %self.path.display(), offset = self.next, "file: rotated, reading the new one");
        self.begin(now, Some(content), since)
    }

    /// Notices lines that were written to a renamed file after it was read to its end.
    fn watch(&mut self, now: Timestamp) {
        if self.loss.as_ref().is_some_and(|(_, until)| now > *until) {
            self.loss = None;
        }
        let Some((file, length, until)) = &self.renamed else { return };
        if file.metadata().is_ok_and(|now| now.len() > *length) {
            self.renamed = None;
            self.lost(now, "lines were written to the renamed file after the new one was in use");
        } else if now > *until {
            self.renamed = None;
        }
    }

    /// Whether the open file no longer has the name, so that its last line needs no line break.
    fn is_last(&self, now: Timestamp) -> bool {
        self.open.as_ref().is_some_and(|open| open.is_copy)
            || self.replaced_since.is_some_and(|since| now.since(since) >= RENAMED_GRACE)
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(at.millis().max(0).cast_unsigned())
}

const PREFIX: &str = "file:";

/// The name of the source of a file: the known name, if the file was given before in another spelling, such as a relative path.
fn source_of(path: &Path, known: &[String]) -> String {
    let place = place(path);
    // `#` separates the name of a source from its generation.
    let own = format!("{PREFIX}{}", place.display().to_string().replace('#', "%23"));
    let is_same = |name: &&String| {
        let spelling = name.strip_prefix(PREFIX).map(|text| text.replace("%23", "#"));
        spelling.is_some_and(|text| self::place(Path::new(&text)) == place)
    };
    if known.contains(&own) { own } else { known.iter().find(is_same).cloned().unwrap_or(own) }
}

/// The real folder of a file and its name there, so that all spellings of a path are equal. A symbolic link at the path itself
/// is not resolved, because it may lead to another file later.
pub fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

impl Feed for FileFeed {
    fn source(&self) -> SourceId {
        SourceId::new(&self.source, 0)
    }

    fn seek(&mut self, offset: Offset) {
        (self.next, self.open) = (offset, None);
    }

    fn poll(&mut self, now: Timestamp, max: usize) -> anyhow::Result<Vec<Record>> {
        let context = format!("cannot read {}", self.path.display());
        self.watch(now);
        loop {
            if !self.prepare(now).with_context(|| context.clone())? {
                return Ok(Vec::new());
            }
            let before = self.next;
            if self.was_cut(now)? {
                continue;
            }
            let records =
                self.read(now, max, self.is_last(now)).with_context(|| context.clone())?;
            if !records.is_empty() {
                return Ok(records);
            }
            // Blank lines only.
            let has_moved = self.next != before;
            if !has_moved && !self.move_on(now)? {
                return Ok(records);
            }
        }
    }

    fn committed(&mut self, offset: Offset) {
        if let Err(error) = self.followed.trim(offset) {
            tracing::warn!(%error, "file: cannot delete old rows of files.db, it grows until that succeeds; check the disk");
            return;
        }
        self.contents.retain(|content| content.ended.is_none_or(|ended| ended > offset));
        let last = self.spans.last().copied();
        self.spans.retain(|span| span.ended > offset || Some(*span) == last);
    }

    fn has(&self, offset: Offset) -> bool {
        offset == self.read_upto()
            || self.content_at(offset).is_none_or(|content| self.find(&content, offset).is_some())
    }

    fn read_upto(&self) -> Offset {
        self.spans.last().map_or(0, |span| span.ended)
    }

    fn loss(&self) -> Option<&str> {
        self.loss.as_ref().map(|(text, _)| text.as_str())
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
