//! HTTP: data, live stream, health, metrics and the built-in page.
//!
//! GET requests read the store and never change anything. Every change is a [`Command`](crate::engine::Command) for the
//! forecaster, the only writer.

mod accuracy;
mod adjustments;
mod admin;
mod audit;
mod auth;
mod backlog;
pub mod config;
mod csv;
mod description;
mod events;
mod forward;
mod gaps;
mod gzip;
mod language;
mod outlook;
mod page;
mod pages;
mod params;
mod problem;
mod read;
mod recommendations;
mod report;
mod requests;
mod router;
mod service;
mod silences;
mod staffing;
mod state;
mod stream;
mod tickets;
mod timeline;
mod topics;
mod windows;
mod write;

pub use admin::admin_router;
pub use auth::{Access, Peer, Scope as TokenScope, TokenSet, Tokens, TokensError};
pub use router::{openapi, router};
pub use state::{ApiState, Progress, ServiceInfo, WriteError, WriteEvents};
