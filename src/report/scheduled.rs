//! Reports that are sent to receivers.

use super::text::Format;
use super::week::Week;
use super::weekly::weekly;
use crate::alert::{DueReport, Notification, ReportKind, ReportText};
use crate::store::{Reader, StoreError};
use crate::text::Texts;

/// The report of a notification as it is sent: on the week before it was due. `None` if the notification is a page.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn scheduled(reader: &Reader, page: &Notification) -> Result<Option<ReportText>, StoreError> {
    let Some(DueReport { report: ReportKind::Weekly, due, zone, language }) = DueReport::of(page)
    else {
        return Ok(None);
    };
    let week = Week::before(due, zone);
    let report = weekly(reader, Some(week), &Texts::new(language).local(zone))?;
    let text = report.write(Format::Markdown);
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    Ok(Some(ReportText {
        title: report.title.clone(),
        text: body.trim().to_owned(),
        html: report.write(Format::Html),
        path: format!("/api/v1/reports/weekly?week={week}&language={language}"),
    }))
}
