//! One HTTP connection, for the listeners of [`crate::server`]: bounded in time whatever its peer
//! does, and answered to the end when the service is told to stop.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Longest head of a request, bytes: a first line at its longest, and credentials that repeat it.
const MAX_HEAD: usize = 36 * 1024;
/// Longest waits.
#[derive(Clone, Copy)]
struct Times {
    /// For a head, also between two requests: a silent client holds a place.
    head: Duration,
    /// After the order to stop, for a request that had come in and was not read yet.
    silence: Duration,
    /// After the order to stop, for a request that has begun.
    drain: Duration,
}

const TIMES: Times = Times {
    head: Duration::from_secs(10),
    silence: Duration::from_millis(100),
    drain: Duration::from_secs(5),
};

/// What becomes of a connection after its first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is closed: where each caller has one, idle ones must not hold places.
    Close,
    /// Another request may come within ten seconds.
    Stay,
}

/// Serves one connection until its peer ends it, falls silent, or `shutdown`: then the request
/// that has come in is the last.
pub async fn serve_connection<I>(
    router: Router,
    io: I,
    peer: SocketAddr,
    after: After,
    shutdown: &CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    serve(router, io, peer, after, TIMES, shutdown).await;
}

async fn serve<I>(
    router: Router,
    io: I,
    peer: SocketAddr,
    after: After,
    times: Times,
    shutdown: &CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(times.head)
        .max_buf_size(MAX_HEAD)
        .keep_alive(after == After::Stay)
        // Whoever has said all he has to say still hears the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    // How a connection ends is its peer's affair.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
    }
    // What has come in may not have been read yet.
    if timeout(times.silence, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(times.drain, connection).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);
    /// No wait but those a test shortens ends within it.
    const PATIENT: Times = Times {
        head: LONG,
        silence: LONG,
        drain: LONG,
    };

    /// One end of a connection that is served.
    struct Client {
        io: DuplexStream,
        serving: JoinHandle<()>,
        shutdown: CancellationToken,
        /// One permit lets one answer go.
        answers: Arc<Semaphore>,
        begun: Arc<Semaphore>,
    }

    impl Client {
        fn new(after: After, times: Times) -> Self {
            let (io, other) = duplex(1 << 16);
            let shutdown = CancellationToken::new();
            let (answers, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
            let (token, hold, tell) = (shutdown.clone(), answers.clone(), begun.clone());
            let answer = async move || {
                tell.add_permits(1);
                hold.acquire().await.expect("open").forget();
                "done"
            };
            let router = Router::new().route("/", get(answer));
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            Self {
                io,
                serving: tokio::spawn(async move {
                    serve(router, other, peer, after, times, &token).await;
                }),
                shutdown,
                answers,
                begun,
            }
        }

        async fn send(&mut self, bytes: &[u8]) {
            self.io.write_all(bytes).await.expect("written");
        }

        /// All that comes until the connection ends, which it must.
        async fn rest(mut self) -> String {
            let mut text = String::new();
            let read = timeout(LONG / 2, self.io.read_to_string(&mut text)).await;
            read.expect("it ends").expect("read");
            self.serving.await.expect("served");
            text
        }
    }

    fn assert_answered(text: &str) {
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text:?}");
        assert!(text.ends_with("done"), "{text:?}");
    }

    #[tokio::test]
    async fn what_has_come_in_is_answered_when_it_is_time_to_stop() {
        let times = Times {
            silence: SHORT,
            ..PATIENT
        };
        // Whichever of the things that are ready were looked at first.
        for _ in 0..50 {
            let mut client = Client::new(After::Stay, times);
            client.send(ASK).await;
            client.shutdown.cancel();
            client.answers.add_permits(1);
            assert_answered(&client.rest().await);
        }
        // Read, and still being decided.
        let mut client = Client::new(After::Stay, times);
        client.send(ASK).await;
        client.begun.acquire().await.expect("open").forget();
        client.shutdown.cancel();
        client.answers.add_permits(1);
        assert_answered(&client.rest().await);
    }

    #[tokio::test]
    async fn nothing_a_client_leaves_undone_keeps_the_service_from_stopping() {
        let times = Times {
            silence: SHORT,
            drain: SHORT,
            ..PATIENT
        };
        for sent in [
            &b""[..],
            b"GET / HTT",
            b"GET / HTTP/1.1\r\nHost: x\r\n",
            ASK,
        ] {
            let mut client = Client::new(After::Stay, times);
            client.send(sent).await;
            client.shutdown.cancel();
            // The last is one whose answer never comes.
            assert_eq!(client.rest().await, "");
        }
    }

    #[tokio::test]
    async fn a_silent_client_is_cut_off() {
        let times = Times {
            head: SHORT,
            ..PATIENT
        };
        for sent in ["", "GET / HTTP/1.1\r\nHost:"] {
            let mut client = Client::new(After::Stay, times);
            client.send(sent.as_bytes()).await;
            client.rest().await;
        }
        // Also after an answer.
        let mut client = Client::new(After::Stay, times);
        client.answers.add_permits(1);
        client.send(ASK).await;
        assert_answered(&client.rest().await);
    }

    #[tokio::test]
    async fn after_an_answer_it_is_closed_or_stays() {
        let mut client = Client::new(After::Close, PATIENT);
        client.answers.add_permits(2);
        client.send(ASK).await;
        let answer = client.rest().await;
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        let mut client = Client::new(After::Stay, PATIENT);
        client.answers.add_permits(2);
        client.send(ASK).await;
        client.send(ASK).await;
        client.io.shutdown().await.expect("ended");
        assert_eq!(client.rest().await.matches("done").count(), 2);
    }

    #[tokio::test]
    async fn a_client_that_has_ended_its_side_is_answered() {
        let mut client = Client::new(After::Close, PATIENT);
        client.send(ASK).await;
        client.begun.acquire().await.expect("open").forget();
        client.io.shutdown().await.expect("ended");
        client.answers.add_permits(1);
        assert_answered(&client.rest().await);
    }
}
