//! Quantiles of any number of latencies in constant memory.

use serde::Serialize;

/// Each power of two is cut into this many buckets: quantiles are at most 1/32 too high.
const PER_OCTAVE: u64 = 32;
const BUCKETS: usize = 64 * PER_OCTAVE as usize;

/// From the first transmission to the final response, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50_us: u64,
    /// 90 of 100 were faster.
    pub p90_us: u64,
    /// 99 of 100 were faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: 0,
        }
    }

    pub(super) fn add(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub(super) fn summary(&self) -> Latency {
        Latency {
            p50_us: self.quantile(50),
            p90_us: self.quantile(90),
            p99_us: self.quantile(99),
            max_us: self.max,
        }
    }

    fn quantile(&self, percent: u64) -> u64 {
        let rank = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        let at = self.counts.iter().position(|&count| {
            seen += count;
            seen >= rank && seen > 0
        });
        at.map_or(0, |at| highest(at).min(self.max))
    }
}

fn bucket(value: u64) -> usize {
    if value < PER_OCTAVE {
        return value as usize;
    }
    let octave = u64::from(value.ilog2() - PER_OCTAVE.ilog2());
    ((octave + 1) * PER_OCTAVE + ((value >> octave) - PER_OCTAVE)) as usize
}

/// Largest value of a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PER_OCTAVE {
        return bucket;
    }
    let (octave, at) = (bucket / PER_OCTAVE - 1, bucket % PER_OCTAVE);
    ((PER_OCTAVE + at + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.summary(), Latency::default());
        for value in 1..=100_000 {
            histogram.add(value);
        }
        let latency = histogram.summary();
        for (found, exact) in [(latency.p50_us, 50_000.0), (latency.p99_us, 99_000.0)] {
            let ratio = found as f64 / exact;
            assert!((1.0..1.04).contains(&ratio), "{found} for {exact}");
        }
        assert_eq!(latency.max_us, 100_000);
    }

    #[test]
    fn every_value_has_a_bucket() {
        for value in [0, 31, 32, 33, 1_000, u64::from(u32::MAX), u64::MAX / 2] {
            assert!(highest(bucket(value)) >= value);
        }
    }
}
