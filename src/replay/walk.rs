//! A row of a file, walked through the pipeline under the file's own time.

use super::Row;
use crate::decide::Engine;
use crate::domain::{CallAttempt, CallEvent, CallRecord, Ingress, Signs};
use uuid::Uuid;

/// The call a row tells of. Its labels (`verdict`, `campaign`) stay behind: nothing that
/// decides ever sees them.
#[must_use]
pub fn attempt_of(row: &Row, id: Uuid) -> CallAttempt {
    let attempt = attempt_of_record(&row.record, id);
    match &row.message {
        None => attempt,
        Some(message) => CallAttempt {
            peer: message.peer,
            policy_user: message.policy_user.clone(),
            signs: message.signs,
            ..attempt
        },
    }
}

/// The same of a row of a table, which no message came with.
#[must_use]
pub fn attempt_of_record(record: &CallRecord, id: Uuid) -> CallAttempt {
    CallAttempt {
        id,
        ingress: Ingress::Import,
        call_id: record.call_id.clone().unwrap_or_default(),
        peer: record.source_ip,
        source_ip: record.source_ip,
        user: record.user.clone(),
        domain: record.domain.to_ascii_lowercase(),
        policy_user: None,
        dialed: record.dialed_number.clone(),
        user_agent: record.user_agent.clone(),
        concurrent: record.calls,
        signs: Signs::of_call_id(record.call_id.as_deref().unwrap_or_default()),
    }
}

/// Decides a row's call. `None` cannot be for a file: the operator speaks for all.
#[must_use]
pub fn decide(engine: &Engine, row: &Row, id: Uuid) -> Option<CallEvent> {
    engine.decide(attempt_of(row, id), row.record.time).event
}
