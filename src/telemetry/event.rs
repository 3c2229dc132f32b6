//! What can happen that an operator may have to know of.

use crate::domain::{Code, Ingress};
use std::net::SocketAddr;
use uuid::Uuid;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// An INVITE was decided and answered.
    Decided {
        /// The door.
        ingress: Ingress,
        /// The code; in shadow, what it would have been.
        code: Code,
        /// Arrival to decision, seconds.
        latency: f64,
    },
    /// A decided call is unlike those the model was trained on. That refuses nothing.
    Novel {
        /// The door.
        ingress: Ingress,
        /// The call's id, to find it by.
        id: Uuid,
        /// 0 to 1.
        novelty: f32,
        /// How many there were since this was told last; `None`: it was told just now, one
        /// line is enough.
        tell: Option<u64>,
    },
    /// A message was answered from the transaction table.
    Retransmission {
        /// The door.
        ingress: Ingress,
    },
    /// A message got a final answer other than a decision.
    Rejected {
        /// The door.
        ingress: Ingress,
        /// SIP status.
        status: u16,
        /// Short stable name of why.
        reason: &'static str,
    },
    /// A datagram got no answer.
    Dropped {
        /// The door.
        ingress: Ingress,
        /// Short stable name of why.
        reason: &'static str,
    },
    /// A header was of no use and was taken as absent.
    BadHeader {
        /// Its name.
        header: &'static str,
    },
    /// A bound was met and the oldest entry of a table made room.
    Evicted {
        /// Which table.
        table: &'static str,
    },
    /// Counters of use made room while they still mattered: calls that were counted are not.
    UsageForgotten {
        /// How many since this was told last.
        counters: u64,
    },
    /// The spool could not take an event; the call was answered all the same.
    SpoolLost {
        /// How many.
        events: u64,
        /// What the disk said.
        error: &'a str,
    },
    /// Free calls found the part of the spool full that they may fill; they were answered.
    FreeCallsLost {
        /// How many.
        events: u64,
        /// Whether they are the first since some were taken: one line is enough.
        first: bool,
    },
    /// Half a record was cut off the spool's end: a process was killed while it wrote.
    SpoolTorn {
        /// How many bytes.
        bytes: u64,
    },
    /// The disk could not catch up with the spool; the records are with the system.
    SpoolSyncFailed {
        /// What the disk said.
        error: &'a str,
    },
    /// The spool's files could not be used by the shipper; it will try again.
    SpoolUnreadable {
        /// Why.
        error: &'a str,
    },
    /// Nothing reaches ClickHouse until an operator acts; the spool keeps what waits.
    ShipBlocked {
        /// What to mend.
        error: &'a str,
    },
    /// ClickHouse holds more rows of a batch than were sent.
    RowsSurplus {
        /// How many too many.
        rows: u64,
    },
    /// Rows reached ClickHouse.
    Shipped {
        /// How many.
        rows: u64,
    },
    /// An insert failed and will be tried again.
    ShipFailed {
        /// What ClickHouse or the network said.
        error: &'a str,
    },
    /// A batch or segment can never be shipped and was set aside.
    Quarantined {
        /// How many records.
        records: u64,
        /// Why.
        error: &'a str,
    },
    /// A model went into force.
    ModelSwapped {
        /// Its id.
        id: &'a str,
    },
    /// A model file was refused; the one in force stays.
    ModelRefused {
        /// Why.
        error: &'a str,
    },
    /// Customers' calls are no longer like those the model was trained on. Told once.
    ModelDrifted {
        /// The model in force.
        id: &'a str,
        /// Population stability index of the score over a day.
        score_day: f64,
        /// Over an hour.
        score_hour: f64,
        /// Names of the features that changed most.
        changed: &'a str,
    },
    /// They are again.
    ModelDriftEnded {
        /// The model in force.
        id: &'a str,
    },
    /// Judged calls were clearly not what the model's scores said. Told once.
    ModelMiscalibrated {
        /// The model in force.
        id: &'a str,
        /// Judged calls.
        calls: u64,
        /// Expected calibration error.
        error: f64,
    },
    /// They are again.
    ModelCalibrated {
        /// The model in force.
        id: &'a str,
    },
    /// New accounts, policies and lists went into force.
    AccountsSwapped {
        /// Version of the accounts data.
        version: i64,
    },
    /// Accounts could not be read; the snapshot in force stays.
    AccountsRefused {
        /// Why.
        error: &'a str,
    },
    /// A rate deck went into force.
    RatesSwapped {
        /// How many prefixes it has.
        prefixes: usize,
        /// Whether it is the operator's own; else the one that ships in the program.
        own: bool,
    },
    /// A rate deck was refused; the one in force stays.
    RatesRefused {
        /// Why.
        error: &'a str,
    },
    /// A connection was opened.
    ConnectionOpened {
        /// The door.
        ingress: Ingress,
        /// `tcp` or `tls`.
        transport: &'static str,
    },
    /// A connection ended.
    ConnectionClosed {
        /// The door.
        ingress: Ingress,
        /// `tcp` or `tls`.
        transport: &'static str,
        /// Short stable name of why.
        reason: &'static str,
    },
    /// There was no room for a connection.
    ConnectionRefused {
        /// The door.
        ingress: Ingress,
        /// `tcp` or `tls`.
        transport: &'static str,
        /// Short stable name of the bound that was met.
        reason: &'static str,
    },
    /// New TLS certificates went into force.
    CertificatesSwapped,
    /// TLS certificates were refused; those in force stay.
    CertificatesRefused {
        /// Why.
        error: &'a str,
    },
    /// A request that was no call came to the honeypot.
    Probed {
        /// Whether its source has proved its address.
        proven: bool,
    },
    /// Evidence found no room on its way to the learned lists.
    EvidenceLost {
        /// `accusation` or `ordinary`.
        kind: &'static str,
    },
    /// Something was learned.
    Learned {
        /// Entries listed or renewed.
        listed: u64,
        /// New proposals.
        proposed: u64,
    },
    /// A peer could not be sent to.
    SendFailed {
        /// Where to.
        peer: SocketAddr,
        /// Why.
        error: &'a str,
    },
}
