//! augurs' MSTL with AutoETS, as it is usually applied: to the open hours, raw or on `ln(1 + y)`, with its own intervals.
//!
//! It is refitted at each origin, which gives its best accuracy. Using the seasons of the night before would save little time
//! (AutoETS is the slow part), and increase MASE by 0.07 on a bank's calls.

use augurs::Fit;
use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;

use super::grid::Grid;
use super::{intervals, target_starts, vintages};
use crate::domain::Zone;
use crate::forecast::{History, Model, Past, Vintage};

/// Maximum number of counts for a decomposition; augurs takes seconds for more.
const COUNTS_MAX: usize = 3000;
/// Maximum number of counts for AutoETS.
const ETS_COUNTS_MAX: usize = 1000;

/// The seasons of one series.
struct Seasons {
    grid: Grid,
    /// The rank after the last count that was used.
    end: i64,
    /// The last cycle of each season.
    cycles: Vec<Vec<f32>>,
}

impl Seasons {
    /// Sum of all seasons at a rank.
    fn at(&self, rank: i64) -> f64 {
        let one = |cycle: &Vec<f32>| {
            f64::from(cycle[(rank - self.end).rem_euclid(cycle.len() as i64) as usize])
        };
        self.cycles.iter().map(one).sum()
    }
}

/// MSTL with AutoETS on raw counts or on `ln(1 + y)`.
pub struct MstlEts {
    is_log: bool,
}

impl MstlEts {
    /// The model on raw counts.
    pub fn raw() -> Self {
        Self { is_log: false }
    }

    /// The model on `ln(1 + y)`.
    pub fn log() -> Self {
        Self { is_log: true }
    }

    fn transformed(&self, count: f64) -> f64 {
        if self.is_log { count.ln_1p() } else { count }
    }

    fn decompose(&self, history: &History, zone: Zone, origin: i64) -> Option<Seasons> {
        let grid = Grid::of(history, zone, origin)?;
        let (first, counts) = grid.lay(history, origin, COUNTS_MAX)?;
        let values: Vec<f64> = counts.iter().map(|count| self.transformed(*count)).collect();
        let mut periods: Vec<usize> = grid.per_day().into_iter().collect();
        periods.push(grid.per_week());
        // A centre that is open one day a week has one season; one window an open day has none.
        periods.dedup();
        periods.retain(|period| *period > 1);
        let fitted = MSTLModel::naive(periods.clone()).fit(&values).ok()?;
        let cycles: Vec<Vec<f32>> = std::iter::zip(&periods, fitted.fit().seasonal())
            .map(|(period, season)| season[season.len() - period..].to_vec())
            .collect();
        (cycles.len() == periods.len() && cycles.iter().flatten().all(|value| value.is_finite()))
            .then_some(Seasons { grid, end: first + values.len() as i64, cycles })
    }

    /// Mean and quantiles by forecast point.
    fn ahead(
        &self,
        past: &Past<'_>,
        seasons: &Seasons,
        history: &History,
        origin: i64,
    ) -> Option<Vec<(f64, [f64; 7])>> {
        let (first, counts) = seasons.grid.lay(history, origin, ETS_COUNTS_MAX)?;
        let rest: Vec<f64> = std::iter::zip(first.., &counts)
            .map(|(rank, count)| self.transformed(*count) - seasons.at(rank))
            .collect();
        let fitted = AutoETS::non_seasonal().fit(&rest).ok()?;
        let steps = intervals::quantiles(&fitted, intervals::reach(past.width))?;
        let next = first + rest.len() as i64;
        let target = |start| {
            if !seasons.grid.is_open(start) {
                return Some((0.0, [0.0; 7]));
            }
            let rank = seasons.grid.rank(start);
            let ahead = steps.get(usize::try_from(rank - next).ok()?)?;
            Some(self.counted(ahead.map(|value| value + seasons.at(rank))))
        };
        target_starts(past, origin).map(target).collect()
    }

    /// Mean and quantiles in tickets.
    fn counted(&self, quantiles: [f64; 7]) -> (f64, [f64; 7]) {
        if !self.is_log {
            return (quantiles[3].max(0.0), quantiles);
        }
        // The mean of the log-normal with this 80 % interval.
        let sd = (quantiles[5] - quantiles[1]) / (2.0 * 1.281_552);
        let mean = (quantiles[3] + sd * sd / 2.0).exp_m1().max(0.0);
        (mean, quantiles.map(f64::exp_m1))
    }
}

impl Model for MstlEts {
    fn name(&self) -> &'static str {
        if self.is_log { "mstl-ets-log" } else { "mstl-ets" }
    }

    fn fit(&mut self, _: &Past<'_>, _: i64) {}

    fn predict(&self, past: &Past<'_>, origin: i64) -> Vec<Vintage> {
        vintages(self.name(), past, origin, |series, history| {
            let seasons = self.decompose(history, past.place_of(series).zone, origin)?;
            self.ahead(past, &seasons, history, origin)
        })
    }
}
