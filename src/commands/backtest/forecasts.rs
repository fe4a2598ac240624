//! `--forecasts`: every forecast as a CSV table.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context as _;

use super::counts::Counts;
use crate::forecast::{QUANTILES, Vintage};

/// A CSV file with one row per forecast point.
pub struct ForecastFile {
    writer: csv::Writer<BufWriter<File>>,
    shown: String,
}

impl ForecastFile {
    /// Creates the file and writes the header.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let file = File::create(path).with_context(|| format!("cannot write {shown}"))?;
        let mut writer = csv::Writer::from_writer(BufWriter::new(file));
        let fixed = ["series", "origin", "target", "lead_minutes", "actual", "mean"];
        let quantiles = QUANTILES.map(|share| format!("q{share}"));
        let header = fixed.into_iter().chain(quantiles.iter().map(String::as_str));
        writer.write_record(header).with_context(|| format!("cannot write {shown}"))?;
        Ok(Self { writer, shown })
    }

    /// Adds the first `windows` forecast points of each vintage of one origin.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(
        &mut self,
        counts: &Counts,
        origin: i64,
        windows: usize,
        vintages: &[Vintage],
    ) -> anyhow::Result<()> {
        let (origin, shift) = (counts.width.start(origin), counts.shift);
        for vintage in vintages {
            let name = counts.names.shown(&vintage.series);
            for target in vintage.targets.iter().take(windows) {
                let index = counts.width.index(target.start);
                let actual = counts.series.get(&vintage.series).map_or(f32::NAN, |h| h.get(index));
                let known = if actual.is_nan() { String::new() } else { actual.to_string() };
                let lead_minutes = target.start.since(origin).as_secs() / 60;
                let mut fields = vec![
                    name.clone(),
                    (origin - shift).to_string(),
                    (target.start - shift).to_string(),
                    lead_minutes.to_string(),
                    known,
                    decimal(target.mean),
                ];
                fields.extend(target.quantiles.map(decimal));
                let written = self.writer.write_record(&fields);
                written.with_context(|| format!("cannot write {}", self.shown))?;
            }
        }
        Ok(())
    }

    /// Flushes the file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush().with_context(|| format!("cannot write {}", self.shown))
    }
}

/// A number with up to four decimals.
fn decimal(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}
