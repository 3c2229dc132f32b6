//! Learned lists: what evidence says of addresses, networks, numbers, thousand-blocks and user
//! agents, and when that is enough to list them.
//!
//! ```text
//! CallEvent, probe, verdict -> Evidence -> Learned::accuse   -> candidates (who says it, how much it weighs)
//!                                       -> Learned::ordinary -> ordinary life (who calls it day by day)
//! Learned::review -> findings: enough or not, protected or not, in words
//! ```
//! No I/O and no clock: time is an argument, the findings are put on lists by others.
//!
//! # Why so
//! Whoever can write on a list that everybody is checked against can have an innocent number
//! refused everywhere, and whoever can crowd the list out can have a fraudulent one accepted. The
//! doors this evidence comes in by are open to the world, so:
//! - **A witness is a party that cannot be made up.** A customer counts by the account that his
//!   calls were admitted to; the free stream and the honeypot by the network the packet came from
//!   ([`Party`]), never by anything a message says. A source of the honeypot that has not proved
//!   its address is worth next to nothing ([`WitnessKind::Unproven`]).
//! - **Nobody is enough alone** but an address against itself: whatever is said by one party, in a
//!   day, and by all parties of a kind is capped ([`WitnessKind`]), and the parties are counted.
//! - **Ordinary life protects** ([`OrdinaryCall`]): what an established tenant calls day by day is
//!   not listed by itself on strangers' word. Only paying calls that raised no suspicion are ordinary life,
//!   so the free stream can neither protect a number nor strip it of protection.
//! - **Everything is bounded** and what has little weight makes room first, of who holds most: a
//!   flood pushes out itself.
//! - **Everything ends**: evidence fades, entries expire unless renewed.

mod candidate;
mod evidence;
mod memory;
mod ordinary;
mod state;
mod subject;
mod table;
mod witness;
mod words;

#[cfg(test)]
mod tests;

pub use evidence::{Accusation, Call, Evidence, Keys, OrdinaryCall, Party};
pub use memory::{Finding, Heard, Learned, Sizes, Standing};
pub use state::{LearnedStateError, read_state, write_state};
pub use subject::{Subject, SubjectKind};
pub use witness::WitnessKind;
