//! Settings and data that all models share.

use super::counts::Counts;
use super::options::Options;

/// Input, options, counts and origins of one run.
pub struct Setting {
    pub input: String,
    pub options: Options,
    pub counts: Counts,
    pub origins: Vec<i64>,
    /// Windows of the horizon.
    pub windows: usize,
}
