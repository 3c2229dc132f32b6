//! TFPS stops telephone fraud before the call is set up.
//!
//! A softswitch asks before it connects a call; the answer comes at once, with its reason.
//! Every call is remembered and learned from.
//!
//! # The way of a call
//! ```text
//! hot path    socket -> sip::Message -> CallAttempt -> Subscriber -> Features -> checks + score -> Decision -> 302
//!                                                                                       \-> CallEvent -> spool
//! cold path   spool -> ClickHouse -> training set -> fitted model -> models/<id>.json
//! return      models/<id>.json -> verified, swapped -> hot path
//! ```
//! The two paths share files and types, never calls: with ClickHouse down or training stuck
//! the answer neither changes nor waits.
//!
//! # The rooms
//! Dependencies point one way, from the ends to the values (`tests/it/layers.rs` checks it):
//! - values: [`domain`], [`telemetry`]
//! - mechanisms over values: [`digest`], [`sip`], [`numbering`], [`geo`], [`accounts`], [`features`],
//!   [`learned`], [`policy`], [`rates`], [`usage`], [`model`], [`spool`]
//! - what joins them: [`decide`], [`store`]
//! - the ends: [`server`], [`api`], [`ship`], [`train`], [`simulate`], [`replay`]
//! - what joins the ends off line: [`evaluate`]
//! - where everything meets: [`app`], [`cli`]

pub mod accounts;
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod decide;
pub mod digest;
pub mod domain;
pub mod evaluate;
pub mod features;
pub mod geo;
pub mod learned;
pub mod model;
pub mod numbering;
pub mod policy;
pub mod rates;
pub mod replay;
pub mod server;
pub mod ship;
pub mod simulate;
pub mod sip;
pub mod spool;
pub mod store;
pub mod telemetry;
pub mod train;
pub mod usage;
