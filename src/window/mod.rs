//! Events → cumulative partials per partition → merged, settled windows.

mod counts;

pub use counts::{Cell, Counts};
