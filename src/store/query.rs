//! Reading: SQL from `sql/`, values as server-side parameters, answers bounded.

use super::client::{QUERY_TIMEOUT, within};
use super::{Store, StoreError};
use bytes::Bytes;
use clickhouse::query::Query;
use clickhouse::{RowOwned, RowRead};

impl Store {
    /// A statement sent as it stands; give it values with `.param(name, value)`, which SQL names
    /// `{name:Type}`, and run it with [`Self::rows`] or [`Self::arrow`].
    pub fn query(&self, sql: &str) -> Query {
        self.client.query_raw(sql)
    }

    /// All rows of an answer.
    ///
    /// # Errors
    /// ClickHouse failed, or took longer than ten minutes.
    pub async fn rows<T: RowOwned + RowRead>(&self, query: Query) -> Result<Vec<T>, StoreError> {
        within(QUERY_TIMEOUT, query.fetch_all::<T>()).await
    }

    /// An answer as an Arrow stream, for polars. Strings are strings and not bytes.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] beyond `max_bytes`; ClickHouse failed, or took longer than ten
    /// minutes.
    pub async fn arrow(&self, query: Query, max_bytes: usize) -> Result<Bytes, StoreError> {
        let mut cursor = query
            .with_setting("output_format_arrow_string_as_string", "1")
            // polars is built without the codecs of compressed Arrow.
            .with_setting("output_format_arrow_compression_method", "none")
            .fetch_bytes("ArrowStream")?;
        let collect = async {
            let mut answer = Vec::new();
            while let Some(part) = cursor.next().await? {
                if answer.len() + part.len() > max_bytes {
                    return Ok(None);
                }
                answer.extend_from_slice(&part);
            }
            Ok(Some(Bytes::from(answer)))
        };
        let answer = within(QUERY_TIMEOUT, collect).await?;
        answer.ok_or(StoreError::TooLarge(max_bytes))
    }
}
