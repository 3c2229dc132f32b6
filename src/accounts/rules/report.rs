//! Who is told of a policy's calls.

use super::super::AccountsError;
use super::bad;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Recipients of one report, at most.
const MAX_RECIPIENTS: usize = 20;
/// RFC 5321, 4.5.3.1: local part, and the whole path without its brackets.
const MAX_LOCAL: usize = 64;
const MAX_ADDRESS: usize = 254;

/// A report by mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportRules {
    /// E-mail addresses.
    #[schema(example = json!(["noc@itsp.example"]), max_items = 20)]
    pub recipients: Vec<String>,
    /// How often.
    #[serde(default)]
    pub period: ReportPeriod,
}

/// What time a report tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportPeriod {
    /// The day before.
    Daily,
    /// The week before.
    #[default]
    Weekly,
    /// The month before.
    Monthly,
}

impl ReportPeriod {
    /// As written in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

impl ReportRules {
    pub(super) fn check(&self) -> Result<(), AccountsError> {
        let count = self.recipients.len();
        if !(1..=MAX_RECIPIENTS).contains(&count) {
            return Err(bad("report.recipients", count, "1 to 20 addresses"));
        }
        let wrong = self.recipients.iter().position(|a| !is_address(a));
        match wrong {
            None => Ok(()),
            Some(at) => {
                let field = format!("report.recipients[{at}]");
                let expected = "an e-mail address such as noc@itsp.example";
                Err(bad(field, &self.recipients[at], expected))
            }
        }
    }
}

/// Enough to find what is mistyped, and to let nothing into a mail's header that is no address.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_fine = (1..=MAX_LOCAL).contains(&local.len())
        && local.split('.').all(|part| !part.is_empty())
        && local
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let label_fine = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    local_fine && text.len() <= MAX_ADDRESS && domain.split('.').all(label_fine)
}
