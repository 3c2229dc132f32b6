//! The deck itself: prefixes sorted by length and value.

use super::read::{self, DeckError};
use crate::domain::{Destination, Number};
use std::io::Write;
use std::sync::{Arc, LazyLock};

/// Digits of the longest prefix.
const DIGITS: usize = 15;
/// Our own estimates, in the layout of every deck.
const SHIPPED: &str = include_str!("default.csv");

/// What a minute costs to numbers that begin so.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The beginning of the number, from the calling code on.
    pub prefix: Number,
    /// Price of a minute, in the deck's currency.
    pub price: f32,
    /// What the deck calls the destination; may be empty.
    pub name: Arc<str>,
}

/// One entry of a table of one length.
#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: Number,
    price: f32,
    /// Place in the names.
    name: u32,
}

/// Prices by prefix: 16 bytes an entry, and each name once. A million prefixes are of use.
#[derive(Clone, Debug)]
pub struct Deck {
    currency: Arc<str>,
    /// Sorted, by number of digits less one.
    by_length: [Box<[Entry]>; DIGITS],
    names: Box<[Arc<str>]>,
}

impl Deck {
    /// The deck that ships in the program: coarse estimates in euros, by country and kind of
    /// number. What matters in them is the order of magnitude.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        static DECK: LazyLock<Arc<Deck>> = LazyLock::new(|| {
            // A test reads it: a program with a deck that cannot be read is never published.
            let deck = Deck::read(SHIPPED.as_bytes());
            Arc::new(deck.unwrap_or_else(|_| Deck::of("EUR", Vec::new())))
        });
        Arc::clone(&DECK)
    }

    /// Reads a deck: the layouts that are known are those of `docs/features.md`.
    ///
    /// # Errors
    /// What is wrong, by line. A deck is taken whole or not at all.
    pub fn read(bytes: &[u8]) -> Result<Self, DeckError> {
        read::read(bytes)
    }

    /// A deck of rates; of the same prefix the last one counts.
    pub(super) fn of(currency: &str, rates: Vec<Rate>) -> Self {
        let mut names: Vec<Arc<str>> = rates.iter().map(|rate| Arc::clone(&rate.name)).collect();
        names.sort_unstable();
        names.dedup();
        let mut by_length: [Vec<Entry>; DIGITS] = Default::default();
        for Rate {
            prefix,
            price,
            name,
        } in rates
        {
            let name = names.binary_search(&name).unwrap_or_default();
            by_length[prefix.digits() as usize - 1].push(Entry {
                prefix,
                price,
                name: u32::try_from(name).unwrap_or_default(),
            });
        }
        Self {
            currency: currency.into(),
            by_length: by_length.map(|mut entries| {
                entries.sort_by_key(|entry| entry.prefix);
                entries.reverse();
                entries.dedup_by_key(|entry| entry.prefix);
                entries.reverse();
                entries.into_boxed_slice()
            }),
            names: names.into_boxed_slice(),
        }
    }

    /// In this currency from now on: a label, no price changes.
    #[must_use]
    pub fn in_currency(mut self, currency: &str) -> Self {
        self.currency = currency.into();
        self
    }

    /// What a minute to a destination costs; `None`: no prefix of the deck covers it, or what
    /// was dialled is no number.
    #[must_use]
    pub fn price(&self, destination: &Destination) -> Option<f32> {
        self.entry(destination.number?).map(|entry| entry.price)
    }

    /// The rate of a number: that of the longest prefix it begins with.
    #[must_use]
    pub fn rate(&self, number: Number) -> Option<Rate> {
        self.entry(number).map(|entry| self.told(entry))
    }

    /// As many look-ups as prefixes have lengths, each a binary search: no allocation.
    fn entry(&self, number: Number) -> Option<Entry> {
        (1..=number.digits()).rev().find_map(|digits| {
            let entries = self.by_length.get(digits as usize - 1)?;
            let prefix = number.prefix(digits);
            let at = entries.binary_search_by_key(&prefix, |entry| entry.prefix.as_u64());
            at.ok().map(|at| entries[at])
        })
    }

    fn told(&self, entry: Entry) -> Rate {
        Rate {
            prefix: entry.prefix,
            price: entry.price,
            name: self
                .names
                .get(entry.name as usize)
                .map(Arc::clone)
                .unwrap_or_default(),
        }
    }

    /// Every rate in the order of a telephone book: 1, 1242, 1246, 20, 30, ...
    #[must_use]
    pub fn rates(&self) -> Vec<Rate> {
        let entries = self.by_length.iter().flatten();
        let mut rates: Vec<_> = entries.map(|entry| self.told(*entry)).collect();
        rates.sort_by_cached_key(|rate| rate.prefix.to_string());
        rates
    }

    /// The currency its prices are in, as its file or the operator says.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// How many prefixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_length.iter().map(|entries| entries.len()).sum()
    }

    /// Whether there is no price at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the deck so that [`Deck::read`] reads the same.
    ///
    /// # Errors
    /// The destination's.
    pub fn write(&self, mut out: impl Write) -> Result<(), csv::Error> {
        writeln!(out, "{}{}", read::CURRENCY, self.currency)?;
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record(["prefix", "price", "name"])?;
        for rate in self.rates() {
            let (prefix, price) = (rate.prefix.to_string(), rate.price.to_string());
            rows.write_record([&prefix, &price, &*rate.name])?;
        }
        Ok(rows.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(digits: &str) -> Number {
        Number::parse(digits).expect("a number")
    }

    fn deck(rates: &[(&str, f32)]) -> Deck {
        let rate = |&(prefix, price): &(&str, f32)| Rate {
            prefix: number(prefix),
            price,
            name: format!("to {prefix}").into(),
        };
        Deck::of("EUR", rates.iter().map(rate).collect())
    }

    #[test]
    fn the_longest_prefix_has_the_price() {
        let deck = deck(&[("1", 0.01), ("44", 0.02), ("447", 0.05), ("1876", 0.3)]);
        let price = |digits| deck.rate(number(digits)).map(|rate| rate.price);
        assert_eq!(price("442079460123"), Some(0.02));
        assert_eq!(price("447700900123"), Some(0.05));
        assert_eq!(price("447"), Some(0.05));
        assert_eq!(price("18765551234"), Some(0.3));
        assert_eq!(price("187"), Some(0.01), "a prefix longer than the number");
        assert_eq!(price("4"), None);
        assert_eq!(price("33142345678"), None);
        let jamaica = deck.rate(number("18765551234")).expect("a rate");
        assert_eq!(
            (&*jamaica.name, jamaica.prefix),
            ("to 1876", number("1876"))
        );
        assert_eq!(deck.price(&Destination::default()), None);
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let deck = deck(&[("1", 0.0123), ("44", 2.0), ("447", 0.333_333_34)]).in_currency("USD");
        let mut bytes = Vec::new();
        deck.write(&mut bytes).expect("written");
        let again = Deck::read(&bytes).expect("read");
        assert_eq!(again.rates(), deck.rates());
        assert_eq!(again.currency(), "USD");
    }

    #[test]
    fn the_shipped_deck_prices_what_fraud_is_after() {
        let read = Deck::read(SHIPPED.as_bytes()).expect("the shipped deck reads");
        let deck = Deck::shipped();
        assert_eq!((read.len(), deck.currency()), (deck.len(), "EUR"));
        let price = |digits: &str| {
            deck.price(&crate::domain::Destination {
                number: Some(number(digits)),
                ..Destination::default()
            })
        };
        let within = |digits, from: f32, to: f32| {
            let price = price(digits).expect(digits);
            assert!((from..=to).contains(&price), "{digits}: {price}");
        };
        within("4930123456", 0.005, 0.02);
        within("491711234567", 0.015, 0.06);
        within("12125551234", 0.005, 0.02);
        within("18765551234", 0.15, 0.45);
        within("252612345678", 0.3, 1.2);
        within("881612345678", 4.0, 9.0);
        within("37167123456", 0.05, 1.0);
        within("449098765432", 0.9, 4.0);
        assert_eq!(price("999123456"), None);
    }

    /// Every calling code that countries have is in the shipped deck.
    #[test]
    fn the_shipped_deck_covers_the_world() {
        let deck = Deck::shipped();
        let lacking: Vec<u64> = CODES
            .iter()
            .copied()
            .filter(|&code| {
                let number = Number::from_u64(code * 10_000_000 + 2_345_678);
                number.and_then(|number| deck.rate(number)).is_none()
            })
            .collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }

    /// Calling codes of countries (ITU-T E.164 D).
    const CODES: &[u64] = &[
        1, 7, 20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53,
        54, 55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        211, 212, 213, 216, 218, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232,
        233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250,
        251, 252, 253, 254, 255, 256, 257, 258, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269,
        290, 291, 297, 298, 299, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 370, 371, 372,
        373, 374, 375, 376, 377, 378, 380, 381, 382, 383, 385, 386, 387, 389, 420, 421, 423, 500,
        501, 502, 503, 504, 505, 506, 507, 508, 509, 590, 591, 592, 593, 594, 595, 596, 597, 598,
        599, 670, 672, 673, 674, 675, 676, 677, 678, 679, 680, 681, 682, 683, 685, 686, 687, 688,
        689, 690, 691, 692, 800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886,
        888, 960, 961, 962, 963, 964, 965, 966, 967, 968, 970, 971, 972, 973, 974, 975, 976, 977,
        979, 992, 993, 994, 995, 996, 998,
    ];

    proptest! {
        #[test]
        fn as_a_search_through_all_rates_finds_it(
            rates in prop::collection::vec((1u64..99_999, 0u16..500), 1..200),
            wanted in 1u64..999_999_999,
        ) {
            let rates: Vec<Rate> = rates
                .iter()
                .map(|&(prefix, price)| Rate {
                    prefix: Number::from_u64(prefix).expect("not 0"),
                    price: f32::from(price) / 100.0,
                    name: "".into(),
                })
                .collect();
            let text = wanted.to_string();
            let mut slow: Option<&Rate> = None;
            for rate in &rates {
                let longer = slow.is_none_or(|best| rate.prefix.digits() >= best.prefix.digits());
                if text.starts_with(&rate.prefix.to_string()) && longer {
                    slow = Some(rate);
                }
            }
            let slow = slow.map(|rate| rate.price);
            let deck = Deck::of("EUR", rates.clone());
            let fast = deck.rate(Number::from_u64(wanted).expect("not 0")).map(|rate| rate.price);
            prop_assert_eq!(fast, slow);
        }
    }
}
