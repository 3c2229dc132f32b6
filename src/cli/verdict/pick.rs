//! Which calls are meant: by their ids, or by what is known of them.

use crate::domain::Timestamp;
use crate::store::{Found, MAX_JUDGED, Said, Sought, Store};
use anyhow::{Context as _, bail};
use chrono::DateTime;
use std::io::{BufRead as _, IsTerminal as _};
use uuid::Uuid;

/// Calls shown before the question.
const SHOWN: usize = 10;

/// Calls by their ids, or by what is known of them.
#[derive(clap::Args, Debug)]
pub(super) struct Pick {
    /// Ids of the calls: column `id` of the table `calls`.
    #[arg(value_parser = call_id, conflicts_with_all = ["call_id", "user", "domain", "from", "to", "number_prefix"])]
    ids: Vec<Uuid>,
    /// Calls with this SIP Call-ID.
    #[arg(long, value_name = "CALL-ID")]
    call_id: Option<String>,
    /// Calls of this caller.
    #[arg(long)]
    user: Option<String>,
    /// Calls of this domain.
    #[arg(long)]
    domain: Option<String>,
    /// Not before: RFC 3339, e.g. 2030-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Not after.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Calls to numbers that begin so: digits, country code first.
    #[arg(long, value_name = "DIGITS", value_parser = digits)]
    number_prefix: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| Timestamp::from(time.to_utc()))
        .map_err(|_| "expected an RFC 3339 time such as 2030-01-01T00:00:00Z".to_owned())
}

/// An id of a call.
pub(super) fn call_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| {
        "not a call id: expected column `id` of the table `calls`, such as \
         6f1c2a34-0b5d-4e6f-8a91-2b3c4d5e6f70; by the SIP Call-ID, --call-id"
            .to_owned()
    })
}

fn digits(text: &str) -> Result<String, String> {
    let digits = text.trim_start_matches('+');
    let fine = !digits.is_empty() && digits.len() <= 15;
    match fine && digits.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(digits.to_owned()),
        false => Err("expected 1 to 15 digits, the country code first".to_owned()),
    }
}

impl Pick {
    fn sought(&self) -> Option<Sought> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let sought = Sought {
            account: String::new(),
            user: text(&self.user),
            domain: text(&self.domain).to_ascii_lowercase(),
            call_id: text(&self.call_id),
            prefix: text(&self.number_prefix),
            from: self.from,
            to: self.to,
        };
        (sought != Sought::default()).then_some(sought)
    }

    /// The calls; found ones are shown, and asked about.
    pub(super) async fn ids(&self, store: &Store, said: Said) -> anyhow::Result<Vec<Uuid>> {
        if !self.ids.is_empty() {
            return Ok(self.ids.clone());
        }
        let Some(sought) = self.sought() else {
            bail!(
                "which calls: give their ids, or --call-id, --user, --domain, --from, --to, --number-prefix"
            );
        };
        let found = store.find_calls(&sought, MAX_JUDGED + 1).await?;
        if found.is_empty() {
            bail!("no such call; nothing was noted");
        }
        if found.len() > MAX_JUDGED {
            bail!("more than {MAX_JUDGED} calls: ask for fewer; nothing was noted");
        }
        // One Call-ID is one call: nothing to be asked.
        let one = self.call_id.is_some() && found.len() == 1;
        if !self.yes && !one {
            ask(&found, said)?;
        }
        Ok(found.iter().map(|call| call.id).collect())
    }
}

fn ask(found: &[Found], said: Said) -> anyhow::Result<()> {
    for call in found.iter().take(SHOWN) {
        eprintln!("{}", line(call));
    }
    if found.len() > SHOWN {
        eprintln!("... and {} more", found.len() - SHOWN);
    }
    let judged = found.iter().filter(|call| !call.said.is_empty()).count();
    if judged > 0 {
        eprintln!("{judged} of them have a verdict");
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "{} calls: repeat it with --yes; nothing was noted",
            found.len()
        );
    }
    eprintln!("mark {} calls as {}? [y/N]", found.len(), said.as_str());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.with_context(|| "no answer".to_owned())?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => bail!("nothing was noted"),
    }
}

fn line(call: &Found) -> String {
    let at = Timestamp(call.micros).to_rfc3339();
    let Found {
        id,
        user,
        domain,
        called,
        called_country,
        refusal,
        said,
        ..
    } = call;
    let text =
        format!("{id}  {at}  {user}@{domain} to {called} ({called_country})  {refusal}  {said}");
    text.replace(char::is_control, "\u{fffd}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_digits() {
        assert_eq!(digits("+25261").as_deref(), Ok("25261"));
        for bad in ["", "+", "25a", "1234567890123456", "' OR 1"] {
            digits(bad).expect_err(bad);
        }
    }
}
