use super::*;
use crate::digest::Ha1;
use crate::domain::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const DOMAIN: &str = "itsp.example";

fn vault() -> Vault {
    Vault::new([7; 32])
}

fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

fn accounts() -> Accounts {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    accounts.add_domain(DOMAIN, &[], NOW).expect("added");
    accounts
}

#[test]
fn what_is_sealed_opens_for_its_owner_under_its_key_only() {
    let sealed = vault()
        .seal("alice", DOMAIN, &password("correct horse"), [1; 12])
        .expect("sealed");
    let expected = Ha1::of("alice", DOMAIN, "correct horse");
    assert_eq!(vault().open("alice", DOMAIN, &sealed), Some(expected));
    assert_eq!(vault().open("bob", DOMAIN, &sealed), None);
    assert_eq!(vault().open("alice", "other.example", &sealed), None);
    assert_eq!(Vault::new([8; 32]).open("alice", DOMAIN, &sealed), None);

    let text = sealed.to_string();
    assert_eq!(text.parse::<Sealed>().expect("reads back"), sealed);
    for damaged in ["", "1:", "2:AAAA", &text[2..], &text[..text.len() - 1]] {
        damaged.parse::<Sealed>().expect_err(damaged);
    }
    let turned = if text.ends_with('A') { "E" } else { "A" };
    let turned = format!("{}{turned}", &text[..text.len() - 1]);
    if let Ok(turned) = turned.parse::<Sealed>() {
        assert_eq!(vault().open("alice", DOMAIN, &turned), None);
    }
}

#[test]
fn a_password_has_its_bounds() {
    for text in ["12345678", "correct horse, battery!", &"x".repeat(128)] {
        Password::parse(text).expect(text);
    }
    for text in [
        "",
        "1234567",
        &"x".repeat(129),
        " 12345678",
        "12345678 ",
        "1234567\n8",
        "1234567\u{e9}",
        "12345678\0",
    ] {
        let error = Password::parse(text).expect_err(text).to_string();
        assert!(error.starts_with("password: expected 8 to 128"), "{error}");
        assert!(text.is_empty() || !error.contains(text), "{error}");
    }
    let generated = Password::generate(std::array::from_fn(|n| n as u8 * 11));
    assert_eq!(generated.reveal().len(), 24);
    Password::parse(generated.reveal()).expect("may be set");
}

#[test]
fn nothing_of_a_password_stands_in_the_database_the_audit_log_or_a_debug_text() {
    let folder = tempfile::tempdir().expect("folder");
    let mut a = Accounts::open(folder.path(), NOW).expect("opened");
    a.add_domain(DOMAIN, &[], NOW).expect("added");
    let (first, second) = (password("correct horse"), password("battery staple"));
    a.add_subscriber("alice", DOMAIN, None, Some((&first, &vault())), NOW)
        .expect("added");
    a.set_password("alice", DOMAIN, Some((&second, &vault())), NOW)
        .expect("set");
    let ha1 = Ha1::of("alice", DOMAIN, "battery staple");
    let shown = format!("{first:?} {:?} {ha1:?}", vault());
    assert_eq!(shown, "Password(..) Vault(..) Ha1(..)");
    drop(a);
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("folder").flatten() {
        bytes.extend(std::fs::read(entry.path()).expect("a file"));
    }
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
    assert!(holds(b"subscriber password"), "the audit log was looked at");
    for needle in [&b"correct horse"[..], b"battery", &ha1.md5, &ha1.sha256] {
        assert!(!holds(needle));
    }
    for hash in [&ha1.md5[..], &ha1.sha256] {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!holds(hex.as_bytes()));
    }
}

#[test]
fn a_subscriber_is_added_with_his_password_or_not_at_all() {
    let mut a = accounts();
    let secret = password("correct horse");
    let with = |vault| Some((&secret, vault));
    let vault = vault();
    let added = a.add_subscriber("alice", "ITSP.example", None, with(&vault), NOW);
    assert_eq!(added.expect("added"), DEFAULT_POLICY);
    for (user, domain, policy) in [
        ("alice", DOMAIN, None),
        ("bob", "nosuch.example", None),
        ("bob", DOMAIN, Some("nosuch")),
        ("b b", DOMAIN, None),
        ("b:b", DOMAIN, None),
    ] {
        a.add_subscriber(user, domain, policy, with(&vault), NOW)
            .expect_err(user);
    }
    let rows = a.subscribers().expect("rows");
    assert_eq!(rows.len(), 1);
    assert!(rows[0].password);

    // Another policy leaves the password, another password the policy.
    a.create_policy(DOMAIN, "strict", NOW).expect("created");
    a.set_subscriber(Subscriber::User("alice"), DOMAIN, "strict", NOW)
        .expect("set");
    let row = |a: &Accounts| a.subscribers().expect("rows").remove(0);
    assert_eq!(
        (row(&a).policy.as_str(), row(&a).password),
        ("strict", true)
    );
    a.set_password("alice", DOMAIN, None, NOW).expect("removed");
    assert_eq!(
        (row(&a).policy.as_str(), row(&a).password),
        ("strict", false)
    );
    a.set_password("nobody", DOMAIN, with(&vault), NOW)
        .expect_err("no such subscriber");
}

#[test]
fn passwords_of_another_secret_are_named() {
    let mut a = accounts();
    let secret = password("correct horse");
    let (old, new) = (vault(), Vault::new([8; 32]));
    for (user, vault) in [("alice", &old), ("bob", &new)] {
        a.add_subscriber(user, DOMAIN, None, Some((&secret, vault)), NOW)
            .expect("added");
    }
    a.add_subscriber("carol", DOMAIN, None, None, NOW)
        .expect("added");
    let unusable = |vault| a.unusable_passwords(vault).expect("read");
    assert_eq!(unusable(&old), ["bob@itsp.example"]);
    assert_eq!(unusable(&new), ["alice@itsp.example"]);
}
