//! Stands for the TFPS service until it is plugged in: then this file goes, and [`Tfps::start`] starts the service.

use std::net::SocketAddr;

use super::uas::{Script, Uas};

/// A number that TFPS refuses with R03; every other is approved.
pub const BLACKLISTED: &str = "5548987654321";

pub struct Tfps {
    prevention: Uas,
    detection: Uas,
}

impl Tfps {
    pub async fn start() -> Self {
        let decide = |invite: &super::message::Message| {
            let number = invite.number();
            let code = if number == BLACKLISTED { "R03" } else { "A00" };
            Script::Redirect(format!("{code}{number}"))
        };
        Self {
            prevention: Uas::start(decide).await,
            detection: Uas::start(|_| Script::Refuse(503)).await,
        }
    }

    pub fn prevention(&self) -> SocketAddr {
        self.prevention.addr
    }

    pub fn detection(&self) -> SocketAddr {
        self.detection.addr
    }
}
