//! Finds the file that has a content: the one with the name, or a renamed one or a copy in the same directory. Also finds
//! the files that were rotated after it.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::bail;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::Content;

/// Bytes at the start of a file that identify its content.
const HEAD: u64 = 256;
/// Copies are recognized only if at least this many bytes are equal.
const HEAD_MIN: u64 = 32;
/// Maximum number of files of the directory that are examined.
const LOOKED_AT_MAX: usize = 1_000;

/// A file as its metadata show it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) length: u64,
}

impl Seen {
    /// The file with this name; `None` if there is none.
    ///
    /// # Errors If the file is not a regular one, or its metadata cannot be read.
    pub(super) fn at(path: &Path) -> anyhow::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() => {
                Ok(Some(Self { device: found.dev(), inode: found.ino(), length: found.len() }))
            }
            // Opening a FIFO could wait for ever.
            Ok(_) => bail!("{} is no longer a regular file: restart the service", path.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this is the file in which the content was read.
    pub(super) fn is(&self, content: &Content) -> bool {
        (self.device, self.inode) == (content.device, content.inode)
    }
}

/// A file that has a content.
pub(super) struct Found {
    pub(super) file: File,
    /// Whether it has the followed name.
    pub(super) is_named: bool,
    path: PathBuf,
}

/// Length and hash of the first bytes of a file, of which `length` bytes are used.
pub(super) fn head_of(file: &File, length: u64) -> io::Result<(u64, u64)> {
    let mut bytes = vec![0; length.min(HEAD) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok((bytes.len() as u64, xxh3_64(&bytes)))
}

/// Finds a file with the content and at least `least` bytes: the file in which the content was read, or a copy with the same
/// first bytes. The file with the inode `without` is ignored.
pub(super) fn find(
    path: &Path,
    content: &Content,
    least: u64,
    without: Option<u64>,
) -> Option<Found> {
    let mut copy = None;
    for other in std::iter::once(path.to_path_buf()).chain(others(path)) {
        let Ok(Some(seen)) = Seen::at(&other) else { continue };
        if seen.length < least || without == Some(seen.inode) {
            continue;
        }
        let Ok(file) = File::open(&other) else { continue };
        let is_same = head_of(&file, content.head_bytes)
            .is_ok_and(|head| head == (content.head_bytes, content.head));
        let found = Found { file, is_named: other == path, path: other };
        match (is_same, seen.is(content)) {
            (true, true) => return Some(found),
            (true, false) if content.head_bytes >= HEAD_MIN => _ = copy.get_or_insert(found),
            _ => {}
        }
    }
    copy
}

/// Files of the directory that may be rotated ones, because their names begin like that of `path`. Rotation appends to the
/// name, or inserts a date before its extension.
fn others(path: &Path) -> Vec<PathBuf> {
    let (Some(name), Some(stem)) = (path.file_name(), path.file_stem()) else { return Vec::new() };
    let stem = stem.to_string_lossy();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let is_other = |other: &PathBuf| {
        let other = other.file_name();
        other.is_some_and(|other| other != name && other.to_string_lossy().starts_with(&*stem))
    };
    entries.flatten().map(|entry| entry.path()).filter(is_other).take(LOOKED_AT_MAX).collect()
}

/// The files that follow a content: files that were begun and rotated after it, and have not been read.
#[derive(Debug, Default)]
pub(super) struct After {
    /// The oldest of these files.
    pub(super) first: Option<PathBuf>,
    /// Compressed files, which cannot be read.
    pub(super) compressed: Vec<PathBuf>,
    /// New files that may or may not be rotated ones: neither their names nor the file of the content show it.
    pub(super) unclear: Vec<PathBuf>,
}

/// Finds the files that follow `content`. `known` are contents that were read or are being read. `since` is the time at which
/// the file of the content was last written or read, in case it was deleted; if it is `None`, nothing follows a deleted file.
pub(super) fn after(
    path: &Path,
    content: &Content,
    known: &[Content],
    since: Option<SystemTime>,
) -> After {
    let mut after = After::default();
    let found = find(path, content, 0, None).filter(|found| !found.is_named);
    let rank = found.as_ref().and_then(|found| Rank::of(path, &found.path));
    let modified = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    let since = found.map_or(since, |found| modified(&found.path));
    if since.is_none() {
        return after;
    }
    let mut oldest: Option<Rank> = None;
    for other in others(path) {
        let is_known = match Seen::at(&other) {
            Ok(Some(seen)) => {
                seen.length == 0 || known.iter().any(|content| has(&other, &seen, content))
            }
            _ => true,
        };
        if is_known || modified(&other) < since {
            continue;
        }
        let Some(other_rank) = Rank::of(path, &other) else {
            let created = other.metadata().and_then(|found| found.created()).ok();
            if rank.is_none() && created.is_none_or(|created| Some(created) >= since) {
                after.unclear.push(other);
            }
            continue;
        };
        if rank.as_ref().is_some_and(|rank| !other_rank.is_after(rank)) {
            continue;
        }
        if other_rank.is_compressed {
            after.compressed.push(other);
        } else if oldest.as_ref().is_none_or(|oldest| oldest.is_after(&other_rank)) {
            (oldest, after.first) = (Some(other_rank), Some(other));
        }
    }
    after
}

/// Whether a file has a content that was read in it. The inode alone does not tell: a new file may get that of a deleted one.
fn has(path: &Path, seen: &Seen, content: &Content) -> bool {
    let is_empty = content.ended == Some(content.base);
    let head = || File::open(path).and_then(|file| head_of(&file, content.head_bytes));
    seen.is(content)
        && !is_empty
        && head().is_ok_and(|head| head == (content.head_bytes, content.head))
}

/// The order of a rotated file among the others, according to its name.
#[derive(Debug, PartialEq, Eq)]
struct Rank {
    /// A number (1 is the newest) or a date.
    text: String,
    is_compressed: bool,
}

impl Rank {
    /// The rank of a rotated file; `None` if the name is not that of a rotated file.
    fn of(path: &Path, rotated: &Path) -> Option<Self> {
        let (name, rotated) = (path.file_name()?.to_str()?, rotated.file_name()?.to_str()?);
        let plain = ["gz", "bz2", "xz", "zst"]
            .iter()
            .find_map(|end| rotated.strip_suffix(end).and_then(|rest| rest.strip_suffix('.')));
        let rest = plain.unwrap_or(rotated);
        let between = rest.strip_prefix(name).or_else(|| {
            let (stem, extension) = name.rsplit_once('.')?;
            let after = rest.strip_prefix(stem)?;
            let before = after.strip_suffix(extension).and_then(|rest| rest.strip_suffix('.'));
            Some(before.unwrap_or(after))
        })?;
        let text = between.trim_start_matches(['.', '-', '_']);
        let is_rank =
            |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | '_' | ':' | 'T' | 'Z');
        (text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(is_rank))
            .then(|| Self { text: text.to_owned(), is_compressed: plain.is_some() })
    }

    /// Whether the file was rotated after another one.
    fn is_after(&self, other: &Self) -> bool {
        let number = |rank: &Self| rank.text.parse::<u32>().ok().filter(|_| rank.text.len() < 5);
        match (number(self), number(other)) {
            (Some(this), Some(other)) => this < other,
            (None, None) => self.text > other.text,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_that_got_the_inode_of_a_deleted_one_is_not_known() {
        let dir = tempfile::TempDir::new().expect("directory");
        let path = dir.path().join("tickets.ndjson");
        let rotated = dir.path().join("tickets.1");
        std::fs::write(&rotated, "a line that was not read, of a ticket\n").expect("written");
        std::fs::write(&path, "").expect("written");
        let Some(Seen { device, inode, length }) = Seen::at(&rotated).expect("read") else {
            panic!("there is no file")
        };
        let file = File::open(&rotated).expect("opened");
        let (head_bytes, head) = head_of(&file, length).expect("read");
        let read = Content { base: 0, device, inode, head_bytes, head, ended: Some(40) };
        // Was rotated and deleted, so its inode was free.
        let deleted = Content { head: head ^ 1, ..read };
        let empty = Content { head_bytes: 0, head: head_of(&file, 0).expect("read").1, ..read };
        let empty = Content { ended: Some(empty.base), ..empty };
        let last = Content { base: 40, inode: inode ^ 1, head: head ^ 2, ended: None, ..read };
        for (known, expected) in [(read, None), (deleted, Some(&rotated)), (empty, Some(&rotated))]
        {
            let after = after(&path, &last, &[known, last], Some(SystemTime::UNIX_EPOCH));
            assert_eq!(after.first.as_ref(), expected, "{known:?}");
            assert!(after.unclear.is_empty() && after.compressed.is_empty());
        }
    }
}
