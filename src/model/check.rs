//! What a model file must satisfy before a call is scored by it.

use super::file::check_id;
use super::{Calibration, Kind, MAX_NODES, ModelError, ModelFile, Tree};
use crate::domain::FeatureSpec;

/// Fewest probes a file may have.
pub(super) const MIN_PROBES: usize = 16;
/// Most: checking them must stay instantaneous.
const MAX_PROBES: usize = 4_096;
/// Most knots of a calibration.
const MAX_KNOTS: usize = 64;
/// Most features: the scorer sums reasons in a fixed array of this size.
pub(super) const MAX_FEATURES: usize = 256;

/// Everything but the probes' scores, which need the scorer.
pub(super) fn check(
    file: &ModelFile,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<(), ModelError> {
    check_id(&file.id)?;
    check_features(file, catalogue, version)?;
    check_numbers(file)?;
    check_calibration(&file.calibration)?;
    check_trees(file)?;
    check_novelty(file)?;
    check_dates(file)?;
    check_thresholds(file)?;
    check_metrics(file)?;
    if let Some(reference) = &file.reference {
        reference.check(file.features.len())?;
    }
    check_probes(file)
}

fn require(holds: bool, field: &'static str, expected: &'static str) -> Result<(), ModelError> {
    if holds {
        Ok(())
    } else {
        Err(ModelError::Invalid { field, expected })
    }
}

fn check_features(
    file: &ModelFile,
    catalogue: &[FeatureSpec],
    version: u16,
) -> Result<(), ModelError> {
    if file.features_version != version {
        return Err(ModelError::FeaturesVersion {
            found: file.features_version,
            wanted: version,
        });
    }
    if file.features.len() != catalogue.len() {
        return Err(ModelError::FeatureCount {
            found: file.features.len(),
            wanted: catalogue.len(),
        });
    }
    for (position, (term, spec)) in file.features.iter().zip(catalogue).enumerate() {
        if term.name != spec.name {
            return Err(ModelError::FeatureName {
                position,
                found: term.name.clone(),
                wanted: spec.name,
            });
        }
    }
    require(
        (1..=MAX_FEATURES).contains(&file.features.len()),
        "features",
        "1 to 256 features",
    )
}

fn check_numbers(file: &ModelFile) -> Result<(), ModelError> {
    for term in &file.features {
        require(term.mean.is_finite(), "mean", "finite")?;
        require(positive(term.scale), "scale", "finite and above 0")?;
        require(positive(term.clip), "clip", "finite and above 0")?;
        require(term.weight.is_finite(), "weight", "finite")?;
        require(term.baseline.is_finite(), "baseline", "finite")?;
    }
    require(file.intercept.is_finite(), "intercept", "finite")
}

fn check_calibration(calibration: &Calibration) -> Result<(), ModelError> {
    match calibration {
        Calibration::Platt { slope, offset } => {
            require(positive(*slope), "slope", "finite and above 0")?;
            require(offset.is_finite(), "offset", "finite")
        }
        Calibration::Piecewise { from, to } => {
            let count = (2..=MAX_KNOTS).contains(&from.len()) && from.len() == to.len();
            require(
                count,
                "calibration",
                "2 to 64 knots, as many on either side",
            )?;
            let rises = |knots: &[f32]| {
                let finite = knots.iter().all(|x| x.is_finite());
                finite && knots.is_sorted_by(|a, b| a < b)
            };
            let (expected, field) = ("finite and strictly increasing", "calibration");
            require(rises(from) && rises(to), field, expected)
        }
    }
}

/// Trees can be walked for any vector of the catalogue, and are not too many.
fn check_trees(file: &ModelFile) -> Result<(), ModelError> {
    let novelty = file.novelty.iter().flat_map(|novelty| &novelty.trees);
    let nodes: usize = file.trees.iter().chain(novelty).map(Tree::nodes).sum();
    let expected = "at most 262144 nodes in all";
    require(nodes <= MAX_NODES, "trees", expected)?;
    let expected = "no trees in a logistic, one or more in boosted trees";
    let boosted = file.kind == Kind::Boosted;
    require(file.trees.is_empty() != boosted, "trees", expected)?;
    walkable("model", &file.trees, file.features.len())
}

fn walkable(part: &'static str, trees: &[Tree], features: usize) -> Result<(), ModelError> {
    let faults = trees.iter().map(|tree| tree.fault(features));
    match faults
        .enumerate()
        .find_map(|(at, fault)| Some((at, fault?)))
    {
        Some((tree, expected)) => Err(ModelError::Tree {
            part,
            tree,
            expected,
        }),
        None => Ok(()),
    }
}

fn check_novelty(file: &ModelFile) -> Result<(), ModelError> {
    let Some(novelty) = &file.novelty else {
        return Ok(());
    };
    require(!novelty.trees.is_empty(), "novelty", "one tree or more")?;
    require(novelty.sample >= 2, "novelty", "a sample of 2 or more")?;
    let within = share(f64::from(novelty.alarm));
    require(within, "novelty", "an alarm within 0 to 1")?;
    walkable("novelty", &novelty.trees, file.features.len())
}

fn positive(x: f32) -> bool {
    x.is_finite() && x > 0.0
}

fn check_dates(file: &ModelFile) -> Result<(), ModelError> {
    let date = |text: &str, field| {
        require(
            chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            field,
            "a date and time as in RFC 3339",
        )
    };
    date(&file.created, "created")?;
    date(&file.training.from, "from")?;
    date(&file.training.to, "to")?;
    match file.training.hold_out_from.as_str() {
        "" => Ok(()),
        from => date(from, "hold_out_from"),
    }
}

fn check_thresholds(file: &ModelFile) -> Result<(), ModelError> {
    let t = &file.thresholds;
    for value in [
        t.default,
        t.false_positives_0_1_percent,
        t.false_positives_0_01_percent,
    ] {
        require(share(f64::from(value)), "thresholds", "within 0 to 1")?;
    }
    Ok(())
}

fn share(x: f64) -> bool {
    (0.0..=1.0).contains(&x)
}

fn check_metrics(file: &ModelFile) -> Result<(), ModelError> {
    let m = &file.metrics;
    for value in [
        m.average_precision,
        m.roc_auc,
        m.recall_0_1_percent,
        m.recall_0_01_percent,
        m.brier,
        m.recall_at_default,
        m.false_positives_at_default,
    ] {
        require(share(value), "metrics", "within 0 to 1")?;
    }
    for value in [m.leaked_median, m.leaked_p95, file.training.alpha] {
        require(
            value.is_finite() && value >= 0.0,
            "metrics",
            "finite, 0 or more",
        )?;
    }
    Ok(())
}

fn check_probes(file: &ModelFile) -> Result<(), ModelError> {
    require(
        (MIN_PROBES..=MAX_PROBES).contains(&file.probes.len()),
        "probes",
        "16 to 4096 probes",
    )?;
    for probe in &file.probes {
        require(
            probe.features.len() == file.features.len(),
            "probes",
            "one value per feature",
        )?;
        require(
            probe.features.iter().all(|x| x.is_finite()) && share(f64::from(probe.score)),
            "probes",
            "finite, with scores within 0 to 1",
        )?;
    }
    Ok(())
}
