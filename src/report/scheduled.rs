//! Reports that are sent to receivers.

use super::extent::{DAYS_USUAL, Extent};
use super::full::full;
use super::text::Format;
use super::week::Week;
use super::weekly::weekly;
use crate::alert::{DueReport, Notification, ReportKind, ReportText};
use crate::staffing::Rules;
use crate::store::{Reader, StoreError};
use crate::text::Texts;

/// The report of a notification as it is sent: on the week or the four weeks before it was due. `None` if the notification is a
/// page. `rules` name the teams.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn scheduled(
    reader: &Reader,
    page: &Notification,
    rules: &Rules,
) -> Result<Option<ReportText>, StoreError> {
    let Some(due) = DueReport::of(page) else { return Ok(None) };
    let DueReport { zone, language, .. } = due;
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
