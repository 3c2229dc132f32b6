//! Questions over HTTP: the web service of the original TFPS ([`web`]) and `POST /v1/decisions`
//! ([`decisions`]).
//!
//! Both are the pipeline of the SIP doors with another end: a call is identified, decided,
//! spooled and then answered. They know the service by one trait, [`Calls`].

mod ask;
pub mod decisions;
pub mod problem;
mod query;
pub mod web;

pub use ask::Calls;
pub use problem::Problem;

#[cfg(test)]
mod tests;
