//! Forecasts the next six hours of each series as quantiles, and scores the forecasts.
//!
//! - [`Product`] is what the service uses: [`Ensemble`] plus the effects of alarms and planned work.
//! - [`Ensemble`] regresses the recent level on a robust weekly profile in the series' civil time. Held-out weeks give its
//!   weights and its calibration. Until a series has a fit, and for some weeks afterwards, it uses the shape of earlier days
//!   and the busyness of today.
//!
//! A vintage is a pure function of the fit and the windows before its origin. A restart issues the same vintage again.

mod adjust;
pub mod backtest;
mod ensemble;
#[cfg(test)]
mod fuzz;
mod lead;
mod mstl;
mod nowcast;
mod open;
mod overrun;
mod past;
pub mod peers;
mod product;
mod reconcile;
mod response;
mod rounding;
mod score;
mod spread;
pub mod surge;
#[cfg(test)]
mod tests;
mod types;

pub use adjust::{ADJUSTMENT, Adjustment, AdjustmentAmount, AdjustmentKind, adjusted, unadjusted};
pub use ensemble::{Ensemble, Part};
pub use mstl::{MemberPath, fit_mstl};
pub use nowcast::{
    Nowcast, PartialCount, Reason, Signs, completed, differs, is_far_off, rolled_up,
};
pub use open::OpenHours;
pub use past::{AlarmSpell, Calendar, DayKind, Model, Past, Place, PlannedWork};
pub use product::Product;
pub use response::{ChannelPrior, Effect, Learned, Mixture, Prior, PriorError, Reading};
pub use rounding::rounded;
pub use score::{Figures, Score, TARGET_ACCURACY, scale};
pub use spread::{cumulative, poisson_floor, quantiles};
pub use types::{Cause, Fallback, ForecastPoint, HORIZON, History, QUANTILES, Vintage};
