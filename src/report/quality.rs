//! The quality of the data of a span: windows without a count, late events, dead letters.

use std::collections::BTreeMap;

use super::extent::Counted;
use super::text::Report;
use crate::domain::Reason;
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Data that are missing or were not counted.
pub struct Quality {
    /// Windows without a count, and all windows.
    pub missing: u32,
    pub windows: usize,
    /// Events that were too late to be counted.
    pub late: u64,
    /// Dead letters received in the span, by reason. They have no region, so a report on some regions has `None`.
    pub letters: Option<BTreeMap<Reason, u64>>,
}

impl Quality {
    /// Reads the quality of a span.
    pub fn read(reader: &Reader, counted: &Counted) -> Result<Self, StoreError> {
        let (from, to) = counted.span;
        let letters = counted.extent.is_whole().then(|| reader.dead_letters_between(from, to));
        Ok(Self {
            missing: counted.missing(),
            windows: counted.windows.len(),
            late: counted.windows.iter().map(|window| u64::from(window.late)).sum(),
            letters: letters.transpose()?,
        })
    }

    /// Number of all dead letters, and their most frequent reason.
    pub fn rejected(&self) -> Option<(u64, Reason)> {
        let letters = self.letters.as_ref()?;
        let most = letters.iter().max_by_key(|(_, n)| **n)?;
        Some((letters.values().sum(), *most.0))
    }

    /// Adds the paragraph on data quality.
    pub fn list(&self, report: &mut Report) {
        let texts = report.texts;
        report.heading("report-quality");
        let args = args!["n" => self.missing, "of" => self.windows];
        let missing = texts.text("report-quality-missing", args);
        let late = texts.text("report-quality-late", args!["n" => self.late]);
        report.sentences([missing, late]);
        let Some(letters) = &self.letters else { return report.say("report-quality-part", None) };
        let mut letters: Vec<_> = letters.iter().collect();
        letters.sort_by_key(|(reason, n)| (std::cmp::Reverse(**n), **reason));
        let rows = letters
            .into_iter()
            .map(|(reason, n)| vec![reason_words(*reason, &texts), texts.number(*n as f64, 0)]);
        let head = ["report-quality-reason", "report-quality-letters"];
        report.table(&head, rows.collect(), "report-quality-none");
    }
}

/// A reason in words.
pub fn reason_words(reason: Reason, texts: &Texts) -> String {
    texts.text(&format!("reason_{}", reason.as_str()), None)
}
