//! The part of a model's card that an evaluation writes, and whether a card still says what an
//! evaluation finds.

use super::{Report, render};
use crate::domain::FeatureVector;
use crate::model::Model;
use std::fmt::Write;

/// The lines between which the section stands in a card.
const BEGIN: &str = "<!-- evaluation: written by `tfps evaluate`, checked by `make evaluate` -->";
const END: &str = "<!-- end of evaluation -->";

/// How far a figure may be from the card's, as a share of it: other machines add up in another
/// order.
const TOLERANCE: f64 = 0.005;

/// How far a score or a threshold of the published model may be from the evaluated one's.
const SAME_SCORE: f32 = 1e-4;

/// The section, Markdown, between its two marks.
#[must_use]
pub fn section(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_section(&mut text, report);
    text
}

fn write_section(out: &mut String, report: &Report) -> std::fmt::Result {
    let data = &report.data;
    writeln!(out, "{BEGIN}\n## Evaluation\n")?;
    writeln!(
        out,
        "{}: {} calls from {} to {}, {} more at honeypots. Features version {}, {} of them. \
         How it is measured, and how to read the tables: `docs/evaluation.md`. In brackets: 95 % \
         intervals from {} draws of whole attacks and whole customers.\n",
        data.source,
        data.calls,
        data.from,
        data.to,
        data.honeypot,
        data.features_version,
        data.features,
        report.bootstrap
    )?;
    writeln!(out, "| part | calls | fraud | attacks |\n|---|---|---|---|")?;
    let other = data
        .another_operator
        .iter()
        .map(|part| ("another operator", part));
    for name in ["train", "calibrate", "test"] {
        if let Some(part) = data.parts.get(name) {
            writeln!(
                out,
                "| {name} | {} | {} | {} |",
                part.calls, part.fraud, part.attacks
            )?;
        }
    }
    for (name, part) in other {
        writeln!(
            out,
            "| {name} | {} | {} | {} |",
            part.calls, part.fraud, part.attacks
        )?;
    }
    writeln!(out, "\n{}", render(report))?;
    for (name, said) in &report.peers {
        writeln!(out, "- `{name}`: {}", said.about)?;
    }
    writeln!(out, "\n{LIMITS}\n{END}")
}

const LIMITS: &str = "\
### What these figures do not say

- The calls are simulated unless it says otherwise above. Attacks and habits are as `docs/simulator.md` \
assumes them; the same assumptions made the calls that were learned from. Figures on your own calls will be worse: \
`tfps evaluate your-calls.csv` measures them.
- What is refused, leaks and blocks is measured for `tfps` at the default threshold in its model's file, which R15 \
takes, and for `tfps-novelty` at the alarm in that file; for the others at the threshold for 1 legitimate call in \
10,000 of the calibration week, or as published. What it gave later stands beside it; recall at a fixed share of false \
positives compares detectors at one price.
- A call counts as refused by its score alone. Attackers would react to a refusal; here they go on.
- An attack that is refused late has been paid for until then: money leaked is the answered calls that were let \
through, at the price of the rate deck.";

/// What differs between the published model and the one that was evaluated, in words; empty: they
/// have the same hash, or give the probes of both the same scores and refuse above the same one.
#[must_use]
pub fn model_difference(published: &Model, evaluated: &Model) -> Vec<String> {
    if published.sha256() == evaluated.sha256() {
        return Vec::new();
    }
    let probes = [published, evaluated].map(|model| model.file().probes.iter());
    let [of_one, of_other] = probes;
    let mut furthest = 0.0_f32;
    for probe in of_one.chain(of_other) {
        let vector = FeatureVector {
            version: evaluated.file().features_version,
            values: probe.features.clone(),
        };
        let (Ok(a), Ok(b)) = (published.score(&vector), evaluated.score(&vector)) else {
            return vec!["the published model is of other features than the evaluated one".into()];
        };
        furthest = furthest.max((a.score - b.score).abs());
    }
    let mut differs = Vec::new();
    if furthest > SAME_SCORE {
        differs.push(format!(
            "the published model `{}` scores a probe {furthest} apart from the evaluated `{}`",
            published.id(),
            evaluated.id()
        ));
    }
    let (a, b) = (published.threshold(), evaluated.threshold());
    if (a - b).abs() > SAME_SCORE {
        differs.push(format!(
            "the published model's default threshold is {a}, the evaluated one's {b}"
        ));
    }
    differs
}

/// What differs between the section in a card and this one, in words; empty: nothing beyond
/// rounding.
#[must_use]
pub fn difference(card: &str, section: &str) -> Vec<String> {
    let inside = |text: &str| {
        let from = text.find(BEGIN)?;
        let to = text.find(END)?;
        text.get(from..to).map(str::to_owned)
    };
    let (Some(old), Some(new)) = (inside(card), inside(section)) else {
        return vec!["the card has no evaluation: write it with --publish".to_owned()];
    };
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len() != new.len() {
        return vec![format!(
            "the card's evaluation has {} lines, this one {}",
            old.len(),
            new.len()
        )];
    }
    let pairs = old.iter().zip(&new).filter(|(old, new)| !alike(old, new));
    pairs
        .map(|(old, new)| format!("the card says\n  {old}\nand this evaluation\n  {new}"))
        .collect()
}

/// Whether two lines have the same words and whole numbers, and fractions that differ by rounding
/// at most.
fn alike(old: &str, new: &str) -> bool {
    let (old, new) = (tokens(old), tokens(new));
    old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| token_alike(old, new))
}

/// Numbers with their signs, and what stands between them; how a table is padded does not matter.
fn tokens(line: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut number = false;
    let mut chars = line.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(c) = chars.next() {
        let sign = c == '-' && chars.peek().is_some_and(char::is_ascii_digit);
        if c == '-' && !sign {
            // The rule under a table's head, as wide as its cells; or no figure.
            continue;
        }
        let digit = sign || c.is_ascii_digit() || c == '.';
        match tokens.last_mut() {
            Some(last) if digit == number && !sign => last.push(c),
            _ => tokens.push(c.to_string()),
        }
        number = digit;
    }
    tokens
}

fn token_alike(old: &str, new: &str) -> bool {
    if old == new {
        return true;
    }
    let decimals = |text: &str| text.split_once('.').map_or(0, |(_, after)| after.len());
    let places = decimals(old);
    // Counts are counts, on whatever machine.
    if places == 0 || places != decimals(new) {
        return false;
    }
    match (old.parse::<f64>(), new.parse::<f64>()) {
        (Ok(a), Ok(b)) => {
            // One in the last place that is printed, or the tolerance.
            let place = i32::try_from(places).map_or(0.0, |d| 10_f64.powi(-d) * 1.01);
            (a - b).abs() <= place.max(TOLERANCE * a.abs())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(line: &str) -> String {
        format!("# Model\n\n{BEGIN}\n{line}\n{END}\nmore\n")
    }

    #[test]
    fn rounding_and_padding_are_no_difference() {
        let says = |old: &str, new: &str| difference(&card(old), &card(new)).is_empty();
        assert!(says(
            "| tfps | 63.1 [55.0, 70.2] |",
            "| tfps   | 63.1 [55.0, 70.2] |"
        ));
        assert!(says("| tfps | 63.1 |", "| tfps | 63.2 |"));
        assert!(says("| tfps | 1000.0 |", "| tfps | 1004.0 |"));
        assert!(says("| 63.1 |\n|---|", "| 63.1 |\n|-----|"));
        assert!(says("| -0.0012 |", "| -0.0011 |"));
        // Counts, signs and the number of decimals are as they are.
        assert!(!says("| tfps | 100000 |", "| tfps | 100400 |"));
        assert!(!says("| first block | 2; 3 |", "| first block | 2; 4 |"));
        assert!(!says("| -0.1000 |", "| 0.1000 |"));
        assert!(!says("| 3.0 |", "| 3 |"));
        assert!(!says("| - |", "| 3 |"));
        assert!(!says("| tfps | 63.1 |", "| tfps | 64.1 |"));
        assert!(!says("| tfps | never |", "| tfps | 3 |"));
        assert!(!says("| tfps | 63.1 |", "| lightgbm | 63.1 |"));
        assert!(!says("a", "a\nb"));
        assert!(!difference("# Model\n", &card("a")).is_empty());
    }
}
