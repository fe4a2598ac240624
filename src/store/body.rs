//! Stored bodies: a value packed into one column, with the version of its form in another column.
//!
//! A body is postcard: the fields in their order, without names. A type whose fields change therefore has a new form, and
//! must define how earlier forms are read. Rows from before versions have version 0, the column's default.

use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A value that is stored as a body.
///
/// To add a field: append it to the type, raise [`Body::VERSION`], read the previous form in [`Body::earlier`], and add a
/// sample of the new form to `src/store/tests/forms.rs`. Its tests fail until this is done.
pub trait Body: Serialize + DeserializeOwned {
    /// Version of the form that is written. 0 is the form of releases that did not store versions.
    const VERSION: u32 = 0;

    /// Reads a form with a version below [`Self::VERSION`]. If fields were only appended, use [`with_appended`]. Otherwise
    /// keep the earlier type and use [`converted`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for bytes of another form, or a version that this release cannot read.
    fn earlier(version: u32, _bytes: &[u8]) -> Result<Self, StoreError> {
        Err(unreadable::<Self>(version))
    }
}

/// Encodes a body in the current version.
pub(super) fn encode<T: Body>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value)?)
}

/// Decodes a body of the given version.
pub(super) fn decode<T: Body>(version: u32, bytes: &[u8]) -> Result<T, StoreError> {
    match version {
        now if now == T::VERSION => Ok(postcard::from_bytes(bytes)?),
        before if before < T::VERSION => T::earlier(before, bytes),
        _ => Err(unreadable::<T>(version)),
    }
}

/// Reads a form without the last fields, whose values are given. `fields` is a tuple if there are several.
///
/// # Errors
/// [`StoreError::Corrupt`] for bytes of another form.
pub fn with_appended<T: Body>(bytes: &[u8], fields: &impl Serialize) -> Result<T, StoreError> {
    let whole = postcard::to_extend(fields, bytes.to_vec())?;
    Ok(postcard::from_bytes(&whole)?)
}

/// Reads a body from a column and its version from the next one.
pub(super) fn column<T: Body>(row: &Row<'_>, column: usize) -> Result<T, StoreError> {
    decode(row.get(column + 1)?, bytes(row, column)?)
}

/// Reads a body from a column that may be NULL, and its version from the next one.
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

/// Reads the form of an earlier type `S` and converts it.
///
/// # Errors
/// [`StoreError::Corrupt`] for bytes of another form.
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

    /// The current form. In earlier versions, a note was appended first, then the unit of the number changed.
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
        assert!(decode::<SampleV1>(1, &now).is_err(), "version 1 of `SampleV1` is unknown");
    }
}
