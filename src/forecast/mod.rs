//! History → quantiles of the next six hours, and their scores.
//!
//! [`Ensemble`] is the product's model: regressions on busyness over a robust weekly profile in the series'
//! civil time, combined and calibrated on weeks that were left out. Until a series has the two weeks that a
//! fit takes, [`forecast`] serves: profile × today's level. A vintage is a pure function of the fit and the
//! windows before its origin, so that a restart issues the same again.

mod adjust;
pub mod backtest;
mod ensemble;
#[cfg(test)]
mod fuzz;
mod issue;
mod lead;
mod level;
mod lookback;
mod mstl;
mod nowcast;
mod open;
mod overrun;
mod past;
pub mod peers;
mod product;
mod profile;
mod reconcile;
mod response;
mod rounding;
mod score;
mod spread;
pub mod surge;
#[cfg(test)]
mod tests;
mod types;

pub use adjust::{ADJUSTMENT, Adjustment, AdjustmentKind, Says, adjusted, unadjusted};
pub use ensemble::{Ensemble, Part};
pub use issue::forecast;
pub use lookback::Lookback;
pub use mstl::{MemberPath, fit_mstl};
pub use nowcast::{Nowcast, SoFar, completed, differs, is_far_off, rolled_up};
pub use open::OpenHours;
pub use past::{AlarmSpell, Calendar, DayKind, Model, Past, Place, PlannedWork};
pub use product::Product;
pub use response::{ChannelPrior, Effect, Learned, Mixture, Prior, PriorError, Reading};
pub use rounding::rounded;
pub use score::{Figures, Score, TARGET_ACCURACY, scale};
pub use spread::{cumulative, poisson_floor, quantiles};
pub use types::{Cause, ForecastPoint, HORIZON, History, QUANTILES, Vintage};
