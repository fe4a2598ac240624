//! Reads the rows of a CSV file, with line numbers.

use csv::{ReaderBuilder, StringRecord};

use super::error::MappingError;

/// The rows of a CSV (RFC 4180), each with the number of its first line. Empty lines are skipped.
///
/// # Errors
/// An unclosed quote, and text after a closing quote. The csv crate accepts both, and an unclosed quote would then
/// include the rest of the file.
pub(super) fn rows(
    text: &str,
) -> impl Iterator<Item = Result<(usize, StringRecord), MappingError>> {
    let reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut line = 1;
    let mut read_to = 0;
    // The reader does not fail: the text is UTF-8, and rows may have different numbers of fields.
    reader.into_records().map_while(Result::ok).map(move |row| {
        let start = row.position().map_or(0, |at| at.byte() as usize);
        let start = text.len() - text[start..].trim_start_matches(['\r', '\n']).len();
        line += newlines(&text[read_to..start]);
        read_to = start;
        check_quotes(&text[start..], &row, line)?;
        Ok((line, row))
    })
}

/// Checks that each quoted field of a row ends with its quote.
fn check_quotes(text: &str, row: &StringRecord, mut line: usize) -> Result<(), MappingError> {
    let mut rest = text;
    for field in row {
        let length = match rest.strip_prefix('"') {
            None => field.len(),
            Some(_) => {
                let length = quoted_length(rest).ok_or(MappingError::Quote { line })?;
                line += newlines(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
        if !(rest.is_empty() || rest.starts_with([',', '\r', '\n'])) {
            return Err(MappingError::AfterQuote { line });
        }
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Ok(())
}

/// The length of the quoted field at the start of `text`. Two quotes in it are an escaped quote.
fn quoted_length(text: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += text[end..].find('"')? + 1;
        if !text[end..].starts_with('"') {
            return Some(end);
        }
        end += 1;
    }
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}
