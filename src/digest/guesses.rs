//! How often somebody may guess a password.
//!
//! Every wrong answer to a challenge takes one from a bucket of [`GUESSES`] that fills up again by
//! one in [`PERIOD`]. While a bucket is empty, answers are refused without being judged. Decided,
//! and why:
//! - **A bucket belongs to a source**, an IPv4 address or an IPv6 network of 64 bits, and never
//!   to a user alone: whoever guesses at a user's password from elsewhere does not lock
//!   him out. Right credentials from a source whose bucket is not empty always pass.
//! - **The source is the one that the challenge was given to** ([`Source`] is written into the
//!   nonce), not the one that the answer says it comes from: that is forged easily over UDP, and
//!   would empty somebody else's bucket. Who never receives our answers has no nonce to answer.
//! - **Who has been right from there before has a bucket of his own**, for his name and source: of
//!   many users behind one address one may have a wrong password set up, which his telephone
//!   sends again and again, and the others go on calling.
//! - **A user at whom many sources guess** has a bucket too, whether there is such a user or
//!   not. When it is empty, a wrong answer to his challenge takes the whole of its source's
//!   bucket: a thousand addresses get a thousand guesses, not ten thousand. His own right ones pass.
//!
//! The tables have a fixed size; where there is no room, the entry that is nearest to full is
//! forgotten.

use crate::domain::Timestamp;
use parking_lot::Mutex;
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

/// Guesses that a full bucket holds.
const GUESSES: i64 = 10;
/// Time in which one more is allowed, microseconds.
const PERIOD: i64 = 2 * Timestamp::SECOND;
/// A whole bucket, as time.
const BUCKET: i64 = GUESSES * PERIOD;
/// Entries of one table: with 16 bytes each, a megabyte.
const ENTRIES: usize = 1 << 16;
/// Entries that one key may stand in.
const WAYS: usize = 8;

/// Whom a challenge was given to: an address's network under a key of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(pub(super) u32);

/// Who guesses at whom.
#[derive(Clone, Copy, Debug)]
pub struct Guess<'a> {
    /// From where.
    pub source: Source,
    /// The realm of the challenge.
    pub realm: &'a str,
    /// Who he says he is.
    pub user: &'a str,
}

/// Counts wrong answers.
#[derive(Debug)]
pub struct Guesses {
    key: [u8; 16],
    tables: Mutex<Tables>,
}

#[derive(Debug)]
struct Tables {
    sources: Table,
    users: Table,
    /// Users that were right from a source.
    proven: Table,
}

impl Guesses {
    /// With nothing guessed yet. The key is random: nobody may choose whose entry he pushes out.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            key,
            tables: Mutex::new(Tables {
                sources: Table::new(),
                users: Table::new(),
                proven: Table::new(),
            }),
        }
    }

    /// The source an address belongs to.
    #[must_use]
    pub fn source(&self, peer: IpAddr) -> Source {
        let network = match peer.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
            v4 @ IpAddr::V4(_) => v4,
        };
        let [a, b, c, d, ..] = self.hash(("source", network)).to_be_bytes();
        Source(u32::from_be_bytes([a, b, c, d]))
    }

    /// Whether one more answer is judged.
    #[must_use]
    pub fn may(&self, guess: Guess<'_>, now: Timestamp) -> bool {
        let mut tables = self.tables.lock();
        let bucket = match tables.proven.find(self.pair(guess)) {
            Some(own) => own,
            None => match tables.sources.find(self.hash(guess.source)) {
                Some(sources) => sources,
                None => return true,
            },
        };
        bucket.debt(now) + PERIOD <= BUCKET
    }

    /// The answer was wrong.
    pub fn wrong(&self, guess: Guess<'_>, now: Timestamp) {
        let mut tables = self.tables.lock();
        let is_besieged = !tables.users.entry(self.user(guess), now).take(PERIOD, now);
        let price = if is_besieged { BUCKET } else { PERIOD };
        if let Some(own) = tables.proven.find(self.pair(guess)) {
            // His name is known there, so what others do to it does not count.
            own.take(PERIOD, now);
        } else {
            let source = self.hash(guess.source);
            tables.sources.entry(source, now).take(price, now);
        }
    }

    /// The answer was right.
    pub fn right(&self, guess: Guess<'_>, now: Timestamp) {
        let pair = self.pair(guess);
        // That the entry is there is what counts.
        self.tables.lock().proven.entry(pair, now);
    }

    fn pair(&self, guess: Guess<'_>) -> u64 {
        self.hash(("pair", guess.source, guess.realm, guess.user))
    }

    fn user(&self, guess: Guess<'_>) -> u64 {
        self.hash(("user", guess.realm, guess.user))
    }

    fn hash(&self, value: impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// When it is full again, microseconds since the epoch: the one number that a bucket is (the
/// generic cell rate algorithm, ITU-T I.371).
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    key: u64,
    full_at: i64,
}

impl Bucket {
    /// What is missing, as time. More than a whole bucket is missing only where the clock was put
    /// back: then all begins anew.
    fn debt(&self, now: Timestamp) -> i64 {
        let missing = self.full_at.saturating_sub(now.0);
        if (0..=BUCKET).contains(&missing) {
            missing
        } else {
            0
        }
    }

    /// Takes so much, or what is there; whether it was.
    fn take(&mut self, price: i64, now: Timestamp) -> bool {
        let owed = self.debt(now) + price;
        self.full_at = now.0.saturating_add(owed.min(BUCKET));
        owed <= BUCKET
    }
}

/// Buckets by key, in rows of [`WAYS`].
#[derive(Debug)]
struct Table(Box<[[Bucket; WAYS]]>);

impl Table {
    fn new() -> Self {
        Self(vec![[Bucket::default(); WAYS]; ENTRIES / WAYS].into())
    }

    fn row(&mut self, key: u64) -> &mut [Bucket; WAYS] {
        let rows = self.0.len() as u64;
        let at = usize::try_from(key % rows).unwrap_or_default();
        &mut self.0[at]
    }

    fn find(&mut self, key: u64) -> Option<&mut Bucket> {
        self.row(key).iter_mut().find(|bucket| bucket.key == key)
    }

    /// The bucket of a key; of a new one a full one, where the fullest was.
    fn entry(&mut self, key: u64, now: Timestamp) -> &mut Bucket {
        let row = self.row(key);
        let found = row.iter().position(|bucket| bucket.key == key);
        let at = found.unwrap_or_else(|| {
            let fullest = (0..WAYS).min_by_key(|&at| row[at].full_at);
            let at = fullest.unwrap_or_default();
            row[at] = Bucket {
                key,
                full_at: now.0,
            };
            at
        });
        // Touched: what is full for longer makes room first.
        row[at].full_at = row[at].full_at.max(now.0);
        &mut row[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn guesses() -> Guesses {
        Guesses::new([7; 16])
    }

    fn guess<'a>(guesses: &Guesses, peer: &str, user: &'a str) -> Guess<'a> {
        Guess {
            source: guesses.source(peer.parse().expect("address")),
            realm: "itsp.example",
            user,
        }
    }

    /// How many of a thousand wrong answers are judged.
    fn judged(guesses: &Guesses, peer: &str, user: &str, now: Timestamp) -> usize {
        let one = || {
            let guess = guess(guesses, peer, user);
            let may = guesses.may(guess, now);
            if may {
                guesses.wrong(guess, now);
            }
            may
        };
        (0..1_000).filter(|_| one()).count()
    }

    #[test]
    fn ten_at_once_and_then_one_in_two_seconds() {
        let guesses = guesses();
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", NOW), 10);
        assert_eq!(
            judged(&guesses, "192.0.2.1", "bob", NOW),
            0,
            "nor at others"
        );
        let almost = Timestamp(NOW.0 + PERIOD - 1);
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", almost), 0);
        assert_eq!(judged(&guesses, "192.0.2.1", "bob", NOW.plus_secs(2)), 1);
        assert_eq!(judged(&guesses, "192.0.2.1", "bob", NOW.plus_secs(12)), 5);
        assert_eq!(
            judged(&guesses, "192.0.2.1", "eve", NOW.plus_secs(3_600)),
            10
        );
    }

    #[test]
    fn a_source_is_an_address_or_a_network_of_a_subscriber() {
        let guesses = guesses();
        let source = |peer: &str| guesses.source(peer.parse().expect("address"));
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    }

    /// From a thousand addresses at alice: she is not locked out, at any of hers.
    #[test]
    fn nobody_is_locked_out_by_guesses_from_elsewhere() {
        let guesses = guesses();
        let mut all = 0;
        for n in 0..1_000 {
            let peer = format!("203.0.{}.{}", 100 + n / 250, n % 250);
            all += judged(&guesses, &peer, "alice", NOW);
            assert!(guesses.may(guess(&guesses, "192.0.2.1", "alice"), NOW));
        }
        assert!(
            all < 1_100,
            "{all} guesses: after the first ten one a source"
        );
        // She mistypes once where she never was, while that goes on: a moment later she is in.
        let own = guess(&guesses, "192.0.2.2", "alice");
        guesses.wrong(own, NOW);
        assert!(!guesses.may(own, NOW));
        assert!(guesses.may(own, NOW.plus_secs(2)));
    }

    #[test]
    fn who_was_right_there_is_not_held_up_by_a_neighbour_who_is_not() {
        let guesses = guesses();
        guesses.right(guess(&guesses, "192.0.2.1", "alice"), NOW);
        assert_eq!(judged(&guesses, "192.0.2.1", "bob", NOW), 10);
        assert!(guesses.may(guess(&guesses, "192.0.2.1", "alice"), NOW));
        // Nor does that make her password free to guess, there or elsewhere.
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", NOW), 10);
        assert_eq!(judged(&guesses, "192.0.2.9", "alice", NOW), 1);
        let other = Guess {
            realm: "other.example",
            ..guess(&guesses, "192.0.2.1", "alice")
        };
        assert!(!guesses.may(other, NOW), "another alice");
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let guesses = guesses();
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", NOW), 10);
        let yesterday = NOW.plus_secs(-86_400);
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", yesterday), 10);
        assert_eq!(judged(&guesses, "192.0.2.1", "alice", yesterday), 0);
    }

    #[test]
    fn the_tables_are_bounded_and_forget_the_fullest_first() {
        let mut table = Table::new();
        let rows = (ENTRIES / WAYS) as u64;
        let key = |n: u64| 1 + n * rows;
        for n in 0..WAYS as u64 {
            let bucket = table.entry(key(n), NOW);
            bucket.take(PERIOD * i64::try_from(n + 1).expect("small"), NOW);
        }
        table.entry(key(100), NOW).take(BUCKET, NOW);
        assert!(table.find(key(0)).is_none(), "it owed least");
        assert!((1..8).all(|n| table.find(key(n)).is_some()));
        assert_eq!(table.0.len() * WAYS, ENTRIES);
    }
}
