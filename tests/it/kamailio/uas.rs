//! A scripted SIP server: a gateway, or what stands for TFPS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::Message;

/// Long enough for a loaded machine, short enough to fail while one still remembers what was started.
pub const DEADLINE: Duration = Duration::from_secs(8);

/// What a [`Uas`] does with an INVITE.
#[derive(Clone, Debug)]
pub enum Script {
    /// 100, 200. No 180: sent in one breath, two workers of a proxy may pass them on in the other order.
    Answer,
    /// This final code, at once.
    Refuse(u16),
    /// 503 with Retry-After, at once.
    Busy,
    /// 100, 180, then nothing until CANCEL: 487.
    Ring,
    /// 302 to this user part in the caller's domain.
    Redirect(String),
    /// 100, and the 302 only when CANCEL comes: the two have crossed.
    RedirectOnCancel(String),
    Silent,
}

/// A SIP server on a free UDP port that records every request it gets, retransmissions excepted.
pub struct Uas {
    pub addr: SocketAddr,
    requests: watch::Receiver<Vec<Message>>,
    task: JoinHandle<()>,
}

impl Uas {
    pub async fn start(script: impl Fn(&Message) -> Script + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        let (record, requests) = watch::channel(Vec::new());
        let task = tokio::spawn(serve(socket, script, record));
        Self {
            addr,
            requests,
            task,
        }
    }

    /// Every request of this method so far.
    pub fn seen(&self, method: &str) -> Vec<Message> {
        self.requests
            .borrow()
            .iter()
            .filter(|request| request.method() == method)
            .cloned()
            .collect()
    }

    /// Waits until `count` requests of this method have come and returns them.
    pub async fn wait_for(&self, method: &str, count: usize) -> Vec<Message> {
        let mut requests = self.requests.clone();
        let enough = |all: &Vec<Message>| {
            all.iter()
                .filter(|request| request.method() == method)
                .count()
                >= count
        };
        let reached = timeout(DEADLINE, requests.wait_for(enough)).await.is_ok();
        assert!(
            reached,
            "{count} {method} expected within {DEADLINE:?}, got {:#?}",
            self.seen(method)
        );
        self.seen(method)
    }
}

impl Drop for Uas {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    socket: UdpSocket,
    script: impl Fn(&Message) -> Script,
    record: watch::Sender<Vec<Message>>,
) {
    // What was said in each transaction, for retransmissions; and what a CANCEL still brings about.
    let mut said: HashMap<(String, String), Vec<Message>> = HashMap::new();
    let mut ringing: HashMap<String, Message> = HashMap::new();
    let mut buffer = vec![0; 65_535];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let Some(request) = Message::parse(&buffer[..length]) else {
            continue;
        };
        let transaction = (request.method().to_owned(), request.branch().to_owned());
        if !said.contains_key(&transaction) {
            let answers = answers_to(
                &request,
                &script,
                &mut ringing,
                socket.local_addr().unwrap(),
            );
            said.insert(transaction.clone(), answers);
            record.send_modify(|all| all.push(request));
        }
        for answer in &said[&transaction] {
            socket
                .send_to(answer.to_string().as_bytes(), from)
                .await
                .unwrap();
        }
    }
}

fn answers_to(
    request: &Message,
    script: &impl Fn(&Message) -> Script,
    ringing: &mut HashMap<String, Message>,
    own: SocketAddr,
) -> Vec<Message> {
    let trying = || request.response(100, "Trying");
    let contact = |response: Message| response.with("Contact", format!("<sip:{own}>"));
    match request.method() {
        "INVITE" => match script(request) {
            Script::Answer => vec![trying(), contact(request.response(200, "OK"))],
            Script::Busy => {
                let busy = request.response(503, "As Scripted");
                vec![trying(), busy.with("Retry-After", "1")]
            }
            Script::Refuse(code) => vec![trying(), request.response(code, "As Scripted")],
            Script::Ring => {
                ringing.insert(
                    request.branch().to_owned(),
                    request.response(487, "Request Terminated"),
                );
                vec![trying(), contact(request.response(180, "Ringing"))]
            }
            Script::Redirect(user) => vec![redirect(request, &user)],
            Script::RedirectOnCancel(user) => {
                ringing.insert(request.branch().to_owned(), redirect(request, &user));
                vec![trying()]
            }
            Script::Silent => Vec::new(),
        },
        "CANCEL" => {
            let ended = ringing.remove(request.branch());
            std::iter::once(request.response(200, "OK"))
                .chain(ended)
                .collect()
        }
        "ACK" => Vec::new(),
        _ => vec![request.response(200, "OK")],
    }
}

fn redirect(invite: &Message, user: &str) -> Message {
    invite
        .response(302, "Moved Temporarily")
        .with("Contact", format!("<sip:{user}@itsp.example>"))
}
