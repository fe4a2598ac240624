//! Finds the file that has a content: the one with the name, or a renamed one or a copy in the same directory.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use anyhow::bail;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::Content;

/// Bytes at the start of a file that identify its content.
const HEAD: u64 = 256;
/// Copies are recognized by a head of at least so many bytes.
const HEAD_MIN: u64 = 32;
/// Most files of the directory that are looked at.
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
    /// # Errors
    /// If it is not a regular file, or its metadata cannot be read.
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

    /// Whether it is the file in which the content was read.
    pub(super) fn is(&self, content: &Content) -> bool {
        (self.device, self.inode) == (content.device, content.inode)
    }
}

/// A file that has a content.
pub(super) struct Found {
    pub(super) file: File,
    /// Whether it has the followed name.
    pub(super) is_named: bool,
}

/// Length and hash of the first bytes of a file, of which `length` bytes are used.
pub(super) fn head_of(file: &File, length: u64) -> io::Result<(u64, u64)> {
    let mut bytes = vec![0; length.min(HEAD) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok((bytes.len() as u64, xxh3_64(&bytes)))
}

/// Finds the file with a content and at least `least` bytes. It is the file in which the content was read, or else a
/// copy with the same head. `without` is the inode of a file that does not count.
pub(super) fn find(
    path: &Path,
    content: &Content,
    least: u64,
    without: Option<u64>,
) -> Option<Found> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Rotation appends to the name, or puts a date before its extension.
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let others = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    let is_other = |other: &std::path::PathBuf| {
        other.file_name().is_some_and(|other| {
            let other = other.to_string_lossy();
            other != name.as_str() && other.starts_with(&stem)
        })
    };
    let others = others.filter(is_other).take(LOOKED_AT_MAX);
    let mut copy = None;
    for other in std::iter::once(path.to_path_buf()).chain(others) {
        let Ok(Some(seen)) = Seen::at(&other) else { continue };
        if seen.length < least || without == Some(seen.inode) {
            continue;
        }
        let Ok(file) = File::open(&other) else { continue };
        let is_same = head_of(&file, content.head_bytes)
            .is_ok_and(|head| head == (content.head_bytes, content.head));
        let found = Found { file, is_named: other == path };
        match (is_same, seen.is(content)) {
            (true, true) => return Some(found),
            (true, false) if content.head_bytes >= HEAD_MIN => _ = copy.get_or_insert(found),
            _ => {}
        }
    }
    copy
}
