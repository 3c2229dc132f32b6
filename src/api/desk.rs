//! Where requests do their work on the accounts: blocking threads with connections of their own.

use super::{Book, Calls, Problem};
use crate::accounts::{Accounts, Actor, Bearer, Vault};
use crate::domain::Timestamp;
use axum::http::StatusCode;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections to the database at once.
const CONNECTIONS: usize = 4;
/// Most requests at work at once, those included that wait for a connection.
const REQUESTS: usize = 64;

/// What requests share.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    data_dir: PathBuf,
    vault: Vault,
    calls: Arc<dyn Calls>,
    book: Arc<dyn Book>,
    now: fn() -> Timestamp,
    idle: Mutex<Vec<Accounts>>,
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    /// Files are large: one is read at a time.
    files: Arc<Semaphore>,
}

impl Desk {
    /// Over the accounts in `data_dir`, whose passwords `vault` seals, and the service that decides
    /// `calls`; verdicts go into `book`; `now` is the clock.
    #[must_use]
    pub fn new(
        data_dir: &Path,
        vault: Vault,
        calls: Arc<dyn Calls>,
        book: Arc<dyn Book>,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                data_dir: data_dir.to_owned(),
                vault,
                calls,
                book,
                now,
                idle: Mutex::default(),
                connections: Arc::new(Semaphore::new(CONNECTIONS)),
                requests: Arc::new(Semaphore::new(REQUESTS)),
                files: Arc::new(Semaphore::new(1)),
            }),
        }
    }

    /// What passwords are sealed with.
    pub(super) fn vault(&self) -> Vault {
        self.inner.vault.clone()
    }

    /// The service that decides calls.
    pub(super) fn calls(&self) -> Arc<dyn Calls> {
        Arc::clone(&self.inner.calls)
    }

    /// Where verdicts are kept.
    pub(super) fn book(&self) -> Arc<dyn Book> {
        Arc::clone(&self.inner.book)
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        (self.inner.now)()
    }

    /// A place for a request, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.requests).try_acquire_owned().ok()
    }

    /// The place for a request with a whole file, when it is free.
    pub(super) async fn place_for_file(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.files).acquire_owned().await.ok()
    }

    /// Does work on the accounts in somebody's name, where it may wait for the disk.
    pub(super) async fn work<T, E>(
        &self,
        actor: Actor,
        work: impl FnOnce(&mut Accounts, Timestamp) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let permit = Arc::clone(&self.inner.connections).acquire_owned().await;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut accounts = inner.take()?;
            accounts.act_as(actor);
            let done = work(&mut accounts, (inner.now)()).map_err(Into::into);
            inner.give_back(accounts);
            done
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request ended by a defect");
            let detail = "a defect: the service's log has its message";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
        })
    }

    /// Who is behind a token, if it is one.
    pub(super) async fn bearer(&self, token: String) -> Result<Option<Bearer>, Problem> {
        self.work(Actor::Program, move |accounts, now| {
            accounts.bearer(&token, now)
        })
        .await
    }
}

impl Inner {
    fn take(&self) -> Result<Accounts, Problem> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(accounts) => Ok(accounts),
            None => Accounts::open(&self.data_dir, (self.now)()).map_err(Problem::from),
        }
    }

    fn give_back(&self, accounts: Accounts) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(accounts);
    }
}
