//! A service that runs: one way to serve, one way to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;

use crate::api::{self, ApiState, Progress};
use crate::store::EventLog;

/// A service that listens and counts, until [`Running::wait`] returns.
pub struct Running {
    pub address: SocketAddr,
    pub admin: Option<SocketAddr>,
    /// The event log, for events that come another way than HTTP.
    pub log: Arc<EventLog>,
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub progress: Arc<Progress>,
    pub caught_up: Arc<AtomicBool>,
    pub stop: Arc<AtomicBool>,
    pub(super) state: ApiState,
    pub(super) listeners: (TcpListener, Option<TcpListener>),
    pub(super) threads: Vec<JoinHandle<()>>,
    /// Dropped when the service stops: sources wake up and end.
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
        tracing::info!("stopping");
        stop.store(true, Ordering::Relaxed);
        // Open streams would be waited for: they are cut instead.
        runtime.shutdown_background();
        drop(wakes);
        for thread in threads {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
        Ok(())
    }
}

async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
