//! 9091 over TCP: the web service.

use crate::api::web::serve_connection;
use axum::Router;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 1_024;
/// After an error of the system's, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`; requests that came in are answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> &'static str {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, peer)) => {
                    let (router, shutdown) = (router.clone(), shutdown.clone());
                    connections.spawn(async move {
                        serve_connection(router, stream, peer, &shutdown).await;
                    });
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
    while connections.join_next().await.is_some() {}
    "web service listener"
}
