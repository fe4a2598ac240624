//! The step at which rows come, and what it says about a window that has only some of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::counts::Rows;
use crate::app::config::show_length;
use crate::domain::WindowWidth;
use crate::forecast::History;

/// Share of the distances between neighbouring rows that has to be the same for a step.
const SAME_SHARE: f64 = 0.5;
/// Share of the windows that have to have all of their rows, or rows are left out where nothing came.
const COMPLETE_SHARE: f64 = 0.9;

/// The usual distance between rows of a series.
pub struct Regular {
    step: Option<Duration>,
}

impl Regular {
    /// Looks at all series.
    pub fn of<'a>(series: impl Iterator<Item = &'a Rows>) -> Self {
        let mut distances: BTreeMap<i64, u64> = BTreeMap::new();
        for rows in series {
            let instants: BTreeSet<i64> = rows.iter().map(|(at, _)| at.millis()).collect();
            for (earlier, later) in instants.iter().zip(instants.iter().skip(1)) {
                *distances.entry(later - earlier).or_default() += 1;
            }
        }
        let all: u64 = distances.values().sum();
        let most = distances.into_iter().max_by_key(|(_, n)| *n);
        let most = most.filter(|(_, n)| *n as f64 >= SAME_SHARE * all as f64);
        Self { step: most.map(|(ms, _)| Duration::from_millis(ms.unsigned_abs())) }
    }

    /// Rows come when they come.
    pub fn is_irregular(&self) -> bool {
        self.step.is_none()
    }

    /// The step, for people.
    pub fn shown(&self) -> String {
        self.step.map_or_else(String::new, show_length)
    }

    /// The width to use where none is asked for.
    pub fn width(&self) -> Result<WindowWidth, String> {
        match self.step {
            Some(step) if step > Duration::from_secs(3600) => Err(self.too_coarse()),
            Some(step) => Ok(WindowWidth::new(step).unwrap_or(WindowWidth::QUARTER)),
            None => Ok(WindowWidth::QUARTER),
        }
    }

    /// Whether windows of `width` can be filled from such rows.
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
                    "rows are {} apart: forecasts of six hours need one an hour at least",
                    self.shown()
                )
            }
            Err(_) => format!("rows are {} apart: use a wider --interval", self.shown()),
        }
    }

    /// Sums rows up. Windows up to `zeros_until`, if that is given, are zero where there is no row.
    /// Second: windows left out for they lack rows.
    pub fn sum(
        &self,
        rows: &Rows,
        width: WindowWidth,
        zeros_until: Option<i64>,
    ) -> (History, usize) {
        let mut windows: BTreeMap<i64, (f64, BTreeSet<i64>)> = BTreeMap::new();
        for (at, count) in rows.iter().filter(|(_, count)| !count.is_nan()) {
            let (sum, instants) = windows.entry(width.index(*at)).or_default();
            *sum += count;
            instants.insert(at.millis());
        }
        let wanted = self
            .step
            .map_or(1, |step| (width.length().as_millis() / step.as_millis().max(1)) as usize);
        let is_complete = |instants: &BTreeSet<i64>| instants.len() >= wanted;
        let complete = windows.values().filter(|(_, instants)| is_complete(instants)).count();
        let is_strict =
            zeros_until.is_none() && complete as f64 >= COMPLETE_SHARE * windows.len() as f64;
        let Some(first) = windows.keys().next().copied() else {
            return (History::new(width, 0), 0);
        };
        let mut history = History::new(width, first);
        if let Some(end) = zeros_until {
            history.counts = vec![0.0; usize::try_from(end - first).unwrap_or(0)];
        }
        let mut left_out = 0;
        for (index, (sum, instants)) in windows {
            if is_strict && !is_complete(&instants) {
                left_out += 1;
            } else {
                history.set(index, sum as f32);
            }
        }
        (history, left_out)
    }
}
