//! What a minute to a destination costs: a deck of prices by prefix.
