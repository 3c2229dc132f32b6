//! FreeSWITCH's files: they are XML, and every context that a form can reach is there once.

use super::{shipped, text};
use std::collections::{BTreeMap, BTreeSet};

const FORMS: [&[&str]; 5] = [
    &["ask-sip.xml", "fail-closed.xml", "to-gateway.xml"],
    &["ask-sip.xml", "fail-open.xml", "to-gateway.xml"],
    &["ask-web.xml", "fail-closed.xml", "to-gateway.xml"],
    &["ask-web.xml", "fail-open.xml", "to-gateway.xml"],
    &["detection.xml"],
];

/// Applications of the dialplan that the files use.
const APPLICATIONS: [&str; 8] = [
    "bridge", "curl", "limit", "log", "respond", "set", "transfer", "unset",
];

/// A start tag, and the names of those it stands in.
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
}

#[test]
fn every_file_is_xml() {
    for file in shipped("freeswitch") {
        let elements = parse(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        assert_eq!(elements[0].name, "include", "{}", file.name);
    }
}

#[test]
fn every_context_that_is_reached_is_there_once() {
    for form in FORMS {
        let mut contexts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in ["tfps.xml"].iter().chain(form) {
            let elements = parse(&text(&format!("freeswitch/dialplan/{file}"))).expect("XML");
            let mut context = String::new();
            for element in elements {
                if element.name == "context" {
                    context = element.attributes["name"].clone();
                    let first = contexts.insert(context.clone(), BTreeSet::new());
                    assert!(first.is_none(), "{form:?}: {context} twice");
                }
                let reached = element.attributes.get("data").map(|data| targets(data));
                if let Some(targets) = contexts.get_mut(&context) {
                    targets.extend(reached.into_iter().flatten());
                }
            }
        }
        let mut next = vec!["tfps".to_owned(), "tfps-nobody".to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(context) = next.pop() {
            let targets = contexts.get(&context);
            let targets = targets.unwrap_or_else(|| panic!("{form:?}: no context {context}"));
            if seen.insert(context) {
                next.extend(targets.iter().cloned());
            }
        }
        let decides = form.len() > 1;
        assert_eq!(
            seen.contains("tfps-approved"),
            decides,
            "{form:?}: {seen:?}"
        );
        assert_eq!(seen.contains("tfps-undecided"), decides, "{form:?}");
    }
}

#[test]
fn only_known_applications_are_used() {
    for file in shipped("freeswitch") {
        for element in parse(&file.text).expect("XML") {
            if let Some(application) = element.attributes.get("application") {
                assert!(
                    APPLICATIONS.contains(&&**application),
                    "{}: {application}",
                    file.name
                );
            }
        }
    }
}

/// Dial strings have a grammar that a customer could write: what he sent goes in only where a condition has let it
/// through.
#[test]
fn nothing_a_customer_sent_goes_into_a_dial_string_unchecked() {
    let ours = ["${network_addr}", "${tfps_ua}", "${tfps_calls}"];
    for file in shipped("freeswitch") {
        for element in parse(&file.text).expect("XML") {
            if element.attributes.get("application").map(String::as_str) != Some("bridge") {
                continue;
            }
            let mut data = element.attributes["data"].clone();
            for variable in ours {
                data = data.replace(variable, "");
            }
            assert!(!data.contains("${"), "{}: {data}", file.name);
        }
    }
}

/// A dialled number is text of the caller's choice, and `$1` goes into transfers and dial strings: only digits are let in.
#[test]
fn only_digits_of_what_was_dialled_are_used() {
    let dialplans = shipped("freeswitch")
        .into_iter()
        .filter(|f| f.name.starts_with("dialplan"));
    for file in dialplans {
        let mut captures = "";
        for element in parse(&file.text).expect("XML") {
            let get = |key: &str| element.attributes.get(key).map_or("", String::as_str);
            match element.name.as_str() {
                "condition" => {
                    captures = match (get("field"), get("expression")) {
                        ("destination_number", r"^(\d+)$" | r"^\+?(\d{3,18})$" | r"^(R\d\d)") => {
                            "digits"
                        }
                        ("destination_number", r"^.*$" | "^A00") => "",
                        ("destination_number", other) => panic!("{}: {other}", file.name),
                        _ => "checked",
                    }
                }
                "action" => {
                    let data = get("data");
                    assert!(
                        !data.contains("destination_number"),
                        "{}: {data}",
                        file.name
                    );
                    assert!(
                        !data.contains("$1") || !captures.is_empty(),
                        "{}: {data}",
                        file.name
                    );
                }
                _ => {}
            }
        }
    }
    assert!(text("freeswitch/README.md").contains(r#"expression="^\+?(\d+)$""#));
}

/// What is no decision opens the way; what a caller can bring about does not, and nothing is left of an earlier call.
#[test]
fn only_what_no_caller_can_bring_about_is_no_decision() {
    for (file, status) in [
        ("ask-sip.xml", "sip_invite_failure_status"),
        ("ask-web.xml", "curl_response_code"),
    ] {
        let elements = parse(&text(&format!("freeswitch/dialplan/{file}"))).expect("XML");
        let mut condition = None;
        let mut opened = 0;
        let mut forgotten = false;
        for element in &elements {
            let get = |key: &str| element.attributes.get(key).map_or("", String::as_str);
            if element.name == "condition" {
                condition = Some((get("field"), get("expression")));
            }
            forgotten |= get("application") == "unset" && get("data") == status;
            if get("data").ends_with(" XML tfps-undecided") {
                let (field, expression) = condition.expect("a condition");
                assert_eq!(field, format!("${{{status}}}"), "{file}");
                super::assert_open_statuses(expression, false);
                assert!(
                    regex::Regex::new(expression)
                        .expect("a pattern")
                        .is_match("")
                );
                opened += 1;
            }
        }
        assert_eq!((opened, forgotten), (1, true), "{file}");
    }
}

#[test]
fn the_gateway_stands_first_in_a_fork() {
    let fork = text("freeswitch/dialplan/detection.xml");
    let at = |leg: &str| fork.find(leg).unwrap_or_else(|| panic!("{leg}"));
    assert!(at("sofia/gateway/trunk/") < at("sofia/gateway/tfps-detection/"));
}

/// Contexts that an application's argument leads to: `X XML CONTEXT`, or by a redirection.
fn targets(data: &str) -> Vec<String> {
    let named = |(before, after): (&str, &str)| {
        let _ = before;
        let end = after.find([',', ' ', '}']).unwrap_or(after.len());
        after[..end].to_owned()
    };
    let by_transfer = data.split_once(" XML ").map(named);
    let by_redirect = data.split_once("sip_redirect_context=").map(named);
    by_transfer.into_iter().chain(by_redirect).collect()
}

/// The elements in order. Well-formed as far as these files go: tags nest, attributes are quoted and unique, a bare `&`
/// or `<` is an error, and so is `--` in a comment.
fn parse(text: &str) -> Result<Vec<Element>, String> {
    let mut open: Vec<String> = Vec::new();
    let mut elements = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let content = &rest[..start];
        if !content.trim().is_empty() {
            return Err(format!("text between elements: {content}"));
        }
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            let (inside, after) = comment.split_once("--").ok_or("an open comment")?;
            rest = after
                .strip_prefix('>')
                .ok_or_else(|| format!("`--` in the comment {inside}"))?;
            continue;
        }
        let end = tag_end(rest).ok_or_else(|| format!("an open tag: {rest:.40}"))?;
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let empty = tag.ends_with('/');
        let element = element(tag.trim_end_matches('/'))?;
        if !empty {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    match open.pop() {
        None if rest.trim().is_empty() => Ok(elements),
        None => Err(format!("text after the last element: {rest}")),
        Some(name) => Err(format!("<{name}> is never closed")),
    }
}

/// Where the tag ends: at the first `>` that stands in no quotation marks.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.find(|c: char| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        let wrong = || format!("<{tag}>");
        let (key, after) = rest.split_once("=\"").ok_or_else(wrong)?;
        let (value, after) = after.split_once('"').ok_or_else(wrong)?;
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
        let plain = known.iter().fold(value.to_owned(), |v, e| v.replace(e, ""));
        if plain.contains(['&', '<']) {
            return Err(format!("a bare & or < in {value}"));
        }
        if attributes
            .insert(key.trim().to_owned(), value.to_owned())
            .is_some()
        {
            return Err(format!("{key} twice in <{tag}>"));
        }
        rest = after;
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
    })
}

#[test]
fn what_is_no_xml_is_refused() {
    for wrong in [
        "<a>",
        "<a></b>",
        "<a x=1/>",
        "<a x=\"1\" x=\"2\"/>",
        "<a x=\"1 & 2\"/>",
        "<!-- a -- b --><a/>",
        "<a>text</a>",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    assert!(parse("<a x=\"1 &amp; 2 > 1\"><b/></a>\n").is_ok());
}
