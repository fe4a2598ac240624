//! Threads and listeners.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::Context;

/// Starts a named thread.
///
/// # Errors
/// If the system has none left.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    let name: String = name.chars().take(15).collect();
    Ok(std::thread::Builder::new().name(name).spawn(run)?)
}

/// Takes an address. `flag` names the one that sets it.
///
/// # Errors
/// Says which, and what to do.
pub fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: stop what uses it, or choose another with {flag}")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
