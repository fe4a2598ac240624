//! History → quantiles of the next six hours, and their scores.
//!
//! First form: a robust weekly profile in the series' civil time × today's level, averaged with MSTL +
//! AutoETS where a fit is at hand, spread by a negative binomial whose dispersion is learned from scored
//! vintages. A vintage is a pure function of its inputs: nothing is kept between two of them but
//! [`Calibration`], so that a restart issues the same again.

mod calibration;
mod issue;
mod level;
mod lookback;
mod mstl;
mod past;
mod profile;
mod response;
mod score;
mod spread;
#[cfg(test)]
mod tests;
mod types;

pub use calibration::Calibration;
pub use issue::forecast;
pub use lookback::Lookback;
pub use mstl::{MemberPath, fit_mstl};
pub use past::{AlarmSpell, Calendar, DayKind, Model, Past, Place, PlannedWork};
pub use response::{
    Baseline, Baselines, ChannelPrior, Effect, Mixture, Prior, PriorError, Profiles, Reading,
    Response,
};
pub use score::{Figures, Score};
pub use spread::{poisson_floor, quantiles};
pub use types::{HORIZON, History, QUANTILES, Target, Vintage};
