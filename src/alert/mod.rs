//! When to tell whom what: rules, life cycle, texts.

mod types;

pub use types::{Alert, AlertSeverity, AlertState, Notice, NoticeKind, Shortfall};
