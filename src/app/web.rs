//! Connections of [`crate::server`] that speak HTTP, served by a router.

use crate::api::{After, serve_connection};
use crate::server::http::{BoxedIo, HttpConnection, Serving};
use axum::Router;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// A router and the connections it serves. Handlers find the peer's address in
/// `ConnectInfo<SocketAddr>`.
pub(super) struct Web {
    router: Router,
    after: After,
}

impl Web {
    pub(super) const fn new(router: Router, after: After) -> Self {
        Self { router, after }
    }
}

impl HttpConnection for Web {
    fn serve(&self, io: BoxedIo, peer: SocketAddr, shutdown: CancellationToken) -> Serving<'_> {
        let (router, after) = (self.router.clone(), self.after);
        Box::pin(async move { serve_connection(router, io, peer, after, &shutdown).await })
    }
}
