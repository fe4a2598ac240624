//! History → quantiles of the next six hours, and their scores.

mod score;
mod types;

pub use score::Score;
pub use types::{HORIZON, History, QUANTILES, Target, Vintage};
