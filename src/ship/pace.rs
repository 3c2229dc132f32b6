//! Time and chance, as the shipper sees them.

use crate::domain::Timestamp;
use std::time::Duration;

/// A clock to read, to wait by, and dice. Tests script it.
pub trait Pace: Send {
    /// The time.
    fn now(&mut self) -> Timestamp;
    /// A number in `0.0..1.0`: shippers that failed together must not come back together.
    fn jitter(&mut self) -> f64;
    /// Waits.
    fn pause(&mut self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// The wall clock, given as a function, and a generator, given with its seed.
pub struct RealPace<C, R> {
    clock: C,
    rng: R,
}

impl<C, R> RealPace<C, R> {
    /// From the program's clock and a seeded generator.
    pub const fn new(clock: C, rng: R) -> Self {
        Self { clock, rng }
    }
}

impl<C: FnMut() -> Timestamp + Send, R: rand::Rng + Send> Pace for RealPace<C, R> {
    fn now(&mut self) -> Timestamp {
        (self.clock)()
    }

    fn jitter(&mut self) -> f64 {
        rand::RngExt::random(&mut self.rng)
    }

    async fn pause(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
