//! `tfps check`

use super::context::Context;
use super::{Done, output};
use crate::geo::Geo;

pub(super) fn run(context: &Context) -> anyhow::Result<Done> {
    let geo = Geo::open(&context.settings.geo)?;
    let from = match &context.config {
        Some(path) => path.display().to_string(),
        None => "no file: defaults and environment".to_owned(),
    };
    let s = &context.settings;
    output::line(&format!("configuration   {from}"));
    output::line(&format!("data            {}", context.data_dir.display()));
    output::line(&format!("prevention      udp {}", s.prevention.listen));
    output::line(&format!("detection       udp {}", s.detection.listen));
    output::line(&format!("web             http://{}", s.http.listen));
    match &s.store.url {
        Some(url) => output::line(&format!("ClickHouse      {url}")),
        None => output::line(&format!(
            "ClickHouse      embedded, http://{}",
            s.embedded.listen
        )),
    }
    output::line(&format!("countries       {}", geo.describe()));
    output::line("good");
    Ok(Done::All)
}
