//! Accepts connections: up to a limit, with time limits on everything that a client may delay.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::tls::Tls;
use crate::api::Peer;
use crate::telemetry::{LogLimit, Metrics};

/// Time limit from the start of a connection, or the end of an answer, to the last byte of the next request's header.
const HEADER_WITHIN: Duration = Duration::from_secs(15);
/// Time limit of a TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A connection is closed if its client does not read what was sent for this long.
const SENT_WITHIN: Duration = Duration::from_secs(60);
/// When the service stops, running requests have this long to finish.
const DRAIN_WITHIN: Duration = Duration::from_secs(3);
/// Pause after the system has refused another connection.
const RETRY: Duration = Duration::from_millis(100);

/// A listener and the router that it serves.
pub(super) struct Listener {
    pub(super) tcp: TcpListener,
    pub(super) tls: Option<Tls>,
    pub(super) router: Router,
    /// Connections at a time. Further ones wait until one is closed.
    pub(super) connections_max: usize,
    pub(super) metrics: Arc<Metrics>,
    /// Turns true when the service stops.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Listener {
    /// Serves until the service stops, then waits a moment for running requests.
    pub(super) async fn run(self) {
        let mut stopping = self.stopping.clone();
        let places = Arc::new(Semaphore::new(self.connections_max));
        let (graceful, full) = (GracefulShutdown::new(), LogLimit::new());
        loop {
            let place = match places.clone().try_acquire_owned() {
                Ok(place) => place,
                Err(_) => {
                    self.metrics.refused("connections");
                    if let Some(count) = full.due() {
                        let most = self.connections_max;
                        tracing::warn!(
                            count,
                            "api: {most} connections are open, further ones wait; raise server.connections if these are \
                             your clients"
                        );
                    }
                    tokio::select! {
                        () = stops(&mut stopping) => break,
                        place = places.clone().acquire_owned() => match place {
                            Ok(place) => place,
                            Err(_) => break,
                        },
                    }
                }
            };
            tokio::select! {
                () = stops(&mut stopping) => break,
                accepted = self.tcp.accept() => match accepted {
                    Ok((stream, peer)) => self.connect(stream, peer, place, graceful.watcher()),
                    Err(error) => {
                        tracing::warn!(%error, "api: cannot accept a connection, retrying; check the limit on open files");
                        tokio::time::sleep(RETRY).await;
                    }
                },
            }
        }
        // Requests that still run after this are cut off.
        let _ = timeout(DRAIN_WITHIN, graceful.shutdown()).await;
    }

    fn connect(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        // Both options only improve a connection, so errors do not matter.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(SENT_WITHIN));
        let (router, metrics) = (self.router.clone(), self.metrics.clone());
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        tokio::spawn(async move {
            let _place = place;
            let Some(acceptor) = acceptor else {
                return serve(stream, peer, router, watcher).await;
            };
            match timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => serve(stream, peer, router, watcher).await,
                // No TLS, an unknown version, or a client that does not trust the certificate.
                Ok(Err(error)) => {
                    metrics.refused("tls");
                    tracing::debug!(%error, %peer, "api: TLS handshake failed");
                }
                Err(_) => metrics.refused("tls"),
            }
        });
    }
}

async fn stops(stopping: &mut watch::Receiver<bool>) {
    // An error means that the service is gone.
    let _ = stopping.wait_for(|stops| *stops).await;
}

/// Answers the requests of one connection.
async fn serve<S>(stream: S, peer: SocketAddr, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Peer(peer.ip()));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, %peer, "api: connection ended");
    }
}
