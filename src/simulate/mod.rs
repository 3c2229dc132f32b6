//! Labelled traffic from a seed, as a file or as SIP.
//!
//! A world of tenants and subscribers with habits, in which attacks happen: the same seed gives
//! the same calls, byte for byte, on every machine. `docs/simulator.md` says what is assumed
//! and where the simulation is not like life.
//!
//! - [`Scenario`] says what is wanted, [`AttackData`] what attackers use, [`generate`] gives the
//!   calls in order of time.
//! - [`send`] puts them on the wire as INVITEs and collects the answers.

mod atlas;
mod attack_data;
mod attacks;
mod dice;
mod family;
mod generate;
mod habits;
mod population;
mod scenario;
pub mod send;
pub mod surprises;

pub use attack_data::{AttackData, AttackDataError, AttackDataSource};
pub use family::{Family, FamilyGroup, UnknownFamily};
pub use generate::{Simulated, generate};
pub use scenario::{Only, Scenario, ScenarioError};

#[cfg(test)]
mod tests;
