use super::*;
use crate::domain::NeutralAnswer;
use std::io::Write;

fn load(toml: &str) -> Result<Settings, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().expect("file");
    file.write_all(toml.as_bytes()).expect("written");
    Settings::load(Some(file.path()))
}

#[test]
fn nothing_is_needed() {
    let settings = load("").expect("loads");
    assert_eq!(settings.prevention.listen, loopback(9090));
    assert_eq!(settings.detection.answer, NeutralAnswer::ServiceUnavailable);
}

#[test]
fn an_unknown_key_is_refused_in_every_section() {
    for section in [
        "prevention",
        "detection",
        "tls",
        "connections",
        "digest",
        "http",
        "store",
        "embedded",
        "spool",
        "features",
        "geo",
        "log",
    ] {
        let error = load(&format!("[{section}]\nnonsense = 1\n")).expect_err(section);
        assert!(error.to_string().contains("nonsense"), "{section}: {error}");
    }
    let error = load("[nonsense]\n").expect_err("section").to_string();
    assert!(error.contains("nonsense"), "{error}");
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    Settings::from_sources(None, variables.iter().map(owned))
}

#[test]
fn a_wrong_value_is_told_with_its_key_and_what_was_expected() {
    for (section, line, value) in [
        ("prevention", "listen", "nowhere"),
        ("prevention", "max_transactions", "7"),
        ("detection", "answer", "200"),
        ("detection", "answer", "true"),
        ("digest", "nonce_secs", "0"),
        ("digest", "nonce_secs", "86401"),
        ("digest", "algorithms", "SHA-1"),
        ("digest", "algorithms", ""),
        ("digest", "algorithms", "MD5,md5"),
        ("digest", "max_nonces", "1023"),
        ("store", "url", "nonsense"),
        ("store", "url", "ftp://10.0.0.5"),
        ("store", "url", "http://"),
        ("embedded", "listen", "192.0.2.1:8123"),
        ("prevention", "tls_listen", "9093"),
        ("connections", "max", "3"),
        ("connections", "max_per_source", "0"),
        ("connections", "idle_secs", "forever"),
        ("connections", "message_secs", "0"),
        ("connections", "write_secs", "86401"),
        ("spool", "max_mib", "much"),
        ("spool", "max_mib", "1"),
        ("geo", "enabled", "perhaps"),
        ("log", "level", "warning"),
        ("log", "level", "verbose"),
        ("log", "level", "info,"),
        ("log", "level", "info,ship=debug"),
        ("log", "level", "info,tfps::ship=loud"),
    ] {
        let key = format!("{section}.{line}");
        let text = load(&format!("[{section}]\n{line} = \"{value}\"\n"))
            .expect_err(&key)
            .to_string();
        let variable = format!("TFPS_{section}__{line}").to_uppercase();
        let from_environment = from_environment(&[(&variable, value)])
            .expect_err(&key)
            .to_string();
        assert_eq!(text, from_environment);
        let expected = expected(&key).expect("a key");
        for part in [&format!("`{key}`"), &format!("`{value}`"), expected] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn values_of_the_environment_are_what_their_keys_say() {
    let settings = from_environment(&[
        ("TFPS_STORE__PASSWORD", "0123"),
        ("TFPS_STORE__USER", "true"),
        ("TFPS_STORE__URL", "http://[2001:db8::1]:8123"),
        ("TFPS_DETECTION__ANSWER", "487"),
        ("TFPS_SPOOL__MAX_MIB", "256"),
        ("TFPS_LOG__JSON", "true"),
        ("TFPS_LOG__LEVEL", "WARN,tfps::ship=debug"),
        ("TFPS_EMBEDDED__LIBCHDB", "7"),
        ("TFPS_CACHE", "anywhere"),
        ("TFPS_HTTP_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ])
    .expect("loads");
    assert_eq!(settings.store.password, "0123");
    assert_eq!(settings.store.user, "true");
    assert_eq!(settings.detection.answer, NeutralAnswer::RequestTerminated);
    assert_eq!(settings.spool.max_mib, 256);
    assert!(settings.log.json);
    assert_eq!(settings.embedded.libchdb, Some("7".into()));
}

#[test]
fn certificate_and_key_are_given_together() {
    for (toml, key) in [
        ("certificate = \"c.pem\"", "`tls.key`: `(absent)`"),
        ("key = \"k.pem\"", "`tls.certificate`: `(absent)`"),
        ("client_ca = \"ca.pem\"", "`tls.certificate`: `(absent)`"),
    ] {
        let error = load(&format!("[tls]\n{toml}\n")).expect_err(toml);
        assert!(error.to_string().contains(key), "{error}");
    }
    load("[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n").expect("both");
}

#[test]
fn the_answer_may_be_a_number() {
    for (toml, answer) in [
        ("487", NeutralAnswer::RequestTerminated),
        ("\"599\"", NeutralAnswer::Unspecified),
        ("\"silent\"", NeutralAnswer::Silent),
    ] {
        let settings = load(&format!("[detection]\nanswer = {toml}\n")).expect(toml);
        assert_eq!(settings.detection.answer, answer);
    }
}

#[test]
fn each_peer_of_detection_may_have_its_answer() {
    let toml = "[detection]\nanswer = 599\n\
                [[detection.peers]]\nnetwork = \"192.0.2.7/24\"\nanswer = \"silent\"\n\
                [[detection.peers]]\nnetwork = \"::ffff:192.0.2.9\"\nanswer = 487\n";
    let settings = load(toml).expect("loads");
    let answers = settings.detection.answers();
    for (peer, answer) in [
        ("192.0.2.8", NeutralAnswer::Silent),
        ("192.0.2.9", NeutralAnswer::RequestTerminated),
        ("192.0.3.1", NeutralAnswer::Unspecified),
    ] {
        assert_eq!(answers.of(peer.parse().expect("address")), answer, "{peer}");
    }
    let mut file = tempfile::NamedTempFile::new().expect("file");
    file.write_all(toml.as_bytes()).expect("written");
    let variable = ("TFPS_DETECTION__ANSWER".to_owned(), "580".to_owned());
    let settings = Settings::from_sources(Some(file.path()), std::iter::once(variable));
    let detection = settings.expect("loads").detection;
    assert_eq!(detection.answer, NeutralAnswer::PreconditionFailure);
    assert_eq!(detection.peers.len(), 2, "the peers stay the file's");
}

#[test]
fn a_wrong_peer_of_detection_is_told_with_its_place() {
    let good = "[[detection.peers]]\nnetwork = \"10.0.0.0/8\"\nanswer = 487\n";
    for (wrong, parts) in [
        (
            "network = \"10.0.0.0/8\"\nanswer = 200",
            ["`detection.peers[1].answer`: `200`", "503, 487"],
        ),
        (
            "network = \"nowhere\"\nanswer = 487",
            ["`detection.peers[1].network`: `nowhere`", "192.0.2.0/24"],
        ),
        (
            "network = \"10.9.0.0/8\"\nanswer = 487",
            ["`detection.peers[1].network`: `10.0.0.0/8`", "no other"],
        ),
        ("answer = 487", ["`detection.peers[1]`", "network"]),
        (
            "network = \"11.0.0.0/8\"\nanswer = 487\nport = 1",
            ["`detection.peers[1].port`", "unknown field"],
        ),
    ] {
        let error = load(&format!("{good}[[detection.peers]]\n{wrong}\n"));
        let error = error.expect_err(wrong).to_string();
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    let error = from_environment(&[("TFPS_DETECTION__PEERS", "10.0.0.0/8")]);
    let error = error.expect_err("a text").to_string();
    assert!(error.contains("`detection.peers`: `10.0.0.0/8`"), "{error}");
}

#[test]
fn algorithms_are_a_list_or_a_text() {
    use crate::domain::DigestAlgorithm::{Md5, Sha256};
    for (toml, algorithms) in [
        ("[\"MD5\"]", &[Md5][..]),
        ("[\"MD5\", \"sha-256\"]", &[Md5, Sha256]),
        ("\"SHA-256, MD5\"", &[Sha256, Md5]),
    ] {
        let settings = load(&format!("[digest]\nalgorithms = {toml}\n")).expect(toml);
        assert_eq!(settings.digest.algorithms.0, algorithms);
    }
    let settings = from_environment(&[("TFPS_DIGEST__ALGORITHMS", "MD5")]).expect("loads");
    assert_eq!(settings.digest.algorithms.0, [Md5]);
}

#[test]
fn one_underscore_too_few_is_not_ignored() {
    let error = from_environment(&[("TFPS_STORE_URL", "http://10.0.0.5:8123")])
        .expect_err("a slip")
        .to_string();
    assert!(error.contains("TFPS_STORE__URL"), "{error}");
}

#[test]
fn the_page_of_the_configuration_has_every_key_and_no_other() {
    let page = include_str!("../../docs/configuration.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut told: Vec<_> = rows
        .map(|row| {
            let (key, rest) = row.split_once("` | ").expect("a key");
            let (default, meaning) = rest.split_once(" | ").expect("a default");
            assert!(!default.is_empty() && meaning.len() > 10, "{key}");
            key
        })
        .collect();
    told.sort_unstable();
    let mut keys = KEYS.map(|(key, _)| key);
    keys.sort_unstable();
    assert_eq!(told, keys);
}

#[test]
fn the_table_of_keys_has_them_all() {
    for section in [
        "prevention",
        "detection",
        "tls",
        "connections",
        "digest",
        "http",
        "store",
        "embedded",
        "spool",
        "features",
        "geo",
        "log",
    ] {
        let error = load(&format!("[{section}]\nnonsense = 1\n")).expect_err(section);
        let error = error.to_string();
        // "unknown field `nonsense`, expected one of `a`, `b`" or "expected `a`".
        let (_, listed) = error.split_once("expected ").expect("the keys there are");
        let listed = listed.split(" for key").next().unwrap_or_default();
        for key in listed.split('`').skip(1).step_by(2) {
            let key = format!("{section}.{key}");
            assert!(expected(&key).is_some(), "{key} is not in the table");
        }
    }
}
