//! The table of keys: what messages say is expected, and what the documentation must tell.

/// Every key, and what it takes.
pub(super) const KEYS: [(&str, &str); 43] = [
    (
        "prevention.listen",
        "an address, UDP and TCP port, e.g. 127.0.0.1:9090",
    ),
    (
        "prevention.tls_listen",
        "an address and TCP port, e.g. 127.0.0.1:9093",
    ),
    ("prevention.max_transactions", "a number, at least 1024"),
    (
        "detection.listen",
        "an address, UDP and TCP port, e.g. 127.0.0.1:9091",
    ),
    ("detection.answer", "503, 487, 580, 599 or silent"),
    (
        "detection.peers",
        "tables [[detection.peers]], each with network and answer; in a file only",
    ),
    (
        "detection.peers[].network",
        "a network or an address that stands in no other of these tables, e.g. 192.0.2.0/24",
    ),
    ("detection.peers[].answer", "503, 487, 580, 599 or silent"),
    ("detection.max_transactions", "a number, at least 1024"),
    ("honeypot.enabled", "true or false"),
    (
        "honeypot.listen",
        "an address, UDP and TCP port, e.g. 127.0.0.1:5060",
    ),
    (
        "honeypot.server",
        "1 to 64 printable characters without quotation marks, e.g. Asterisk PBX 18.20.2",
    ),
    (
        "honeypot.realm",
        "1 to 64 printable characters without quotation marks, e.g. asterisk",
    ),
    ("honeypot.per_second", "a number, 1 to 10000"),
    ("learned.mode", "off, audit or enforce"),
    ("learned.evidence", "honeypot or all"),
    ("digest.nonce_secs", "a number of seconds, 1 to 86400"),
    (
        "digest.algorithms",
        "SHA-256, MD5 or both, the preferred first",
    ),
    ("digest.max_nonces", "a number, at least 1024"),
    (
        "tls.certificate",
        "the path of a PEM file with the server's certificate, as tls.key has its key",
    ),
    (
        "tls.key",
        "the path of a PEM file with the private key of tls.certificate",
    ),
    (
        "tls.client_ca",
        "the path of a PEM file with certificates of authorities",
    ),
    ("connections.max", "a number, 4 to 1000000"),
    ("connections.max_per_source", "a number, 1 to 1000000"),
    ("connections.idle_secs", "seconds, 1 to 86400"),
    ("connections.message_secs", "seconds, 1 to 86400"),
    ("connections.write_secs", "seconds, 1 to 86400"),
    (
        "http.listen",
        "an address and TCP port, e.g. 127.0.0.1:8080",
    ),
    ("store.url", "http://HOST:PORT, e.g. http://10.0.0.5:8123"),
    ("store.user", "a text"),
    ("store.password", "a text"),
    ("store.database", "a text"),
    (
        "embedded.listen",
        "a loopback address and TCP port, e.g. 127.0.0.1:8123, as the engine asks for no password",
    ),
    ("embedded.libchdb", "the path of libchdb.so"),
    ("embedded.sessions", "a number, at least 2"),
    ("spool.max_mib", "a number, at least 128"),
    ("spool.sync_ms", "a number, at least 0"),
    ("features.max_tracks", "a number, at least 10000"),
    ("geo.enabled", "true or false"),
    ("geo.database", "the path of a MaxMind DB file"),
    ("models.verdicts_secs", "seconds, 0 to 604800"),
    (
        "log.level",
        "error, warn, info, debug, trace or off, or a list such as info,tfps::ship=debug",
    ),
    ("log.json", "true or false"),
];

/// What a key takes; `None`: there is no such key. Of a list of tables, whichever of them:
/// `detection.peers[0].answer`.
pub(crate) fn expected(key: &str) -> Option<&'static str> {
    let general = match (key.find('['), key.find(']')) {
        (Some(from), Some(to)) if from < to => format!("{}[]{}", &key[..from], &key[to + 1..]),
        _ => key.to_owned(),
    };
    let known = KEYS.iter().find(|(known, _)| *known == general);
    known.map(|(_, expected)| *expected)
}
