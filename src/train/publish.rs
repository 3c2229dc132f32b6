//! A trained model becomes two files: the model, and its card for people.

use super::report::{FINDS_NOTHING, figures, finds_nothing, percent, recall_words};
use super::{Report, TrainError, Trained};
use crate::model::{Kind, ModelError, promotion, write_atomic};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where a model was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// `models/<id>.json`.
    pub model: PathBuf,
    /// `models/<id>.card.md`.
    pub card: PathBuf,
    /// Hash of the model file.
    pub sha256: String,
}

/// Writes the model and its card into `dir`, which is made if need be. Does not promote it.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn publish(trained: &Trained, dir: &Path) -> Result<Published, TrainError> {
    std::fs::create_dir_all(dir).map_err(|source| ModelError::Write {
        path: dir.to_owned(),
        source,
    })?;
    let id = trained.model.id();
    let published = Published {
        model: promotion::path_of(dir, id),
        card: dir.join(format!("{id}.card.md")),
        sha256: trained.model.sha256().to_owned(),
    };
    // The card first: whoever sees the model finds its card.
    write_atomic(&published.card, card(trained).as_bytes())?;
    trained.model.save(&published.model)?;
    Ok(published)
}

/// The card, Markdown.
#[must_use]
pub fn card(trained: &Trained) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_card(&mut text, trained);
    text
}

fn write_card(out: &mut String, trained: &Trained) -> std::fmt::Result {
    let (file, report) = (trained.model.file(), &trained.report);
    let t = &report.training;
    writeln!(out, "# Model {}\n", report.id)?;
    writeln!(
        out,
        "{} over {} features (features version {}), trained {}.\n\
         SHA-256 `{}`.\n",
        file.kind.words(),
        file.features.len(),
        file.features_version,
        file.created,
        report.sha256
    )?;
    writeln!(out, "## Trained on\n")?;
    writeln!(
        out,
        "{} judged calls from {} to {}, {} of them fraud. Calls without a verdict are not among \
         them: a call nobody judged is no example of a legitimate one.\n",
        t.rows, t.from, t.to, t.positives
    )?;
    write_parts(out, report)?;
    write_held_out(out, report)?;
    write_features(out, report)?;
    write_limits(out, file.kind)?;
    write_how_to(out, report)
}

fn write_parts(out: &mut String, report: &Report) -> std::fmt::Result {
    let (t, p) = (&report.training, &report.parts);
    writeln!(
        out,
        "| part | calls | fraud | used for |\n|---|---|---|---|"
    )?;
    let rows = [
        ("train", p.train, "weights"),
        ("calibrate", p.calibrate, "calibration, thresholds"),
        ("held out", p.hold_out, "the figures below, nothing else"),
    ];
    for (name, (calls, fraud), what) in rows {
        writeln!(out, "| {name} | {calls} | {fraud} | {what} |")?;
    }
    writeln!(
        out,
        "\nThe parts follow each other in time (calibrate from {}, held out from {}); a campaign \
         stands whole in the part in which it begins. The fit saw {} calls, {} of them fraud, \
         after undersampling and caps per campaign and account.",
        p.calibrate_from, p.hold_out_from, t.fitted_rows, t.fitted_positives
    )?;
    if report.honeypot > 0 {
        writeln!(
            out,
            "The fit alone was also shown calls at honeypots, from {}, as frauds; no figure knows of \
             them.",
            report.honeypot
        )?;
    }
    if !t.hold_out_family.is_empty() {
        writeln!(
            out,
            "Campaigns of the family `{}` were all held out.",
            t.hold_out_family
        )?;
    }
    writeln!(out)
}

fn write_held_out(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "## On held-out calls\n\n| figure | value |\n|---|---|")?;
    for (name, value) in figures(&report.held_out) {
        writeln!(out, "| {name} | {value} |")?;
    }
    if finds_nothing(&report.held_out) {
        writeln!(out, "\n**Warning:** {FINDS_NOTHING}.")?;
    }
    if let Some(b) = &report.baseline {
        writeln!(
            out,
            "\nFixed thresholds on the same calls:\n\n| figure | value |\n|---|---|"
        )?;
        writeln!(out, "| recall | {} |", percent(b.recall))?;
        writeln!(
            out,
            "| false positives | {} |",
            percent(b.false_positive_rate)
        )?;
        let scaled = recall_words(b.scaled_to_0_1_percent);
        writeln!(out, "| recall scaled to 0.1 % false positives | {scaled} |")?;
        for (feature, limit) in &b.thresholds.rules {
            writeln!(out, "| limit of `{feature}` | {limit} |")?;
        }
    }
    writeln!(
        out,
        "\n| score | calls | predicted | observed |\n|---|---|---|---|"
    )?;
    for bin in &report.held_out.reliability {
        writeln!(
            out,
            "| {:.3} to {:.3} | {} | {:.5} | {:.5} |",
            bin.from, bin.to, bin.calls, bin.predicted, bin.observed
        )?;
    }
    writeln!(out)
}

fn write_features(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "## Features\n\nWeight: in the linear part, log-odds per standard deviation. Trees: log-odds \
         their splits by this feature add to a fraud of the training, on average. Both before \
         calibration.\n\n| feature | reason | weight | trees |\n|---|---|---|---|"
    )?;
    for w in &report.weights {
        writeln!(
            out,
            "| `{}` | {} | {:+.4} | {:+.4} |",
            w.feature, w.tag, w.weight, w.in_trees
        )?;
    }
    writeln!(out)
}

fn write_limits(out: &mut String, kind: Kind) -> std::fmt::Result {
    let shape = match kind {
        Kind::Logistic => {
            "It adds features up: what is suspicious only in combination is left to the features."
        }
        Kind::Boosted => {
            "Its trees know combinations of features, but only those of the training: beyond its \
             largest and smallest values a tree says what it says at them."
        }
    };
    writeln!(
        out,
        "## Limits\n\n\
         - It knows the fraud that was judged in its window; new kinds may score low.\n\
         - A score is a probability for traffic like that of the calibration part; with another \
           share of fraud it is off by a constant in log-odds.\n\
         - {shape}\n\
         - It is used only with the features version it was trained on.\n"
    )
}

fn write_how_to(out: &mut String, report: &Report) -> std::fmt::Result {
    let t = &report.training;
    let family = if t.hold_out_family.is_empty() {
        String::new()
    } else {
        format!(", held-out family `{}`", t.hold_out_family)
    };
    let honeypot = if report.honeypot > 0 {
        " --honeypot"
    } else {
        ""
    };
    writeln!(
        out,
        "## To do it again\n\n\
         `tfps train --learner {}{honeypot}` over the same judged calls ({} to {}), seed {}{family}. The same calls, \
         seed and version of the program give the same weights; L2 penalty chosen: {}.",
        report.learner, t.from, t.to, t.seed, t.alpha
    )
}
