//! HTTP on a port it shares with SIP: connections of [`crate::server`] served by a router.

use crate::api::web::serve_connection;
use crate::server::http::{BoxedIo, HttpConnection, Serving};
use axum::Router;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

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
        let router = self.router.clone();
        Box::pin(async move { serve_connection(router, io, peer, &shutdown).await })
    }
}
