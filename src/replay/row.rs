//! A call as it comes out of a file, whatever the file is.

use crate::domain::{CallRecord, Signs};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One call of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What the row says.
    pub record: CallRecord,
    /// Where it stands: line of a CSV file, number of a packet in a capture; from 1.
    pub line: u64,
    /// Seconds from the call's start to its end, ringing included; `None`: the file does not say.
    pub up_s: Option<u32>,
    /// What only a SIP message tells; `None`: the call came as a row of a table.
    pub message: Option<Message>,
}

/// What a SIP message tells beyond the columns of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who sent the packet.
    pub peer: IpAddr,
    /// `X-TFPS`.
    pub policy_user: Option<(String, String)>,
    /// Oddities of the message.
    pub signs: Signs,
}

impl Row {
    /// A row of a table.
    #[must_use]
    pub const fn of_table(record: CallRecord, line: u64) -> Self {
        Self {
            record,
            line,
            up_s: None,
            message: None,
        }
    }
}
