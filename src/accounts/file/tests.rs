mod wrong;

use super::*;
use crate::accounts::{
    Accounts, AccountsError, Actor, AuditFilter, EntryKind, ListKind, NewEntry, Password, Scope,
    Subscriber, Vault,
};
use crate::domain::{Mode, Plan, RiskClass, Timestamp};
use utoipa::PartialSchema as _;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

fn vault() -> Vault {
    Vault::new([7; 32])
}

/// Accounts with something of everything.
fn full() -> Accounts {
    let mut a = Accounts::in_memory(NOW).expect("accounts");
    let trust = ["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()];
    a.add_domain("itsp.example", &trust, NOW).expect("domain");
    a.create_policy("itsp.example", "strict", NOW)
        .expect("policy");
    a.change_policy("itsp.example", "strict", NOW, |r| {
        r.plan = Plan::Free;
        r.risk_threshold = Some(0.7);
        r.calls_per_second = Some(3);
        r.destination.except = vec!["CU".into(), "SO".into()];
        r.set_mode(crate::domain::Check::R15, Mode::Enforce);
        Ok(())
    })
    .expect("rules");
    a.set_domain("itsp.example", Some(&["9".to_owned()]), None, None, NOW)
        .expect("prefix");
    for user in ["alice", "bob.smith", "müller\"x"] {
        a.set_subscriber(Subscriber::User(user), "itsp.example", "strict", NOW)
            .expect("subscriber");
    }
    let password = Password::parse("correct horse").expect("a password");
    a.set_password("alice", "itsp.example", Some((&password, &vault())), NOW)
        .expect("set");
    a.set_country_risk("PT", Some(RiskClass::High), NOW)
        .expect("set");
    let ani = Subscriber::Ani("442079460000");
    a.set_subscriber(ani, "itsp.example", "default", NOW)
        .expect("caller");
    let own = Scope::Policy {
        domain: "itsp.example".into(),
        policy: "strict".into(),
    };
    list(
        &mut a,
        &Scope::System,
        "25261",
        ListKind::Black,
        EntryKind::Prefix,
    );
    list(
        &mut a,
        &Scope::System,
        "25262",
        ListKind::Black,
        EntryKind::Prefix,
    );
    list(
        &mut a,
        &Scope::System,
        "203.0.113.0/24",
        ListKind::Group,
        EntryKind::Network,
    );
    list(
        &mut a,
        &own,
        r#"^sip\w+ '""#,
        ListKind::Black,
        EntryKind::Agent,
    );
    list(
        &mut a,
        &own,
        "442071838750",
        ListKind::White,
        EntryKind::Number,
    );
    a
}

fn list(a: &mut Accounts, scope: &Scope, value: &str, list: ListKind, kind: EntryKind) {
    let entry = NewEntry {
        list,
        kind,
        value: value.into(),
        reason: "revenue share".parse().expect("a reason"),
        source: None,
        expires: Some("2030-01-01T00:00:00Z".parse().expect("a time")),
    };
    a.add_entries(scope, &[entry], "test", NOW).expect(value);
}

fn text(a: &Accounts) -> String {
    let file = a.export(Included::All).expect("exported");
    file.to_toml().expect("toml")
}

fn lines(a: &Accounts) -> usize {
    let filter = AuditFilter {
        limit: u32::MAX,
        ..AuditFilter::default()
    };
    a.audit_log(&filter).expect("log").len()
}

#[test]
fn what_is_exported_is_imported_to_the_byte() {
    let exported = text(&full());
    let file = PolicyFile::parse(&exported).expect("reads what it writes");
    assert_eq!(file.to_toml().expect("toml"), exported);
    let mut other = Accounts::in_memory(NOW).expect("accounts");
    let done = other.import(&file, &vault(), false, NOW).expect("imported");
    assert!(done.changes > 10, "{done:?}");
    assert_eq!(text(&other), exported);
    assert!(exported.contains("risk_threshold = 0.7\n"), "{exported}");
}

#[test]
fn the_file_of_the_guide_is_read() {
    let guide = include_str!("../../../docs/policy-file.md");
    let (_, begun) = guide.split_once("```toml\n").expect("a file");
    let (file, _) = begun.split_once("```").expect("its end");
    let file = PolicyFile::parse(file).expect("right");
    assert_eq!(file.lists[0].values, ["25261", "25262"]);
    let rules = &file.domains["itsp.example"].policies["default"];
    assert_eq!(rules.risk_threshold, Some(0.8));
    // There is no rule that it does not show, and what it shows is taken.
    let shown = serde_json::to_value(rules).expect("JSON");
    let schema = serde_json::to_value(PolicyRules::schema()).expect("JSON");
    for field in schema["properties"].as_object().expect("fields").keys() {
        assert!(!shown[field].is_null(), "the guide does not show `{field}`");
    }
    let mut a = Accounts::in_memory(NOW).expect("accounts");
    a.import(&file, &vault(), false, NOW).expect("imported");
    let exported = text(&a);
    assert!(exported.contains("default_user = \"pbx\"\n"), "{exported}");
    assert!(exported.contains("credentials = \"1:"), "{exported}");
    assert!(!exported.contains("correct horse"), "{exported}");
    let again = PolicyFile::parse(&exported).expect("read");
    let done = a.import(&again, &vault(), false, NOW).expect("imported");
    assert_eq!(done.changes, 0);
}

#[test]
fn the_same_file_twice_changes_nothing_and_is_not_in_the_log() {
    let mut a = full();
    let file = PolicyFile::parse(&text(&a)).expect("read");
    let (before, version) = (lines(&a), a.data_version().expect("version"));
    let done = a.import(&file, &vault(), false, NOW).expect("imported");
    assert_eq!(done.changes, 0);
    assert_eq!(lines(&a), before);
    assert_eq!(a.data_version().expect("version"), version);
}

#[test]
fn a_dry_run_shows_the_difference_and_changes_nothing() {
    let mut a = full();
    let before = text(&a);
    let changed = before
        .replace("\"25262\"", "\"25263\"")
        .replace("calls_per_second = 3\n", "calls_per_second = 4\n");
    let file = PolicyFile::parse(&changed).expect("read");
    let logged = lines(&a);
    let dry = a.import(&file, &vault(), true, NOW).expect("tried");
    let diff = dry.diff();
    for line in [
        "-calls_per_second = 3\n",
        "+calls_per_second = 4\n",
        "-    \"25262\",\n",
        "+    \"25263\",\n",
    ] {
        assert!(diff.contains(line), "{line:?} is not in {diff}");
    }
    assert_eq!((text(&a), lines(&a)), (before, logged));

    a.act_as(Actor::Import);
    let done = a.import(&file, &vault(), false, NOW).expect("imported");
    assert_eq!(done.changes, dry.changes);
    assert_eq!(text(&a), changed);
    let log = a.audit_log(&AuditFilter::default()).expect("log");
    let told: Vec<_> = log
        .iter()
        .take(done.changes + 1)
        .map(|row| (row.actor.as_str(), row.action.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("import", "policy import"),
            ("import", "list add"),
            ("import", "list remove"),
            ("import", "policy set")
        ]
    );
    let set = log.iter().find(|row| row.action == "policy set");
    let change = set.and_then(|row| row.change.clone()).expect("the fields");
    assert_eq!(
        change,
        serde_json::json!({"before": {"calls_per_second": 3}, "after": {"calls_per_second": 4}})
    );
}

#[test]
fn what_is_not_in_the_file_goes() {
    let mut a = full();
    let empty = Accounts::in_memory(NOW).expect("accounts");
    let file = empty.export(Included::All).expect("exported");
    a.import(&file, &vault(), false, NOW).expect("imported");
    assert_eq!(text(&a), text(&empty));
}

#[test]
fn lists_that_the_file_does_not_speak_of_stay() {
    for (included, kept) in [(Included::None, 5), (Included::Policies, 3)] {
        let mut a = full();
        let mut file = a.export(included).expect("exported");
        file.lists.clear();
        a.import(&file, &vault(), false, NOW).expect("imported");
        assert_eq!(a.list_entries(None, 100).expect("entries").len(), kept);
    }
}

#[test]
fn many_changed_entries_are_one_line_a_list() {
    let mut a = full();
    let mut file = a.export(Included::All).expect("exported");
    let group = ListGroup {
        values: (1_000_000..1_002_000).map(|n: u32| n.to_string()).collect(),
        ..file.lists[0].clone()
    };
    file.lists[0] = group;
    let before = lines(&a);
    a.import(&file, &vault(), false, NOW).expect("imported");
    assert_eq!(lines(&a), before + 2, "the list and the import");
    let log = a.audit_log(&AuditFilter::default()).expect("log");
    let counted = serde_json::json!({"listed": 2_000, "removed": 2});
    assert_eq!(log[1].change, Some(counted));
}

#[test]
fn a_password_of_a_file_is_set_once_and_another_folders_is_refused() {
    let mut a = full();
    let file = a.export(Included::All).expect("exported");
    let section = |file: &PolicyFile| {
        let domain = &file.domains["itsp.example"];
        domain.subscribers["alice"].credentials.clone()
    };
    let sealed = section(&file);
    assert!(sealed.is_some(), "the password of alice is exported sealed");
    let other = Vault::new([8; 32]);
    let mut empty = Accounts::in_memory(NOW).expect("accounts");
    let error = empty.import(&file, &other, false, NOW).expect_err("sealed");
    assert!(error.to_string().contains("another data folder"), "{error}");

    let text = file.to_toml().expect("written");
    let line = format!("credentials = {:?}", sealed.expect("there"));
    let same = text.replace(&line, "password = \"correct horse\"");
    let same = PolicyFile::parse(&same).expect("a file");
    let done = a.import(&same, &vault(), false, NOW).expect("imported");
    assert_eq!(done.changes, 0, "he has this password");
    let anew = text.replace(&line, "password = \"battery staple\"");
    let anew = PolicyFile::parse(&anew).expect("a file");
    let done = a.import(&anew, &vault(), false, NOW).expect("imported");
    assert_eq!(done.changes, 1);
    let log = a.audit_log(&AuditFilter::default()).expect("read");
    assert!(!format!("{log:?}").contains("staple"));
    let none = text.replace(&line, "");
    let none = PolicyFile::parse(&none).expect("a file");
    a.import(&none, &vault(), false, NOW).expect("imported");
    assert_eq!(section(&a.export(Included::All).expect("exported")), None);
}

#[test]
fn the_root_domain_stays() {
    let mut a = full();
    let mut file = a.export(Included::All).expect("exported");
    file.domains.remove("root");
    let error = a.import(&file, &vault(), false, NOW).expect_err("no root");
    assert_eq!(error.field().as_deref(), Some("domains"));
    assert!(
        error.to_string().contains("root domain is missing"),
        "{error}"
    );
}

#[test]
fn seats_hold_for_a_file_and_turn_nobody_out() {
    let mut a = full();
    let smaller = text(&a).replace("seats = 10\n", "seats = 2\n");
    let file = PolicyFile::parse(&smaller).expect("read");
    let mut empty = Accounts::in_memory(NOW).expect("accounts");
    let error = empty
        .import(&file, &vault(), false, NOW)
        .expect_err("three on two");
    assert!(
        error.to_string().contains("plan free has 2 seats"),
        "{error}"
    );
    assert_eq!(empty.domains().expect("domains").len(), 1);
    a.import(&file, &vault(), false, NOW)
        .expect("they are there already");
    assert_eq!(text(&a), smaller);
}

#[test]
fn the_line_of_a_wrong_value_is_told() {
    let exported = text(&full());
    let line = exported.lines().position(|line| line == "plan = \"free\"");
    let wrong = exported.replace("plan = \"free\"", "plan = \"gold\"");
    let error = PolicyFile::parse(&wrong).expect_err("no plan");
    assert_eq!(error.line, line.map(|line| line + 1));
}

#[test]
fn hostile_files_are_refused_in_few_words() {
    let huge = "x".repeat(10 << 20);
    for text in [
        String::new(),
        huge.clone(),
        format!("format = \"{huge}\""),
        format!("{huge} = 1"),
        format!("format = 1\n[domains.\"{huge}\"]"),
        format!("format = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        "\0\u{1b}[31m = 1".to_owned(),
    ] {
        let error = PolicyFile::parse(&text).expect_err("hostile").to_string();
        assert!(error.len() < 1_500, "{} bytes", error.len());
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
