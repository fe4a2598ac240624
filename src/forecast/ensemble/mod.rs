//! surgecast's own forecaster: regressions on busyness ratios over a weekly profile, combined and calibrated.

mod counts;
mod design;
mod fit;
mod frame;
mod ridge;
mod season;

use std::collections::BTreeMap;

use self::fit::Fitted;
use self::frame::Frame;
use self::season::Season;
use super::{HORIZON, History, Model, Past, Target, Vintage};
use crate::domain::{SeriesKey, WindowWidth};

/// Weeks that a fit reads, and more of them where windows are wide.
const WEEKS: usize = 9;
const WINDOWS: usize = 8_760;

/// The product's own model.
#[derive(Debug, Default)]
pub struct Ensemble {
    fits: BTreeMap<SeriesKey, Fitted>,
}

fn span(width: WindowWidth) -> usize {
    let week = 7 * 86_400 / width.secs() as usize;
    (WEEKS * week).max(WINDOWS)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Ensemble {
    fn vintage(
        series: &SeriesKey,
        history: &History,
        frame: &Frame,
        fitted: &Fitted,
        origin: i64,
    ) -> Option<Vintage> {
        let width = history.width;
        let targets = width.per(HORIZON);
        let season = Season::new(frame, history, (origin - frame.first) as usize);
        let means = fitted.means(frame, &season, targets);
        let targets = means.into_iter().enumerate().map(|(step, mean)| {
            let t = season.known + step;
            let (mean, factor) = mean?;
            let baseline = if season.closed[t] { 0.0 } else { season.base[t] };
            Some(Target {
                start: width.start(origin + step as i64),
                mean: rounded(mean),
                quantiles: fitted.quantiles(frame, step, mean, factor),
                baseline: rounded(baseline),
                level: rounded(if baseline > 0.0 { mean / baseline } else { 1.0 }),
                alarm_effect: 0.0,
            })
        });
        Some(Vintage {
            series: series.clone(),
            issued_at: width.start(origin),
            targets: targets.collect::<Option<_>>()?,
            members: vec!["ratio".into(), "difference".into()],
            fallback: None,
        })
    }
}

impl Model for Ensemble {
    fn name(&self) -> &'static str {
        "surgecast"
    }

    fn fit(&mut self, past: &Past<'_>, origin: i64) {
        self.fits.clear();
        let targets = past.width.per(HORIZON);
        for (series, history) in past.series {
            let first = history.first.max(origin - span(past.width) as i64);
            if first >= origin {
                continue;
            }
            let known = (origin - first) as usize;
            let frame = Frame::new(past.place_of(series), past.width, first, known);
            let season = Season::new(&frame, history, known);
            if let Some(fitted) = Fitted::new(&frame, &season, targets) {
                self.fits.insert(series.clone(), fitted);
            }
        }
    }

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        let targets = past.width.per(HORIZON);
        past.series
            .iter()
            .filter_map(|(series, history)| {
                let fitted = self.fits.get(series)?;
                let len = (origin - fitted.first) as usize + targets;
                let frame = Frame::new(past.place_of(series), past.width, fitted.first, len);
                Self::vintage(series, history, &frame, fitted, origin)
            })
            .collect()
    }
}
