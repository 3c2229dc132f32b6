//! Just enough HTTP: one request, one connection, the whole answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::DEADLINE;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// `None` when nobody answers there.
pub fn get(address: SocketAddr, path: &str) -> Option<Reply> {
    ask(address, &format!("GET {path} HTTP/1.0\r\n\r\n"))
}

/// `None` when nobody answers there.
pub fn post(address: SocketAddr, path: &str, body: &str) -> Option<Reply> {
    let length = body.len();
    ask(
        address,
        &format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"),
    )
}

/// HTTP/1.0, so that the answer ends with the connection and comes in one piece.
fn ask(address: SocketAddr, request: &str) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: body.to_owned(),
    })
}
