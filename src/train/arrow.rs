//! Calls as an Arrow stream, for learners outside this program.

use super::{Dataset, TrainError};
use polars::prelude::*;
use std::io::Write;

/// Writes `rows` of `data`: a column per feature under its name (Float32), then `columns`
/// (Int32, one value per row).
///
/// # Errors
/// A column whose length is not that of `rows`, and what the destination says.
pub fn write_arrow(
    data: &Dataset,
    names: &[&str],
    rows: &[usize],
    columns: Vec<(String, Vec<i32>)>,
    destination: impl Write,
) -> Result<(), TrainError> {
    let features = names.iter().enumerate().map(|(feature, name)| {
        let values: Vec<f32> = rows.iter().map(|row| data.x[[*row, feature]]).collect();
        Column::new((*name).into(), values)
    });
    let others = columns
        .into_iter()
        .map(|(name, values)| Column::new(name.into(), values));
    let mut frame = DataFrame::new(rows.len(), features.chain(others).collect())?;
    IpcStreamWriter::new(destination).finish(&mut frame)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CATALOGUE, synthetic};
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_is_written_reads_back_bit_for_bit() {
        let data = synthetic(100, 0.2, 1);
        let names: Vec<&str> = CATALOGUE.iter().map(|f| f.name).collect();
        let rows = [3, 7, 99];
        let marks = vec![("part".to_owned(), vec![1, 2, 3])];
        let mut bytes = Vec::new();
        write_arrow(&data, &names, &rows, marks, &mut bytes).expect("written");
        let frame = IpcStreamReader::new(Cursor::new(bytes))
            .finish()
            .expect("read");
        assert_eq!(frame.shape(), (3, CATALOGUE.len() + 1));
        for (at, row) in rows.iter().enumerate() {
            for (feature, name) in names.iter().enumerate() {
                let read = frame
                    .column(name)
                    .expect("there")
                    .f32()
                    .expect("f32")
                    .get(at);
                assert_eq!(read, Some(data.x[[*row, feature]]));
            }
        }
        let part = frame.column("part").expect("there").i32().expect("i32");
        assert_eq!(part.get(2), Some(3));
        let short = vec![("part".to_owned(), vec![1])];
        write_arrow(&data, &names, &rows, short, Vec::new()).expect_err("too short");
    }
}
