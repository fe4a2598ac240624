//! A daily ETS: subtracts the daily profile, and forecasts the remainder by augurs' AutoETS without seasons.

use augurs::Fit;
use augurs::ets::AutoETS;

use super::grid::Grid;
use super::{intervals, target_starts, vintages};
use crate::domain::Zone;
use crate::forecast::{History, Model, Past, Vintage};

/// Number of days of the daily profile.
const DAYS: usize = 28;

/// The open hours, and by slot of the day the usual difference to the mean of the day.
struct Day {
    grid: Grid,
    above: Vec<f64>,
}

/// A model without state: it is refitted at each origin.
pub struct EtsDaily;

/// Counts of the last [`DAYS`] days.
fn recent(grid: &Grid, history: &History, origin: i64) -> Option<(i64, Vec<f64>)> {
    grid.lay(history, origin, grid.per_week() * DAYS / 7)
}

fn daily_profile(history: &History, zone: Zone, origin: i64) -> Option<Day> {
    let grid = Grid::of(history, zone, origin)?;
    let (first, counts) = recent(&grid, history, origin)?;
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let slots = history.width.per_day();
    let mut sums = vec![(0.0, 0u32); slots];
    for (rank, count) in std::iter::zip(first.., &counts) {
        let sum = &mut sums[grid.slot_of_day(rank)];
        *sum = (sum.0 + count, sum.1 + 1);
    }
    let above = sums.iter().map(|(sum, n)| if *n > 0 { sum / f64::from(*n) - mean } else { 0.0 });
    let above = above.collect();
    Some(Day { grid, above })
}

fn ahead(
    past: &Past<'_>,
    day: &Day,
    history: &History,
    origin: i64,
) -> Option<Vec<(f64, [f64; 7])>> {
    let (first, counts) = recent(&day.grid, history, origin)?;
    let usual = |rank: i64| day.above[day.grid.slot_of_day(rank)];
    let rest: Vec<f64> =
        std::iter::zip(first.., &counts).map(|(rank, count)| count - usual(rank)).collect();
    let fitted = AutoETS::non_seasonal().fit(&rest).ok()?;
    let steps = intervals::quantiles(&fitted, intervals::reach(past.width))?;
    let next = first + rest.len() as i64;
    let target = |start| {
        if !day.grid.is_open(start) {
            return Some((0.0, [0.0; 7]));
        }
        let rank = day.grid.rank(start);
        let quantiles = steps.get(usize::try_from(rank - next).ok()?)?.map(|q| q + usual(rank));
        Some((quantiles[3].max(0.0), quantiles))
    };
    target_starts(past, origin).map(target).collect()
}

impl Model for EtsDaily {
    fn name(&self) -> &'static str {
        "ets-daily"
    }

    fn fit(&mut self, _: &Past<'_>, _: i64) {}

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        vintages(self.name(), past, origin, |series, history| {
            let day = daily_profile(history, past.place_of(series).zone, origin)?;
            ahead(past, &day, history, origin)
        })
    }
}
