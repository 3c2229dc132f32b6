//! Files must be in time order: windows that saw a later call already would let an earlier one
//! see its own future.

use super::csv::RowProblem;
use crate::domain::{CallRecord, Column, Timestamp};
use std::borrow::Cow;

/// Rows may be so much out of order, seconds: clocks of two machines that write one file.
const SLACK: f64 = 5.0;
/// Rows may be so much later than now, seconds: a clock that runs ahead.
const AHEAD: f64 = 300.0;

/// Checks rows in the order in which they come.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    latest: Option<Timestamp>,
    now: Option<Timestamp>,
}

impl Order {
    /// `now`: rows later than that are refused, because what they would leave behind could not
    /// decay; `None`: for files that leave nothing behind.
    #[must_use]
    pub const fn new(now: Option<Timestamp>) -> Self {
        Self { latest: None, now }
    }

    /// Whether a row lies in the future; for rows that are sorted later.
    ///
    /// # Errors
    /// It does.
    pub fn check_future(&self, record: &CallRecord) -> Result<(), RowProblem> {
        let is_later = |now| record.time.seconds_since(now) > AHEAD;
        match self.now.is_some_and(is_later) {
            true => Err(RowProblem::Future),
            false => Ok(()),
        }
    }

    /// Takes a row's time.
    ///
    /// # Errors
    /// It is before that of a row above, or lies in the future.
    pub fn check(&mut self, record: &CallRecord) -> Result<(), RowProblem> {
        let time = record.time;
        self.check_future(record)?;
        let behind = self.latest.map_or(0.0, |latest| latest.seconds_since(time));
        if behind > SLACK {
            return Err(RowProblem::OutOfOrder {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "seconds above 5"
                )]
                seconds: behind as u64,
            });
        }
        self.latest = self.latest.max(Some(time));
        Ok(())
    }
}

/// A row as it stood in its file, but for the order of its columns and its quotation marks.
#[must_use]
pub fn raw(record: &CallRecord) -> String {
    let fields: Vec<Cow<'_, str>> = Column::ALL.iter().map(|&c| record.field(c)).collect();
    fields.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> CallRecord {
        let fields = |column: Column| match column {
            Column::SourceIp => "192.0.2.1",
            Column::Time => "2026-01-01T00:00:00Z",
            Column::Domain => "a.example",
            Column::User => "alice",
            Column::DialedNumber => "442079460123",
            _ => "",
        };
        let record = CallRecord::from_fields(fields).expect("a record");
        CallRecord {
            time: Timestamp::from_secs(secs),
            ..record
        }
    }

    #[test]
    fn what_comes_late_or_from_the_future_is_refused() {
        let mut order = Order::new(Some(Timestamp::from_secs(10_000)));
        order.check(&at(1_000)).expect("the first");
        order.check(&at(996)).expect("within the slack");
        assert!(matches!(
            order.check(&at(994)),
            Err(RowProblem::OutOfOrder { seconds: 6 })
        ));
        order.check(&at(10_300)).expect("a clock that runs ahead");
        assert!(matches!(order.check(&at(10_301)), Err(RowProblem::Future)));
        Order::new(None)
            .check(&at(99_999))
            .expect("nothing stays of it");
    }
}
