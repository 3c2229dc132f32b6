//! Random draws that give the same values on every machine.
//!
//! Only integer arithmetic and the four basic operations on `f64`, which IEEE 754 defines to
//! the last bit: logarithms and the like differ between C libraries. The ways of drawing are
//! our own because those of `rand` may change between its releases.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// What a stream of draws is for: streams with different purposes do not move each other.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Purpose {
    Tenant = 1,
    Subscriber,
    Traffic,
    Lease,
    Holiday,
    Campaign,
    AttackData,
    Tenure,
    Device,
    Roaming,
    Networks,
    Routine,
    Event,
    CountryEvent,
    WorldEvent,
    Migration,
    Newcomer,
    Carrier,
    Gang,
    Order,
    Background,
    Counting,
}

/// A stream of draws.
#[derive(Debug)]
pub(super) struct Dice(Pcg64Mcg);

impl Dice {
    /// The stream for a purpose and whatever it is about (a subscriber, a day, ...).
    pub(super) fn new(seed: u64, purpose: Purpose, about: &[u64]) -> Self {
        let start = mix(seed ^ mix(purpose as u64));
        let low = about
            .iter()
            .fold(start, |state, part| mix(state ^ mix(*part)));
        let high = mix(low ^ 0x6a09_e667_f3bc_c908);
        Self(Pcg64Mcg::new((u128::from(high) << 64) | u128::from(low)))
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 to `n - 1`; 0 when `n` is 0. The bias is below `n / 2^64`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// From 0 to just below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From `low` to just below `high`.
    pub(super) fn scale(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True in `probability` of the cases.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of them; the slice must not be empty.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// One of them, the first ones much more often: the density falls linearly.
    pub(super) fn pick_early<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let (a, b) = (self.below(of.len() as u64), self.below(of.len() as u64));
        &of[a.min(b) as usize]
    }

    /// A waiting time of that mean, nearly exponential: `-log2` of a uniform draw is taken as
    /// linear between powers of two, which is off by less than 0.09.
    pub(super) fn waiting(&mut self, mean: f64) -> f64 {
        /// Mean of the piecewise linear `-log2`: 1 + 1/2.
        const MEAN: f64 = 1.5;
        let halvings = f64::from(self.bits().leading_zeros());
        mean * (halvings + self.unit()) / MEAN
    }

    /// How many of these waiting times fit into one unit of time when `mean` are expected:
    /// nearly Poisson. Bounded by 64 + 16 times the mean.
    pub(super) fn count(&mut self, mean: f64) -> u64 {
        let bound = 64 + (mean * 16.0) as u64;
        let mut elapsed = self.waiting(1.0);
        let mut count = 0;
        while elapsed < mean && count < bound {
            count += 1;
            elapsed += self.waiting(1.0);
        }
        count
    }

    /// From `low` up over that many doublings, each as likely as the others: volumes of people
    /// and firms are spread like this, over orders of magnitude.
    pub(super) fn magnitude(&mut self, low: f64, doublings: u64) -> f64 {
        let whole = self.below(doublings.min(32));
        low * (1u64 << whole) as f64 * self.scale(1.0, 2.0)
    }

    /// A position in proportion to its weight; 0 when all weights are 0.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
        let mut at = self.below(total);
        let reached = weights
            .iter()
            .position(|&weight| match at.checked_sub(u64::from(weight)) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            });
        reached.unwrap_or(0)
    }

    /// A text with each `#` replaced by a digit and each `N` by a digit from 2 to 9.
    pub(super) fn digits(&mut self, pattern: &str) -> String {
        let mut fill = |c| match c {
            '#' => char::from(b'0' + self.below(10) as u8),
            'N' => char::from(b'2' + self.below(8) as u8),
            other => other,
        };
        pattern.chars().map(&mut fill).collect()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves every output bit.
pub(super) const fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice() -> Dice {
        Dice::new(7, Purpose::Traffic, &[1, 2])
    }

    #[test]
    fn a_stream_is_fixed_for_ever() {
        let mut dice = dice();
        let first: Vec<u64> = (0..3).map(|_| dice.bits()).collect();
        assert_eq!(
            first,
            [
                11_029_295_271_884_653_115,
                17_663_509_934_857_831_057,
                2_203_554_171_446_415_042
            ]
        );
    }

    #[test]
    fn means_are_what_they_say() {
        let mut dice = dice();
        let draws = 200_000;
        let waiting: f64 = (0..draws).map(|_| dice.waiting(3.0)).sum::<f64>() / f64::from(draws);
        assert!((waiting - 3.0).abs() < 0.05, "{waiting}");
        let counts: u64 = (0..draws).map(|_| dice.count(0.7)).sum();
        let count = counts as f64 / f64::from(draws);
        assert!((count - 0.7).abs() < 0.1, "{count}");
        assert!((0..draws).all(|_| dice.between(3, 5) < 6 && dice.below(9) < 9));
    }

    #[test]
    fn magnitudes_and_weights_stay_in_their_bounds() {
        let mut dice = dice();
        let drawn: Vec<_> = (0..10_000).map(|_| dice.magnitude(0.5, 6)).collect();
        assert!(drawn.iter().all(|volume| (0.5..32.0).contains(volume)));
        let small = drawn.iter().filter(|&&volume| volume < 4.0).count();
        assert!((4_500..5_500).contains(&small), "{small}");
        let mut seen = [0; 3];
        for _ in 0..10_000 {
            seen[dice.weighted(&[1, 0, 3])] += 1;
        }
        assert!(
            seen[1] == 0 && (2_200..2_800).contains(&seen[0]),
            "{seen:?}"
        );
    }

    #[test]
    fn patterns_keep_what_is_fixed() {
        let number = dice().digits("212N##");
        assert!(number.starts_with("212") && number.len() == 6);
        assert!(number.bytes().all(|b| b.is_ascii_digit()));
    }
}
