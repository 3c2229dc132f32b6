//! `--set KEY=VALUE`

use crate::replay::map::Said;
use anyhow::{Context as _, bail};

/// What is said, each key once.
pub(super) fn said(pairs: &[String]) -> anyhow::Result<Said> {
    let mut said = Said::default();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            bail!("--set {pair}: expected KEY=VALUE");
        };
        let place = match key {
            "domain" => &mut said.domain,
            "source_ip" => &mut said.source_ip,
            "user_agent" => &mut said.user_agent,
            "zone" => {
                let zone = value.parse().with_context(|| "--set zone".to_owned())?;
                if said.zone.replace(zone).is_some() {
                    bail!("--set zone: expected it just once");
                }
                continue;
            }
            _ => bail!("--set {key}: expected domain, source_ip, user_agent or zone"),
        };
        if place.replace(value.to_owned()).is_some() {
            bail!("--set {key}: expected it just once");
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_and_stand_once() {
        let all = ["domain=a.example", "source_ip=192.0.2.1", "zone=UTC"].map(str::to_owned);
        let said = said(&all).expect("fine");
        assert_eq!(said.domain.as_deref(), Some("a.example"));
        assert!(said.zone.is_some());
        for bad in [
            &["domain="][..],
            &["domain"],
            &["host=x"],
            &["zone=Mars"],
            &["zone=UTC", "zone=UTC"],
            &["domain=a", "domain=b"],
        ] {
            let bad: Vec<String> = bad.iter().map(|s| (*s).to_owned()).collect();
            super::said(&bad).expect_err(&bad[0]);
        }
    }
}
