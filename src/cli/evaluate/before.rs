//! The card that an evaluation is held against.

use crate::evaluate::{self, Evaluated, section};
use crate::features::{CATALOGUE, VERSION};
use crate::model::Model;
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

const ANEW: &str = "if the change is meant, write model and card anew with --publish";

/// A card and its model, as they were before this evaluation.
pub(super) struct Before {
    path: PathBuf,
    card: String,
    model_path: PathBuf,
    model: Model,
}

impl Before {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let card = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".card.md").unwrap_or(&name);
        let model_path = path.with_file_name(format!("{stem}.json"));
        let model = Model::load(&model_path, CATALOGUE, VERSION)
            .with_context(|| format!("the card's model, {}", model_path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            card,
            model_path,
            model,
        })
    }

    pub(super) fn compare(&self, evaluated: &Evaluated) -> anyhow::Result<()> {
        let lines = evaluate::difference(&self.card, &section(&evaluated.report));
        let model = evaluate::model_difference(&self.model, &evaluated.trained.model);
        for line in lines.iter().chain(&model) {
            eprintln!("{line}");
        }
        if !lines.is_empty() {
            bail!(
                "{}: {} of its lines say otherwise; {ANEW}",
                self.path.display(),
                lines.len()
            );
        }
        if !model.is_empty() {
            bail!(
                "{}: is not the model that was evaluated; {ANEW}",
                self.model_path.display()
            );
        }
        eprintln!(
            "{}: the card's figures are these figures, and its model is this model",
            self.path.display()
        );
        Ok(())
    }
}
