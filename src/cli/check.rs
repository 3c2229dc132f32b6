//! `tfps check`

use super::context::Context;
use super::{Done, output};
use crate::app::check_certificates;
use crate::config::{ConfigError, Settings};
use crate::geo::Geo;
use crate::store::embedded::locate;

pub(super) fn run(context: &Context) -> anyhow::Result<Done> {
    let geo = Geo::open(&context.settings.geo)?;
    let library = library(&context.settings)?;
    let has_tls = check_certificates(&context.settings)?;
    let from = match &context.config {
        Some(path) => path.display().to_string(),
        None => "no file: defaults and environment".to_owned(),
    };
    let s = &context.settings;
    output::line(&format!("configuration   {from}"))?;
    output::line(&format!("data            {}", context.data_dir.display()))?;
    output::line(&format!(
        "prevention      udp and tcp {}",
        s.prevention.listen
    ))?;
    if has_tls {
        output::line(&format!("prevention      tls {}", s.prevention.tls_listen))?;
    }
    output::line(&format!(
        "detection       udp and tcp {}",
        s.detection.listen
    ))?;
    let answer = s.detection.answer.as_str();
    output::line(&format!("                answers {answer}"))?;
    for peer in &s.detection.peers {
        let answer = peer.answer.as_str();
        output::line(&format!(
            "                answers {answer} to {}",
            peer.network
        ))?;
    }
    if s.honeypot.enabled {
        output::line(&format!(
            "honeypot        udp and tcp {}",
            s.honeypot.listen
        ))?;
    }
    output::line(&format!("web             http://{}", s.http.listen))?;
    match &s.store.url {
        Some(url) => output::line(&format!("ClickHouse      {url}"))?,
        None => output::line(&format!(
            "ClickHouse      embedded, http://{}",
            s.embedded.listen
        ))?,
    }
    if let Some(library) = library {
        output::line(&format!("library         {library}"))?;
    }
    output::line(&format!("countries       {}", geo.describe()))?;
    output::line("good")?;
    Ok(Done::All)
}

/// The embedded engine's library, when that engine is used: one that is named must be there; one
/// that is only searched for may come later, with `make setup`.
fn library(settings: &Settings) -> Result<Option<String>, ConfigError> {
    if settings.store.url.is_some() {
        return Ok(None);
    }
    match (
        locate::library(settings.embedded.libchdb.as_deref()),
        &settings.embedded.libchdb,
    ) {
        (Ok(found), _) => Ok(Some(found.display().to_string())),
        (Err(error), None) => Ok(Some(error.to_string())),
        (Err(_), Some(named)) => Err(ConfigError::Value {
            key: "embedded.libchdb".to_owned(),
            value: named.display().to_string(),
            expected: "the path of libchdb.so",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_must_be_there_where_it_is_used() {
        let mut settings = Settings::default();
        settings.embedded.libchdb = Some("/nonexistent/libchdb.so".into());
        let error = library(&settings).expect_err("not there").to_string();
        assert!(
            error.contains("`embedded.libchdb`: `/nonexistent/libchdb.so`"),
            "{error}"
        );
        settings.store.url = Some("http://10.0.0.5:8123".into());
        assert_eq!(library(&settings).expect("not used"), None);
    }
}
