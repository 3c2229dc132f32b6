//! What there is to learn from, told when it is too little.

use crate::features::VERSION;
use crate::store::{Store, StoreError};
use clickhouse::Row;
use serde::Deserialize;

const LABELS_SQL: &str = include_str!("../../../sql/train/labels.sql");

/// Judged calls of one kind.
#[derive(Debug, Row, Deserialize)]
struct Labels {
    features_version: u64,
    verdict: String,
    source: String,
    calls: u64,
}

/// The judged calls there are, and how to come by more.
pub(super) async fn advice(store: &Store) -> Result<String, StoreError> {
    let found: Vec<Labels> = store.rows(store.query(LABELS_SQL)).await?;
    Ok(told(&found))
}

fn told(found: &[Labels]) -> String {
    let mut lines = Vec::new();
    if found.is_empty() {
        lines.push("No call is judged yet.".to_owned());
    } else {
        lines.push("Judged calls there are:".to_owned());
    }
    for labels in found {
        let usable = match labels.features_version == u64::from(VERSION) {
            true => String::new(),
            false => format!(
                ", of features version {}: of no use to this one, {VERSION}; import those calls anew",
                labels.features_version
            ),
        };
        let Labels {
            verdict,
            source,
            calls,
            ..
        } = labels;
        lines.push(format!("  {calls} {verdict}, known by {source}{usable}"));
    }
    lines.push(
        "More come from `tfps verdict fraud ID...` and `tfps verdict legitimate ID...` on calls in \
         ClickHouse, and from `tfps import FILE` with the columns `verdict` and `campaign` filled. \
         Both kinds are needed, over some days, as the latest quarter judges the model. Calls at a \
         honeypot count only with --honeypot, and only beside judged frauds."
            .to_owned(),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_other_features_are_told_apart() {
        let labels = |features_version, calls| Labels {
            features_version,
            verdict: "fraud".into(),
            source: "analyst".into(),
            calls,
        };
        let text = told(&[
            labels(u64::from(VERSION), 3),
            labels(u64::from(VERSION) + 1, 900),
        ]);
        assert!(text.contains("\n  3 fraud, known by analyst\n"), "{text}");
        assert!(text.contains("900 fraud, known by analyst, of features version"));
        assert!(text.contains("import those calls anew"));
        assert!(told(&[]).contains("No call is judged yet"));
    }
}
