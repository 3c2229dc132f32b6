//! Labelled calls as arrays.

use super::TrainError;
use crate::domain::{FeatureSpec, FeatureVector, Timestamp, Verdict};
use ndarray::{Array2, ArrayView1, Axis};
use polars::prelude::*;
use std::collections::HashMap;
use std::io::Cursor;

/// Most rows of one training: 2 million of 108 features take 0.9 GB, and twice that while they are
/// put in order.
pub const MAX_ROWS: usize = 2_000_000;

/// A name per row, each distinct one stored once. The empty name is number 0.
#[derive(Clone, Debug)]
pub struct Groups {
    names: Vec<String>,
    of: Vec<u32>,
    numbers: HashMap<String, u32>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            names: vec![String::new()],
            of: Vec::new(),
            numbers: HashMap::from([(String::new(), 0)]),
        }
    }
}

impl Groups {
    fn push(&mut self, name: &str) {
        let number = self.numbers.get(name).copied().unwrap_or_else(|| {
            // At most MAX_ROWS names: fits.
            let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            self.names.push(name.to_owned());
            self.numbers.insert(name.to_owned(), number);
            number
        });
        self.of.push(number);
    }

    /// The row's group; 0: it has none.
    #[must_use]
    pub fn number(&self, row: usize) -> usize {
        self.of[row] as usize
    }

    /// The group's name.
    #[must_use]
    pub fn name(&self, number: usize) -> &str {
        &self.names[number]
    }

    /// How many groups there are, the nameless one included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names.len()
    }
}

/// Judged calls with the features they were scored by, in order of time.
///
/// Behind them there may be calls at honeypots ([`Dataset::add_honeypot`]). [`Dataset::rows`] does
/// not count them, so no split, base rate, calibration or comparison meets them; only the fit asks
/// for them, by [`Dataset::honeypot_before`].
#[derive(Clone, Debug)]
pub struct Dataset {
    /// How many are judged calls: the first so many.
    judged: usize,
    /// `rows x features`, as served.
    pub x: Array2<f32>,
    /// Whether each was fraud.
    pub y: Vec<bool>,
    /// When each was decided; never decreasing among the judged ones.
    pub at: Vec<Timestamp>,
    /// The attack each belongs to, if any. A label, never a feature.
    pub campaign: Groups,
    /// The domain each belongs to.
    pub account: Groups,
    /// Rows without a verdict that were left out.
    pub unlabelled: usize,
    /// `features::VERSION` of the rows.
    pub version: u16,
}

/// One judged call.
#[derive(Clone, Copy, Debug)]
pub struct LabelledCall<'a> {
    /// When it was decided.
    pub at: Timestamp,
    /// Domain whose policy applied.
    pub account: &'a str,
    /// Attack it belongs to; empty: none known.
    pub campaign: &'a str,
    /// What it was; `None`: nobody said.
    pub verdict: Option<Verdict>,
    /// One value per feature.
    pub features: &'a [f32],
}

/// Collects calls one by one, from a query or from a file walked through the pipeline.
#[derive(Debug)]
pub struct DatasetBuilder {
    catalogue: &'static [FeatureSpec],
    version: u16,
    values: Vec<f32>,
    y: Vec<bool>,
    at: Vec<Timestamp>,
    campaign: Groups,
    account: Groups,
    seen: usize,
}

impl DatasetBuilder {
    /// Empty, for vectors of `catalogue` at `version`.
    #[must_use]
    pub fn new(catalogue: &'static [FeatureSpec], version: u16) -> Self {
        Self {
            catalogue,
            version,
            values: Vec::new(),
            y: Vec::new(),
            at: Vec::new(),
            campaign: Groups::default(),
            account: Groups::default(),
            seen: 0,
        }
    }

    /// Takes a call; one without a verdict is only counted.
    ///
    /// # Errors
    /// A wrong number of features, one that is not finite, or more than [`MAX_ROWS`] calls.
    pub fn push(&mut self, call: &LabelledCall<'_>) -> Result<(), TrainError> {
        let row = self.seen;
        self.seen += 1;
        let Some(verdict) = call.verdict else {
            return Ok(());
        };
        if call.features.len() != self.catalogue.len() {
            return Err(TrainError::FeatureCount {
                row,
                found: call.features.len(),
                wanted: self.catalogue.len(),
                version: self.version,
            });
        }
        if let Some(position) = call.features.iter().position(|x| !x.is_finite()) {
            let feature = self.catalogue[position].name;
            return Err(TrainError::NotFinite { row, feature });
        }
        if self.y.len() >= MAX_ROWS {
            return Err(TrainError::TooManyRows { limit: MAX_ROWS });
        }
        self.values.extend_from_slice(call.features);
        self.y.push(verdict == Verdict::Fraud);
        self.at.push(call.at);
        self.campaign.push(call.campaign);
        self.account.push(call.account);
        Ok(())
    }

    /// The data set, put in order of time; calls of one instant keep their order.
    #[must_use]
    pub fn finish(self) -> Dataset {
        self.finish_in_order().0
    }

    /// The same, and for each of its rows which of the judged calls it was, counted as they were
    /// pushed: for whoever keeps something beside them.
    #[must_use]
    pub fn finish_in_order(self) -> (Dataset, Vec<usize>) {
        let (rows, width) = (self.y.len(), self.catalogue.len());
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|row| self.at[*row]);
        let x = Array2::from_shape_fn((rows, width), |(i, j)| self.values[order[i] * width + j]);
        let sorted = |groups: Groups| Groups {
            of: order.iter().map(|row| groups.of[*row]).collect(),
            ..groups
        };
        let data = Dataset {
            judged: rows,
            x,
            y: order.iter().map(|row| self.y[*row]).collect(),
            at: order.iter().map(|row| self.at[*row]).collect(),
            campaign: sorted(self.campaign),
            account: sorted(self.account),
            unlabelled: self.seen - rows,
            version: self.version,
        };
        (data, order)
    }
}

impl Dataset {
    /// Reads the result of [`super::DATASET_SQL`] in `FORMAT ArrowStream`.
    ///
    /// Columns: `at` Int64 (microseconds), `account` String, `features` Array(Float32),
    /// `features_version` Int64, `verdict` String, `campaign` String; others are passed over.
    ///
    /// # Errors
    /// Bytes that are no Arrow stream, a column of another type, and what
    /// [`DatasetBuilder::push`] refuses.
    pub fn from_arrow(
        bytes: impl AsRef<[u8]>,
        catalogue: &'static [FeatureSpec],
        version: u16,
    ) -> Result<Self, TrainError> {
        let names = COLUMNS
            .iter()
            .map(|(name, ..)| (*name).to_owned())
            .collect();
        check_columns(&IpcStreamReader::new(Cursor::new(bytes.as_ref())).arrow_schema()?)?;
        let frame = IpcStreamReader::new(Cursor::new(bytes.as_ref()))
            .with_columns(Some(names))
            .finish()?;
        // Of all calls there are at most two copies at a time.
        drop(bytes);
        read_frame(frame, catalogue, version)
    }

    /// Number of judged calls.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.judged
    }

    /// Takes the frauds of `calls` behind its own, as calls at honeypots.
    ///
    /// # Errors
    /// [`TrainError::FeaturesVersion`] if they are of other features.
    pub fn add_honeypot(&mut self, calls: &Self) -> Result<(), TrainError> {
        let frauds: Vec<usize> = (0..calls.rows()).filter(|row| calls.y[*row]).collect();
        self.x
            .append(Axis(0), calls.x.select(Axis(0), &frauds).view())
            .map_err(|_| TrainError::FeaturesVersion {
                row: 0,
                found: i64::from(calls.version),
                wanted: self.version,
            })?;
        for row in frauds {
            self.y.push(true);
            self.at.push(calls.at[row]);
            let name = |groups: &Groups| groups.name(groups.number(row)).to_owned();
            self.campaign.push(&name(&calls.campaign));
            self.account.push(&name(&calls.account));
        }
        Ok(())
    }

    /// The rows of calls at honeypots before `end`.
    #[must_use]
    pub fn honeypot_before(&self, end: Timestamp) -> Vec<usize> {
        let all = self.judged..self.y.len();
        all.filter(|row| self.at[*row] < end).collect()
    }

    /// Whether a row is a call at a honeypot.
    #[must_use]
    pub const fn is_honeypot(&self, row: usize) -> bool {
        row >= self.judged
    }

    /// The features of a call.
    #[must_use]
    pub fn features(&self, row: usize) -> ArrayView1<'_, f32> {
        self.x.row(row)
    }

    /// The features of a call as the scorer takes them, into `vector`.
    pub fn fill(&self, row: usize, vector: &mut FeatureVector) {
        vector.version = self.version;
        vector.values.clear();
        vector.values.extend(self.x.row(row).iter());
    }

    /// How many of `rows` were fraud.
    #[must_use]
    pub fn positives(&self, rows: &[usize]) -> usize {
        rows.iter().filter(|row| self.y[**row]).count()
    }
}

/// What a column must be, told before polars builds it: of a type that is not compiled in
/// it would panic.
type Fits = fn(&ArrowDataType) -> bool;

const COLUMNS: [(&str, &str, Fits); 6] = [
    ("at", "Int64 microseconds", |t| *t == ArrowDataType::Int64),
    ("account", "String", is_text),
    ("campaign", "String", is_text),
    ("verdict", "String", is_text),
    ("features", "Array(Float32)", |t| match t {
        ArrowDataType::List(item) | ArrowDataType::LargeList(item) => {
            item.dtype == ArrowDataType::Float32
        }
        _ => false,
    }),
    ("features_version", "Int64", |t| *t == ArrowDataType::Int64),
];

fn is_text(t: &ArrowDataType) -> bool {
    matches!(
        t,
        ArrowDataType::Utf8 | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8View
    )
}

fn check_columns(schema: &ArrowSchema) -> Result<(), TrainError> {
    for (name, expected, fits) in COLUMNS {
        if !schema.get(name).is_some_and(|field| fits(&field.dtype)) {
            return Err(TrainError::Column { name, expected });
        }
    }
    Ok(())
}

fn read_frame(
    frame: DataFrame,
    catalogue: &'static [FeatureSpec],
    version: u16,
) -> Result<Dataset, TrainError> {
    let at = frame.column("at")?.i64()?;
    let account = frame.column("account")?.str()?;
    let campaign = frame.column("campaign")?.str()?;
    let verdict = frame.column("verdict")?.str()?;
    let features = frame.column("features")?.list()?;
    let versions = frame.column("features_version")?.i64()?;
    let mut builder = DatasetBuilder::new(catalogue, version);
    let most = frame.height().min(MAX_ROWS);
    builder.values.reserve_exact(most * catalogue.len());
    for row in 0..frame.height() {
        let missing = |name, expected| TrainError::Column { name, expected };
        let found = versions.get(row).unwrap_or(-1);
        if found != i64::from(version) {
            return Err(TrainError::FeaturesVersion {
                row,
                found,
                wanted: version,
            });
        }
        let vector = features
            .get_as_series(row)
            .ok_or(missing("features", "Array(Float32)"))?
            .rechunk();
        builder.push(&LabelledCall {
            at: Timestamp(at.get(row).ok_or(missing("at", "Int64 microseconds"))?),
            account: account.get(row).unwrap_or(""),
            campaign: campaign.get(row).unwrap_or(""),
            verdict: parse_verdict(row, verdict.get(row).unwrap_or(""))?,
            features: vector
                .f32()?
                .cont_slice()
                .map_err(|_| missing("features", "Array(Float32) without nulls"))?,
        })?;
    }
    drop(frame);
    Ok(builder.finish())
}

fn parse_verdict(row: usize, text: &str) -> Result<Option<Verdict>, TrainError> {
    match text {
        "" => Ok(None),
        "fraud" => Ok(Some(Verdict::Fraud)),
        "legitimate" => Ok(Some(Verdict::Legitimate)),
        other => Err(TrainError::Verdict {
            row,
            verdict: other.to_owned(),
        }),
    }
}

#[cfg(test)]
#[path = "dataset_tests.rs"]
mod tests;
