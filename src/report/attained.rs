//! The service level that the contacts of a span attained.

use super::extent::Counted;
use super::text::Report;
use super::wording::{ROWS_MAX, named};
use crate::domain::SeriesKey;
use crate::staffing::Rules;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};
use crate::views::{Service, ServiceReader, ServiceRow};

/// Attained service of a span.
pub struct AttainedService {
    /// All series of the report; `None` if nothing is known about tickets.
    pub total: Option<Service>,
    /// Series with what their plans expected, the series with the most contacts first.
    series: Vec<(SeriesKey, Service)>,
}

impl AttainedService {
    /// Reads the attained service of a span.
    pub fn read(reader: &Reader, counted: &Counted, rules: &Rules) -> Result<Self, StoreError> {
        let (service, span) = (ServiceReader::new(reader)?, counted.span);
        let (whole, extent) = (counted.extent.total(), &counted.extent);
        let admits = |key: &SeriesKey| *key == whole || (!key.is_roll_up() && extent.admits(key));
        let mut found = service.sums(rules, span, admits)?;
        let at = found.iter().position(|(key, _)| *key == whole);
        let total = at.map(|at| found.remove(at).1).filter(|own| own.total.offered > 0);
        found.retain(|(_, own)| own.total.offered > 0);
        found.sort_by(|a, b| b.1.total.offered.cmp(&a.1.total.offered).then(a.0.cmp(&b.0)));
        found.truncate(ROWS_MAX);
        for (series, own) in &mut found {
            let row = ServiceRow::Series(series, rules.profile_of(series));
            *own = service.together(std::slice::from_ref(series), span, &row)?;
        }
        Ok(Self { total, series: found })
    }

    /// The sentence about all series.
    pub fn sentence(&self, texts: &Texts) -> Option<String> {
        let total = &self.total.as_ref()?.total;
        total.service_level?;
        let args = args![
            "n" => total.judged,
            "share" => texts.percent(total.service_level),
            "abandoned" => texts.percent(total.abandonment),
        ];
        Some(texts.text("report-service-sum", args))
    }

    /// Adds the sum and the series.
    pub fn list(&self, report: &mut Report) {
        let texts = report.texts;
        report.heading("report-service");
        if self.total.is_none() {
            return report.say("report-service-none", None);
        }
        if let Some(sum) = self.sentence(&texts) {
            report.paragraph(sum);
        }
        let dash = || "–".to_owned();
        let seconds =
            |n: Option<u64>| n.map_or_else(dash, |n| texts.text("report-seconds", args!["n" => n]));
        let rows = self.series.iter().map(|(series, own)| {
            let figures = &own.total;
            vec![
                named(&texts, series),
                own.target.clone().unwrap_or_else(dash),
                texts.number(f64::from(figures.offered), 0),
                texts.percent(figures.service_level),
                texts.percent(figures.expected_service_level),
                texts.percent(figures.abandonment),
                seconds(figures.first_response_p90_seconds),
            ]
        });
        let head = [
            "report-staffing-series",
            "report-service-target",
            "report-service-offered",
            "report-service-level",
            "report-service-expected",
            "report-service-abandoned",
            "report-service-p90",
        ];
        report.table(&head, rows.collect(), "report-service-none");
        report.say("report-service-help", None);
    }
}
