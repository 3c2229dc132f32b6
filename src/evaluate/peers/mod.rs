//! What operators have today, on the same calls: limits per destination, and deviations from an
//! account's habit. They count calls themselves and know no features.

mod limits;
mod sigma;

pub use limits::limits;
pub use sigma::sigma;

/// What the two are called in reports.
pub const NAMES: [&str; 2] = ["opensips-fraud-detection", "mean-plus-2-sigma"];
