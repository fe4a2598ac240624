//! What a surge is, when a forecast calls one, and when a call was false: one definition for the ledger and for
//! `benches/outages`.
//!
//! - A **surge** begins where arrivals lie above the 99 % quantile of the forecast without alarms for two windows
//!   in a row, that forecast having been issued at the lead in question ([`step`]); none began, or went on, in the
//!   [`APART`] before.
//! - A forecast **calls** a surge if it gives a chance of [`Threshold::least`] or more that one begins within its horizon. A call
//!   that was out less than [`APART`] ago stays out while the chance is at least [`HOLDS`] of that. It is for the spans
//!   of two hours that have at least [`LIKELY`] of the chance of the likeliest one, and good for a surge that begins
//!   in the middle of one of them, so within an hour of it.
//! - A call is **false** if no two windows in a row of the forecast's whole horizon lie above the quantile. Calls at
//!   one lead within [`APART`] of each other are one, which is false if all of them are.

mod count;
mod judge;
mod surges;
#[cfg(test)]
mod tests;
mod threshold;
mod vintage;

use std::time::Duration;

pub use count::{Call, Surge, SurgeCount, SurgeCounts};
pub use judge::{Judge, Pair};
pub use surges::{APART, HOLDS, Surges, is_out};
pub use threshold::Threshold;
pub use vintage::LIKELY;

use super::types::{HORIZON, QUANTILES};
use crate::domain::WindowWidth;

/// Leads at which surges are counted, hours.
pub const SURGE_LEADS: [u32; 3] = [1, 3, 6];
/// Chance from which on a surge is called while nothing is known of an operator.
pub const CHANCE: f64 = 0.18;
/// An hour on either side of where a surge is called.
const SPAN: Duration = Duration::from_secs(2 * 3600);

/// The 99 % quantile: from the 97.5 % quantile on, on a straight line of normal scores.
pub fn high(quantiles: &[f64; 7]) -> f64 {
    quantiles[3] + (quantiles[6] - quantiles[3]) * 2.326 / 1.960
}

/// Windows of a span.
pub const fn span(width: WindowWidth) -> usize {
    width.per(SPAN)
}

/// The target whose surge is judged at a lead of `hours`: at six hours the last that another follows.
pub fn step(hours: u32, width: WindowWidth, targets: usize) -> usize {
    let hour = Duration::from_secs(3600);
    width.per(hour * hours).min(targets.saturating_sub(2))
}

/// The lead in minutes that stands for `hours`: targets start inside the horizon.
pub fn lead_minutes(hours: u32, width: WindowWidth) -> u32 {
    (hours * 60).min((HORIZON.as_secs() / 60) as u32 - width.secs() / 60)
}

/// Chances by target that a span begins with, from the quantiles of the whole forecast: those of the pair of windows
/// that is likeliest. Windows of one outage move together, so that a pair's chance is the smaller of its two.
pub fn chances(quantiles: &[[f64; 7]], high: &[f64], span: usize) -> Vec<f64> {
    let above: Vec<f64> = quantiles.iter().zip(high).map(|(q, high)| beyond(q, *high)).collect();
    let pairs: Vec<f64> = above.windows(2).map(|pair| pair[0].min(pair[1])).collect();
    let of_span = |from: usize| {
        let pairs = pairs.iter().skip(from).take(span.saturating_sub(1));
        pairs.copied().fold(0.0, f64::max)
    };
    (0..above.len()).map(of_span).collect()
}

/// Chance of more than `count` tickets, on straight lines between quantiles.
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
