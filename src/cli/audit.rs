//! `tfps audit`

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::accounts::{AuditFilter, AuditRow, Expiry};
use crate::app::clock;
use crate::domain::Timestamp;
use serde_json::Value;

/// Show who changed what in the accounts, the newest first.
#[derive(clap::Args, Debug)]
pub(super) struct AuditArgs {
    /// Not older: RFC 3339, e.g. 2030-01-01T00:00:00Z, or so long ago: 90m, 12h, 30d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only by this actor: cli, import, tfps (the program itself), token:NAME.
    #[arg(long)]
    actor: Option<String>,
    /// Only where the subject holds this text, e.g. itsp.example/default.
    #[arg(long)]
    subject: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(context: &Context, args: AuditArgs) -> anyhow::Result<Done> {
    let since = args.since.as_deref();
    let since = since.map(|text| point(text, clock::now())).transpose()?;
    let filter = AuditFilter {
        since,
        actor: args.actor,
        subject: args.subject,
        before: None,
        limit: args.limit.saturating_add(1),
    };
    let mut rows = context.accounts(Access::Reading)?.audit_log(&filter)?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    if rows.len() > limit {
        rows.truncate(limit);
        output::tell_more(1, true);
    }
    let headings = ["at", "actor", "action", "subject", "before", "after"];
    output::list(args.format, &headings, &rows, |row| {
        [
            row.at.as_str(),
            &row.actor,
            &row.action,
            &row.subject,
            &side(row, "before"),
            &side(row, "after"),
        ]
        .map(printable)
        .to_vec()
    })
}

/// One side of a change, in few words.
fn side(row: &AuditRow, side: &str) -> String {
    let fields = row.change.as_ref().and_then(|change| change.get(side));
    let Some(Value::Object(fields)) = fields else {
        return String::new();
    };
    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
    fields.collect::<Vec<_>>().join(" ")
}

/// Cut, and with nothing in it that a terminal obeys.
fn printable(text: &str) -> String {
    crate::accounts::shortened(text, 200)
}

/// A point in time, or so long before `now`.
fn point(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let ago = || -> Option<Timestamp> {
        let unit = text.chars().last()?;
        let seconds = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
        Some(now.plus_secs(-i64::from(count).checked_mul(seconds)?))
    };
    match (ago(), text.parse::<Expiry>()) {
        (Some(at), _) => Ok(at),
        (None, Ok(at)) => Ok(at.at()),
        (None, Err(error)) => Err(anyhow::anyhow!("--since: {error}, or 90m, 12h, 30d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_or_so_long_ago() {
        let now = Timestamp::from_secs(1_760_000_000);
        let ago = |text: &str| now.seconds_since(point(text, now).expect(text));
        assert!((ago("90m") - 5_400.0).abs() < 1e-9);
        assert!((ago("30d") - 2_592_000.0).abs() < 1e-9);
        let given = point("2030-01-01T00:00:00Z", now).expect("a time");
        assert_eq!(given.secs(), 1_893_456_000);
        for bad in [
            "",
            "d",
            "-1d",
            "30",
            "30w",
            "yesterday",
            "é",
            "99999999999d",
        ] {
            point(bad, now).expect_err(bad);
        }
    }
}
