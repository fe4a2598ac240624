//! Threads and listeners.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::Context;

/// Starts a named thread.
///
/// # Errors
/// If the system cannot start another thread.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    let name: String = name.chars().take(15).collect();
    Ok(std::thread::Builder::new().name(name).spawn(run)?)
}

/// Opens a listener. `flag` is the flag that sets the address, for the error.
///
/// # Errors
/// The address cannot be used; the error names it and what to do.
pub fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: stop the program that uses it, or choose another address with {flag}")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
