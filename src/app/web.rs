//! HTTP on a port it shares with SIP: connections of [`crate::server`] served by a router.

use crate::server::http::{BoxedIo, HttpConnection, Serving};
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time a client may take for the head of a request, the first one and each that
/// follows.
const HEAD: Duration = Duration::from_secs(10);
/// Longest time for what has begun, after the order to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A router and the connections it serves. Handlers find the peer's address in
/// `ConnectInfo<SocketAddr>`.
pub(super) struct Web {
    router: Router,
}

impl Web {
    pub(super) const fn new(router: Router) -> Self {
        Self { router }
    }
}

impl HttpConnection for Web {
    fn serve(&self, io: BoxedIo, peer: SocketAddr, shutdown: CancellationToken) -> Serving<'_> {
        let router = self
            .router
            .clone()
            .layer(axum::Extension(ConnectInfo(peer)));
        Box::pin(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(io), TowerToHyperService::new(router));
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = shutdown.cancelled() => None,
            };
            let ended = match ended {
                Some(ended) => ended,
                None => {
                    connection.as_mut().graceful_shutdown();
                    let rest = tokio::time::timeout(DRAIN, connection).await;
                    rest.unwrap_or(Ok(()))
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "web connection ended");
            }
        })
    }
}
