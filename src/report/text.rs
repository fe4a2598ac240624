//! A report as headings, paragraphs, lists and tables in one language, written as Markdown or HTML by templates.

use std::fmt;

use askama::Template;
use askama::filters::Escaper;

use super::plot::Plot;
use crate::text::{Args, Texts};

/// A part of a report. Texts are plain; the templates escape characters with a meaning in markup.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    /// Shown only in HTML. Tables have the same numbers.
    Plot(Plot),
}

/// A report.
pub struct Report {
    /// The texts that it is made of.
    pub texts: Texts,
    pub title: String,
    pub parts: Vec<Part>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Markdown,
    Html,
}

#[derive(Template)]
#[template(path = "report.html")]
struct HtmlReport<'r> {
    report: &'r Report,
}

#[derive(Template)]
#[template(path = "report.md")]
struct MarkdownReport<'r> {
    report: &'r Report,
}

impl Report {
    /// An empty report.
    pub fn new(texts: Texts, title: String) -> Self {
        Self { texts, title, parts: Vec::new() }
    }

    /// Adds a heading, the message `id`.
    pub fn heading(&mut self, id: &str) {
        self.parts.push(Part::Heading(self.texts.text(id, None)));
    }

    /// Adds a paragraph, the message `id` with its arguments.
    pub fn say(&mut self, id: &str, args: Option<Args<'_>>) {
        self.paragraph(self.texts.text(id, args));
    }

    /// Adds sentences as one paragraph.
    pub fn sentences(&mut self, sentences: impl IntoIterator<Item = String>) {
        let sentences: Vec<String> = sentences.into_iter().collect();
        self.paragraph(sentences.join(&self.texts.text("sentence-separator", None)));
    }

    /// Adds a paragraph of given words.
    pub fn paragraph(&mut self, text: String) {
        self.parts.push(Part::Paragraph(text));
    }

    /// Adds a table with the messages `head` above its columns, or the message `none` if it would be empty.
    pub fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>, none: &str) {
        if rows.is_empty() {
            return self.say(none, None);
        }
        let head = head.iter().map(|id| self.texts.text(id, None)).collect();
        self.parts.push(Part::Table { head, rows });
    }

    /// The report in a format.
    #[expect(clippy::expect_used, reason = "a String takes every text, and every part is one")]
    pub fn write(&self, format: Format) -> String {
        let text = match format {
            Format::Markdown => MarkdownReport { report: self }.render(),
            Format::Html => HtmlReport { report: self }.render(),
        };
        text.expect("a String takes every text, and no part of a report fails to be one")
    }
}

/// Escapes text in Markdown: it stays on one line, and nothing in it is markup.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Escaper for Markdown {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\n' | '\r' | '\t' => dest.write_char(' ')?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' => {
                    dest.write_char('\\')?;
                    dest.write_char(c)?;
                }
                c => dest.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn names_are_no_markup() {
        let mut report = Report::new(Texts::new(Language::En), "<b>Week</b>".into());
        report.parts.push(Part::Heading("A & B".into()));
        let rows = vec![vec!["x | <script>\nalert()".into()]];
        report.table(&["report-day"], rows, "report-volume-none");
        report.table(&["report-day"], Vec::new(), "report-volume-none");
        report.paragraph("中国电信: 'a' \"b\" c\\d".into());
        report.parts.push(Part::List(vec!["*one*".into()]));
        insta::assert_snapshot!(report.write(Format::Markdown), @r#"
        # \<b\>Week\</b\>

        ## A \& B

        | Day |
        | --- |
        | x \| \<script\> alert() |

        There are no tickets.

        中国电信: 'a' "b" c\\d

        - \*one\*
        "#);
        let html = report.write(Format::Html);
        let (head, body) = html.split_once("<body>").expect("a body");
        assert!(head.contains("<html lang=\"en\">"), "{head}");
        insta::assert_snapshot!(body, @r"
        <h1>&#60;b&#62;Week&#60;/b&#62;</h1>
        <h2>A &#38; B</h2>
        <table><tr><th>Day</th></tr>
        <tr><td>x | &#60;script&#62;
        alert()</td></tr>
        </table>
        <p>There are no tickets.</p>
        <p>中国电信: &#39;a&#39; &#34;b&#34; c\d</p>
        <ul><li>*one*</li></ul>
        </body></html>
        ");
    }
}
