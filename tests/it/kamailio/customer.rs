//! A scripted customer: places a call, acknowledges, cancels, hangs up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::uas::DEADLINE;
use crate::support::Message;

/// One call of a customer, from a socket of its own.
pub struct Call {
    socket: UdpSocket,
    invite: Message,
    /// The last response that carried a To tag and a route set.
    answer: Option<Message>,
}

impl Call {
    /// Sends the INVITE of `caller` (the From user) for `number` to `proxy`.
    pub async fn place(proxy: SocketAddr, caller: &str, number: &str) -> Self {
        Self::place_with(proxy, caller, number, &[]).await
    }

    /// The same, with further headers, or others in the place of those it has.
    pub async fn place_with(
        proxy: SocketAddr,
        caller: &str,
        number: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(proxy).await.unwrap();
        let own = socket.local_addr().unwrap();
        let mut invite = Message::new(format!("INVITE sip:{number}@{proxy} SIP/2.0"))
            .with(
                "Via",
                format!(
                    "SIP/2.0/UDP {own};rport;branch=z9hG4bK-{serial}-{}",
                    own.port()
                ),
            )
            .with("Max-Forwards", "70")
            .with(
                "From",
                format!("<sip:{caller}@itsp.example>;tag=caller-{serial}"),
            )
            .with("To", format!("<sip:{number}@{proxy}>"))
            .with(
                "Call-ID",
                format!("{serial}-{}-{}@customer", std::process::id(), own.port()),
            )
            .with("CSeq", "1 INVITE")
            .with("Contact", format!("<sip:{caller}@{own}>"))
            .with("User-Agent", "Customer-PBX/1.0");
        for (name, value) in headers {
            invite.headers.retain(|(known, _)| known != name);
            invite = invite.with(name, *value);
        }
        let call = Self {
            socket,
            invite,
            answer: None,
        };
        call.send(&call.invite).await;
        call
    }

    /// Waits for the final response to the INVITE and acknowledges it.
    pub async fn outcome(&mut self) -> Message {
        let answer = self.response("INVITE", 200).await;
        let ack = if answer.status() < Some(300) {
            self.answer = Some(answer.clone());
            self.within_dialog("ACK", 1)
        } else {
            self.same_transaction("ACK", answer.header("To"))
        };
        self.send(&ack).await;
        answer
    }

    /// The status alone, which is all most tests ask for.
    pub async fn status(&mut self) -> u16 {
        self.outcome().await.status().unwrap()
    }

    pub async fn hang_up(&mut self) -> u16 {
        let bye = self.within_dialog("BYE", 2);
        self.send(&bye).await;
        self.response("BYE", 200).await.status().unwrap()
    }

    /// Sends CANCEL and waits for its 200; the INVITE's own end is for [`Self::outcome`].
    pub async fn cancel(&mut self) {
        let cancel = self.same_transaction("CANCEL", self.invite.header("To"));
        self.send(&cancel).await;
        // The INVITE's 487 may come first, so it is not waited for by order of arrival.
        let answer = self.response("CANCEL", 200).await;
        assert_eq!(answer.status(), Some(200), "{answer}");
    }

    /// Waits for a provisional response of at least `status`.
    pub async fn progress(&mut self, status: u16) {
        self.response("INVITE", status).await;
    }

    pub async fn send(&self, message: &Message) {
        self.socket
            .send(message.to_string().as_bytes())
            .await
            .unwrap();
    }

    pub async fn resend_invite(&self) {
        self.send(&self.invite).await;
    }

    async fn response(&mut self, method: &str, at_least: u16) -> Message {
        if let Some(kept) = self
            .answer
            .take_if(|kept| is_response(kept, method, at_least))
        {
            return kept;
        }
        let mut buffer = vec![0; 65_535];
        let wait = async {
            loop {
                let length = self.socket.recv(&mut buffer).await.unwrap();
                let Some(message) = Message::parse(&buffer[..length]) else {
                    continue;
                };
                if is_response(&message, method, at_least) {
                    return message;
                }
                // A 487 that overtakes the CANCEL's 200 must not be lost.
                if is_response(&message, "INVITE", 200) && self.answer.is_none() {
                    self.answer = Some(message);
                }
            }
        };
        timeout(DEADLINE, wait)
            .await
            .unwrap_or_else(|_| panic!("no {at_least} to {method} within {DEADLINE:?}"))
    }

    /// ACK of a failure and CANCEL: the INVITE's own Via branch and Request-URI (RFC 3261 sections 9.1, 17.1.1.3).
    fn same_transaction(&self, method: &str, to: Option<&str>) -> Message {
        let keep = |name: &str| self.invite.header(name).unwrap().to_owned();
        Message::new(format!("{method} {} SIP/2.0", self.invite.request_uri()))
            .with("Via", keep("Via"))
            .with("Max-Forwards", "70")
            .with("From", keep("From"))
            .with("To", to.unwrap())
            .with("Call-ID", keep("Call-ID"))
            .with("CSeq", format!("1 {method}"))
    }

    fn within_dialog(&self, method: &str, cseq: u32) -> Message {
        let answer = self.answer.as_ref().unwrap();
        let remote = answer.header("Contact").unwrap().trim_matches(['<', '>']);
        let via = self.invite.header("Via").unwrap();
        let mut request = Message::new(format!("{method} {remote} SIP/2.0"))
            .with("Via", format!("{via}-{method}"))
            .with("Max-Forwards", "70")
            .with("From", answer.header("From").unwrap())
            .with("To", answer.header("To").unwrap())
            .with("Call-ID", answer.header("Call-ID").unwrap())
            .with("CSeq", format!("{cseq} {method}"));
        for route in answer.all("Record-Route").rev() {
            request = request.with("Route", route);
        }
        request
    }
}

fn is_response(message: &Message, method: &str, at_least: u16) -> bool {
    let cseq_method = message
        .header("CSeq")
        .and_then(|cseq| cseq.split(' ').nth(1));
    cseq_method == Some(method) && message.status() >= Some(at_least)
}
