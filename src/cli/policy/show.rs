//! `tfps policy show`

use super::super::{Done, output};
use super::Format;
use crate::accounts::{CountryRules, LimitRules, OffHoursRules, PolicyRules, ReportRules};
use crate::domain::REFUSAL_ORDER;
use serde_json::json;

pub(super) fn run(rules: &PolicyRules, format: Format) -> anyhow::Result<Done> {
    if format.json {
        return output::json(rules);
    }
    for (name, value) in rows(rules) {
        output::line(&format!("{name:17} {value}"))?;
    }
    output::line("checks, in the order in which they decide:")?;
    for check in REFUSAL_ORDER {
        output::line(&format!(
            "  {check} {:8} {}",
            rules.mode(check).as_str(),
            check.description()
        ))?;
    }
    Ok(Done::All)
}

fn rows(rules: &PolicyRules) -> Vec<(&'static str, String)> {
    let value = json!(rules);
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    vec![
        ("plan", text("plan")),
        ("answer", text("answer")),
        (
            "risk threshold",
            or(
                rules.risk_threshold.map(|risk| risk.to_string()),
                "the model's",
            ),
        ),
        (
            "calls per second",
            or(rules.calls_per_second.map(|n| n.to_string()), "the plan's"),
        ),
        ("concurrent calls", limits(rules.concurrent)),
        ("daily quota", limits(rules.daily_quota)),
        (
            "same number",
            or(
                rules
                    .same_number
                    .map(|limit| format!("{} in {} s", limit.calls, limit.seconds)),
                "no limit",
            ),
        ),
        (
            "off hours",
            or(rules.off_hours.as_ref().map(off_hours), "never (UTC)"),
        ),
        ("origin", countries(&rules.origin)),
        ("destination", countries(&rules.destination)),
        (
            "reports",
            or(rules.report.as_ref().map(report), "to nobody"),
        ),
    ]
}

fn or(value: Option<String>, otherwise: &str) -> String {
    value.unwrap_or_else(|| otherwise.to_owned())
}

fn limits(rules: LimitRules) -> String {
    let told = |limit: Option<u32>| or(limit.map(|n| n.to_string()), "no limit");
    format!(
        "{}; off hours {}",
        told(rules.normal),
        told(rules.off_hours)
    )
}

fn off_hours(rules: &OffHoursRules) -> String {
    let zone = &rules.zone;
    let periods: Vec<_> = rules.periods.iter().map(ToString::to_string).collect();
    match periods.is_empty() {
        true => format!("never ({zone})"),
        false => format!("{} ({zone})", periods.join("; ")),
    }
}

fn countries(rules: &CountryRules) -> String {
    match (rules.only.as_slice(), rules.except.as_slice()) {
        ([], []) => "all countries".to_owned(),
        (only, []) => format!("only {}", only.join(" ")),
        ([], except) => format!("all but {}", except.join(" ")),
        (only, except) => format!("only {} but not {}", only.join(" "), except.join(" ")),
    }
}

fn report(rules: &ReportRules) -> String {
    format!(
        "{} to {}",
        rules.period.as_str(),
        rules.recipients.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_a_policy_is_told() {
        let rules: PolicyRules = serde_json::from_value(json!({
            "plan": "itsp", "risk_threshold": 0.9, "calls_per_second": 20,
            "concurrent": {"normal": 10}, "daily_quota": {"normal": 500, "off_hours": 0},
            "same_number": {"calls": 3, "seconds": 60},
            "off_hours": {"zone": "Europe/Berlin", "periods": [{"weekdays": "mon-fri", "from": "18:00", "to": "08:00"}]},
            "origin": {"except": ["CU"]}, "destination": {"only": ["continent:EU"], "except": ["risk:high"]},
            "report": {"recipients": ["noc@itsp.example"], "period": "monthly"}
        }))
        .expect("rules");
        let told: Vec<_> = rows(&rules)
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            told,
            [
                "plan: itsp",
                "answer: redirect",
                "risk threshold: 0.9",
                "calls per second: 20",
                "concurrent calls: 10; off hours no limit",
                "daily quota: 500; off hours 0",
                "same number: 3 in 60 s",
                "off hours: mon-fri 18:00-08:00 (Europe/Berlin)",
                "origin: all but CU",
                "destination: only continent:EU but not risk:high",
                "reports: monthly to noc@itsp.example",
            ]
        );
        let none = rows(&PolicyRules::default());
        assert!(none.contains(&("off hours", "never (UTC)".to_owned())));
        assert!(none.contains(&("destination", "all countries".to_owned())));
    }
}
