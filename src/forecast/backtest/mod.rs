//! Rolling-origin evaluation: what a [`Model`](super::Model) would have said at many moments of the past,
//! scored against what came.
//!
//! [`spread`] chooses the origins, [`steps`] says when to refit and when to predict, a [`Board`] takes the
//! vintages and has the figures. Whoever drives it does the timing:
//!
//! ```text
//! for step in steps(width, refit, &origins) {
//!     if let Some(at) = step.refit { model.fit(&past, at) }
//!     board.add(step.origin, &model.predict(&past, step.origin));
//! }
//! ```
//!
//! Definitions, of windows whose count is known:
//!
//! | figure | is |
//! | --- | --- |
//! | WAPE | Σ&#124;y − median&#124; / Σy |
//! | MASE | mean of &#124;y − median&#124; / scale; scale = mean &#124;y − y a civil week before&#124; over the windows before the first origin, per series |
//! | WQL | mean over the seven quantiles of 2 Σ pinball / Σy |
//! | coverage80, coverage95 | share of y in the closed interval between the outer quantiles |
//! | pit80, pit95 | the same by the probability integral transform of counts, ties shared out ([`pit`]) |
//! | floor | WAPE of someone who knew the true rate, if the forecast's mean is that rate and counts are Poisson |
//! | naive | WAPE of the count a civil week before |

mod board;
mod misses;
mod origins;
pub mod pit;
#[cfg(test)]
pub(crate) mod shift;
mod steps;
mod tally;
#[cfg(test)]
mod tests;

pub use board::{Board, Entry};
pub use misses::Misses;
pub use origins::{candidates, spread};
pub use steps::{Step, steps};
pub use tally::{Summary, Tally, week_before, weekly_scale};
