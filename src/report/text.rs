//! A report as headings, paragraphs, lists and tables, written as Markdown or HTML by the templates beside this file.

use std::fmt;

use askama::Template;
use askama::filters::Escaper;

/// A part of a report. Texts are plain: the templates escape what is markup in them.
#[derive(Clone, Debug, PartialEq)]
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

    #[test]
    fn names_are_no_markup() {
        let mut report = Report::new("<b>Week</b>".into());
        report.heading("A & B");
        report.table(&["what"], vec![vec!["x | <script>\nalert()".into()]], "none");
        report.table(&["what"], Vec::new(), "none");
        report.say("中国电信: 'a' \"b\" c\\d");
        report.parts.push(Part::List(vec!["*one*".into()]));
        insta::assert_snapshot!(report.write(Format::Markdown), @r#"
        # \<b\>Week\</b\>

        ## A \& B

        | what |
        | --- |
        | x \| \<script\> alert() |

        none

        中国电信: 'a' "b" c\\d

        - \*one\*
        "#);
        let html = report.write(Format::Html);
        let (_, body) = html.split_once("<body>").expect("a body");
        insta::assert_snapshot!(body, @r"
        <h1>&#60;b&#62;Week&#60;/b&#62;</h1>
        <h2>A &#38; B</h2>
        <table><tr><th>what</th></tr>
        <tr><td>x | &#60;script&#62;
        alert()</td></tr>
        </table>
        <p>none</p>
        <p>中国电信: &#39;a&#39; &#34;b&#34; c\d</p>
        <ul><li>*one*</li></ul>
        </body></html>
        ");
    }
}
