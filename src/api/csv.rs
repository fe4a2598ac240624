//! Lists as CSV: one layer over the JSON answers, for readers that ask for `text/csv`.
//!
//! A row is an element of the list. Where elements hold a list of windows or leads, each of these is a row, with the fields of
//! its element before its own. Nested fields are columns with dots in their names: `quantiles.0.5`.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::problem::Problem;

/// Names of lists inside an element. Each of their entries becomes a row.
const INNER: [&str; 3] = ["targets", "windows", "leads"];
/// Name of the list in an answer that is an object with the list and sums.
const OUTER: &str = "rows";
/// A spreadsheet reads a text that begins with one of these characters as a formula.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
const KIND: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8; header=present");

/// JSON with its fields in their order.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Node {
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(IndexMap<String, Node>),
    Null(()),
}

/// Answers with CSV where the request prefers it; all other answers stay as they are.
pub async fn layer(request: Request, next: Next) -> Response {
    let csv_preference = if request.method() == Method::GET {
        csv_preference(request.headers())
    } else {
        CsvPreference::No
    };
    let name = request.uri().path().trim_matches('/').replace('/', "-");
    let mut response = next.run(request).await;
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(is_json);
    if is_json {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    }
    if csv_preference == CsvPreference::No || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(json) = to_bytes(body, usize::MAX).await else {
        return Problem::busy("the answer was interrupted: try again").into_response();
    };
    let rows = if is_json { serde_json::from_slice(&json).ok().and_then(rows) } else { None };
    let Some(csv) = rows.and_then(|rows| written(&rows)) else {
        if csv_preference == CsvPreference::Only {
            let detail =
                "this answer is not a list, and only lists are sent as CSV: use another Accept";
            return Problem::new(StatusCode::NOT_ACCEPTABLE, detail).into_response();
        }
        return Response::from_parts(parts, Body::from(json));
    };
    parts.headers.insert(header::CONTENT_TYPE, KIND);
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Ok(name) = format!("attachment; filename=\"{name}.csv\"").parse() {
        parts.headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Response::from_parts(parts, Body::from(csv))
}

/// Which format a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CsvPreference {
    No,
    /// CSV if the answer is a list, otherwise JSON.
    Preferred,
    Only,
}

fn csv_preference(headers: &HeaderMap) -> CsvPreference {
    let (mut csv, mut json, mut others) = (0.0, 0.0, 0.0_f64);
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let weight = weight.map_or(1.0, |text| text.parse::<f64>().unwrap_or(0.0));
        match kind.as_str() {
            "text/csv" => csv = weight,
            "application/json" => json = weight,
            _ => others = others.max(weight),
        }
    }
    if csv <= 0.0 || json > csv {
        CsvPreference::No
    } else if json > 0.0 || others > 0.0 {
        CsvPreference::Preferred
    } else {
        CsvPreference::Only
    }
}

/// Columns and cells of a row.
type Row = Vec<(String, String)>;

/// The rows of a list; `None` if the answer is not a list.
fn rows(answer: Node) -> Option<Vec<Row>> {
    let list = match answer {
        Node::List(list) => list,
        Node::Object(mut object) => match object.shift_remove(OUTER) {
            Some(Node::List(list)) => list,
            Some(_) => return None,
            None if INNER.iter().any(|key| object.contains_key(*key)) => vec![Node::Object(object)],
            None => return None,
        },
        _ => return None,
    };
    let mut rows = Vec::new();
    for element in list {
        let Node::Object(mut object) = element else { return None };
        let inner = INNER.iter().find_map(|key| object.shift_remove(*key));
        let mut own = Row::new();
        flatten("", object, &mut own);
        let Some(Node::List(inner)) = inner else {
            rows.push(own);
            continue;
        };
        for entry in inner {
            let Node::Object(entry) = entry else { return None };
            let mut row = own.clone();
            flatten("", entry, &mut row);
            rows.push(row);
        }
    }
    Some(rows)
}

fn flatten(prefix: &str, object: IndexMap<String, Node>, row: &mut Row) {
    for (key, value) in object {
        let column = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Node::Object(inner) => flatten(&column, inner, row),
            other => row.push((column, cell(other))),
        }
    }
}

/// A list of plain values is one cell; a list of objects is JSON.
fn cell(value: Node) -> String {
    match value {
        Node::Null(()) => String::new(),
        Node::Bool(value) => value.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Text(text) => safe(text),
        Node::List(list) if list.is_empty() => String::new(),
        Node::List(list) if !list.iter().any(|v| matches!(v, Node::List(_) | Node::Object(_))) => {
            safe(list.into_iter().map(cell).collect::<Vec<_>>().join("; "))
        }
        other => serde_json::to_string(&other).unwrap_or_default(),
    }
}

/// The text, changed so that no spreadsheet reads it as a formula.
fn safe(text: String) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
}

/// One header for all rows: the columns in the order in which they first appear.
fn written(rows: &[Row]) -> Option<Vec<u8>> {
    let columns: IndexSet<&str> =
        rows.iter().flatten().map(|(column, _)| column.as_str()).collect();
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if !columns.is_empty() {
        writer.write_record(columns.iter().map(|column| safe((*column).to_owned()))).ok()?;
    }
    let mut cells = vec![""; columns.len()];
    for row in rows {
        cells.fill("");
        for (column, cell) in row {
            if let Some(at) = columns.get_index_of(column.as_str()) {
                cells[at] = cell;
            }
        }
        writer.write_record(&cells).ok()?;
    }
    writer.into_inner().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv_of(json: &str) -> Option<String> {
        let rows = rows(serde_json::from_str(json).expect("JSON"))?;
        Some(String::from_utf8(written(&rows).expect("written")).expect("UTF-8"))
    }

    #[test]
    fn lists_become_tables() {
        let cases = [
            (r#"[{"b":1,"a":"x"},{"a":null,"c":true}]"#, "b,a,c\r\n1,x,\r\n,,true\r\n"),
            (r#"[{"q":{"0.1":1.0,"0.5":-2}}]"#, "q.0.1,q.0.5\r\n1.0,-2\r\n"),
            (
                r#"{"region":"北","causes":[{"what":"a"}],"targets":[{"start":"t","n":1},{"start":"u","n":2}]}"#,
                "region,causes,start,n\r\n北,\"[{\"\"what\"\":\"\"a\"\"}]\",t,1\r\n北,\"[{\"\"what\"\":\"\"a\"\"}]\",u,2\r\n",
            ),
            (r#"{"series":9,"rows":[{"a":1}]}"#, "a\r\n1\r\n"),
            (
                r#"[{"members":["a","b"],"say":"x, \"y\"\nz"}]"#,
                "members,say\r\na; b,\"x, \"\"y\"\"\nz\"\r\n",
            ),
            ("[]", ""),
        ];
        for (json, expected) in cases {
            assert_eq!(csv_of(json).as_deref(), Some(expected), "{json}");
        }
        for json in [r#"{"version":"1"}"#, "[1,2]", "7", "null"] {
            assert_eq!(csv_of(json), None, "{json}");
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"] {
            let json = serde_json::to_string(&serde_json::json!([{ "a": text }])).expect("JSON");
            let csv = csv_of(&json).expect("a table");
            let cell = csv.split("\r\n").nth(1).expect("a row").trim_matches('"').to_owned();
            assert_eq!(cell, format!("'{text}"));
        }
        assert_eq!(csv_of(r#"[{"a":-1.5}]"#).as_deref(), Some("a\r\n-1.5\r\n"));
    }

    #[test]
    fn the_request_decides() {
        let cases = [
            ("", CsvPreference::No),
            ("*/*", CsvPreference::No),
            ("text/html,application/xhtml+xml,*/*;q=0.8", CsvPreference::No),
            ("text/csv", CsvPreference::Only),
            ("text/csv;q=0", CsvPreference::No),
            ("application/json, text/csv;q=0.5", CsvPreference::No),
            ("text/csv, application/json;q=0.5", CsvPreference::Preferred),
            ("TEXT/CSV ; q=0.9 , */*;q=0.1", CsvPreference::Preferred),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().expect("a header"));
            assert_eq!(csv_preference(&headers), expected, "{accept}");
        }
    }
}
