//! How often a source is heard.

use super::Secret;
use crate::domain::Timestamp;
use std::net::IpAddr;

/// Buckets; sources share them by keyed hash, so that no flood of made-up sources can fill a
/// table or have one cleared.
const BUCKETS: usize = 8_192;
/// Seconds' worth of requests that may come at once.
const BURST: f32 = 2.0;
/// All sources together may ask this many times as often as one.
const TOGETHER: u32 = 100;

/// Token buckets.
#[derive(Debug)]
pub(super) struct Crowd {
    per_second: f32,
    secret: Secret,
    each: Vec<Bucket>,
    all: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f32,
    at: Timestamp,
}

impl Bucket {
    /// Takes a token, if there is one by now.
    fn take(&mut self, per_second: f32, now: Timestamp) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "a number of seconds")]
        let passed = now.seconds_since(self.at).max(0.0) as f32;
        self.tokens = (self.tokens + passed * per_second).min(BURST * per_second);
        self.at = now;
        let may = self.tokens >= 1.0;
        if may {
            self.tokens -= 1.0;
        }
        may
    }
}

impl Crowd {
    pub(super) fn new(per_second: u32, secret: Secret) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let per_second = per_second as f32;
        let full = Bucket {
            tokens: BURST * per_second,
            at: Timestamp::default(),
        };
        Self {
            per_second,
            secret,
            each: vec![full; BUCKETS],
            all: full,
        }
    }

    /// Whether a request of a source is heard. Of IPv6 a network of 64 bits is one source.
    pub(super) fn admit(&mut self, source: IpAddr, now: Timestamp) -> bool {
        let source: u64 = match source.to_canonical() {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
        };
        let draw = self.secret.draw(b"crowd", &source.to_be_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "a place in the table")]
        let at = draw as usize % BUCKETS;
        #[expect(clippy::cast_precision_loss, reason = "100")]
        let together = self.per_second * TOGETHER as f32;
        self.each[at].take(self.per_second, now) && self.all.take(together, now)
    }
}
