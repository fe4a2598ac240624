//! HTTP: data, live stream, health, metrics and the built-in page.
//!
//! Reads come from the store alone. Whatever changes something is a [`Command`] for the leader, the
//! only writer; a GET never changes anything.

pub mod accuracy;
mod adjustments;
mod admin;
mod auth;
mod decoders;
pub mod dto;
mod events;
mod forward;
mod outlook;
mod page;
mod params;
mod problem;
mod read;
pub mod report;
mod router;
mod state;
mod stream;
mod topics;
mod write;

pub use admin::admin_router;
pub use auth::{Scope as TokenScope, TokenSet, TokensError};
pub use decoders::Decoders;
pub use forward::client as forward_client;
pub use router::{openapi, router};
pub use state::{
    ApiState, Command, CommandError, Leads, Progress, Reply, ServiceInfo, StreamEvent, WriteEvents,
};
