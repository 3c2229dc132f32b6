//! Where verdicts are kept, as the routes know it: ClickHouse, or what a test puts in its place.

use crate::store::{
    History, JudgeError, Judged, Said, Settle, Settlement, Store, Suggestion, Word,
};
use std::pin::Pin;
use uuid::Uuid;

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, JudgeError>> + Send + 'a>>;

/// Takes verdicts and tells them. `own` is the one account somebody may see; `None`: all.
pub trait Book: Send + Sync {
    /// As [`Store::judge`].
    fn judge(&self, word: Word) -> Later<'_, usize>;
    /// As [`Store::suggest`].
    fn suggest(&self, word: Word) -> Later<'_, usize>;
    /// As [`Store::verdict_history`].
    fn history(&self, id: Uuid, own: Option<String>) -> Later<'_, Vec<History>>;
    /// As [`Store::latest_verdicts`].
    fn latest(
        &self,
        said: Option<Said>,
        own: Option<String>,
        limit: usize,
    ) -> Later<'_, Vec<Judged>>;
    /// As [`Store::suggestions`].
    fn suggestions(&self, own: Option<String>, limit: usize) -> Later<'_, Vec<Suggestion>>;
    /// As [`Store::settle`].
    fn settle(&self, word: Word, settle: Settle) -> Later<'_, Settlement>;
}

impl Book for Store {
    fn judge(&self, word: Word) -> Later<'_, usize> {
        Box::pin(async move { self.judge(&word).await })
    }

    fn suggest(&self, word: Word) -> Later<'_, usize> {
        Box::pin(async move { self.suggest(&word).await })
    }

    fn history(&self, id: Uuid, own: Option<String>) -> Later<'_, Vec<History>> {
        Box::pin(async move { self.verdict_history(id, own.as_deref()).await })
    }

    fn latest(
        &self,
        said: Option<Said>,
        own: Option<String>,
        limit: usize,
    ) -> Later<'_, Vec<Judged>> {
        Box::pin(async move { Ok(self.latest_verdicts(said, own.as_deref(), limit).await?) })
    }

    fn suggestions(&self, own: Option<String>, limit: usize) -> Later<'_, Vec<Suggestion>> {
        Box::pin(async move { Ok(self.suggestions(own.as_deref(), limit).await?) })
    }

    fn settle(&self, word: Word, settle: Settle) -> Later<'_, Settlement> {
        Box::pin(async move { self.settle(&word, settle).await })
    }
}
