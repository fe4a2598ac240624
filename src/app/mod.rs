//! Wires the rooms together: threads, queues and listeners of the service.

mod clock_watch;
mod listener;
mod reload;
mod running;
pub mod settings;
mod setup;
mod shared;
mod sources;
mod start;
mod threads;
mod tls;
mod warm_start;

pub use reload::{Reloadable, reloadable};
pub use running::Running;
pub use settings::Settings;
pub use setup::{Role, Setup};
pub use start::{start, start_with};
pub use threads::{bind, spawn};
pub use tls::Tls;
