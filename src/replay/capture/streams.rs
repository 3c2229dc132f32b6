//! Messages out of TCP: segments in the order of their numbers (RFC 9293 section 3.4), within
//! bounds. A stream whose beginning is not in the capture is read from where a message seems to
//! begin.

use crate::domain::Timestamp;
use crate::sip::{Frame, Framer};
use etherparse::TcpSlice;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

/// Streams at once; a connection is two.
const MOST: usize = 4_096;
/// Bytes of segments that came too early, kept for one stream.
const EARLY: usize = 64 * 1024;
/// Of so many segments.
const SEGMENTS: usize = 64;

type Ends = (SocketAddr, SocketAddr);

#[derive(Debug)]
struct Stream {
    /// Number of the next byte; `None`: not known where a message begins.
    next: Option<u32>,
    framer: Framer,
    early: BTreeMap<u32, Vec<u8>>,
    early_bytes: usize,
    last: Timestamp,
}

/// Streams of which something was seen.
#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: HashMap<Ends, Stream>,
}

impl Streams {
    /// Takes a segment and hands on the messages it completes; whether something was lost.
    pub(super) fn take(
        &mut self,
        ends: Ends,
        segment: &TcpSlice<'_>,
        at: Timestamp,
        message: &mut dyn FnMut(&[u8]),
    ) -> bool {
        if segment.rst() {
            self.streams.remove(&ends);
            return false;
        }
        if self.streams.len() >= MOST && !self.streams.contains_key(&ends) {
            let oldest = self.streams.iter().min_by_key(|(_, stream)| stream.last);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.streams.remove(&key);
            }
        }
        let stream = self.streams.entry(ends).or_insert_with(|| Stream::new(at));
        stream.last = at;
        let lost = stream.take(segment, message);
        if segment.fin() && stream.early.is_empty() {
            self.streams.remove(&ends);
        }
        lost
    }
}

impl Stream {
    fn new(at: Timestamp) -> Self {
        Self {
            next: None,
            framer: Framer::new(),
            early: BTreeMap::new(),
            early_bytes: 0,
            last: at,
        }
    }

    fn take(&mut self, segment: &TcpSlice<'_>, message: &mut dyn FnMut(&[u8])) -> bool {
        let number = segment.sequence_number();
        if segment.syn() {
            *self = Self::new(self.last);
            self.next = Some(number.wrapping_add(1));
        }
        let bytes = segment.payload();
        if bytes.is_empty() {
            return false;
        }
        if self.next.is_none() {
            if !begins(bytes) {
                return false;
            }
            self.next = Some(number);
        }
        let lost = self.place(number, bytes);
        self.read_on(message) || lost
    }

    /// Keeps a segment until its turn; whether waiting for one that is missing was given up.
    fn place(&mut self, number: u32, bytes: &[u8]) -> bool {
        self.early_bytes += bytes.len();
        if let Some(other) = self.early.insert(number, bytes.to_vec()) {
            self.early_bytes -= other.len();
        }
        if self.early_bytes <= EARLY && self.early.len() <= SEGMENTS {
            return false;
        }
        // Go on behind the gap, at a segment with which a message seems to begin.
        let behind = self.early.iter().find(|(_, bytes)| begins(bytes));
        self.next = behind.map(|(number, _)| *number);
        self.framer = Framer::new();
        if self.next.is_none() {
            self.early.clear();
            self.early_bytes = 0;
        }
        true
    }

    /// Takes the segments whose turn has come; whether the stream cannot be divided.
    fn read_on(&mut self, message: &mut dyn FnMut(&[u8])) -> bool {
        let mut lost = false;
        while let Some(next) = self.next {
            let ready = self
                .early
                .iter()
                .find(|(number, _)| !is_later(**number, next));
            let Some(number) = ready.map(|(number, _)| *number) else {
                break;
            };
            let bytes = self.early.remove(&number).unwrap_or_default();
            self.early_bytes -= bytes.len();
            // What was sent again stands there already.
            let known = usize::try_from(next.wrapping_sub(number)).unwrap_or(usize::MAX);
            let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) else {
                continue;
            };
            self.next = Some(next.wrapping_add(u32::try_from(new.len()).unwrap_or_default()));
            self.framer.push(new);
            lost |= self.frames(message);
        }
        lost
    }

    fn frames(&mut self, message: &mut dyn FnMut(&[u8])) -> bool {
        loop {
            match self.framer.next_frame() {
                Ok(Some(Frame::Message(bytes))) => message(&bytes),
                Ok(Some(Frame::Ping)) => {}
                Ok(None) => return false,
                Err(broken) => {
                    // Not SIP at all (HTTP, TLS) is nothing lost.
                    self.next = None;
                    self.framer = Framer::new();
                    self.early.clear();
                    self.early_bytes = 0;
                    return broken.fault != crate::sip::Malformed::NotSip;
                }
            }
        }
    }
}

/// Whether a number lies ahead of another; numbers go round.
const fn is_later(number: u32, than: u32) -> bool {
    number != than && number.wrapping_sub(than) < 1 << 31
}

/// Whether bytes look like the first of a SIP message.
fn begins(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}
