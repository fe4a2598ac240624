//! Bytes that are not a JSON object: prefixes that may precede JSON, and names of other formats for error messages.

use super::reject::Reject;

/// The byte order mark of UTF-8.
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Confluent's wire format: a zero, and the number of a schema.
const CONFLUENT_BYTES: usize = 5;

/// Bytes without byte order marks at their start.
pub fn without_bom(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(&BOM) {
        bytes = rest;
    }
    bytes
}

/// The JSON after the five bytes of Confluent's wire format; `None` for other bytes.
pub(super) fn after_confluent(bytes: &[u8]) -> Option<&[u8]> {
    let rest = without_bom(bytes.get(CONFLUENT_BYTES..).filter(|_| bytes[0] == 0)?);
    matches!(rest.trim_ascii_start().first(), Some(b'{' | b'[')).then_some(rest)
}

/// Beginnings of binary files and messages, which cannot be cut into lines.
const BINARY: [(&[u8], &str); 4] = [
    (
        &[0x1f, 0x8b],
        "compressed with gzip: send it uncompressed, over HTTP also with `Content-Encoding: gzip`",
    ),
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        "compressed with zstd: send it uncompressed, over HTTP also with `Content-Encoding: zstd`",
    ),
    (&[0x04, 0x22, 0x4d, 0x18], "compressed with LZ4: send it uncompressed"),
    (b"Obj\x01", "an Avro file: send JSON"),
];
/// Beginnings of texts of other formats.
const TEXTS: [(&[u8], &str); 2] =
    [(b"<", "XML: send JSON"), (b"\"", "a JSON text: send an object")];
const UTF_16: &str = "UTF-16: send UTF-8";

/// Whether the bytes begin like UTF-16: with its byte order mark, or with zeros between characters of ASCII. In a UTF-16 file,
/// each line after the first begins with the second byte of the line break, and the last line may consist of that byte.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0] => true,
        [0, a, 0, b, ..] | [a, 0, b, 0, ..] => *a != 0 && *b != 0,
        [0, a] | [a, 0] => *a != 0,
        _ => false,
    }
}

/// The name of a format that is not UTF-8 text, with advice; `None` for other bytes.
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let known = BINARY.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| *name);
    known.or_else(|| is_utf16(bytes).then_some(UTF_16))
}

/// The reject that names what the bytes are.
pub(super) fn named(bytes: &[u8]) -> Reject {
    let trimmed = bytes.trim_ascii_start();
    let text = || TEXTS.iter().find(|(start, _)| trimmed.starts_with(start)).map(|(_, name)| *name);
    if let Some(name) = foreign(bytes).or_else(text) {
        return Reject::malformed(format!("not a JSON object: it is {name}"));
    }
    if bytes.first() == Some(&0)
        && let Some(schema) = bytes.get(1..CONFLUENT_BYTES).and_then(|id| id.try_into().ok())
    {
        let schema = u32::from_be_bytes(schema);
        return Reject::malformed(format!(
            "not a JSON object: it has Confluent's wire prefix with schema {schema}, such as Avro or Protobuf; \
             send JSON, for example with JsonConverter"
        ));
    }
    let name = match trimmed.first() {
        Some(b'0'..=b'9' | b'-')
            if trimmed.iter().all(|b| b.is_ascii_digit() || b".-+eE".contains(b)) =>
        {
            "a number"
        }
        Some(b't' | b'f') if matches!(trimmed.trim_ascii_end(), b"true" | b"false") => {
            "true or false"
        }
        _ if std::str::from_utf8(bytes).is_err() => "bytes that are not UTF-8",
        _ => "text",
    };
    Reject::malformed(format!("not a JSON object: it is {name}; an event starts with `{{`"))
}
