//! `tfps country`

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::app::clock;
use crate::domain::{Continent, Country, CountryRisks, RiskClass};
use serde::Serialize;

#[derive(clap::Subcommand, Debug)]
pub(super) enum CountryCommand {
    /// Show countries with their continent and risk class, as rules name them.
    List {
        /// Only those of this class: low, medium or high.
        #[arg(long, value_parser = class)]
        risk: Option<RiskClass>,
        /// Only those you gave another class than the usual one.
        #[arg(long)]
        own: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Give a country another risk class; every policy that names risk classes follows.
    Risk {
        /// Country code, or XG for satellite and global numbers.
        country: String,
        /// low, medium or high; `usual`: what it is without your say.
        #[arg(value_parser = class_or_usual)]
        class: Choice,
    },
}

/// A class, or the usual one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice(Option<RiskClass>);

/// A country, for listing.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    country: String,
    /// Empty for satellite and global numbers.
    continent: &'static str,
    risk: RiskClass,
    /// Whether the operator said so.
    own: bool,
}

pub(super) fn run(context: &Context, command: CountryCommand) -> anyhow::Result<Done> {
    let access = Access::reading_if(matches!(command, CountryCommand::List { .. }));
    let mut accounts = context.accounts(access)?;
    match command {
        CountryCommand::List { risk, own, format } => {
            let mut rows = rows(&accounts.country_risks()?);
            rows.retain(|row| risk.is_none_or(|risk| row.risk == risk) && (row.own || !own));
            let headings = ["country", "continent", "risk", ""];
            output::list(format, &headings, &rows, |row| {
                let own = if row.own { "your own" } else { "" };
                [&row.country, row.continent, row.risk.as_str(), own]
                    .map(str::to_owned)
                    .to_vec()
            })
        }
        CountryCommand::Risk { country, class } => {
            accounts.set_country_risk(&country, class.0, clock::now())?;
            output::changed()
        }
    }
}

fn rows(risks: &CountryRisks) -> Vec<Row> {
    let mut rows: Vec<_> = Country::every()
        .map(|country| Row {
            country: country.to_string(),
            continent: Continent::of(country).map_or("", Continent::as_str),
            risk: risks.class(country),
            own: risks.own(country).is_some(),
        })
        .collect();
    rows.sort_by(|a, b| a.country.cmp(&b.country));
    rows
}

fn class(text: &str) -> Result<RiskClass, String> {
    RiskClass::parse(text).ok_or_else(|| "expected low, medium or high".to_owned())
}

fn class_or_usual(text: &str) -> Result<Choice, String> {
    match text {
        "usual" => Ok(Choice(None)),
        text => class(text)
            .map(|class| Choice(Some(class)))
            .map_err(|expected| format!("{expected}, or usual")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_countries_in_order_with_the_operators_own_marked() {
        let tunisia = Country::parse("TN").expect("a country");
        let risks = [(tunisia, RiskClass::Low)].into_iter().collect();
        let rows = rows(&risks);
        assert_eq!(rows.len(), Country::every().count());
        assert!(rows.is_sorted_by_key(|row| row.country.clone()));
        let own: Vec<_> = rows.iter().filter(|row| row.own).collect();
        let expected = Row {
            country: "TN".into(),
            continent: "AF",
            risk: RiskClass::Low,
            own: true,
        };
        assert_eq!(own, [&expected]);
        assert_eq!(class_or_usual("usual").expect("known").0, None);
        assert!(class_or_usual("huge").is_err());
    }
}
