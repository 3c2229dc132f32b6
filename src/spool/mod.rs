//! Append-only segments on disk: what was answered is here before the answer leaves.
//!
//! One writer ([`Spool`], behind a mutex on the hot path), one reader ([`SpoolReader`], the
//! shipper's, which works on the files alone), one process (a lock file). Generic over
//! [`Record`]: each kind of record has a directory of its own.
//!
//! # On disk, format 1
//! ```text
//! <dir>/lock                       locked by the owning process
//! <dir>/<sequence>-<id>.seg        segments; sequence decimal (order), id hex (identity)
//! <dir>/cursor                     what is shipped, and the batch in flight
//! <dir>/quarantine/<segment>@<offset>   bytes that could not be read or shipped, and why
//!
//! segment = header frame*
//! header  = magic "TFPSSPL\x01" | format u16 | schema u16 | kind [4] | sequence u32 | id u64 | crc u32
//! frame   = length u32 | crc u32 | payload [length]
//! cursor  = crc32c in hex, a space, one line of JSON
//! ```
//! Integers are little-endian. Checksums are CRC-32C; a frame's covers its length and its
//! payload, so that a run of zeros is no frame. The payload is the record in postcard, of the
//! schema the header names.
//!
//! # Invariants
//! 1. A batch of records is one `write(2)`. What that call took is in the page cache and so
//!    survives the death of the process; a background thread carries it to the disk.
//! 2. A segment has one writer, for its whole life. A new process begins a new segment; a
//!    segment that has a successor is *sealed* and never changes again.
//! 3. A segment never shrinks below the end of a whole frame, so that the reader may believe
//!    every whole frame it sees. A write that fails half-way is cut back to that end, or the
//!    segment is sealed there.
//! 4. Only the end of the newest segment can hold half a frame after a crash, and opening cuts
//!    it off. Anything else that does not check is damage: set aside, told, and passed by.
//! 5. Segment ids are never used twice, so that an id and an offset name a record for ever.
//! 6. The cursor file is replaced whole and fsynced. It names a batch (segment, first byte, last
//!    byte) *before* that batch may be sent, and the same bytes are offered again until the
//!    batch is committed, withdrawn or set aside. A different batch is never made over a
//!    range whose fate is unknown.
//! 7. Everything is bounded: record, segment, spool, quarantine.

mod cursor;
mod error;
mod frame;
mod options;
mod quarantine;
mod reader;
mod recent;
mod record;
mod scan;
mod segment;
mod sync;
mod writer;

#[cfg(test)]
mod tests;

pub use error::SpoolError;
pub use frame::{Frames, MAX_RECORD};
pub use options::{Share, SpoolOptions};
pub use reader::{Batch, Certainty, Range, SpoolReader, Stored};
pub use record::{DecodeError, Record};
pub use segment::SegmentKey;
pub use writer::{Spool, open};
