//! Who a call of a file is: what makes its id, whichever file it stands in.

use crate::domain::{CallRecord, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use uuid::Uuid;

/// Rows that are the same to the letter have the same time, and files are in time order but for
/// a slack of seconds: what is older than this behind the latest row needs no remembering.
const REACH: i64 = 10 * Timestamp::SECOND;
/// Rows remembered at most: a hundred thousand calls a second within [`REACH`].
const MOST: usize = 1 << 20;
/// Below that nothing is looked through for what may be forgotten.
const LEAST: usize = 4_096;

/// Gives the rows of a file, read in time order, their ids.
///
/// An id is a hash of what makes a call that call (time, who, whom, from where, with what, its
/// Call-ID) and of how many rows above said the same. So a row has the same id in a corrected or
/// longer copy of its file. What was measured of the call later (concurrent calls, duration) and
/// what it turned out to be (verdict, campaign) are no part of it: they may be corrected.
#[derive(Debug, Default)]
pub struct Identities {
    /// How often each row came, and when it was.
    seen: HashMap<[u8; 16], (u64, Timestamp)>,
    latest: Timestamp,
    /// How often everything was forgotten: part of the ids since, so that none comes twice.
    epoch: u64,
    /// Look for what may be forgotten when there are more.
    look_at: usize,
}

impl Identities {
    /// Before the first row.
    #[must_use]
    pub fn new() -> Self {
        Self {
            look_at: LEAST,
            ..Self::default()
        }
    }

    /// The id of the next row.
    pub fn id(&mut self, record: &CallRecord) -> Uuid {
        self.latest = self.latest.max(record.time);
        if self.seen.len() >= self.look_at {
            self.forget();
        }
        let content = content(record);
        let (count, _) = self.seen.entry(content).or_insert((0, record.time));
        let before = *count;
        *count += 1;
        let id = match (before, self.epoch) {
            (0, 0) => content,
            (before, epoch) => hash(|hasher| {
                hasher.update(content);
                hasher.update(before.to_le_bytes());
                hasher.update(epoch.to_le_bytes());
            }),
        };
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    fn forget(&mut self) {
        let oldest = Timestamp(self.latest.0.saturating_sub(REACH));
        self.seen.retain(|_, (_, time)| *time >= oldest);
        if self.seen.len() >= MOST {
            tracing::warn!(
                rows = self.seen.len(),
                "too many calls within seconds: in a longer copy of this file they would be other calls"
            );
            self.seen.clear();
            self.epoch += 1;
        }
        self.look_at = (self.seen.len() * 2).clamp(LEAST, MOST);
    }
}

fn content(record: &CallRecord) -> [u8; 16] {
    let source = match record.source_ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    hash(|hasher| {
        hasher.update(b"tfps call 1");
        hasher.update(record.time.0.to_le_bytes());
        hasher.update(source.octets());
        let domain = record.domain.to_ascii_lowercase();
        let call_id = record.call_id.as_deref().unwrap_or_default();
        for text in [
            domain.as_str(),
            &record.user,
            &record.dialed_number,
            &record.user_agent,
            call_id,
        ] {
            // The length goes first: no two lists make the same stream.
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    })
}

fn hash(feed: impl FnOnce(&mut Sha256)) -> [u8; 16] {
    let mut hasher = Sha256::new();
    feed(&mut hasher);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Column, Verdict};

    fn row(time: &str, user: &str) -> CallRecord {
        CallRecord::from_fields(|column| match column {
            Column::Time => time,
            Column::User => user,
            Column::Domain => "a.example",
            Column::DialedNumber => "442079460123",
            Column::SourceIp => "192.0.2.1",
            _ => "",
        })
        .expect("a record")
    }

    fn ids(rows: &[CallRecord]) -> Vec<Uuid> {
        let mut identities = Identities::new();
        rows.iter().map(|row| identities.id(row)).collect()
    }

    const NOON: &str = "2026-03-01T12:00:00Z";

    #[test]
    fn a_longer_or_corrected_copy_has_the_ids_of_the_first() {
        let first = [row(NOON, "ann"), row(NOON, "ann"), row(NOON, "bob")];
        let before = ids(&first);
        let mut copy = vec![row("2026-03-01T11:00:00Z", "eve")];
        copy.extend(first.clone());
        copy[1].verdict = Some(Verdict::Fraud);
        copy[2].duration_s = Some(60);
        copy[2].calls = Some(7);
        copy[3].domain = "A.Example".into();
        assert_eq!(ids(&copy)[1..], before);
        assert_ne!(before[0], before[1], "two calls of the same second");
    }

    #[test]
    fn what_makes_a_call_another_makes_another_id() {
        let one = row(NOON, "ann");
        let mut others = vec![one.clone(), row("2026-03-01T12:00:00.000001Z", "ann")];
        let mut other = |change: fn(&mut CallRecord)| {
            let mut row = one.clone();
            change(&mut row);
            others.push(row);
        };
        other(|row| row.user = "bob".into());
        other(|row| row.domain = "b.example".into());
        other(|row| row.dialed_number.push('1'));
        other(|row| row.user_agent = "phone".into());
        other(|row| row.call_id = Some("1".into()));
        other(|row| row.source_ip = [192, 0, 2, 2].into());
        let ids: std::collections::HashSet<_> = others
            .iter()
            .flat_map(|r| ids(std::slice::from_ref(r)))
            .collect();
        assert_eq!(ids.len(), others.len());
    }

    #[test]
    fn only_the_last_seconds_are_remembered() {
        let mut identities = Identities::new();
        let mut call = row(NOON, "ann");
        for second in 0..100_000 {
            call.time = Timestamp::from_secs(1_700_000_000 + second);
            identities.id(&call);
        }
        assert!(identities.seen.len() <= LEAST, "{}", identities.seen.len());
    }
}
