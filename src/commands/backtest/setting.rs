//! What the reports say about the run as a whole.

use super::counts::Counts;
use super::options::Options;

/// The run as a whole.
pub struct Setting {
    pub input: String,
    pub options: Options,
    pub counts: Counts,
    pub origins: Vec<i64>,
    /// Windows of the horizon.
    pub windows: usize,
}
