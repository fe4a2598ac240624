//! A running service: it serves until it is stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::listener::Listener;
use super::tls::Tls;
use crate::api::{self, ApiState, Progress};
use crate::clock::Stopwatch;
use crate::store::EventLog;
use crate::telemetry::Health;

/// Maximum time from the signal to the end of the process.
const STOP_WITHIN_S: f64 = 8.0;
/// Maximum number of connections of probes and scrapers.
const ADMIN_CONNECTIONS_MAX: usize = 64;

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
    pub(super) tls: Option<Tls>,
    pub(super) connections_max: usize,
    /// Tells connections that the service stops.
    pub(super) stopping: watch::Sender<bool>,
    pub(super) listeners: (TcpListener, Option<TcpListener>),
    pub(super) threads: Vec<JoinHandle<()>>,
    /// Sources wake up and end when these are dropped.
    pub(super) wakes: Vec<Sender<()>>,
}

impl Running {
    /// Serves until Ctrl-C or SIGTERM, then ends all threads. A thread that does not end in time is left behind: everything
    /// that was answered is stored.
    ///
    /// # Errors
    /// If the runtime cannot be started.
    pub fn wait(self) -> anyhow::Result<()> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let Self { state, tls, connections_max, stopping, stop, threads, wakes, .. } = self;
        let (api, admin) = self.listeners;
        let watch = runtime.block_on(async {
            let listener = |tcp, tls, router, connections_max| {
                let tcp = tokio::net::TcpListener::from_std(tcp)?;
                let (metrics, stopping) = (state.metrics.clone(), stopping.subscribe());
                Ok::<_, std::io::Error>(Listener {
                    tcp,
                    tls,
                    router,
                    connections_max,
                    metrics,
                    stopping,
                })
            };
            let api = tokio::spawn(
                listener(api, tls, api::router(state.clone()), connections_max)?.run(),
            );
            if let Some(admin) = admin {
                let router = api::admin_router(state.clone());
                tokio::spawn(listener(admin, None, router, ADMIN_CONNECTIONS_MAX)?.run());
            }
            stopped().await?;
            let watch = Stopwatch::start();
            tracing::info!("service: stopping");
            stopping.send_replace(true);
            // The listener has a time limit of its own.
            let _ = api.await;
            Ok::<_, anyhow::Error>(watch)
        })?;
        stop.store(true, Ordering::Relaxed);
        runtime.shutdown_background();
        drop(wakes);
        join(threads, &watch);
        Ok(())
    }
}

/// Waits for threads, but not for longer than [`STOP_WITHIN_S`].
fn join(mut threads: Vec<JoinHandle<()>>, watch: &Stopwatch) {
    while !threads.is_empty() && watch.seconds() < STOP_WITHIN_S {
        threads.retain(|thread| !thread.is_finished());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let names: Vec<&str> = threads.iter().filter_map(|thread| thread.thread().name()).collect();
    if !names.is_empty() {
        let names = names.join(", ");
        tracing::warn!(
            "service: stopping although some threads have not ended: {names}; nothing is lost"
        );
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
