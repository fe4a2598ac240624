//! Forecast points of recent vintages for open windows, packed: six hours of thousands of series fit in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{SeriesKey, Timestamp};
use crate::forecast::{ForecastPoint, Vintage};

/// Numbers are rounded to thousandths, as in the ledger, so scores are the same after a restart.
const SCALE: f64 = 1000.0;
/// Mean, baseline, level, alarm effect and seven quantiles. Quantiles are differences.
type Numbers = [i64; 11];

/// Forecast points of one issue time for one window.
pub struct IssuedPoints {
    pub issued_at: Timestamp,
    window: Timestamp,
    pub series: Arc<[SeriesKey]>,
    /// One `Option<Numbers>` per series, packed with postcard; `None` if the vintage of the series does not include the window.
    packed: Vec<u8>,
}

impl IssuedPoints {
    /// Forecast points, in the order of `series`.
    pub fn targets(&self) -> impl Iterator<Item = Option<ForecastPoint>> {
        let mut rest = &self.packed[..];
        std::iter::from_fn(move || {
            let (numbers, after) = postcard::take_from_bytes::<Option<Numbers>>(rest).ok()?;
            rest = after;
            Some(numbers.map(|numbers| target(self.window, numbers)))
        })
    }
}

fn target(start: Timestamp, numbers: Numbers) -> ForecastPoint {
    let [mean, baseline, level, alarm_effect, quantiles @ ..] = numbers;
    let [mean, baseline, level, alarm_effect] =
        [mean, baseline, level, alarm_effect].map(|number| number as f64 / SCALE);
    let mut last = 0;
    let quantiles = quantiles.map(|step| {
        last += step;
        last as f64 / SCALE
    });
    ForecastPoint { start, mean, quantiles, baseline, level, alarm_effect }
}

fn numbers(target: &ForecastPoint) -> Numbers {
    let scaled = |number: f64| (number * SCALE).round() as i64;
    let mut last = 0;
    let [a, b, c, d, e, f, g] = target.quantiles.map(|quantile| {
        let step = scaled(quantile).saturating_sub(last);
        last = last.saturating_add(step);
        step
    });
    let [mean, baseline, level, effect] =
        [target.mean, target.baseline, target.level, target.alarm_effect].map(scaled);
    [mean, baseline, level, effect, a, b, c, d, e, f, g]
}

/// Issued points by window, oldest issue first.
#[derive(Default)]
pub struct ForecastPoints {
    by_window: BTreeMap<Timestamp, Vec<IssuedPoints>>,
    /// Series of the newest issue. The next issue usually has the same.
    series: Arc<[SeriesKey]>,
}

impl ForecastPoints {
    /// Takes the vintages of one issue time, in order of their series.
    pub fn push<'a>(
        &mut self,
        issued_at: Timestamp,
        vintages: impl Iterator<Item = &'a Vintage> + Clone,
    ) {
        let same = self.series.iter().eq(vintages.clone().map(|vintage| &vintage.series));
        if !same {
            self.series = vintages.clone().map(|vintage| vintage.series.clone()).collect();
        }
        let longest = vintages.clone().map(|vintage| vintage.targets.len()).max().unwrap_or(0);
        for step in 0..longest {
            let of_step = |vintage: &'a Vintage| vintage.targets.get(step);
            let Some(window) = vintages.clone().find_map(of_step).map(|t| t.start) else {
                continue;
            };
            let mut packed = Vec::new();
            for vintage in vintages.clone() {
                let target = of_step(vintage).filter(|target| target.start == window);
                #[expect(clippy::expect_used, reason = "a Vec grows as it needs to")]
                let longer = postcard::to_extend(&target.map(numbers), packed)
                    .expect("a Vec grows as it needs to");
                packed = longer;
            }
            packed.shrink_to_fit();
            let points = IssuedPoints { issued_at, window, series: self.series.clone(), packed };
            self.by_window.entry(window).or_default().push(points);
        }
    }

    /// Removes and returns the forecast points of a window. Drops those of earlier windows.
    pub fn take(&mut self, window: Timestamp) -> Vec<IssuedPoints> {
        let points = self.by_window.remove(&window).unwrap_or_default();
        self.by_window = self.by_window.split_off(&window);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::WindowWidth;

    #[test]
    fn forecast_points_of_a_window_are_taken_once_by_issue_and_series() {
        let width = WindowWidth::QUARTER;
        let vintage = |series: &str, issued: i64, targets: usize| Vintage {
            series: SeriesKey::parse(series).expect("series"),
            issued_at: width.start(issued),
            targets: (0..targets)
                .map(|step| ForecastPoint {
                    start: width.start(issued + step as i64),
                    mean: 1.234 + step as f64,
                    quantiles: [0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 1e6],
                    baseline: 1.0,
                    level: 1.234,
                    alarm_effect: -0.25,
                })
                .collect(),
            members: Vec::new(),
            causes: Vec::new(),
            surges: None,
            fallback: None,
        };
        let (first, second) = (
            [vintage("a/b/c", 10, 3), vintage("a/b/d", 10, 2)],
            [vintage("a/b/c", 11, 3), vintage("a/b/d", 11, 3), vintage("x/b/d", 11, 3)],
        );
        let mut recent = ForecastPoints::default();
        recent.push(width.start(10), first.iter());
        recent.push(width.start(11), second.iter());
        let points = recent.take(width.start(12));
        let targets: Vec<_> = points
            .iter()
            .map(|points| {
                (points.issued_at, points.series.len(), points.targets().collect::<Vec<_>>())
            })
            .collect();
        let of = |v: &Vintage, step: usize| Some(v.targets[step].clone());
        assert_eq!(
            targets,
            [
                (width.start(10), 2, vec![of(&first[0], 2), None]),
                (width.start(11), 3, second.iter().map(|v| of(v, 1)).collect()),
            ]
        );
        assert!(recent.take(width.start(11)).is_empty());
        assert_eq!(recent.take(width.start(13)).len(), 1);
    }
}
