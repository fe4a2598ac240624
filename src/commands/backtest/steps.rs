//! The usual step between rows, and incomplete windows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{Timestamp, WindowWidth, format_duration};
use crate::forecast::History;

/// Rows of one series: time and count, ascending.
pub type Rows = Vec<(Timestamp, f64)>;

/// Share of the distances between neighbouring rows that must be equal for a regular step.
const SAME_SHARE: f64 = 0.5;
/// Least share of complete windows at which an incomplete window counts as missing. Below this share, rows with a count of zero
/// were probably left out.
const COMPLETE_SHARE: f64 = 0.9;

/// The usual distance between rows of a series.
pub struct Regular {
    step: Option<Duration>,
}

impl Regular {
    /// Computes the step from all series. Rows have to be in ascending order.
    pub fn of<'a>(series: impl Iterator<Item = &'a Rows>) -> Self {
        let mut distances: BTreeMap<i64, u64> = BTreeMap::new();
        for rows in series {
            for pair in rows.windows(2) {
                let distance = pair[1].0.millis() - pair[0].0.millis();
                if distance > 0 {
                    *distances.entry(distance).or_default() += 1;
                }
            }
        }
        let all: u64 = distances.values().sum();
        let most = distances.into_iter().max_by_key(|(_, n)| *n);
        let most = most.filter(|(_, n)| *n as f64 >= SAME_SHARE * all as f64);
        Self { step: most.map(|(ms, _)| Duration::from_millis(ms.unsigned_abs())) }
    }

    /// Whether rows have no regular step.
    pub fn is_irregular(&self) -> bool {
        self.step.is_none()
    }

    /// Whether a window has exactly one row.
    pub fn is(&self, width: WindowWidth) -> bool {
        self.step == Some(width.length())
    }

    /// The step as text, such as `15m`.
    pub fn shown(&self) -> String {
        self.step.map_or_else(String::new, format_duration)
    }

    /// The default window width.
    pub fn width(&self) -> Result<WindowWidth, String> {
        match self.step {
            Some(step) if step > Duration::from_secs(3600) => Err(self.too_coarse()),
            Some(step) => Ok(WindowWidth::new(step).unwrap_or(WindowWidth::QUARTER)),
            None => Ok(WindowWidth::QUARTER),
        }
    }

    /// Checks that windows of this width are not finer than the rows.
    pub fn fits(&self, width: WindowWidth) -> Result<(), String> {
        match self.step {
            Some(step) if step > width.length() => Err(self.too_coarse()),
            _ => Ok(()),
        }
    }

    fn too_coarse(&self) -> String {
        let step = self.step.unwrap_or_default();
        match WindowWidth::new(step) {
            Ok(_) => format!("rows are {0} apart: use --interval {0}", self.shown()),
            Err(_) if step > Duration::from_secs(3600) => {
                format!(
                    "rows are {} apart: a forecast needs at least one row an hour",
                    self.shown()
                )
            }
            Err(_) => format!("rows are {} apart: use a wider --interval", self.shown()),
        }
    }

    /// Sums ascending rows by window. Windows before `zeros_until`, if given, have a count of zero if they have no row. The
    /// second value is the number of windows left out because they lack rows.
    pub fn sum(
        &self,
        rows: &Rows,
        width: WindowWidth,
        zeros_until: Option<i64>,
    ) -> (History, usize) {
        let windows = windows(rows, width);
        let Some(first) = windows.first().map(|window| window.index) else {
            return (History::new(width, 0), 0);
        };
        let step_ms = self.step.map_or(1, |step| step.as_millis().max(1));
        let wanted = self.step.map_or(1, |_| (width.length().as_millis() / step_ms) as usize);
        let lacking = windows.iter().filter(|window| window.instants < wanted).count();
        let is_strict = zeros_until.is_none()
            && (windows.len() - lacking) as f64 >= COMPLETE_SHARE * windows.len() as f64;
        let mut history = History::new(width, first);
        if let Some(end) = zeros_until {
            history.counts = vec![0.0; usize::try_from(end - first).unwrap_or(0)];
        }
        for window in &windows {
            if !is_strict || window.instants >= wanted {
                history.set(window.index, window.sum as f32);
            }
        }
        (history, if is_strict { lacking } else { 0 })
    }
}

/// Rows of one window.
struct Window {
    index: i64,
    sum: f64,
    /// Number of distinct times of its rows.
    instants: usize,
}

/// Windows with a count, from ascending rows.
fn windows(rows: &Rows, width: WindowWidth) -> Vec<Window> {
    let mut found: Vec<Window> = Vec::new();
    let mut before = None;
    for (at, count) in rows.iter().filter(|(_, count)| !count.is_nan()) {
        let (index, is_new) = (width.index(*at), before != Some(*at));
        before = Some(*at);
        match found.last_mut() {
            Some(last) if last.index == index => {
                last.sum += count;
                last.instants += usize::from(is_new);
            }
            _ => found.push(Window { index, sum: *count, instants: 1 }),
        }
    }
    found
}
