//! Stored bodies: a value packed into one column, with the version of its form in a column beside it.
//!
//! A body is postcard: the fields in their order, without names. So a type whose fields change has a new form, and says how
//! the earlier ones are read. Rows from before there were versions have version 0 by the column's default.

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A value that is stored as a body of its own.
///
/// To add a field: append it to the type, raise [`Body::VERSION`], and read the form before in [`Body::earlier`].
/// `src/store/tests/forms.rs` fails until this is done, and wants a sample of the new form.
pub trait Body: Serialize + DeserializeOwned {
    /// Version of the form that is written. 0 is that of programs which stored no version.
    const VERSION: u32 = 0;

    /// Reads a form with a version below [`Self::VERSION`]. [`with_appended`] does where fields were appended only; else the
    /// type as it was stays beside the new one, and is converted.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for bytes that are no such form, or a version that this program cannot read any more.
    fn earlier(version: u32, _bytes: &[u8]) -> Result<Self, StoreError> {
        Err(unreadable::<Self>(version))
    }
}

/// A body in the form of the present version.
pub(super) fn encode<T: Body>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value)?)
}

/// The value of a body with that version.
pub(super) fn decode<T: Body>(version: u32, bytes: &[u8]) -> Result<T, StoreError> {
    match version {
        now if now == T::VERSION => Ok(postcard::from_bytes(bytes)?),
        before if before < T::VERSION => T::earlier(before, bytes),
        _ => Err(unreadable::<T>(version)),
    }
}

/// A form that lacks the fields at its end: reads it with these given. Where several were appended, `fields` is a tuple.
///
/// # Errors
/// [`StoreError::Corrupt`] for bytes that are no such form.
pub fn with_appended<T: Body>(bytes: &[u8], fields: &impl Serialize) -> Result<T, StoreError> {
    let whole = postcard::to_extend(fields, bytes.to_vec())?;
    Ok(postcard::from_bytes(&whole)?)
}

/// The body in a column; its version is in the next one.
pub(super) fn column<T: Body>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    decode(row.get(column + 1)?, bytes(row, column)?)
}

/// The body in a column that may be NULL; its version is in the next one.
pub(super) fn optional<T: Body>(row: &Row<'_>, column: usize) -> Result<Option<T>, StoreError> {
    let bytes = row.get_ref(column)?.as_blob_or_null();
    let bytes = bytes.map_err(|_| StoreError::corrupt("a column holds no bytes"))?;
    bytes.map(|bytes| decode(row.get(column + 1)?, bytes)).transpose()
}

/// The bytes in a column.
pub(super) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    let bytes = row.get_ref(column)?.as_blob();
    bytes.map_err(|_| StoreError::corrupt("a column holds no bytes"))
}

/// A form of an earlier type `S`, converted.
///
/// # Errors
/// [`StoreError::Corrupt`] for bytes that are no such form.
pub fn converted<S: DeserializeOwned, T: From<S>>(bytes: &[u8]) -> Result<T, StoreError> {
    Ok(postcard::from_bytes::<S>(bytes)?.into())
}

fn unreadable<T>(version: u32) -> StoreError {
    let name = std::any::type_name::<T>();
    let name = name.rsplit("::").next().unwrap_or(name);
    StoreError::corrupt(format!("a {name} is stored with version {version}, which is unknown"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// As it is now: a note was appended, then the number got a unit.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        seconds: u32,
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    struct SampleV1 {
        name: String,
        minutes: u32,
        note: Option<String>,
    }

    impl Body for SampleV1 {}

    impl From<SampleV1> for Sample {
        fn from(SampleV1 { name, minutes, note }: SampleV1) -> Self {
            Self { name, seconds: minutes * 60, note }
        }
    }

    impl Body for Sample {
        const VERSION: u32 = 2;

        fn earlier(version: u32, bytes: &[u8]) -> Result<Self, StoreError> {
            match version {
                0 => Ok(with_appended::<SampleV1>(bytes, &None::<String>)?.into()),
                _ => converted::<SampleV1, _>(bytes),
            }
        }
    }

    #[test]
    fn forms_of_every_version_are_read() {
        let sample = |note: Option<&str>| Sample {
            name: "a".into(),
            seconds: 120,
            note: note.map(str::to_owned),
        };
        let without_note = postcard::to_stdvec(&("a", 2u32)).expect("packs");
        assert_eq!(decode::<Sample>(0, &without_note).expect("reads"), sample(None));
        let minutes = postcard::to_stdvec(&("a", 2u32, Some("n"))).expect("packs");
        assert_eq!(decode::<Sample>(1, &minutes).expect("reads"), sample(Some("n")));
        let now = encode(&sample(Some("n"))).expect("packs");
        assert_eq!(decode::<Sample>(2, &now).expect("reads"), sample(Some("n")));
        let error = decode::<Sample>(3, &now).expect_err("is newer").to_string();
        insta::assert_snapshot!(error, @"the store is damaged: a Sample is stored with version 3, which is unknown; restore a backup or start with an empty directory");
        assert!(decode::<SampleV1>(1, &now).is_err(), "no earlier form is known");
    }
}
