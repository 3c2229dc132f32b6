//! What a minute to a destination costs: a deck of prices by prefix.
//!
//! Fraud goes where money is: a call's price, and what a caller has run up within the hour, tell
//! more than its country. A deck is a table of number prefixes; the longest that a number begins
//! with has its price. The operator's own deck is a CSV file as carriers hand them out; without
//! one the program has estimates of its own ([`Deck::shipped`]).

mod deck;
mod read;

pub use deck::{Deck, Rate};
pub use read::{DeckError, Problem, RowError};
