//! `tfps migrate`

use super::context::Context;
use super::{Done, output};

pub(super) async fn run(context: Context) -> anyhow::Result<Done> {
    // Opening the store migrates; a second look says what there was to do.
    let store = context.store().await?;
    let applied = store.migrate().await?;
    if applied.is_empty() {
        output::line("the tables are those of this version")?;
    }
    Ok(Done::All)
}
