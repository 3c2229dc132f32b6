//! The configuration in `integrations/kamailio`, run by the real Kamailio between a scripted customer and a scripted
//! gateway. Nothing here sleeps: what must happen is waited for with a deadline, what must not happen is asserted
//! after the message that could only have come later.

mod customer;
mod detection;
mod harness;
mod prevention;
mod provoked;
mod sipp;
mod tfps;
mod told;
mod uas;
