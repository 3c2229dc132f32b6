//! Asterisk's files, and FreePBX's: sections, extensions, labels, and that what is called is there.

use super::{shipped, text};
use std::collections::{BTreeMap, BTreeSet};

const FORMS: [&[&str]; 5] = [
    &["prevention", "ask-sip", "fail-closed"],
    &["prevention", "ask-sip", "fail-open"],
    &["prevention", "ask-web", "fail-closed"],
    &["prevention", "ask-web", "fail-open"],
    &["detection"],
];

/// Applications of Asterisk 18 that the files use.
const APPLICATIONS: [&str; 11] = [
    "Dial",
    "ExecIf",
    "Gosub",
    "Goto",
    "GotoIf",
    "Hangup",
    "Log",
    "NoOp",
    "Originate",
    "Return",
    "Set",
];

/// One priority of an extension.
struct Step {
    context: String,
    extension: String,
    label: Option<String>,
    application: String,
    arguments: String,
}

#[test]
fn every_form_defines_what_it_calls() {
    for example in ["asterisk/extensions.conf", "freepbx/extensions_custom.conf"] {
        for form in FORMS {
            let mut steps = dialplan(example);
            for file in ["common"].iter().chain(form) {
                steps.extend(dialplan(&format!("asterisk/{file}.conf")));
            }
            let mut contexts = BTreeSet::new();
            let mut last = "";
            for step in &steps {
                if step.context != last {
                    let first = contexts.insert(&*step.context);
                    assert!(first, "{form:?}: [{}] twice", step.context);
                    last = &step.context;
                }
            }
            for context in steps.iter().flat_map(called) {
                let there = contexts.contains(&*context);
                assert!(there, "{example}, {form:?}: no [{context}]");
            }
        }
    }
}

#[test]
fn every_label_is_there() {
    for file in dialplans() {
        let steps = dialplan(&file);
        for step in steps.iter().filter(|step| step.application == "GotoIf") {
            let (_, label) = step.arguments.rsplit_once('?').expect("a condition");
            let there = steps.iter().any(|other| {
                (&other.context, &other.extension) == (&step.context, &step.extension)
                    && other.label.as_deref() == Some(label)
            });
            assert!(there, "{file}: {} has no {label}", step.context);
        }
    }
}

#[test]
fn only_known_applications_are_used_and_brackets_match() {
    for file in dialplans() {
        for step in dialplan(&file) {
            let known = APPLICATIONS.contains(&&*step.application);
            assert!(known, "{file}: {}", step.application);
            for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
                let count = |c| step.arguments.matches(c).count();
                assert_eq!(count(open), count(close), "{file}: {}", step.arguments);
            }
        }
    }
}

/// `${EXTEN}` and what FreePBX makes of it are what the caller wrote: a comma splits arguments, `&` and `/` are Dial's.
#[test]
fn nothing_is_called_or_asked_about_unfiltered() {
    const RAW: [&str; 4] = ["{EXTEN", "{OUTNUM", "{DIAL_NUMBER", "{TFPS_RAW"];
    const LEADS_ON: [&str; 5] = ["Dial", "Gosub", "Goto", "Originate", "GotoIf"];
    for file in dialplans() {
        for step in dialplan(&file) {
            let bare = RAW.iter().any(|raw| step.arguments.contains(raw));
            let leads_on = LEADS_ON.contains(&&*step.application);
            let counted = step.context == "tfps-clean";
            assert!(!(bare && leads_on) || counted, "{file}: {}", step.arguments);
        }
    }
    // What is asked about is what is called, and clean.
    for (example, what) in [
        ("asterisk/extensions.conf", "EXTEN"),
        ("freepbx/extensions_custom.conf", "OUTNUM"),
    ] {
        let steps = dialplan(example);
        let at = |application: &str, arguments: &str| {
            let found = steps.iter().position(|step| {
                step.application == application && step.arguments.starts_with(arguments)
            });
            found.unwrap_or_else(|| panic!("{example}: no {application}({arguments}"))
        };
        let order = [
            at("Set", &format!("TFPS_RAW=${{REPLACE({what},():,_)}}")),
            at("Gosub", "tfps-clean,s,1"),
            at("Gosub", "tfps,s,1(${TFPS_DIALED})"),
        ];
        assert!(order.is_sorted(), "{example}");
        if what == "EXTEN" {
            at("Dial", "PJSIP/${TFPS_DIALED}@");
        } else {
            at("Set", "OUTNUM=${TFPS_DIALED}");
        }
    }
    // And whoever writes a dialplan of his own is told.
    for product in ["asterisk", "freepbx"] {
        let page = text(&format!("{product}/README.md"));
        assert!(page.contains("FILTER()") && page.contains("bare `${EXTEN}`"));
    }
}

/// What is no decision opens the way; what a caller can bring about does not.
#[test]
fn only_what_no_caller_can_bring_about_is_no_decision() {
    let opening: Vec<String> = dialplan("asterisk/ask-sip.conf")
        .into_iter()
        .filter(|step| step.application == "GotoIf" && step.arguments.ends_with("?none"))
        .map(|step| step.arguments)
        .collect();
    let [silence, causes] = &opening[..] else {
        panic!("{opening:?}");
    };
    assert!(silence.contains(r#""${DIALSTATUS}" = "NOANSWER""#));
    let causes = causes.split('"').nth(1).expect("a pattern");
    let causes = regex::Regex::new(causes).expect("a pattern");
    // Q.850, as Asterisk turns SIP into it: 401 or 403, 408, 500, 502.
    for open in ["", "0", "18", "21", "38", "27"] {
        assert!(causes.is_match(open), "{open}");
    }
    // 404, 420's neighbours, 484, 503, 400 and 482.
    for closed in ["1", "17", "19", "28", "34", "127"] {
        assert!(!causes.is_match(closed), "{closed}");
    }
    let prevention = dialplan("asterisk/prevention.conf");
    let undecided = prevention
        .iter()
        .filter(|step| step.arguments.ends_with("?undecided"));
    let undecided: Vec<_> = undecided.map(|step| &*step.arguments).collect();
    assert_eq!(undecided, [r#"$["${TFPS_CODE}" = "none"]?undecided"#]);
}

/// What a phone says of itself is bounded before it goes anywhere.
#[test]
fn a_user_agent_is_cut_and_filtered() {
    let mut read = 0;
    for file in dialplans() {
        let steps = dialplan(&file);
        let agent = |step: &&Step| step.arguments.contains("PJSIP_HEADER(read,");
        for at in steps.iter().enumerate().filter(|(_, s)| agent(s)) {
            let (at, step) = at;
            assert!(step.arguments.starts_with("TFPS_AGENT="), "{file}");
            let next = &steps[at + 1].arguments;
            assert_eq!(next, "SHARED(TFPS_UA)=${FILTER(!-~ ,${TFPS_AGENT:0:100})}");
            read += 1;
        }
    }
    assert_eq!(read, 1);
}

#[test]
fn an_account_is_asked_for_by_either_way() {
    for (file, sent) in [
        ("common", "PJSIP_HEADER(add,X-TFPS)=${TFPS_ACCOUNT}"),
        ("ask-web", "TFPS_FROM=${CUT(TFPS_ACCOUNT,@,1)}"),
        ("ask-web", "TFPS_DOMAIN=${CUT(TFPS_ACCOUNT,@,2)}"),
    ] {
        let steps = dialplan(&format!("asterisk/{file}.conf"));
        assert!(steps.iter().any(|step| step.arguments == sent), "{sent}");
    }
}

/// A channel may live long: DISA and redial make other calls on it.
#[test]
fn a_decision_holds_for_seconds() {
    for file in ["prevention", "detection"] {
        let steps = dialplan(&format!("asterisk/{file}.conf"));
        let holds = |step: &&Step| step.arguments.contains("\"${TFPS_DECIDED}\" = ");
        let holds: Vec<_> = steps.iter().filter(holds).collect();
        assert_eq!(holds.len(), 1, "{file}");
        let bounded = "& ${EPOCH} - 0${TFPS_DECIDED_AT} < 10]?done";
        assert!(holds[0].arguments.ends_with(bounded), "{file}");
        let noted = |step: &Step| step.arguments == "TFPS_DECIDED_AT=${EPOCH}";
        assert!(steps.iter().any(noted), "{file}");
    }
}

#[test]
fn the_examples_offer_every_form_and_include_what_is_there() {
    for example in ["asterisk/extensions.conf", "freepbx/extensions_custom.conf"] {
        let lines = text(example);
        let includes = |start: &str| -> BTreeSet<String> {
            let found = lines.lines().filter_map(|line| line.strip_prefix(start));
            found.map(str::to_owned).collect()
        };
        let (on, off) = (includes("#include tfps/"), includes(";#include tfps/"));
        for file in on.union(&off) {
            text(&format!("asterisk/{file}"));
        }
        for file in FORMS.concat() {
            let file = format!("{file}.conf");
            assert!(
                on.contains(&file) != off.contains(&file),
                "{example}: {file}"
            );
        }
        for (this, other) in [("ask-sip", "ask-web"), ("fail-open", "fail-closed")] {
            let on = |file: &str| on.contains(&format!("{file}.conf"));
            assert!(on(this) != on(other), "{example}: {this} or {other}");
        }
    }
}

#[test]
fn endpoints_have_what_they_name() {
    let mut objects: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for section in text("asterisk/pjsip.conf").split("\n[").skip(1) {
        let (name, body) = section.split_once(']').expect("a section");
        let options: BTreeMap<String, String> = body
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with(';'))
            .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line}")))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let first = objects.insert((options["type"].clone(), name.to_owned()), options);
        assert!(first.is_none(), "[{name}] twice");
    }
    let mut dialplan_contexts = dialplan("asterisk/ask-sip.conf");
    dialplan_contexts.extend(dialplan("asterisk/detection.conf"));
    let has = |kind: &str, name: &String| objects.contains_key(&(kind.to_owned(), name.clone()));
    let mut endpoints = 0;
    for ((kind, name), options) in &objects {
        if kind != "endpoint" {
            continue;
        }
        endpoints += 1;
        assert!(has("aor", &options["aors"]), "{name}");
        if let Some(auth) = options.get("outbound_auth") {
            assert!(has("auth", auth), "{name}");
        }
        let context = &options["context"];
        let there = dialplan_contexts
            .iter()
            .any(|step| step.context == *context);
        assert!(there, "{name}: no [{context}]");
    }
    assert_eq!(endpoints, 2);
    let asks = &objects[&("endpoint".to_owned(), "tfps".to_owned())];
    assert_eq!(asks["redirect_method"], "user");
}

/// The files that are dialplan, below `integrations/`.
fn dialplans() -> Vec<String> {
    ["asterisk", "freepbx"]
        .into_iter()
        .flat_map(|product| {
            let files = shipped(product).into_iter().map(|file| file.name);
            files
                .filter(|name| !name.starts_with("pjsip"))
                .map(move |name| format!("{product}/{name}"))
        })
        .collect()
}

fn dialplan(path: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut context = None;
    for line in text(path).lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with([';', '#']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            context = Some(name.strip_suffix(']').expect("a section").to_owned());
            continue;
        }
        let context = context.clone().unwrap_or_else(|| panic!("{path}: {line}"));
        if context == "globals" {
            continue;
        }
        let (extension, rest) = if let Some(rest) = trimmed.strip_prefix("same => ") {
            let above = steps.last().filter(|step| step.context == context);
            let above = above.unwrap_or_else(|| panic!("{path}: {line}"));
            (above.extension.clone(), rest)
        } else {
            let rest = trimmed.strip_prefix("exten => ");
            let rest = rest.unwrap_or_else(|| panic!("{path}: {line}"));
            let (extension, rest) = rest.split_once(',').expect("a priority");
            assert!(rest.starts_with("1,"), "{path}: {line}");
            (extension.to_owned(), rest)
        };
        steps.push(step(context, extension, rest).unwrap_or_else(|| panic!("{path}: {line}")));
    }
    steps
}

/// `n(label),Application(arguments)`
fn step(context: String, extension: String, rest: &str) -> Option<Step> {
    let (priority, call) = rest.split_once(',')?;
    let label = match priority.strip_prefix('n') {
        Some("") => None,
        Some(label) => Some(label.strip_prefix('(')?.strip_suffix(')')?.to_owned()),
        None if priority == "1" => None,
        None => return None,
    };
    let (application, arguments) = call.split_once('(')?;
    Some(Step {
        context,
        extension,
        label,
        application: application.to_owned(),
        arguments: arguments.strip_suffix(')')?.to_owned(),
    })
}

/// Contexts that a step leads to.
fn called(step: &Step) -> Vec<String> {
    let mut contexts = Vec::new();
    let first = |arguments: &str| arguments.split(',').next().unwrap_or_default().to_owned();
    match &*step.application {
        "Gosub" | "Goto" => contexts.push(first(&step.arguments)),
        "Originate" => {
            let exten = step.arguments.split_once(",exten,");
            contexts.extend(exten.map(|(_, after)| first(after)));
        }
        _ => {}
    }
    if matches!(&*step.application, "Dial" | "Originate") {
        let handler = step.arguments.split_once("b(");
        contexts.extend(handler.and_then(|(_, after)| Some(after.split_once('^')?.0.to_owned())));
    }
    contexts
}
