//! Definition of surges, warnings and false alarms, shared by the ledger and `benches/outages`.
//!
//! - A **surge** begins when two consecutive windows have more arrivals than the 99 % quantile of the forecast without alarms,
//!   issued at the given lead ([`step`]). Pairs of such windows within [`APART`] of each other are one surge.
//! - A forecast **warns** of a surge if its probability of a surge within the horizon is at least [`Threshold::least`]. A
//!   warning less than [`APART`] old stays active while the probability is at least [`ACTIVE_SHARE`] of that. The warning applies to
//!   the spans of two hours whose probability is at least [`LIKELY`] of the most probable one. It is a hit if the surge
//!   begins in the middle of such a span, so within an hour of it.
//! - A warning is a **false alarm** if no two consecutive windows of the whole horizon are above the quantile. Warnings at one
//!   lead within [`APART`] of each other count as one warning, which is a false alarm if all of them are.

mod count;
mod judge;
mod surges;
#[cfg(test)]
mod tests;
mod threshold;
mod vintage;

use std::time::Duration;

pub use count::{Surge, SurgeCount, SurgeCounts, Warning};
pub use judge::{Judge, Pair};
pub use surges::{ACTIVE_SHARE, APART, Surges, warns};
pub use threshold::Threshold;
pub use vintage::LIKELY;

use super::types::{HORIZON, QUANTILES};
use crate::domain::WindowWidth;

/// Leads at which surges are judged, hours.
pub const SURGE_LEADS: [u32; 3] = [1, 3, 6];
/// Initial warning threshold: the minimum probability of a surge.
pub const PROBABILITY: f64 = 0.18;
/// Length of a span: an hour on either side of its middle.
const SPAN: Duration = Duration::from_secs(2 * 3600);

/// The 99 % quantile, extrapolated from the median and the 97.5 % quantile by normal scores.
pub fn high(quantiles: &[f64; 7]) -> f64 {
    quantiles[3] + (quantiles[6] - quantiles[3]) * 2.326 / 1.960
}

/// Number of windows in a span.
pub const fn span(width: WindowWidth) -> usize {
    width.per(SPAN)
}

/// The forecast point whose surge is judged at a lead of `hours`; at six hours the last but one.
pub fn step(hours: u32, width: WindowWidth, targets: usize) -> usize {
    let hour = Duration::from_secs(3600);
    width.per(hour * hours).min(targets.saturating_sub(2))
}

/// The lead in minutes that represents `hours`: forecast points start inside the horizon.
pub fn lead_minutes(hours: u32, width: WindowWidth) -> u32 {
    (hours * 60).min((HORIZON.as_secs() / 60) as u32 - width.secs() / 60)
}

/// Surge probability of each span, by its first forecast point, computed from the quantiles of the whole forecast. It is the
/// probability of the most probable pair of windows. Windows of one outage are correlated, so the probability of a pair is the
/// smaller one of its two windows.
pub fn probabilities(quantiles: &[[f64; 7]], high: &[f64], span: usize) -> Vec<f64> {
    let above: Vec<f64> = quantiles.iter().zip(high).map(|(q, high)| beyond(q, *high)).collect();
    let pairs: Vec<f64> = above.windows(2).map(|pair| pair[0].min(pair[1])).collect();
    let of_span = |from: usize| {
        let pairs = pairs.iter().skip(from).take(span.saturating_sub(1));
        pairs.copied().fold(0.0, f64::max)
    };
    (0..above.len()).map(of_span).collect()
}

/// Probability of more than `count` tickets, linear between quantiles.
fn beyond(quantiles: &[f64; 7], count: f64) -> f64 {
    let last = QUANTILES.len() - 1;
    if count >= quantiles[last] {
        return 1.0 - QUANTILES[last];
    }
    let Some(next) = quantiles.iter().position(|q| *q > count) else { return 0.0 };
    let Some(before) = next.checked_sub(1) else { return 1.0 - QUANTILES[0] };
    let share = (count - quantiles[before]) / (quantiles[next] - quantiles[before]);
    1.0 - QUANTILES[before] - share * (QUANTILES[next] - QUANTILES[before])
}
