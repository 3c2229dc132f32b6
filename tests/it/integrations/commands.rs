//! The pages quote commands that the program knows.

use super::{PRODUCTS, text};
use crate::support::TFPS;
use std::process::Command;

#[test]
fn quoted_commands_are_known() {
    let mut pages = vec!["README.md".to_owned(), "../README.md".to_owned()];
    pages.extend(PRODUCTS.map(|product| format!("{product}/README.md")));
    let mut known = 0;
    for page in pages {
        for command in commands(&text(&page)) {
            // Options before --help are looked at, and nothing is done.
            let shown = Command::new(TFPS)
                .args(&command)
                .arg("--help")
                .output()
                .expect("the program starts");
            let success = shown.status.success();
            let said = String::from_utf8_lossy(&shown.stderr);
            assert!(success, "{page}: {command:?}: {said}");
            known += 1;
        }
    }
    assert!(known >= 10, "only {known} commands were found");
}

/// Arguments of each `tfps ...` in the code blocks of a page, also after variables and behind a pipe.
fn commands(page: &str) -> Vec<Vec<String>> {
    page.split("```")
        .skip(1)
        .step_by(2)
        .flat_map(str::lines)
        .filter_map(|line| {
            let line = line.split(" #").next().unwrap_or_default();
            let line = line.rsplit(" | ").next().unwrap_or_default();
            let mut words = words(line).into_iter();
            words
                .by_ref()
                .find(|word| !word.contains('='))
                .filter(|word| word == "tfps")
                .map(|_| words.collect())
        })
        .collect()
}

/// As a shell splits them: by blanks, and quotation marks hold together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let mut quote = None;
    for c in line.chars() {
        match c {
            '\'' | '"' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_with(String::new);
            }
            c if quote == Some(c) => quote = None,
            ' ' if quote.is_none() => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn commands_are_read_as_a_shell_reads_them() {
    let page = "text\n```\nA=1 tfps serve\nprintf x | tfps list add --reason \"a b\"   # why\nls tfps\n```\n`tfps no`";
    assert_eq!(
        commands(page),
        [vec!["serve"], vec!["list", "add", "--reason", "a b"]]
    );
}
