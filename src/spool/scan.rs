//! From bytes to records, and around what is none.

use super::frame::{Parsed, parse};
use super::{DecodeError, Record, Stored};

/// Why a batch ended where it did.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("enough")]
    Enough,
    #[error("half a record")]
    Partial,
    #[error("the checksum is wrong")]
    Damaged,
    #[error("{0}")]
    Undecodable(DecodeError),
}

/// Records up to the first that is none; how many bytes they take; why it ended.
pub(super) fn read_records<T: Record>(
    bytes: &[u8],
    offset: u64,
    schema: u16,
    max: usize,
) -> (Vec<Stored<T>>, usize, Stopped) {
    let mut records = Vec::new();
    let mut at = 0;
    let stopped = loop {
        if records.len() == max {
            break Stopped::Enough;
        }
        match parse(&bytes[at..]) {
            Parsed::Whole { payload, size } => match T::decode(schema, payload) {
                Ok(record) => {
                    let offset = offset + at as u64;
                    records.push(Stored { offset, record });
                    at += size;
                }
                Err(error) => break Stopped::Undecodable(error),
            },
            Parsed::Partial => break Stopped::Partial,
            Parsed::Damaged { .. } => break Stopped::Damaged,
        }
    };
    (records, at, stopped)
}

/// Every readable record, passing over the others as far as lengths lead.
pub(super) fn read_good<T: Record>(bytes: &[u8], start: u64, schema: u16) -> Vec<Stored<T>> {
    let mut good = Vec::new();
    let mut at = 0;
    loop {
        let (records, used, _) =
            read_records::<T>(&bytes[at..], start + at as u64, schema, usize::MAX);
        good.extend(records);
        at += used;
        match bad_run::<T>(&bytes[at..], schema) {
            Some((size, _)) if size > 0 => at += size,
            _ => return good,
        }
    }
}

/// Size and number of the frames before the next good one (or the end), if lengths lead there.
pub(super) fn bad_run<T: Record>(bytes: &[u8], schema: u16) -> Option<(usize, u64)> {
    let mut at = 0;
    let mut records = 0;
    // As far as it is certain: behind a frame whose checksum is good.
    let mut certain = None;
    loop {
        if at == bytes.len() {
            return Some((at, records));
        }
        match parse(&bytes[at..]) {
            Parsed::Whole { payload, size } => {
                if T::decode(schema, payload).is_ok() {
                    return Some((at, records));
                }
                at += size;
                records += 1;
                certain = Some((at, records));
            }
            Parsed::Damaged { size: Some(size) } => {
                at += size;
                records += 1;
            }
            Parsed::Damaged { size: None } | Parsed::Partial => return certain,
        }
    }
}

pub(super) fn count_frames(bytes: &[u8]) -> u64 {
    let mut at = 0;
    let mut count = 0;
    loop {
        match parse(&bytes[at..]) {
            Parsed::Whole { size, .. } => {
                at += size;
                count += 1;
            }
            Parsed::Damaged { size: Some(size) } => at += size,
            Parsed::Damaged { size: None } | Parsed::Partial => return count,
        }
    }
}
