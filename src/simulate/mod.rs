//! Labelled traffic from a seed, as a file or as SIP.
//!
//! A world of tenants and subscribers with habits, in which attacks happen: the same seed gives
//! the same calls, byte for byte, on every machine. `docs/simulator.md` says what is assumed
//! and where the simulation is not like life.
//!
//! - [`Scenario`] says what is wanted, [`AttackData`] what attackers use, [`generate`] gives the
//!   calls in order of time.
//! - [`Family`] names the attacks, [`surprises`] what is rare and innocent.
//! - [`send`] puts them on the wire as INVITEs and collects the answers.

mod atlas;
mod attack_data;
mod attacks;
mod calendar;
mod call_id;
mod day;
mod devices;
mod dice;
mod family;
mod generate;
mod habits;
mod networks;
mod numbers;
mod scenario;
pub mod send;
mod subscriber;
pub mod surprises;
mod tenant;
mod world;

pub use attack_data::{AttackData, AttackDataError, AttackDataSource};
pub use family::{Family, FamilyGroup, UnknownFamily};
pub use generate::{HONEYPOT_DOMAIN, Simulated, generate};
pub use scenario::{Only, Scenario, ScenarioError};

#[cfg(test)]
mod leaks;
#[cfg(test)]
mod tests;
