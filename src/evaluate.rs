//! How good detection is, on calls the model has not seen: by time, by family, in money.
//!
//! ```text
//! calls -> walk -> parts, folds -> detectors -> trials -> figures -> report, card
//!          calls   parts           detect       trial     figures    report, card
//! ```
//! Calls, simulated or from a file, walk through the very engine the service uses; what it
//! computed is learned from and judged. Everything happens in this process, without a database:
//! the same seed gives the same report. The protocol stands in `docs/evaluation.md`.
//!
//! Detectors that are no part of the program are held against it on the same rows: fixed
//! thresholds and deviations from an account's habit ([`peers`]), and whatever an outside command
//! scores ([`exchange`]). One implementation of each figure serves them all.

mod bootstrap;
mod calls;
mod card;
mod detect;
mod error;
pub mod exchange;
mod families;
mod figures;
mod parts;
pub mod peers;
mod render;
mod report;
mod run;
mod table;
mod trial;

pub use bootstrap::Draw;
pub use calls::{Calls, Fact, Walk};
pub use card::{difference, model_difference, section};
pub use detect::{Detector, FoldScores};
pub use error::EvaluateError;
pub use families::{UNNAMED, family_of, group_of, is_volume};
pub use figures::{BLOCKING, Estimate, Figures, RANKING, TARGETS};
pub use parts::{Fold, Parts, Shares, folds};
pub use render::render;
pub use report::{Column, ColumnReport, DetectorReport, Report, figures_csv};
pub use run::{Evaluated, Settings, evaluate};
pub use table::{Spread, TableFigures, TableReport, evaluate_table, read_table};
pub use trial::Trial;

#[cfg(test)]
mod tests;
