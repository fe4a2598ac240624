//! Sections of rooms of the core: those rooms read no files, and know nothing of layers.

pub mod alarms;
pub mod forecast;
pub mod staffing;
pub mod windows;
