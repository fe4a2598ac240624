//! The metadata string of a committed offset.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use thiserror::Error;

use crate::domain::{Offset, Timestamp};
use crate::window::{Beside, CommitPoint};

/// Longest commit metadata that brokers accept.
pub const METADATA_BYTES_MAX: usize = 4096;

/// Begins the state that is stored beside a commit, with the version of its format.
const BESIDE: &str = " beside=1.";

/// Why a commit's metadata cannot be used. Resuming without it would count wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
    #[error("commit metadata has {0} bytes, the limit is {METADATA_BYTES_MAX}")]
    Long(usize),
    #[error("commit metadata `{0}` has an unknown version: this release reads `v1 …`")]
    Version(String),
    /// Without any version: not written by surgecast.
    #[error("commit metadata `{0}` was not written by surgecast")]
    Foreign(String),
    #[error("commit metadata lacks a readable `{0}`: run `surgecast frontier reset` for the group")]
    Part(&'static str),
}

impl CommitError {
    /// Whether another program committed the offset.
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign(_))
    }
}

/// Adds the generation of the topic to the metadata of a commit.
pub(super) fn with_generation(metadata: String, generation: Option<&str>) -> String {
    match generation {
        Some(made) => format!("{metadata} made={made}"),
        None => metadata,
    }
}

/// The generation of the topic in the metadata of a commit, see [`with_generation`].
pub(super) fn generation_of(metadata: &str) -> Option<&str> {
    metadata.split(' ').find_map(|part| part.strip_prefix("made="))
}

/// Encodes the metadata of a commit: `v1 closed=<ms> decided=<offset> beside=1.<base64 of postcard>`. The committed offset
/// is `resume_at`.
pub fn encode_commit(point: &CommitPoint) -> String {
    let mut text = format!("v1 closed={} decided={}", point.closed.millis(), point.decided_upto);
    if point.beside != Beside::default()
        && let Ok(beside) = postcard::to_stdvec(&point.beside)
    {
        text.push_str(BESIDE);
        BASE64.encode_string(beside, &mut text);
    }
    text
}

/// Decodes the state that is stored beside a commit.
fn decode_beside(text: &str) -> Option<Beside> {
    let bytes = BASE64.decode(text.strip_prefix("1.")?).ok()?;
    postcard::from_bytes(&bytes).ok()
}

/// Decodes the metadata beside the committed offset `resume_at`, see [`encode_commit`]. Further ` key=value` parts of
/// later releases are ignored.
///
/// # Errors
/// [`CommitError`] for an unknown version, a missing part or too long a text.
pub fn decode_commit(resume_at: Offset, metadata: &str) -> Result<CommitPoint, CommitError> {
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(CommitError::Long(metadata.len()));
    }
    let mut parts = metadata.split(' ');
    let version = parts.next().unwrap_or_default();
    if version != "v1" {
        let start = metadata.chars().take(20).flat_map(char::escape_debug).collect();
        let is_ours = version.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok());
        return Err(if is_ours {
            CommitError::Version(start)
        } else {
            CommitError::Foreign(start)
        });
    }
    let (mut closed, mut decided) = (None, None);
    // Commits of earlier releases have an empty `Beside`.
    let mut beside = Some(Beside::default());
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        match key {
            "closed" => closed = value.parse().ok(),
            "decided" => decided = value.parse().ok(),
            "beside" => beside = decode_beside(value),
            _ => {}
        }
    }
    Ok(CommitPoint {
        resume_at,
        closed: Timestamp::from_millis(closed.ok_or(CommitError::Part("closed"))?),
        decided_upto: decided.ok_or(CommitError::Part("decided"))?,
        beside: beside.ok_or(CommitError::Part("beside"))?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::window::Watermark;

    proptest! {
        #[test]
        fn a_commit_survives_encoding(resume_at: i64, closed: i64, decided_upto: i64) {
            let closed = Timestamp::from_millis(closed);
            let beside = Beside { watermark: Watermark::at(closed), ..Beside::default() };
            let point = CommitPoint { resume_at, closed, decided_upto, beside };
            let text = encode_commit(&point);
            prop_assert!(text.len() <= METADATA_BYTES_MAX && text.is_ascii());
            prop_assert_eq!(decode_commit(resume_at, &text), Ok(point));
        }

        #[test]
        fn any_text_decodes_or_is_refused(text in ".{0,80}", tail in "[ a-z0-9=-]{0,40}") {
            let _ = decode_commit(0, &text);
            let _ = decode_commit(0, &format!("v1{tail}"));
        }
    }

    #[test]
    fn unusable_metadata_names_the_reason() {
        for (text, part) in [
            ("", "not written by surgecast"),
            ("v1.5 closed=1", "not written by surgecast"),
            ("v2 closed=1 decided=1", "unknown version"),
            ("v1 closed=1", "readable `decided`"),
            ("v1 closed=x decided=1", "readable `closed`"),
            ("v1 closed=1 decided=1 beside=2.AA", "readable `beside`"),
            ("v1 closed=1 decided=1 beside=1.A!", "readable `beside`"),
            (&"v".repeat(5000), "has 5000 bytes"),
        ] {
            let error = decode_commit(0, text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
        let made = with_generation("v1 closed=5 decided=4".into(), Some("0a~7"));
        assert_eq!(generation_of(&made), Some("0a~7"));
        assert_eq!(generation_of(&with_generation("v1".into(), None)), None);
        let beside = Beside { watermark: Watermark::at(Timestamp::MAX), ..Beside::default() };
        let point = CommitPoint { beside, ..CommitPoint::start(3) };
        let made = with_generation(encode_commit(&point), Some("0a~7"));
        assert_eq!((decode_commit(3, &made), generation_of(&made)), (Ok(point), Some("0a~7")));
        decode_commit(3, &made).expect("other parts are ignored");
        let later = decode_commit(3, "v1 closed=5 decided=4 more=7").expect("later release");
        let closed = Timestamp::from_millis(5);
        let earlier = CommitPoint { closed, decided_upto: 4, ..CommitPoint::start(3) };
        assert_eq!(later, earlier, "nothing is kept beside commits of earlier releases");
    }
}
