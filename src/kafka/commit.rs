//! The metadata string beside a committed offset.

use std::fmt::Write as _;

use thiserror::Error;

use crate::domain::{Offset, Timestamp};

/// What brokers allow in a commit's metadata.
pub const METADATA_BYTES_MAX: usize = 4096;

/// What a worker needs beside the offset to decide events again exactly as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Windows that end at or before this are closed; `None` before the first event.
    pub closed: Option<Timestamp>,
    /// Largest offset ever processed; `None` before the first event.
    pub decided_upto: Option<Offset>,
}

/// Why a metadata string cannot be used. Starting over from it would count wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    #[error("commit metadata of {0} bytes, the most is {METADATA_BYTES_MAX}")]
    Long(usize),
    #[error("commit metadata `{0}` is of another version: this one reads `v1 …`")]
    Version(String),
    #[error("commit metadata lacks a readable `{0}`: run `surgecast frontier reset` for the group")]
    Part(&'static str),
}

impl Commit {
    /// `v1 closed=<ms> decided=<offset>`, `-` for what is not there.
    pub fn encode(&self) -> String {
        let mut text = String::from("v1 closed=");
        // Writing to a String cannot fail.
        let _ = match self.closed {
            Some(at) => write!(text, "{}", at.millis()),
            None => write!(text, "-"),
        };
        let _ = match self.decided_upto {
            Some(offset) => write!(text, " decided={offset}"),
            None => write!(text, " decided=-"),
        };
        text
    }

    /// Reads what [`Self::encode`] wrote. Further ` key=value` parts of a later release are ignored.
    ///
    /// # Errors
    /// [`CommitError`] for an unknown version, a missing part or a text that is too long.
    pub fn decode(metadata: &str) -> Result<Self, CommitError> {
        if metadata.len() > METADATA_BYTES_MAX {
            return Err(CommitError::Long(metadata.len()));
        }
        let mut parts = metadata.split(' ');
        if parts.next() != Some("v1") {
            let start = metadata.chars().take(20).flat_map(char::escape_debug).collect();
            return Err(CommitError::Version(start));
        }
        let (mut closed, mut decided) = (None, None);
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key {
                "closed" => closed = Some(value),
                "decided" => decided = Some(value),
                _ => {}
            }
        }
        Ok(Self {
            closed: number(closed, "closed")?.map(Timestamp::from_millis),
            decided_upto: number(decided, "decided")?,
        })
    }
}

fn number(text: Option<&str>, part: &'static str) -> Result<Option<i64>, CommitError> {
    match text {
        Some("-") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| CommitError::Part(part)),
        None => Err(CommitError::Part(part)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_commit_comes_back(closed: Option<i64>, decided_upto: Option<i64>) {
            let commit = Commit { closed: closed.map(Timestamp::from_millis), decided_upto };
            let text = commit.encode();
            prop_assert!(text.len() <= METADATA_BYTES_MAX && text.is_ascii());
            prop_assert_eq!(Commit::decode(&text), Ok(commit));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", tail in "[ a-z0-9=-]{0,40}") {
            let _ = Commit::decode(&text);
            let _ = Commit::decode(&format!("v1{tail}"));
        }
    }

    #[test]
    fn what_cannot_be_used_says_so() {
        for (text, part) in [
            ("", "another version"),
            ("v2 closed=1 decided=1", "another version"),
            ("v1 closed=1", "readable `decided`"),
            ("v1 closed=x decided=1", "readable `closed`"),
            (&"v".repeat(5000), "of 5000 bytes"),
        ] {
            let error = Commit::decode(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
        let later = Commit::decode("v1 closed=5 decided=- more=7").expect("later release");
        assert_eq!(later, Commit { closed: Some(Timestamp::from_millis(5)), decided_upto: None });
    }
}
