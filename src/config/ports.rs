//! That no two listeners share a port.

use super::{ConfigError, Settings};
use std::net::{IpAddr, SocketAddr};

/// Fails with the first two keys that name the same port of the same address.
pub(super) fn check(settings: &Settings) -> Result<(), ConfigError> {
    let listeners = listeners(settings);
    for (at, (one, first)) in listeners.iter().enumerate() {
        let clash = listeners[at + 1..]
            .iter()
            .find(|(_, second)| clash(*first, *second));
        if let Some(&(other, address)) = clash {
            return Err(ConfigError::SamePort {
                one,
                other,
                address,
            });
        }
    }
    Ok(())
}

/// Everything that listens on TCP, with what is configured.
fn listeners(s: &Settings) -> Vec<(&'static str, SocketAddr)> {
    let tls = s.tls.certificate.is_some();
    let embedded = s.store.url.is_none();
    [
        Some(("prevention.listen", s.prevention.listen)),
        tls.then_some(("prevention.tls_listen", s.prevention.tls_listen)),
        Some(("detection.listen", s.detection.listen)),
        s.honeypot
            .enabled
            .then_some(("honeypot.listen", s.honeypot.listen)),
        Some(("http.listen", s.http.listen)),
        embedded.then_some(("embedded.listen", s.embedded.listen)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether one keeps the other from listening. Port 0 is whichever is free.
fn clash(one: SocketAddr, other: SocketAddr) -> bool {
    let takes = |all: IpAddr, one: IpAddr| match all {
        // Of IPv6 it takes IPv4 too.
        IpAddr::V6(all) => all.is_unspecified(),
        IpAddr::V4(all) => all.is_unspecified() && one.is_ipv4(),
    };
    let (a, b) = (one.ip(), other.ip());
    one.port() != 0 && one.port() == other.port() && (a == b || takes(a, b) || takes(b, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_keys_of_a_shared_port_are_named() {
        let mut settings = Settings::default();
        check(&settings).expect("the usual ports differ");
        settings.http.listen = settings.detection.listen;
        let error = check(&settings).expect_err("one port").to_string();
        for part in ["`detection.listen`", "`http.listen`", "127.0.0.1:9091"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        settings.http.listen = settings.prevention.tls_listen;
        check(&settings).expect("no TLS is served");
    }

    #[test]
    fn an_unspecified_address_takes_the_port_of_all() {
        let clash = |a: &str, b: &str| clash(a.parse().expect(a), b.parse().expect(b));
        assert!(clash("0.0.0.0:9090", "127.0.0.1:9090"));
        assert!(clash("192.0.2.1:9090", "[::]:9090"));
        assert!(!clash("0.0.0.0:9090", "[::1]:9090"));
        assert!(!clash("127.0.0.1:9090", "127.0.0.2:9090"));
        assert!(!clash("127.0.0.1:0", "127.0.0.1:0"));
    }
}
