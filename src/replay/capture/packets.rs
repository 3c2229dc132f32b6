//! Packets out of a file, whichever of the two formats it is.

use crate::domain::Timestamp;
use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};
use std::io::Read;

/// Longest block read, bytes: four times the longest packet Wireshark keeps.
const BUFFER: usize = 1 << 20;
/// Interfaces of one section.
const INTERFACES: usize = 4_096;

/// Why a capture cannot be read further.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum CaptureError {
    #[error("the file is no capture: expected pcap or pcapng (not compressed)")]
    NotACapture,
    #[error("the file could not be read")]
    Unreadable,
    #[error("the capture is damaged behind packet {0}: what is before was read")]
    Damaged(u64),
    #[error("the capture ends within packet {0}: what is before was read")]
    Cut(u64),
    #[error("packet {0} comes from an interface the capture does not describe")]
    Interface(u64),
}

/// A captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// From 1.
    pub number: u64,
    /// When it was captured; `None`: the file does not say (a Simple Packet Block).
    pub at: Option<Timestamp>,
    /// What its first bytes are.
    pub link: Linktype,
    /// As much of it as was kept.
    pub data: &'a [u8],
}

/// Whether a file is a capture, by its first four bytes: pcapng, or pcap in either order of bytes
/// with micro- or nanoseconds.
#[must_use]
pub const fn is_capture(first: [u8; 4]) -> bool {
    matches!(
        u32::from_be_bytes(first),
        0x0a0d_0d0a | 0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1
    )
}

/// How an interface tells the time.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Linktype,
    /// Units of a second.
    resolution: u64,
    offset_s: i64,
    /// Bytes kept of a packet; 0: all.
    snaplen: u32,
}

/// Reads packets one by one.
pub struct Packets<'r> {
    reader: Box<dyn PcapReaderIterator + Send + 'r>,
    interfaces: Vec<Interface>,
    number: u64,
}

impl std::fmt::Debug for Packets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packets")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl<'r> Packets<'r> {
    /// Looks at the file's first block.
    ///
    /// # Errors
    /// It is no capture.
    pub fn new(source: impl Read + Send + 'r) -> Result<Self, CaptureError> {
        let reader = create_reader(BUFFER, source).map_err(|error| match error {
            PcapError::ReadError => CaptureError::Unreadable,
            _ => CaptureError::NotACapture,
        })?;
        Ok(Self {
            reader,
            interfaces: Vec::new(),
            number: 0,
        })
    }

    /// Bytes read so far: for a progress bar.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.reader.consumed() as u64
    }

    /// Hands the next packet to `take`; `false`: there is none.
    ///
    /// # Errors
    /// The file cannot be read further.
    pub fn next(&mut self, take: &mut dyn FnMut(&Packet<'_>)) -> Result<bool, CaptureError> {
        loop {
            let (offset, block) = match self.reader.next() {
                Ok(next) => next,
                Err(PcapError::Eof) => return Ok(false),
                Err(PcapError::Incomplete(_)) => {
                    let filled = self.reader.refill().map_err(|_| CaptureError::Unreadable);
                    filled?;
                    continue;
                }
                Err(PcapError::UnexpectedEof) => return Err(CaptureError::Cut(self.number + 1)),
                Err(PcapError::ReadError) => return Err(CaptureError::Unreadable),
                Err(_) => return Err(CaptureError::Damaged(self.number)),
            };
            let clock = Clock {
                interfaces: &mut self.interfaces,
                number: self.number + 1,
            };
            let packet = clock.read(&block)?;
            let taken = packet.is_some();
            if let Some(packet) = packet {
                self.number = packet.number;
                take(&packet);
            }
            drop(block);
            self.reader.consume(offset);
            if taken {
                return Ok(true);
            }
        }
    }
}

/// What is known when a block comes.
struct Clock<'a> {
    interfaces: &'a mut Vec<Interface>,
    number: u64,
}

impl Clock<'_> {
    /// The packet of a block, if it has one.
    fn read<'b>(self, block: &'b PcapBlockOwned<'_>) -> Result<Option<Packet<'b>>, CaptureError> {
        let number = self.number;
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let nanoseconds = header.is_nanosecond_precision();
                *self.interfaces = vec![Interface {
                    link: header.network,
                    resolution: if nanoseconds {
                        1_000_000_000
                    } else {
                        1_000_000
                    },
                    offset_s: 0,
                    snaplen: header.snaplen,
                }];
                Ok(None)
            }
            PcapBlockOwned::Legacy(block) => {
                let interface = self.interface(0)?;
                let seconds = Timestamp::from_secs(i64::from(block.ts_sec));
                let part = micros(u64::from(block.ts_usec), interface.resolution);
                Ok(Some(Packet {
                    number,
                    at: Some(Timestamp(seconds.0.saturating_add(part))),
                    link: interface.link,
                    data: kept(block.data, block.caplen),
                }))
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                Ok(None)
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(described)) => {
                if self.interfaces.len() >= INTERFACES {
                    return Err(CaptureError::Damaged(number - 1));
                }
                self.interfaces.push(Interface {
                    link: described.linktype,
                    resolution: described.ts_resolution().unwrap_or(1_000_000).max(1),
                    offset_s: described.ts_offset(),
                    snaplen: described.snaplen,
                });
                Ok(None)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                let interface = self.interface(block.if_id)?;
                let units = (u64::from(block.ts_high) << 32) | u64::from(block.ts_low);
                let at = micros(units, interface.resolution);
                let offset = interface.offset_s.saturating_mul(Timestamp::SECOND);
                Ok(Some(Packet {
                    number,
                    at: Some(Timestamp(at.saturating_add(offset))),
                    link: interface.link,
                    data: kept(block.data, block.caplen),
                }))
            }
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                let interface = self.interface(0)?;
                let length = match interface.snaplen {
                    0 => block.origlen,
                    snaplen => block.origlen.min(snaplen),
                };
                Ok(Some(Packet {
                    number,
                    at: None,
                    link: interface.link,
                    data: kept(block.data, length),
                }))
            }
            PcapBlockOwned::NG(_) => Ok(None),
        }
    }

    fn interface(&self, id: u32) -> Result<Interface, CaptureError> {
        let found = usize::try_from(id)
            .ok()
            .and_then(|id| self.interfaces.get(id));
        found.copied().ok_or(CaptureError::Interface(self.number))
    }
}

/// A block's data without what fills it up.
fn kept(data: &[u8], length: u32) -> &[u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    &data[..data.len().min(length)]
}

fn micros(units: u64, resolution: u64) -> i64 {
    let micros = u128::from(units) * 1_000_000 / u128::from(resolution);
    i64::try_from(micros).unwrap_or(i64::MAX)
}
