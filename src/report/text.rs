//! A report as headings, paragraphs, lists and tables, written as Markdown or HTML.

use std::fmt::Write as _;

/// A part of a report. Texts are plain: what is markup in them is escaped when they are written.
pub enum Part {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table { head: Vec<&'static str>, rows: Vec<Vec<String>> },
}

/// A report.
pub struct Report {
    pub title: String,
    pub parts: Vec<Part>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Markdown,
    Html,
}

/// For print as for screens; no script, nothing from elsewhere.
const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:24px auto;padding:0 16px;color:#1b2430}\
                     table{border-collapse:collapse;margin:8px 0}td,th{border-bottom:1px solid #dde2e9;padding:3px 10px;text-align:left}\
                     h2{margin-top:24px;break-after:avoid}tr{break-inside:avoid}";

impl Report {
    /// An empty report.
    pub fn new(title: String) -> Self {
        Self { title, parts: Vec::new() }
    }

    /// Adds a heading.
    pub fn heading(&mut self, text: &str) {
        self.parts.push(Part::Heading(text.to_owned()));
    }

    /// Adds a paragraph.
    pub fn say(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Paragraph(text.into()));
    }

    /// A table, or a sentence where it would be empty.
    pub fn table(&mut self, head: &[&'static str], rows: Vec<Vec<String>>, none: &str) {
        if rows.is_empty() {
            self.say(none);
        } else {
            self.parts.push(Part::Table { head: head.to_vec(), rows });
        }
    }

    /// The report in a format.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Markdown => self.markdown(),
            Format::Html => self.html(),
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {}\n", plain(&self.title));
        for part in &self.parts {
            text.push('\n');
            match part {
                Part::Heading(heading) => text += &format!("## {}\n", plain(heading)),
                Part::Paragraph(said) => text += &format!("{}\n", plain(said)),
                Part::List(items) => {
                    items.iter().for_each(|item| text += &format!("- {}\n", plain(item)));
                }
                Part::Table { head, rows } => {
                    text +=
                        &format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                        text += &format!("| {} |\n", cells.join(" | "));
                    }
                }
            }
        }
        text
    }

    fn html(&self) -> String {
        let mut text = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\
             <style>{STYLE}</style></head>\n<body><h1>{0}</h1>\n",
            escaped(&self.title)
        );
        for part in &self.parts {
            match part {
                Part::Heading(heading) => text += &format!("<h2>{}</h2>\n", escaped(heading)),
                Part::Paragraph(said) => text += &format!("<p>{}</p>\n", escaped(said)),
                Part::List(items) => {
                    let items = items.iter().map(|item| format!("<li>{}</li>", escaped(item)));
                    text += &format!("<ul>{}</ul>\n", items.collect::<String>());
                }
                Part::Table { head, rows } => {
                    let row = |cells: String| format!("<tr>{cells}</tr>");
                    let head: String = head.iter().map(|cell| format!("<th>{cell}</th>")).collect();
                    text += &format!("<table>{}\n", row(head));
                    for cells in rows {
                        let cells = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell)));
                        text += &row(cells.collect());
                        text.push('\n');
                    }
                    text += "</table>\n";
                }
            }
        }
        text + "</body></html>\n"
    }
}

/// Text in Markdown: on one line, with what would be markup escaped.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => plain.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                plain.push('\\');
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    plain
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => _ = write!(escaped, "&#{};", u32::from(c)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        let mut report = Report::new("<b>Week</b>".into());
        report.heading("A & B");
        report.table(&["what"], vec![vec!["x | <script>\nalert()".into()]], "none");
        report.table(&["what"], Vec::new(), "none");
        report.parts.push(Part::List(vec!["*one*".into()]));
        insta::assert_snapshot!(report.write(Format::Markdown), @r"
        # \<b\>Week\</b\>

        ## A \& B

        | what |
        | --- |
        | x \| \<script\> alert() |

        none

        - \*one\*
        ");
        let html = report.write(Format::Html);
        assert!(html.contains("<td>x | &#60;script&#62;\nalert()</td>"), "{html}");
        assert!(!html.contains("<script>") && !html.contains("<b>"));
    }
}
