//! `tfps models status`

use crate::app::DataDir;
use crate::cli::Done;
use crate::cli::context::Context;
use crate::cli::output::{self, Format};
use crate::model::InForceModel;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

const PATH: &str = "/v1/models/status";
/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, bytes.
const MAX_ANSWER: u64 = 1 << 20;

pub(super) fn run(context: &Context, models: &Path, format: Format) -> anyhow::Result<Done> {
    let status = match DataDir::addresses(&context.data_dir) {
        Some(addresses) => match ask(addresses.http, &context.data_dir) {
            Ok(status) => status,
            Err(error) => by_files(models, &error.to_string()),
        },
        None => by_files(models, "no service runs on the folder"),
    };
    if format.json {
        return output::json(&status);
    }
    for line in lines(&status) {
        output::line(&line)?;
    }
    Ok(Done::All)
}

/// What the files say: which model a service that starts would serve with.
fn by_files(models: &Path, why: &str) -> Value {
    eprintln!("note: {why}: what follows is what the files say, without drift and verdicts");
    let model = super::in_force(models).map(|(model, _)| InForceModel::of(&model));
    json!({"model": model, "previous": null, "drift": null, "observed": null})
}

/// Asks the running service in the name of the first token.
fn ask(address: SocketAddr, data_dir: &Path) -> anyhow::Result<Value> {
    let token = std::fs::read_to_string(data_dir.join("api-token"))
        .context("api-token in the data folder cannot be read")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .context("the service that noted its addresses does not answer")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer ends with the connection.
    let token = token.trim();
    write!(
        stream,
        "GET {PATH} HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("the service's answer is cut short")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    anyhow::ensure!(
        status == "200",
        "the service answers {status} to api-token of the data folder (was it removed?)"
    );
    Ok(serde_json::from_str(body)?)
}

fn lines(status: &Value) -> Vec<String> {
    let model = &status["model"];
    if model.is_null() {
        return vec!["no model is in force: calls carry no score".to_owned()];
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        format!("model      {}", text(&model["id"])),
        format!(
            "trained    {}, on calls {} to {}",
            text(&model["created"]),
            text(&model["trained_from"]),
            text(&model["trained_to"])
        ),
        format!("threshold  {:.4}", number(&model["threshold"])),
    ];
    if let Some(previous) = status["previous"].as_str() {
        lines.push(format!("before it  {previous}"));
    }
    lines.extend(drift(&status["drift"]));
    lines.extend(observed(&status["observed"]));
    lines
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn drift(drift: &Value) -> Vec<String> {
    if drift.is_null() {
        return vec!["drift      not known".to_owned()];
    }
    let alarm = match drift["alarm"].as_bool() {
        Some(true) => "ALARM: customers' calls are not like those of the training",
        _ => "no alarm",
    };
    let mut lines = vec![format!("drift      {alarm}")];
    for (name, traffic) in [("customers", &drift["customers"]), ("free", &drift["free"])] {
        for window in ["hour", "day"] {
            let shift = &traffic[window];
            let score = shift["score"]
                .as_f64()
                .map_or_else(|| "too few to tell".to_owned(), |x| format!("{x:.3}"));
            lines.push(format!(
                "  {name:<10}{window:<5} {:>9.0} calls  index of the score {score}, {} features changed",
                number(&shift["calls"]),
                shift["changed"]
            ));
        }
    }
    let features = drift["customers"]["day"]["features"].as_array();
    for feature in features.into_iter().flatten() {
        lines.push(format!(
            "  {:<34}{:.3}",
            feature["feature"].as_str().unwrap_or_default(),
            number(&feature["stability"])
        ));
    }
    lines
}

fn observed(observed: &Value) -> Vec<String> {
    if observed.is_null() {
        return vec!["verdicts   not looked at yet".to_owned()];
    }
    let state = match observed["state"].as_str() {
        Some("off") => "ALARM: clearly not as predicted: train anew",
        Some("kept") => "as predicted, as far as can be told",
        _ => "too few judged calls to tell",
    };
    let mut lines = vec![format!(
        "verdicts   {state} ({} judged, {} of them fraud)",
        observed["calls"], observed["fraud"]
    )];
    if let Some(error) = observed["error"].as_f64() {
        lines.push(format!("  expected calibration error {error:.4}"));
    }
    for bin in observed["bins"].as_array().into_iter().flatten() {
        let share = &bin["observed"];
        lines.push(format!(
            "  {:.3}-{:.3}  {:>7} calls  predicted {:.4}  observed {:.4} ({:.4} to {:.4})",
            number(&bin["from"]),
            number(&bin["to"]),
            share["calls"],
            number(&bin["predicted"]),
            number(&share["share"]),
            number(&share["low"]),
            number(&share["high"])
        ));
    }
    if let Some(precision) = observed["precision"].as_object() {
        let share = |name: &str| precision.get(name).map_or(f64::NAN, number);
        lines.push(format!(
            "  above the threshold: precision {:.4} ({:.4} to {:.4})",
            share("share"),
            share("low"),
            share("high")
        ));
    }
    lines
}
