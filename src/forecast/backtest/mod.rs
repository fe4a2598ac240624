//! Rolling-origin evaluation: forecasts of a [`Model`](super::Model) at many past origins, scored against actual counts.
//!
//! [`spread`] chooses the origins, [`steps`] lists when to refit and predict, and a [`Board`] scores the vintages. The caller
//! drives and times the model:
//!
//! ```text
//! for step in steps(width, refit, &origins) {
//!     if let Some(at) = step.refit { model.fit(&past, at) }
//!     board.add(step.origin, &model.predict(&past, step.origin));
//! }
//! ```
//!
//! Measures over windows with a known count y:
//!
//! | measure | definition |
//! | --- | --- |
//! | WAPE | Σ&#124;y − median&#124; / Σy |
//! | MASE | mean of &#124;y − median&#124; / scale; scale = mean &#124;y − y a civil week before&#124; over the windows before the first origin, per series |
//! | WQL | mean over the seven quantiles of 2 Σ pinball / Σy |
//! | coverage80, coverage95 | share of y in the closed interval between the outer quantiles (10 and 90 %, 2.5 and 97.5 %) |
//! | pit80, pit95 | randomised PIT coverage of the same intervals ([`pit`]) |
//! | floor | noise floor: WAPE of a forecaster that knows the true rate, if the forecast's mean is that rate and counts are Poisson |
//! | naive | WAPE of the count a civil week before |

mod absolute_errors;
mod board;
mod origins;
pub mod pit;
#[cfg(test)]
pub(crate) mod shift;
mod steps;
mod tally;
#[cfg(test)]
mod tests;

pub use absolute_errors::AbsoluteErrors;
pub use board::{Board, Entry};
pub use origins::{candidates, spread};
pub use steps::{Step, steps};
pub use tally::{Summary, Tally, week_before, weekly_scale};
