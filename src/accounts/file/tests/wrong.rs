//! Files with one wrong value each: refused with its place, and nothing is half-applied.

use super::*;

/// Changed text, where it must be said to be wrong, and a part of what must be said.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "[plans.itsp]",
        "[[plans.itsp]]",
        "plans.itsp",
        "invalid type: sequence",
    ),
    ("format = 1", "format = 2", "format", "expected 1"),
    ("format = 1", "format = \"1\"", "format", "expected u32"),
    ("format = 1", "formats = 1", "formats", "unknown field"),
    ("format = 1", "format = 1\nformat = 1", "", "duplicate"),
    (
        "lists_included = \"all\"",
        "lists_included = \"some\"",
        "lists_included",
        "expected",
    ),
    (
        "lists_included = \"all\"",
        "lists_included = \"none\"",
        "lists[0].of",
        "`none`",
    ),
    (
        "lists_included = \"all\"",
        "lists_included = \"policies\"",
        "lists[0].of",
        "`policies`",
    ),
    ("seats = 10\n", "seats = -1\n", "plans.free.seats", "-1"),
    (
        "seats = 10\n",
        "chairs = 10\n",
        "plans.free.chairs",
        "unknown field",
    ),
    (
        "[domains.\"itsp.example\"]",
        "[domains.\"a b\"]",
        "domains.\"a b\"",
        "host name",
    ),
    (
        "\"192.0.2.0/24\"",
        "\"192.0.2.0/33\"",
        "domains.\"itsp.example\".trusted_peers[0]",
        "192.0.2.0/33",
    ),
    (
        "dial_prefixes = [\"9\"]",
        "dial_prefixes = [9]",
        "domains.\"itsp.example\".dial_prefixes[0]",
        "a string",
    ),
    (
        "plan = \"free\"",
        "plan = \"gold\"",
        "domains.\"itsp.example\".policies.strict.plan",
        "gold",
    ),
    (
        "calls_per_second = 3\n",
        "calls_per_second = 0\n",
        "domains.\"itsp.example\".policies.strict.calls_per_second",
        "from 1 to 100000",
    ),
    (
        "risk_threshold = 0.7\n",
        "risk_threshold = 7.0\n",
        "domains.\"itsp.example\".policies.strict.risk_threshold",
        "0 to 1",
    ),
    (
        "R15 = \"enforce\"",
        "r15 = \"enforce\"",
        "domains.\"itsp.example\".policies.strict.modes",
        "R01 to R15",
    ),
    (
        "R15 = \"enforce\"",
        "R15 = \"block\"",
        "domains.\"itsp.example\".policies.strict.modes.R15",
        "block",
    ),
    (
        "policy = \"strict\"",
        "policy = \"nope\"",
        "domains.\"itsp.example\".subscribers.alice.policy",
        "nope",
    ),
    (
        "policy = \"strict\"",
        "policy = \"strict\"\npassword = \"x\"",
        "domains.\"itsp.example\".subscribers.alice.password",
        "one of them",
    ),
    (
        "credentials = \"1:",
        "credentials = \"1:AAAAAA",
        "domains.\"itsp.example\".subscribers.alice.credentials",
        "policy export",
    ),
    (
        "credentials = \"1:",
        "password = \"short\"\n# \"1:",
        "domains.\"itsp.example\".subscribers.alice.password",
        "8 to 128",
    ),
    (
        "PT = \"high\"",
        "QQ = \"high\"",
        "country_risk.QQ",
        "ISO 3166-1",
    ),
    (
        "default_user = \"default\"",
        "default_user = \"a b\"",
        "domains.\"itsp.example\".default_user",
        "without spaces",
    ),
    (
        "442079460000 = \"default\"",
        "x = \"default\"",
        "domains.\"itsp.example\".callers.x",
        "number",
    ),
    (
        "442079460000 = \"default\"",
        "442079460000 = \"nope\"",
        "domains.\"itsp.example\".callers.442079460000",
        "nope",
    ),
    (
        "\"25262\"",
        "\"25261\"",
        "lists[0].values[1]",
        "second time",
    ),
    (
        "\"25262\"",
        "\"+25261\"",
        "lists[0].values[1]",
        "second time",
    ),
    (
        "\"25262\"",
        "\"0\"",
        "lists[0].values[1].value",
        "begins with 0",
    ),
    (
        "\"25262\"",
        "\"1\\u0000\"",
        "lists[0].values[1].value",
        "\\u{0}",
    ),
    (
        "of = \"itsp.example/strict\"",
        "of = \"itsp.example/nope\"",
        "lists[2].of",
        "nope",
    ),
    (
        "of = \"itsp.example/strict\"",
        "of = \"../../x\"",
        "lists[2].of",
        "domain/policy",
    ),
    (
        "expires = \"2030-01-01T00:00:00Z\"",
        "expires = \"soon\"",
        "lists[0].expires",
        "RFC 3339",
    ),
    (
        "reason = \"revenue share\"",
        "reason = \"\\u202e\"",
        "lists[0].reason",
        "printable",
    ),
];

#[test]
fn a_wrong_file_is_refused_with_the_place_and_leaves_everything() {
    let mut failed = Vec::new();
    for (right, wrong, place, told) in WRONG {
        let mut a = full();
        let before = (text(&a), lines(&a));
        assert!(before.0.contains(right), "{right} is not in {}", before.0);
        let changed = before.0.replacen(right, wrong, 1);
        let parsed = PolicyFile::parse(&changed).map_err(AccountsError::from);
        let error = parsed
            .and_then(|file| a.import(&file, &vault(), false, NOW))
            .expect_err(wrong);
        let said = error.to_string();
        if error.field().as_deref().unwrap_or_default() != *place || !said.contains(told) {
            failed.push(format!("{wrong}: {said}"));
        }
        assert_eq!((text(&a), lines(&a)), before, "{wrong}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
