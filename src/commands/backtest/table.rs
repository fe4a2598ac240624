//! CSV with a header: columns by name, errors with file and line.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::commands::usage::UsageError;

/// A CSV file from which some columns are read.
pub struct Table {
    file: String,
    reader: csv::Reader<Box<dyn Read>>,
    /// Position of each column that is read; `None` if the file does not have it.
    columns: Vec<Option<usize>>,
    fields: usize,
    /// Columns that are not read.
    pub ignored: Vec<String>,
    record: StringRecord,
}

/// One line of a [`Table`].
pub struct Row<'a> {
    file: &'a str,
    record: &'a StringRecord,
    columns: &'a [Option<usize>],
}

impl Table {
    /// Opens a file (`-`: standard input) whose header has `required` and may have `optional` columns.
    /// [`Row::get`] numbers them in this order.
    ///
    /// # Errors
    /// [`UsageError`] where the file cannot be read, or a column is missing or named twice.
    pub fn open(path: &Path, required: &[&str], optional: &[&str]) -> Result<Self, UsageError> {
        let file = path.display().to_string();
        let source: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let opened = File::open(path);
            Box::new(opened.map_err(|e| UsageError(format!("cannot open {file}: {e}")))?)
        };
        let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(source);
        let header = reader.headers().map_err(|e| unreadable(&file, &e))?.clone();
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        let mut columns = Vec::new();
        for wanted in required.iter().chain(optional) {
            let mut places = names.iter().enumerate().filter(|(_, name)| name == wanted);
            let place = places.next().map(|(at, _)| at);
            if places.next().is_some() {
                return Err(UsageError(format!("{file}:1: column `{wanted}` is named twice")));
            }
            if place.is_none() && required.contains(wanted) {
                return Err(missing_column(&file, wanted, required, optional, &names));
            }
            columns.push(place);
        }
        let ignored = (0..names.len()).filter(|at| !columns.contains(&Some(*at)));
        let ignored = ignored.map(|at| names[at].clone()).collect();
        let record = StringRecord::new();
        Ok(Self { file, reader, columns, fields: names.len(), ignored, record })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`UsageError`] for a line that is not UTF-8 or has another number of fields than the header.
    pub fn next(&mut self) -> Result<Option<Row<'_>>, UsageError> {
        let more = self.reader.read_record(&mut self.record);
        if !more.map_err(|e| unreadable(&self.file, &e))? {
            return Ok(None);
        }
        let row = Row { file: &self.file, record: &self.record, columns: &self.columns };
        let found = self.record.len();
        if found != self.fields {
            let text = format!("has {found} fields, the header has {}", self.fields);
            return Err(row.error(text));
        }
        Ok(Some(row))
    }
}

impl Row<'_> {
    /// The trimmed text of a column; empty if the file does not have it.
    pub fn get(&self, column: usize) -> &str {
        self.columns[column].and_then(|at| self.record.get(at)).unwrap_or_default()
    }

    /// The number of the line.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// An error at this line.
    pub fn error(&self, text: impl Display) -> UsageError {
        UsageError(format!("{}:{}: {text}", self.file, self.line()))
    }
}

fn missing_column(
    file: &str,
    wanted: &str,
    required: &[&str],
    optional: &[&str],
    found: &[String],
) -> UsageError {
    let mut text =
        format!("{file}:1: no column `{wanted}`: the first line must name {}", required.join(","));
    if !optional.is_empty() {
        text.push_str(&format!(" and may name {}", optional.join(",")));
    }
    match found {
        [] => text.push_str("; the line is empty"),
        [one] if one.contains([';', '\t']) => {
            text.push_str("; separate fields by commas");
        }
        names => text.push_str(&format!("; it names {}", names.join(","))),
    }
    UsageError(text)
}

fn unreadable(file: &str, error: &csv::Error) -> UsageError {
    let line = error.position().map_or(String::new(), |at| format!(":{}", at.line()));
    match error.kind() {
        csv::ErrorKind::Io(error) => UsageError(format!("cannot read {file}: {error}")),
        csv::ErrorKind::Utf8 { .. } => UsageError(format!("{file}{line}: is not UTF-8")),
        _ => UsageError(format!("{file}{line}: {error}")),
    }
}
