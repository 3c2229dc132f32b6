//! `models/<id>.comparison.json`: how a model did beside the one in force, on later calls that
//! neither was trained on, and what follows from it.
//!
//! Sealed as models are. It names both models by hash, so it speaks for this pair of files and
//! no other: once another model is in force, it says nothing any more.

use super::file::{check_id, read_bounded};
use super::{Model, ModelError, seal, write_atomic};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The format this version writes, and the only one it reads.
pub const COMPARISON_FORMAT: u32 = 1;
/// What stands between the id and `.json`.
pub(super) const SUFFIX: &str = ".comparison";
/// A comparison takes 3 kB.
const MAX_BYTES: u64 = 64 << 10;

/// What a comparison came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// [`COMPARISON_FORMAT`].
    pub format: u32,
    /// The model that may be promoted.
    pub candidate: Compared,
    /// The one that was in force then.
    pub in_force: Compared,
    /// When they were compared, RFC 3339.
    pub at: String,
    /// What follows.
    pub advice: Advice,
    /// Why, in a sentence.
    pub words: String,
    /// The calls they were compared on.
    pub calls: Calls,
    /// Resamples behind the intervals.
    pub resamples: u32,
    /// Seed of the resampling: the same calls give the same figures.
    pub seed: u64,
    /// The figures; none where the models could not be compared.
    pub figures: Vec<Figure>,
}

/// A model by its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// Its id.
    pub id: String,
    /// Hash of its file.
    pub sha256: String,
}

impl Compared {
    /// Of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self {
            id: model.id().to_owned(),
            sha256: model.sha256().to_owned(),
        }
    }
}

/// Calls two models were compared on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Calls from this time on are new to both, RFC 3339.
    pub from: String,
    /// Time of the last one; empty: there is none.
    pub to: String,
    /// How many.
    pub rows: u64,
    /// Of them fraud.
    pub fraud: u64,
    /// Attacks these belong to; a fraud of no campaign is one of its own.
    pub attacks: u64,
    /// Judged calls left out, as one of the models was trained on them or on their campaign.
    pub left_out: u64,
}

/// What to do with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// It is not worse: put it in force.
    Promote,
    /// It is worse: keep the one in force.
    Keep,
    /// The calls do not tell.
    NotEnoughEvidence,
    /// There are too few calls that are new to both.
    NotComparable,
}

impl Advice {
    /// As shown in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Keep => "keep",
            Self::NotEnoughEvidence => "not enough evidence",
            Self::NotComparable => "not comparable",
        }
    }
}

/// One figure of both models on the same calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What is measured.
    pub name: String,
    /// The new model's.
    pub candidate: f64,
    /// That of the one in force.
    pub in_force: f64,
    /// Candidate less in force.
    pub difference: f64,
    /// Lower end of the difference's 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// A loss up to this counts as none, in the figure's unit; absent: the figure is shown and
    /// decides nothing.
    pub margin: Option<f64>,
    /// What the interval says.
    pub standing: Standing,
}

/// What the interval of a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The whole interval is a gain.
    Better,
    /// No part of it is a loss beyond the margin.
    NotWorse,
    /// The whole interval is a loss, and the difference is beyond the margin.
    Worse,
    /// It may be either.
    Open,
}

impl Standing {
    /// As shown in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NotWorse => "not worse",
            Self::Worse => "worse",
            Self::Open => "open",
        }
    }
}

impl Figure {
    /// What the figure's interval says about a loss of at most `margin`.
    #[must_use]
    pub fn standing_of(
        difference: f64,
        low: f64,
        high: f64,
        more_is_better: bool,
        margin: f64,
    ) -> Standing {
        let (gain, least, most) = if more_is_better {
            (difference, low, high)
        } else {
            (-difference, -high, -low)
        };
        if least > 0.0 {
            Standing::Better
        } else if least >= -margin {
            Standing::NotWorse
        } else if most < 0.0 && gain < -margin {
            Standing::Worse
        } else {
            Standing::Open
        }
    }
}

/// Path of a model's comparison.
#[must_use]
pub fn path_of(dir: &Path, id: &str) -> PathBuf {
    dir.join(format!("{id}{SUFFIX}.json"))
}

impl Comparison {
    /// Writes it beside the model, whole or not at all.
    ///
    /// # Errors
    /// [`ModelError::Write`].
    pub fn save(&self, dir: &Path) -> Result<PathBuf, ModelError> {
        check_id(&self.candidate.id)?;
        let path = path_of(dir, &self.candidate.id);
        let (bytes, _) = seal::seal(&serde_json::to_string_pretty(self)?);
        write_atomic(&path, &bytes)?;
        Ok(path)
    }

    /// The comparison of a model of the folder; `None`: it was never compared.
    ///
    /// # Errors
    /// A file that cannot be read, was changed, or is not understood.
    pub fn load(dir: &Path, id: &str) -> Result<Option<Self>, ModelError> {
        check_id(id)?;
        let bytes = match read_bounded(&path_of(dir, id), MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(ModelError::Read { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let (body, _) = seal::unseal(&bytes)?;
        let comparison: Self = serde_json::from_str(&body)?;
        if comparison.format != COMPARISON_FORMAT {
            return Err(ModelError::UnknownFormat {
                found: comparison.format,
                known: COMPARISON_FORMAT,
            });
        }
        Ok(Some(comparison))
    }

    /// Whether it is of these very files.
    #[must_use]
    pub fn is_of(&self, candidate: &Model, in_force: &Model) -> bool {
        self.candidate.sha256 == candidate.sha256() && self.in_force.sha256 == in_force.sha256()
    }
}

/// Why a model may not be put in force without force.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum NotAdmitted {
    #[error(
        "`{id}` was not compared with the model in force, `{in_force}`: `tfps models compare {id}` does, or give `--force --why TEXT`"
    )]
    NotCompared { id: String, in_force: String },
    #[error(
        "the comparison of `{id}` says {}: {words}; to promote it all the same give `--force --why TEXT`", .advice.as_str()
    )]
    NotAdvised {
        id: String,
        advice: Advice,
        words: String,
    },
    #[error(
        "the comparison of `{id}` cannot be used: {source}; `tfps models compare {id}` makes it anew"
    )]
    Unusable { id: String, source: ModelError },
}

/// Whether `candidate` of the folder may replace `in_force`: by a comparison of these very files
/// that advises it, or because no model is in force.
///
/// # Errors
/// Why not, and what to do.
pub fn admit(dir: &Path, candidate: &Model, in_force: Option<&Model>) -> Result<(), NotAdmitted> {
    let id = candidate.id().to_owned();
    let Some(in_force) = in_force else {
        return Ok(());
    };
    // What is in force already replaces nothing.
    if in_force.sha256() == candidate.sha256() {
        return Ok(());
    }
    let found = match Comparison::load(dir, &id) {
        Ok(found) => found,
        Err(source) => return Err(NotAdmitted::Unusable { id, source }),
    };
    match found.filter(|comparison| comparison.is_of(candidate, in_force)) {
        None => Err(NotAdmitted::NotCompared {
            id,
            in_force: in_force.id().to_owned(),
        }),
        Some(Comparison {
            advice: Advice::Promote,
            ..
        }) => Ok(()),
        Some(Comparison { advice, words, .. }) => {
            Err(NotAdmitted::NotAdvised { id, advice, words })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::model;

    fn comparison(candidate: &Model, in_force: &Model, advice: Advice) -> Comparison {
        Comparison {
            format: COMPARISON_FORMAT,
            candidate: Compared::of(candidate),
            in_force: Compared::of(in_force),
            at: "2026-11-23T15:01:00.000Z".into(),
            advice,
            words: "for a test".into(),
            calls: Calls::default(),
            resamples: 0,
            seed: 1,
            figures: Vec::new(),
        }
    }

    #[test]
    fn only_a_comparison_of_these_very_files_admits() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let [a, b, other] = [("a", 1.0), ("b", 2.0), ("a", 3.0)].map(|(id, w)| model(id, w));
        admit(dir, &b, None).expect("nothing is in force");
        admit(dir, &a, Some(&a)).expect("in force already");
        let refused = admit(dir, &b, Some(&a)).unwrap_err().to_string();
        assert!(refused.contains("`tfps models compare b`"), "{refused}");

        comparison(&b, &a, Advice::Promote).save(dir).unwrap();
        admit(dir, &b, Some(&a)).expect("compared");
        // Of the same name, and another file.
        assert!(matches!(
            admit(dir, &b, Some(&other)),
            Err(NotAdmitted::NotCompared { .. })
        ));
        for advice in [
            Advice::Keep,
            Advice::NotEnoughEvidence,
            Advice::NotComparable,
        ] {
            comparison(&b, &a, advice).save(dir).unwrap();
            let refused = admit(dir, &b, Some(&a)).unwrap_err().to_string();
            assert!(refused.contains(advice.as_str()), "{refused}");
            assert!(refused.contains("--force"), "{refused}");
        }
    }

    #[test]
    fn a_comparison_reads_back_and_a_changed_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let (a, b) = (model("a", 1.0), model("b", 2.0));
        assert_eq!(Comparison::load(dir, "b").unwrap(), None);
        let mut written = comparison(&b, &a, Advice::Keep);
        written.figures.push(Figure {
            name: "average precision".into(),
            candidate: 0.1 + 0.2,
            in_force: 0.7,
            difference: -0.4,
            low: -0.5,
            high: -0.3,
            more_is_better: true,
            margin: Some(0.02),
            standing: Standing::Worse,
        });
        let path = written.save(dir).unwrap();
        assert_eq!(Comparison::load(dir, "b").unwrap(), Some(written));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"keep\"", "\"promote\"")).unwrap();
        let refused = admit(dir, &b, Some(&a)).unwrap_err().to_string();
        assert!(
            refused.contains("changed since it was written"),
            "{refused}"
        );
    }

    #[test]
    fn an_interval_says_better_not_worse_worse_or_open() {
        let standing = |d, low, high| Figure::standing_of(d, low, high, true, 0.1);
        assert_eq!(standing(0.2, 0.1, 0.3), Standing::Better);
        assert_eq!(standing(0.0, -0.1, 0.1), Standing::NotWorse);
        assert_eq!(standing(-0.05, -0.2, 0.1), Standing::Open);
        assert_eq!(standing(-0.2, -0.3, -0.15), Standing::Worse);
        // Certain, and smaller than what matters.
        assert_eq!(standing(-0.05, -0.08, -0.01), Standing::NotWorse);
        assert_eq!(standing(-0.09, -0.12, -0.01), Standing::Open);
        // Where less is better, signs turn.
        let less = |d, low, high| Figure::standing_of(d, low, high, false, 0.1);
        assert_eq!(less(0.2, 0.15, 0.3), Standing::Worse);
        assert_eq!(less(-0.2, -0.3, -0.15), Standing::Better);
    }
}
