//! Why there is no evaluation, and what to do about it.

use crate::train::{IsolationError, TrainError};
use std::path::PathBuf;

/// An evaluation that did not come to figures.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum EvaluateError {
    #[error(
        "{part} has {fraud} frauds and {legitimate} legitimate calls: expected some of each; give more days, more subscribers, or a file with more verdicts"
    )]
    OneSided {
        part: &'static str,
        fraud: usize,
        legitimate: usize,
    },
    #[error("the model of the fold `{fold}`: {source}")]
    Train { fold: String, source: TrainError },
    #[error("the isolation forest: {0}")]
    Isolation(IsolationError),
    #[error("a call cannot be learned from: {0}")]
    Call(TrainError),
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: the calls cannot be written for other learners: {source}")]
    Export { path: PathBuf, source: TrainError },
    #[error("{path}, line {line}: {problem}")]
    Scores {
        path: PathBuf,
        line: u64,
        problem: String,
    },
    #[error(
        "{path}: the scores are of other rows (rows_sha256 `{found}`): expected `{expected}`; let the rows be scored again with --peers"
    )]
    OtherRows {
        path: PathBuf,
        found: String,
        expected: String,
    },
    #[error("the command `{command}` {problem}")]
    Command { command: String, problem: String },
    #[error("{path}, line {line}, column `{column}`: `{value}` is {expected}")]
    Value {
        path: PathBuf,
        line: u64,
        column: String,
        value: String,
        expected: &'static str,
    },
    #[error("{path}: there is no column `{column}`; the header has {found}")]
    NoColumn {
        path: PathBuf,
        column: String,
        found: String,
    },
    #[error("{path}: {problem}")]
    Table { path: PathBuf, problem: String },
    #[error("{path}: {source}")]
    Csv { path: PathBuf, source: csv::Error },
}
