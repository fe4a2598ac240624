//! Reports that are sent to receivers.

use super::brief::{brief, work};
use super::extent::{DAYS_USUAL, Extent};
use super::full::full;
use super::text::{Format, Report};
use super::week::Week;
use super::weekly::weekly;
use crate::alert::{DueReport, Notification, ReportKind, ReportText};
use crate::staffing::Rules;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// The report of a notification as it is sent: on the week or the four weeks before it was due, or on planned work. `None` if
/// the notification is a page. `rules` name the teams.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn scheduled(
    reader: &Reader,
    page: &Notification,
    rules: &Rules,
) -> Result<Option<ReportText>, StoreError> {
    let Some(due) = DueReport::of(page) else { return Ok(None) };
    let (zone, language) = (due.zone, due.language);
    let texts = Texts::new(language).local(zone);
    let (report, path) = match due.report {
        ReportKind::Weekly => {
            let week = Week::before(due.due, zone);
            let report = weekly(reader, Some(week), &texts)?;
            (report, format!("weekly?week={week}&language={language}"))
        }
        ReportKind::Full => {
            let to = due.covers_upto();
            let from = zone.days_before(to, DAYS_USUAL);
            let report = full(reader, Some(Extent::of_span((from, to), zone)), rules, &texts)?;
            let [from, to] = [from, to].map(|at| zone.local(at).date());
            (report, format!("full?from={from}&to={to}&language={language}"))
        }
        ReportKind::Brief => {
            let id = due.work.as_ref().map_or("", |work| &*work.id);
            let report = match work(reader, Some(id))? {
                Some(work) => brief(reader, &work, &texts)?,
                None => gone(id, &texts),
            };
            (report, format!("brief?maintenance={}&language={language}", in_query(id)))
        }
    };
    let text = report.write(Format::Markdown);
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    Ok(Some(ReportText {
        title: report.title.clone(),
        text: body.trim().to_owned(),
        html: report.write(Format::Html),
        path: format!("/api/v1/reports/{path}"),
    }))
}

/// The text for planned work that was removed after its brief was due.
fn gone(id: &str, texts: &Texts) -> Report {
    let mut report = Report::new(*texts, texts.text("report-brief-title", args!["id" => id]));
    report.say("report-brief-gone", None);
    report
}

/// A text as a value in the query of a URL.
fn in_query(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
