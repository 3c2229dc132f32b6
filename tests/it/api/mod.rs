//! The REST API and the accounts' commands, with the real service.

mod bad_input;
mod file;
mod in_force;
mod plans;
mod tokens;
mod usage;
