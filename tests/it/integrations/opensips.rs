//! OpenSIPS' files: brackets match, every route that is called is there once, and only known functions are called.

use super::text;
use std::collections::BTreeMap;

/// What is included into `opensips.cfg`, form by form.
const FORMS: [&[&str]; 4] = [
    &["fail-closed.cfg", "prevention.cfg"],
    &["fail-open.cfg", "prevention.cfg"],
    &["detection-3.4.cfg"],
    &["detection-4.cfg"],
];

/// Functions of OpenSIPS 3.4 and 4.1 that the files call, looked up in its documentation.
const FUNCTIONS: [&str; 32] = [
    // core
    "append_branch",
    "append_msg_branch",
    "drop",
    "isbflagset",
    "modparam",
    "resetbflag",
    "resetdsturi",
    "return",
    "route",
    "setbflag",
    "xlog",
    // tm
    "t_check_status",
    "t_check_trans",
    "t_newtran",
    "t_on_branch",
    "t_on_failure",
    "t_on_reply",
    "t_relay",
    "t_reply",
    "t_was_cancelled",
    // sipmsgops
    "append_hf",
    "has_totag",
    "is_present_hf",
    "is_method",
    "remove_hf",
    "remove_hf_glob",
    // dialog, maxfwd, rr, sl or signaling
    "create_dialog",
    "get_profile_size",
    "set_dlg_profile",
    "loose_route",
    "record_route",
    "send_reply",
];

/// Of one version only: `append_branch` is going, `append_msg_branch` is new in 3.6.
const OLD: &str = "append_branch";
const NEW: &str = "append_msg_branch";

#[test]
fn brackets_match() {
    for form in FORMS {
        for file in form.iter().chain(&["opensips.cfg", "tfps.cfg"]) {
            let code = code_of(&text(&format!("opensips/{file}")));
            assert_eq!(unmatched(&without_strings(&code)), None, "{file}");
        }
    }
}

#[test]
fn every_form_defines_what_it_calls() {
    for form in FORMS {
        let code = whole(form);
        let mut defined = BTreeMap::new();
        for kind in ["route", "branch_route", "onreply_route", "failure_route"] {
            for name in blocks(&code, kind) {
                *defined.entry((kind, name)).or_insert(0) += 1;
            }
        }
        for (block, times) in &defined {
            assert_eq!(*times, 1, "{form:?}: {block:?}");
        }
        for (call, kind) in [
            ("route(", "route"),
            ("t_on_branch(\"", "branch_route"),
            ("t_on_reply(\"", "onreply_route"),
            ("t_on_failure(\"", "failure_route"),
        ] {
            for name in arguments(&code, call) {
                let there = defined.contains_key(&(kind, name.clone()));
                assert!(there, "{form:?}: {call}{name}");
            }
        }
    }
}

#[test]
fn only_known_functions_are_called() {
    for form in FORMS {
        for name in calls(&without_strings(&whole(form))) {
            let known = FUNCTIONS.contains(&&*name) || name == "mf_process_maxfwd_header";
            assert!(known || name == "if", "{form:?}: {name}");
            // In a failure route neither is allowed, and routes of ours run there.
            assert!(!name.starts_with("sl_"), "{form:?}: {name}");
        }
    }
}

#[test]
fn each_version_adds_branches_its_own_way() {
    let calls_of = |file| calls(&without_strings(&code_of(&text(file))));
    let old = calls_of("opensips/detection-3.4.cfg");
    let new = calls_of("opensips/detection-4.cfg");
    let has = |calls: &[String], name: &str| calls.iter().any(|call| call == name);
    assert_eq!((has(&old, OLD), has(&old, NEW)), (true, false));
    assert_eq!((has(&new, OLD), has(&new, NEW)), (false, true));
}

#[test]
fn the_example_offers_every_form() {
    let example = text("opensips/opensips.cfg");
    let chosen: Vec<&str> = example
        .lines()
        .filter_map(|line| line.strip_prefix("include_file \""))
        .filter_map(|line| line.split('"').next())
        .collect();
    assert_eq!(chosen, ["tfps.cfg", "fail-closed.cfg"]);
    for form in FORMS {
        let offered = format!("include_file \"{}\"", form[0]);
        assert!(example.contains(&offered), "{offered}");
    }
}

/// What is no decision opens the way; what a caller can bring about does not.
#[test]
fn only_what_no_caller_can_bring_about_is_no_decision() {
    let code = code_of(&text("opensips/prevention.cfg"));
    let open = code
        .lines()
        .find(|line| line.contains("route(TFPS_UNDECIDED)") && line.contains("t_check_status"))
        .expect("a condition");
    assert!(open.contains("$avp(tfps_busy) == NULL"), "{open}");
    assert!(code.contains("is_present_hf(\"Retry-After\")) $avp(tfps_busy) = 1;"));
    super::assert_open_statuses(open.split('"').nth(1).expect("a pattern"), true);
    let asks = code
        .split("branch_route[TFPS_ASK]")
        .nth(1)
        .expect("a route");
    let asks = asks.split("\n}").next().expect("its body");
    for header in ["Max-Forwards", "Require"] {
        assert!(
            asks.contains(&format!("remove_hf(\"{header}\")")),
            "{header}"
        );
    }
}

/// A form as OpenSIPS sees it, without comments.
fn whole(form: &[&str]) -> String {
    let files = ["opensips.cfg", "tfps.cfg"].iter().chain(form);
    files
        .map(|file| code_of(&text(&format!("opensips/{file}"))))
        .collect()
}

/// Without comments; `#` within a string is none.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut quoted = false;
        let end = line.char_indices().find(|&(_, c)| {
            quoted ^= c == '"';
            c == '#' && !quoted
        });
        code.push_str(&line[..end.map_or(line.len(), |(at, _)| at)]);
        code.push('\n');
    }
    code
}

fn without_strings(code: &str) -> String {
    code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// The first bracket that has no partner.
fn unmatched(code: &str) -> Option<char> {
    let mut open = Vec::new();
    for c in code.chars() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return Some(c),
            _ => {}
        }
    }
    open.pop()
}

/// Names of the blocks `kind[NAME]`.
fn blocks(code: &str, kind: &str) -> Vec<String> {
    let start = format!("{kind}[");
    code.lines()
        .filter_map(|line| line.strip_prefix(&start))
        .filter_map(|rest| rest.split(']').next())
        .map(str::to_owned)
        .collect()
}

/// What follows `call`, up to the quotation mark or bracket.
fn arguments(code: &str, call: &str) -> Vec<String> {
    code.match_indices(call)
        .filter(|&(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .filter_map(|(at, _)| code[at + call.len()..].split(['"', ')']).next())
        .map(str::to_owned)
        .collect()
}

/// Names before a round bracket; those of variables and their parts are none.
fn calls(code: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices('(')
        .filter_map(|(at, _)| {
            let before = code[..at].trim_end_matches(' ');
            let name = before.len() - before.trim_end_matches(is_word).len();
            let (rest, name) = before.split_at(before.len() - name);
            (!name.is_empty() && !rest.ends_with(['$', '.', '('])).then(|| name.to_owned())
        })
        .collect()
}
