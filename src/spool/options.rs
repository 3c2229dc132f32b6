//! Bounds and intervals of a spool.

use std::time::Duration;

/// How much of the spool somebody may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Whole,
    /// Three quarters: for what anybody can send, which must leave room for what is paid for.
    ThreeQuarters,
}

impl Share {
    /// Of so many bytes.
    #[must_use]
    pub const fn of(self, bytes: u64) -> u64 {
        match self {
            Self::Whole => bytes,
            Self::ThreeQuarters => bytes - bytes / 4,
        }
    }
}

/// How large, how old, how often.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// A segment at least so large is followed by a new one, bytes.
    pub segment_bytes: u64,
    /// A segment so old is followed by a new one at the next append.
    pub segment_age: Duration,
    /// All segments together, bytes; then [`super::SpoolError::Full`].
    pub max_bytes: u64,
    /// Everything in quarantine together, bytes; beyond it only the event tells.
    pub max_quarantine_bytes: u64,
    /// How often the background thread makes the disk catch up; `None`: the system's own pace.
    pub sync_every: Option<Duration>,
    /// A shipped segment is kept until its last write is so old: it is also the memory of
    /// transactions, twice the 32 s a retransmission can come late (RFC 3261, timer B).
    pub keep: Duration,
    /// Random bits, new for every start: segment ids are made of them.
    pub seed: u64,
}

impl SpoolOptions {
    /// 64 MiB or a minute a segment, 8 GiB in all, fsync every second.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(60),
            max_bytes: 8 << 30,
            max_quarantine_bytes: 1 << 30,
            sync_every: Some(Duration::from_secs(1)),
            keep: Duration::from_secs(64),
            seed,
        }
    }
}
