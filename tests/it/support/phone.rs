//! A softswitch that asks: INVITEs over UDP, sent again until answered, acknowledged; or over a
//! stream, sent once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{DEADLINE, Message};

/// Until an INVITE is sent again: shorter than T1 of RFC 3261, as everything here is one machine.
const AGAIN: Duration = Duration::from_millis(200);

/// A socket that asks one server.
pub struct Phone {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Phone {
    /// From 127.0.0.1.
    pub fn new(server: SocketAddr) -> Self {
        Self::from_address("127.0.0.1", server)
    }

    /// From an address of this machine, e.g. 127.0.0.2.
    pub fn from_address(own: &str, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((own, 0)).expect("a socket");
        socket.set_read_timeout(Some(AGAIN)).expect("a timeout");
        Self { socket, server }
    }

    /// An INVITE of `alice@itsp.example` for `number`; further headers go before what is there.
    pub fn invite(&self, number: &str) -> Message {
        let own = self.socket.local_addr().expect("bound");
        invite("UDP", own, self.server, number)
    }

    /// Asks about `number`.
    pub fn call(&self, number: &str) -> Message {
        self.ask(&self.invite(number))
    }

    /// Sends an INVITE until it has a final answer, and acknowledges that.
    pub fn ask(&self, invite: &Message) -> Message {
        let answer = self.ask_only(invite);
        self.acknowledge(invite, &answer);
        answer
    }

    /// Sends a request until it has a final answer, and leaves it at that.
    pub fn ask_only(&self, request: &Message) -> Message {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            self.send(request.to_string().as_bytes());
            if let Some(answer) = self.answer_to(request) {
                return answer;
            }
        }
        panic!("no answer within {DEADLINE:?} to\n{request}");
    }

    /// Acknowledges the answer of an INVITE.
    pub fn acknowledge(&self, invite: &Message, answer: &Message) {
        self.send(acknowledge(invite, answer).to_string().as_bytes());
    }

    /// Asserts that nothing has come.
    pub fn heard_nothing(&self) {
        self.socket.set_nonblocking(true).expect("set");
        let mut buffer = vec![0; 65_535];
        let heard = self.socket.recv(&mut buffer);
        let text = heard.map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned());
        self.socket.set_nonblocking(false).expect("set");
        let error = text.expect_err("silence").kind();
        assert_eq!(error, std::io::ErrorKind::WouldBlock);
    }

    /// Sends bytes, whatever they are.
    pub fn send(&self, bytes: &[u8]) {
        // A closed port is told by an earlier datagram's ICMP, and is what sending again is for.
        let _ = self.socket.send_to(bytes, self.server);
    }

    /// What the system says to a datagram.
    pub fn try_send(&self, bytes: &[u8]) -> std::io::Result<usize> {
        self.socket.send_to(bytes, self.server)
    }

    fn answer_to(&self, invite: &Message) -> Option<Message> {
        let mut buffer = vec![0; 65_535];
        loop {
            let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
            let Some(message) = Message::parse(&buffer[..length]) else {
                continue;
            };
            if message.status() >= Some(200)
                && message.branch() == invite.branch()
                && message.header("CSeq") == invite.header("CSeq")
            {
                return Some(message);
            }
        }
    }
}

/// A connection to one server: TCP, or TLS over it.
pub struct StreamPhone<S> {
    stream: S,
    transport: &'static str,
    own: SocketAddr,
    server: SocketAddr,
}

impl StreamPhone<TcpStream> {
    /// Over TCP.
    pub fn connect(server: SocketAddr) -> Self {
        let stream = connect(server);
        let own = stream.local_addr().expect("bound");
        Self::over(stream, "TCP", own, server)
    }
}

/// A connection that answers in time or fails.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    stream
}

impl<S: Read + Write> StreamPhone<S> {
    /// Over what is connected already.
    pub fn over(stream: S, transport: &'static str, own: SocketAddr, server: SocketAddr) -> Self {
        Self {
            stream,
            transport,
            own,
            server,
        }
    }

    /// As [`Phone::invite`].
    pub fn invite(&self, number: &str) -> Message {
        invite(self.transport, self.own, self.server, number)
    }

    /// Asks about `number`.
    pub fn call(&mut self, number: &str) -> Message {
        self.ask(&self.invite(number))
    }

    /// Sends an INVITE, and acknowledges its answer.
    pub fn ask(&mut self, invite: &Message) -> Message {
        self.try_ask(invite)
            .unwrap_or_else(|error| panic!("{error}: no answer to\n{invite}"))
    }

    /// As [`ask`](Self::ask), where the connection may be refused.
    pub fn try_ask(&mut self, invite: &Message) -> std::io::Result<Message> {
        self.stream.write_all(invite.to_string().as_bytes())?;
        self.stream.flush()?;
        let answer = self.answer()?;
        let ack = acknowledge(invite, &answer).to_string();
        self.stream.write_all(ack.as_bytes())?;
        self.stream.flush()?;
        Ok(answer)
    }

    /// The next answer; those of TFPS have no body.
    fn answer(&mut self) -> std::io::Result<Message> {
        let (mut bytes, mut byte) = (Vec::new(), [0]);
        while !bytes.ends_with(b"\r\n\r\n") {
            self.stream.read_exact(&mut byte)?;
            bytes.push(byte[0]);
        }
        Ok(Message::parse(&bytes).expect("an answer"))
    }
}

fn invite(transport: &str, own: SocketAddr, server: SocketAddr, number: &str) -> Message {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let serial = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{serial}-{}", own.port());
    Message::new(format!("INVITE sip:{number}@{server} SIP/2.0"))
        .with(
            "Via",
            format!("SIP/2.0/{transport} {own};rport;branch=z9hG4bK-{name}"),
        )
        .with("Max-Forwards", "70")
        .with("From", format!("<sip:alice@itsp.example>;tag={name}"))
        .with("To", format!("<sip:{number}@{server}>"))
        .with("Call-ID", format!("{name}@phone"))
        .with("CSeq", "1 INVITE")
        .with("Contact", format!("<sip:alice@{own}>"))
}

/// The ACK of a final answer that is no 2xx (RFC 3261 section 17.1.1.3).
fn acknowledge(invite: &Message, answer: &Message) -> Message {
    let keep = |name: &str| invite.header(name).unwrap_or_default().to_owned();
    Message::new(invite.start.replacen("INVITE", "ACK", 1))
        .with("Via", keep("Via"))
        .with("Max-Forwards", "70")
        .with("From", keep("From"))
        .with("To", answer.header("To").unwrap_or_default())
        .with("Call-ID", keep("Call-ID"))
        .with("CSeq", "1 ACK")
}

/// What a prevention answer decides: `A00`, `R03`, ... of a 302's Contact, else the status.
pub fn code_of(answer: &Message) -> String {
    let contact = answer.header("Contact").unwrap_or_default();
    match (answer.status(), contact.strip_prefix("<sip:")) {
        (Some(302), Some(rest)) => rest[..3].to_owned(),
        (status, _) => status.unwrap_or_default().to_string(),
    }
}
