//! The report as tables, in the order in which it is read.

use super::{Report, Tally};
use std::fmt::Write as _;

/// A table with a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it shows.
    pub title: &'static str,
    /// What must be known to read it; may be empty.
    pub note: String,
    /// Headings of the columns.
    pub headings: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// The report as tables, in order; those without rows are left out.
#[must_use]
pub fn sections(report: &Report) -> Vec<Section> {
    let all = [
        overview(report),
        campaigns(report),
        codes(report),
        scores(report),
        verdicts(report),
        tallies("Destinations", "country", report, &report.destinations),
        tallies("Callers", "caller", report, &report.top_callers),
        new_countries(report),
    ];
    all.into_iter()
        .filter(|section| !section.rows.is_empty())
        .collect()
}

fn row(cells: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    cells.into_iter().map(Into::into).collect()
}

/// Calls, minutes, cost; what is not known stands as a dash.
fn three(report: &Report, tally: &Tally) -> [String; 3] {
    let minutes = match report.with_length {
        0 => "-".to_owned(),
        _ => format!("{:.1}", tally.minutes),
    };
    let cost = match report.with_price.min(report.with_length) {
        0 => "-".to_owned(),
        _ => format!("{:.2}", tally.cost),
    };
    [tally.calls.to_string(), minutes, cost]
}

fn overview(report: &Report) -> Section {
    let line = |name: &str, value: String| row([name.to_owned(), value]);
    let in_full = |tally: &Tally| {
        let [calls, minutes, cost] = three(report, tally);
        format!("{calls} calls, {minutes} min, cost {cost}")
    };
    let at_least = if report.callers_at_least {
        "at least "
    } else {
        ""
    };
    let mut rows = vec![
        line("file", report.file.clone()),
        line("period", format!("{} to {}", report.from, report.to)),
        line("all", in_full(&report.all)),
        line("callers", format!("{at_least}{}", report.callers)),
        line("would have been refused", in_full(&report.refused)),
        line("suspected", in_full(&report.suspected)),
    ];
    if report.with_length < report.all.calls {
        let text = format!("{} calls", report.all.calls - report.with_length);
        rows.push(line("length not known", text));
    }
    if report.with_price < report.all.calls {
        let text = format!("{} calls", report.all.calls - report.with_price);
        rows.push(line("price not known", text));
    }
    Section {
        title: "Overview",
        note: "Suspected: refused, or refused were the check enforced and not in audit, or above the \
               model's threshold. Cost: length times the price of the destination, in the currency of \
               the rates."
            .to_owned(),
        headings: vec!["", ""],
        rows,
    }
}

pub(super) fn campaigns(report: &Report) -> Section {
    let mut note =
        "A caller's suspected calls to one country with no pause over six hours, and three \
                    or more callers' to the same thousand numbers."
            .to_owned();
    if report.more_campaigns > 0 {
        let _ = write!(
            note,
            " {} smaller ones are not listed.",
            report.more_campaigns
        );
    }
    if report.single > 0 {
        let _ = write!(note, " {} suspected calls stand alone.", report.single);
    }
    let rows = report.campaigns.iter().map(|campaign| {
        let [calls, minutes, cost] = three(report, &campaign.tally);
        let who = match campaign.callers {
            0 | 1 => campaign.caller.clone(),
            callers => format!("{} and {} more", campaign.caller, callers - 1),
        };
        let block = match campaign.blocks {
            0 | 1 => campaign.block.clone(),
            blocks => format!("{} and {} more", campaign.block, blocks - 1),
        };
        row([
            who,
            campaign.sources.join(" "),
            campaign.country.clone(),
            block,
            campaign.from.clone(),
            campaign.to.clone(),
            calls,
            minutes,
            cost,
            campaign.refused.calls.to_string(),
            campaign.reasons.join("; "),
        ])
    });
    Section {
        title: "Suspected campaigns",
        note,
        headings: vec![
            "caller",
            "from address",
            "country",
            "thousand numbers",
            "from",
            "to",
            "calls",
            "minutes",
            "cost",
            "refused",
            "why",
        ],
        rows: rows.collect(),
    }
}

fn codes(report: &Report) -> Section {
    let rows = report.codes.iter().map(|code| {
        let counts = [code.calls.to_string(), code.audit.to_string()];
        let [calls, audit] = counts;
        row([
            code.code.to_owned(),
            code.description.to_owned(),
            calls,
            audit,
        ])
    });
    Section {
        title: "By code",
        note:
            "Under the policies of this installation. In audit: the check would have refused, were \
               it enforced."
                .to_owned(),
        headings: vec!["code", "meaning", "calls", "in audit"],
        rows: rows.collect(),
    }
}

fn scores(report: &Report) -> Section {
    let rows = report.scores.iter().map(|band| {
        let [calls, minutes, cost] = three(report, &band.tally);
        row([
            band.name.to_owned(),
            format!("{:.4}", band.above),
            calls,
            minutes,
            cost,
        ])
    });
    let model = report
        .model
        .as_ref()
        .map_or("", |model| model.model.as_str());
    Section {
        title: "By score",
        note: format!("Calls above the thresholds of model {model}."),
        headings: vec!["threshold", "score above", "calls", "minutes", "cost"],
        rows: rows.collect(),
    }
}

fn verdicts(report: &Report) -> Section {
    let rows = report.verdicts.iter().flat_map(|verdicts| {
        let line = |name: &str, all: &Tally, found: &Tally| {
            let [calls, minutes, cost] = three(report, all);
            let [found, _, found_cost] = three(report, found);
            row([name.to_owned(), calls, minutes, cost, found, found_cost])
        };
        [
            line("fraud", &verdicts.fraud, &verdicts.fraud_found),
            line(
                "legitimate",
                &verdicts.legitimate,
                &verdicts.legitimate_suspected,
            ),
        ]
    });
    Section {
        title: "Against the file's own verdicts",
        note: "No verdict was seen by what decided.".to_owned(),
        headings: vec![
            "verdict",
            "calls",
            "minutes",
            "cost",
            "suspected",
            "cost of those",
        ],
        rows: rows.collect(),
    }
}

fn tallies(
    title: &'static str,
    heading: &'static str,
    report: &Report,
    tallies: &[(String, Tally)],
) -> Section {
    let rows = tallies.iter().map(|(name, tally)| {
        let [calls, minutes, cost] = three(report, tally);
        row([name.clone(), calls, minutes, cost])
    });
    let note = match report.tops_are_approximate {
        true => "There were too many to keep them all: the lowest rows may be too low.",
        false => "",
    };
    Section {
        title,
        note: note.to_owned(),
        headings: vec![heading, "calls", "minutes", "cost"],
        rows: rows.collect(),
    }
}

fn new_countries(report: &Report) -> Section {
    let rows = report.new_countries.iter().map(|new| {
        let [calls, minutes, cost] = three(report, &new.tally);
        row([
            new.domain.clone(),
            new.country.clone(),
            new.first.clone(),
            calls,
            minutes,
            cost,
        ])
    });
    Section {
        title: "New countries",
        note:
            "Countries a domain first called after the first week, or after the first quarter of a \
               file of less than four weeks."
                .to_owned(),
        headings: vec![
            "domain",
            "country",
            "first call",
            "calls",
            "minutes",
            "cost",
        ],
        rows: rows.collect(),
    }
}
