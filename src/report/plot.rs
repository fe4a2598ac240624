//! A small plot of actual counts, forecasts and their 80 % band. The template writes it as inline SVG.

use std::fmt::Write as _;

use crate::domain::Timestamp;
use crate::text::{Texts, args};

/// Width of a plot in pixels.
pub const WIDTH: f64 = 720.0;
/// Height of a plot in pixels.
pub const HEIGHT: f64 = 220.0;
// Room for the labels of the axes.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;
/// Maximum number of labels on the time axis.
const LABELS_MAX: usize = 7;

/// One window.
pub struct Point {
    pub at: Timestamp,
    /// `None` if it is not known.
    pub actual: Option<f64>,
    /// Low end of the band, expected count, high end of the band.
    pub expected: Option<(f64, f64, f64)>,
}

/// A label at a place of an axis, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub at: String,
    pub text: String,
}

/// A plot: paths of SVG, which consist of numbers only, and texts, which the template escapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    pub title: String,
    pub band: String,
    pub expected: String,
    pub actual: String,
    /// Labels of the axis of time and of the axis of counts.
    pub times: Vec<Label>,
    pub counts: Vec<Label>,
    /// The title, and what the lines and the band show.
    pub key: String,
}

impl Plot {
    /// A plot of windows in order of time.
    pub fn new(title: &str, points: &[Point], texts: &Texts) -> Self {
        let tops = points
            .iter()
            .flat_map(|point| [point.actual, point.expected.map(|(_, mean, high)| mean.max(high))]);
        let step = step(tops.flatten().fold(1.0, f64::max));
        let top = step * 4.0;
        let last = points.len().saturating_sub(1).max(1) as f64;
        let x = |n: usize| LEFT + (WIDTH - LEFT - RIGHT) * n as f64 / last;
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / top).min(1.0);
        let line = |value: &dyn Fn(&Point) -> Option<f64>| {
            path(points.iter().enumerate().map(|(n, p)| value(p).map(|v| (x(n), y(v)))))
        };
        let short = texts.without_year();
        let every = points.len().div_ceil(LABELS_MAX).max(1);
        let time = |(n, point): (usize, &Point)| Label {
            at: format!("{:.0}", x(n)),
            text: short.day_time(point.at),
        };
        let count = |n: u32| Label {
            at: format!("{:.0}", y(step * f64::from(n))),
            text: texts.number(step * f64::from(n), 1),
        };
        Self {
            title: title.to_owned(),
            band: band(points, x, y),
            expected: line(&|point| point.expected.map(|(_, mean, _)| mean)),
            actual: line(&|point| point.actual),
            times: points.iter().enumerate().step_by(every).map(time).collect(),
            counts: (0..=4).map(count).collect(),
            key: texts.text("report-plot-key", args!["title" => title]),
        }
    }
}

/// A round number; four times this number is at least `most`.
fn step(most: f64) -> f64 {
    let unit = 10f64.powf((most / 4.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * unit);
    steps.into_iter().find(|step| step * 4.0 >= most).unwrap_or(unit * 10.0)
}

/// A line through points. Where one is missing, the line has a gap.
fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let (mut text, mut is_drawn) = (String::new(), false);
    for point in points {
        if let Some((x, y)) = point {
            // Writing to a String does not fail.
            let _ = write!(text, "{}{x:.0} {y:.0}", if is_drawn { 'L' } else { 'M' });
        }
        is_drawn = point.is_some();
    }
    text
}

/// The area of the band, one path for each run of points that have a band.
fn band(points: &[Point], x: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> String {
    let ends: Vec<(usize, Option<(f64, f64)>)> = points
        .iter()
        .map(|point| point.expected.map(|(low, _, high)| (low, high)))
        .enumerate()
        .collect();
    let mut text = String::new();
    for run in ends.split(|(_, ends)| ends.is_none()).filter(|run| !run.is_empty()) {
        let known = || run.iter().filter_map(|(n, ends)| ends.map(|ends| (*n, ends)));
        let up = known().map(|(n, (_, high))| Some((x(n), y(high))));
        let down: Vec<_> = known().map(|(n, (low, _))| Some((x(n), y(low)))).collect();
        text.push_str(&path(up.chain(down.into_iter().rev())));
        text.push('Z');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HOUR;
    use crate::text::Language;

    #[test]
    fn steps_are_round_and_reach_the_largest_value() {
        for (most, expected) in [(1.0, 0.25), (8.0, 2.0), (9.0, 2.5), (41.0, 20.0), (390.0, 100.0)]
        {
            assert!((step(most) - expected).abs() < 1e-9, "{most}: {}", step(most));
        }
    }

    #[test]
    fn unknown_points_are_gaps() {
        let start = Timestamp::parse("2026-03-02T00:00:00Z").expect("a time");
        let point = |n: u32, actual, expected| Point { at: start + HOUR * n, actual, expected };
        let band = Some((10.0, 20.0, 30.0));
        let points = [
            point(0, Some(40.0), band),
            point(1, None, band),
            point(2, Some(0.0), None),
            point(3, Some(20.0), band),
        ];
        let plot = Plot::new("<t>", &points, &Texts::new(Language::En));
        assert_eq!(plot.actual, "M48 8M491 196L712 102");
        assert_eq!(plot.expected, "M48 102L269 102M712 102");
        assert_eq!(plot.band, "M48 55L269 55L269 149L48 149ZM712 55L712 149Z");
        assert_eq!(plot.times.len(), 4);
        assert_eq!(plot.counts[4], Label { at: "8".into(), text: "40".into() });
    }
}
