//! A running service: it serves until it is stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use crate::api::{self, ApiState, Progress};
use crate::store::EventLog;
use crate::telemetry::Health;

/// A service with running threads and open listeners. [`Running::wait`] answers requests.
pub struct Running {
    /// Address of the API and the page.
    pub address: SocketAddr,
    /// Address of probes and metrics.
    pub admin: Option<SocketAddr>,
    /// The local event log, for events that do not arrive over HTTP.
    pub log: Arc<EventLog>,
    /// Wakes the source that reads the local event log.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Progress of the catch-up, for the page.
    pub progress: Arc<Progress>,
    /// Whether the main source has been read to its end once.
    pub caught_up: Arc<AtomicBool>,
    /// Tells all threads to end.
    pub stop: Arc<AtomicBool>,
    /// The states of all components.
    pub health: Arc<Health>,
    pub(super) state: ApiState,
    pub(super) listeners: (TcpListener, Option<TcpListener>),
    pub(super) threads: Vec<JoinHandle<()>>,
    /// Sources wake up and end when these are dropped.
    pub(super) wakes: Vec<Sender<()>>,
}

impl Running {
    /// Serves until Ctrl-C or SIGTERM, then ends all threads cleanly.
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn wait(self) -> anyhow::Result<()> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let Self { state, listeners: (listener, admin), stop, threads, wakes, .. } = self;
        runtime.block_on(async {
            let api = tokio::net::TcpListener::from_std(listener)?;
            let router = api::router(state.clone());
            tokio::spawn(async move { axum::serve(api, router).await });
            if let Some(admin) = admin {
                let admin = tokio::net::TcpListener::from_std(admin)?;
                let router = api::admin_router(state);
                tokio::spawn(async move { axum::serve(admin, router).await });
            }
            stopped().await
        })?;
        tracing::info!("service: stopping");
        stop.store(true, Ordering::Relaxed);
        // Cuts open streams instead of waiting for them.
        runtime.shutdown_background();
        drop(wakes);
        for thread in threads {
            // A thread that panicked has printed its message.
            let _ = thread.join();
        }
        Ok(())
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
