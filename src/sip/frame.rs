//! Messages out of a stream of bytes: TCP and TLS (RFC 3261 section 18.3), with the keep-alives
//! of RFC 5626 section 3.5.1.
//!
//! A stream has no packets, so only Content-Length says where a message ends. Where it is
//! missing, wrong or there twice, nobody can know where the next message begins, and guessing
//! would let one peer's body pass for another's request: the stream is [`Broken`] and must end.
//!
//! How the bytes were cut into pieces on their way changes nothing: the same bytes make the
//! same frames.

use super::message::{MAX_MESSAGE, Malformed};
use super::reader::{content_length, is_sip_line};
use super::text::is_token;
use bytes::{Buf, Bytes, BytesMut};

/// What a stream turned out to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message, head and body; nothing else about it is checked yet.
    Message(Bytes),
    /// CR LF CR LF between messages: wants CR LF back.
    Ping,
}

/// A stream that cannot be divided any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The message at fault, as far as it came; may be enough to answer it.
    pub read: Bytes,
    /// What is wrong.
    pub fault: Malformed,
}

/// Divides one stream. Holds at most [`MAX_MESSAGE`] bytes between two pushes, once all frames
/// were taken.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Bytes of the message's head that were searched for its end in vain; 0: its first line
    /// is not all there.
    searched: usize,
    /// Bytes of the message, once its head is there.
    total: Option<usize>,
}

impl Framer {
    /// A stream that said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read. Take all frames before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has begun and not ended: its sender must hurry.
    #[must_use]
    pub fn is_amid_message(&self) -> bool {
        !may_be_keep_alive(&self.buffer)
    }

    /// The next frame; `None`: more must be read first.
    ///
    /// # Errors
    /// [`Broken`]: nothing more can be had of this stream.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Broken> {
        let total = match self.total {
            Some(total) => total,
            None => {
                if self.skip_empty_lines() {
                    return Ok(Some(Frame::Ping));
                }
                match self.measure() {
                    Ok(None) => return Ok(None),
                    Ok(Some(total)) => *self.total.insert(total),
                    Err(fault) => return Err(self.broken(fault)),
                }
            }
        };
        if self.buffer.len() < total {
            return Ok(None);
        }
        self.total = None;
        self.searched = 0;
        Ok(Some(Frame::Message(self.buffer.split_to(total).freeze())))
    }

    /// Skips the empty lines before a message; whether they were a ping.
    fn skip_empty_lines(&mut self) -> bool {
        loop {
            match &self.buffer[..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return true;
                }
                half if may_be_keep_alive(half) => return false,
                [b'\r', b'\n', ..] => self.buffer.advance(2),
                [b'\n', ..] => self.buffer.advance(1),
                _ => return false,
            }
        }
    }

    /// Bytes of the message at the buffer's start, head and body; `None`: its head is not all
    /// there.
    fn measure(&mut self) -> Result<Option<usize>, Malformed> {
        if may_be_keep_alive(&self.buffer) {
            return Ok(None);
        }
        // Told early, so that who speaks something else does not wait for an answer.
        if !is_token(&self.buffer[..1]) {
            return Err(Malformed::NotSip);
        }
        let bytes = &self.buffer[..self.buffer.len().min(MAX_MESSAGE)];
        if self.searched == 0
            && let Some(end) = bytes.iter().position(|b| *b == b'\n')
        {
            if !is_sip_line(&bytes[..end]) {
                return Err(Malformed::NotSip);
            }
            self.searched = end;
        }
        // An end that was cut in two begins up to two bytes before what is new.
        let Some(head) = head_length(bytes, self.searched.saturating_sub(2)) else {
            if self.searched > 0 {
                self.searched = bytes.len();
            }
            return match self.buffer.len() {
                0..=MAX_MESSAGE => Ok(None),
                _ => Err(Malformed::TooLarge),
            };
        };
        let body = content_length(&bytes[..head])?;
        match head.saturating_add(body) {
            total @ 0..=MAX_MESSAGE => Ok(Some(total)),
            _ => Err(Malformed::TooLarge),
        }
    }

    fn broken(&mut self, fault: Malformed) -> Broken {
        let mut read = self.buffer.split();
        read.truncate(MAX_MESSAGE);
        Broken {
            read: read.freeze(),
            fault,
        }
    }
}

/// Whether the bytes are nothing yet, or half a ping.
fn may_be_keep_alive(bytes: &[u8]) -> bool {
    b"\r\n\r".starts_with(bytes)
}

/// Bytes up to and with the first empty line, searched for from `from` on. A bare LF ends a
/// line too, as in the reader.
fn head_length(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let after = at + bytes.get(at..)?.iter().position(|b| *b == b'\n')? + 1;
        match &bytes[after..] {
            [b'\n', ..] => return Some(after + 1),
            [b'\r', b'\n', ..] => return Some(after + 2),
            _ => at = after,
        }
    }
}
