//! `tfps rates`

use super::context::Context;
use super::draft::Draft;
use super::output::Format;
use super::{Done, output};
use crate::app::{deck_in_force, read_deck};
use crate::numbering;
use crate::rates::Rate;
use anyhow::Context as _;
use serde::Serialize;
use std::path::PathBuf;

/// Letters of a currency's code (ISO 4217).
const CURRENCY: usize = 3;

#[derive(clap::Subcommand, Debug)]
pub(super) enum RatesCommand {
    /// Take over a rate deck: a CSV file with a column for the prefix and one for the price of a
    /// minute; all of it or, if a row is wrong, nothing.
    Import {
        /// `prefix,price[,name]`, or as carriers write it: other separators, decimal commas,
        /// `rate`, `code`, `destination` ...
        file: PathBuf,
        /// Currency of its prices [default: as the file says, else EUR].
        #[arg(long, value_name = "CODE", value_parser = currency)]
        currency: Option<String>,
    },
    /// Show what a minute to a number costs, and by which prefix.
    Show {
        /// Numbers as they are dialled.
        #[arg(required = true)]
        numbers: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Show the deck in force.
    List {
        /// Only prefixes that begin so.
        #[arg(long, value_name = "DIGITS", default_value = "")]
        prefix: String,
        /// How many prefixes.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        format: Format,
    },
    /// Go back to the estimates that ship in the program.
    Reset,
}

/// A rate, for listing.
#[derive(Debug, Serialize)]
struct Row {
    prefix: String,
    price: f32,
    currency: String,
    name: String,
}

/// A number and what it costs.
#[derive(Debug, Serialize)]
struct Priced {
    number: String,
    country: String,
    class: &'static str,
    prefix: Option<String>,
    price: Option<f32>,
    currency: String,
    name: Option<String>,
    /// Whether the deck is the operator's own.
    own: bool,
}

pub(super) fn run(context: &Context, command: RatesCommand) -> anyhow::Result<Done> {
    match command {
        RatesCommand::Import { file, currency } => {
            let name = || file.display().to_string();
            let mut deck = read_deck(&file).with_context(name)?;
            if let Some(currency) = currency {
                deck = deck.in_currency(&currency);
            }
            let mut draft = Draft::create(&context.data_dir()?.rates())?;
            deck.write(&mut draft)?;
            draft.finish()?;
            let (prefixes, currency) = (deck.len(), deck.currency());
            output::line(&format!("{prefixes} prefixes, prices in {currency}"))?;
            output::changed()
        }
        RatesCommand::Show { numbers, format } => show(context, &numbers, format),
        RatesCommand::List {
            prefix,
            limit,
            format,
        } => list(context, &prefix, limit, format),
        RatesCommand::Reset => {
            match std::fs::remove_file(context.existing_data_dir()?.rates()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
            output::changed()
        }
    }
}

fn show(context: &Context, numbers: &[String], format: Format) -> anyhow::Result<Done> {
    let (deck, own) = deck_in_force(&context.existing_data_dir()?)?;
    let rows: Vec<Priced> = numbers
        .iter()
        .map(|dialled| {
            let destination = numbering::locate(dialled, &[]);
            let rate = destination.number.and_then(|number| deck.rate(number));
            Priced {
                number: destination
                    .number
                    .map_or_else(|| dialled.clone(), |n| n.to_string()),
                country: destination.country.to_string(),
                class: destination.class.as_str(),
                price: rate.as_ref().map(|rate| rate.price),
                currency: deck.currency().to_owned(),
                prefix: rate.as_ref().map(|rate| rate.prefix.to_string()),
                name: rate.map(|rate| rate.name.to_string()),
                own,
            }
        })
        .collect();
    let headings = ["number", "country", "class", "prefix", "price", "name", ""];
    output::list(format, &headings, &rows, |row| {
        let price = row.price.map(|price| format!("{price} {}", row.currency));
        vec![
            row.number.clone(),
            row.country.clone(),
            row.class.to_owned(),
            row.prefix.clone().unwrap_or_default(),
            price.unwrap_or_else(|| "not in the deck".to_owned()),
            row.name.clone().unwrap_or_default(),
            whose(row.own).to_owned(),
        ]
    })
}

fn list(context: &Context, prefix: &str, limit: usize, format: Format) -> anyhow::Result<Done> {
    let (deck, own) = deck_in_force(&context.existing_data_dir()?)?;
    let mut rates = deck.rates();
    rates.retain(|rate| rate.prefix.to_string().starts_with(prefix));
    let more = rates.len().saturating_sub(limit) as u64;
    rates.truncate(limit);
    let row = |rate: Rate| Row {
        prefix: rate.prefix.to_string(),
        price: rate.price,
        currency: deck.currency().to_owned(),
        name: rate.name.to_string(),
    };
    let rows: Vec<Row> = rates.into_iter().map(row).collect();
    let headings = ["prefix", "price", "currency", "name"];
    let done = output::list(format, &headings, &rows, |row| {
        let price = row.price.to_string();
        [&row.prefix, &price, &row.currency, &row.name]
            .map(String::clone)
            .to_vec()
    })?;
    output::tell_more(more, false);
    eprintln!("{} prefixes: {}", deck.len(), whose(own));
    Ok(done)
}

const fn whose(own: bool) -> &'static str {
    if own { "your own" } else { "estimate" }
}

fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == CURRENCY && text.bytes().all(|b| b.is_ascii_alphabetic());
    is_code
        .then(|| text.to_ascii_uppercase())
        .ok_or_else(|| "expected three letters, such as EUR".to_owned())
}
