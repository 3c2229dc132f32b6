//! What a subscriber has used, what he may, and when it begins anew: told, and set to nothing.

use super::Engine;
use crate::domain::{Hours, Timestamp};
use crate::usage::ResetJournal;
use parking_lot::MutexGuard;
use serde::Serialize;
use utoipa::ToSchema;

/// A subscriber's use of his policy's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Allowance {
    /// The policy whose limits these are.
    #[schema(example = "default")]
    pub policy: String,
    /// `normal` or `off`: which hours it is.
    #[schema(example = "normal")]
    pub hours: &'static str,
    /// When off hours end by the clock of `zone`; absent in normal hours, and when they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-02T08:00:00")]
    pub off_until: Option<String>,
    /// The time zone by whose clock days begin.
    #[schema(example = "America/Sao_Paulo")]
    pub zone: String,
    /// The day that is counted, by that clock.
    #[schema(example = "2026-03-01")]
    pub day: String,
    /// When the counts of the day begin anew: RFC 3339, UTC.
    #[schema(example = "2026-03-02T03:00:00.000Z")]
    pub renews_at: String,
    /// Approved calls of the day in normal hours, and how many it may be.
    pub normal: Share,
    /// Approved calls of the day in off hours, and how many it may be.
    pub off_hours: Share,
    /// Calls that may be up at once in the hours that it is; absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
    /// Calls that may be asked about in a second; absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u32>,
}

/// A part used, and the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Share {
    /// Calls approved.
    pub used: u32,
    /// Calls allowed; absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
}

/// Why counts were not set to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Calls are counted under the names of subscribers, mapped caller numbers and default users.
    #[error("no subscriber `{name}` in domain `{domain}`: `tfps subscriber list` shows them")]
    NoSubscriber {
        /// The domain.
        domain: String,
        /// The name.
        name: String,
    },
    /// It could not be noted, so that a restart would have undone it.
    #[error("the reset cannot be written to the data directory: {0}; the counts are as they were")]
    NotNoted(#[from] std::io::Error),
}

impl Engine {
    /// What the subscriber `name` of a domain has used; `None`: there is none of that name.
    #[must_use]
    pub fn usage(&self, domain: &str, name: &str, now: Timestamp) -> Option<Allowance> {
        let subscriber = self.accounts.load().counted_as(domain, name)?;
        let policy = &subscriber.policy;
        let local = policy.off_hours.local(now);
        let used = self.usage.of_day(domain, name, local.day());
        let share = |hours| Share {
            used: used.of(hours),
            quota: policy.daily_quota.of(hours),
        };
        let off_until = policy.off_hours.off_until(local.clock);
        Some(Allowance {
            policy: policy.name.clone(),
            hours: match local.hours {
                Hours::Normal => "normal",
                Hours::Off => "off",
            },
            off_until: off_until.map(|end| end.format("%Y-%m-%dT%H:%M:%S").to_string()),
            zone: policy.off_hours.zone.to_string(),
            day: local.clock.date().to_string(),
            renews_at: policy.off_hours.next_day(now).to_rfc3339(),
            normal: share(Hours::Normal),
            off_hours: share(Hours::Off),
            concurrent: policy.concurrent.of(local.hours),
            calls_per_second: policy.calls_per_second,
        })
    }

    /// Sets to nothing what a subscriber has used: his quotas of all days, his calls of this
    /// second, and the calls R13 remembers of him. On disk when this returns, if the engine has a
    /// journal; may wait for it, so not for the hot path.
    ///
    /// # Errors
    /// There is no such subscriber, or it cannot be noted; then nothing changes.
    pub fn reset_usage(
        &self,
        domain: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Allowance, ResetError> {
        let nobody = || ResetError::NoSubscriber {
            domain: domain.to_owned(),
            name: name.to_owned(),
        };
        self.accounts
            .load()
            .counted_as(domain, name)
            .ok_or_else(nobody)?;
        let mut journal = self.resets.lock();
        let reset = self.usage.next_reset(domain, name);
        if let Some(journal) = journal.as_mut() {
            journal.note(reset)?;
        }
        self.usage.apply(reset);
        drop(journal);
        self.usage(domain, name, now).ok_or_else(nobody)
    }

    /// Keeps resets waiting while the counts are saved: afterwards what is noted stands in them.
    pub fn hold_resets(&self) -> MutexGuard<'_, Option<ResetJournal>> {
        self.resets.lock()
    }
}
