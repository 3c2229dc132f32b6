//! The engine as the HTTP side sees it: sessions on one data directory, bounded in number.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    EmbeddedError,
    exception::Exception,
    ffi::{Connection, Library, Params},
};

/// Requests that may wait for a session; beyond it they are refused at once.
const MAX_WAITING: usize = 256;
/// How long a request waits for a session.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The running engine.
///
/// Each request gets a connection of its own, which costs 0.1 ms, and throws it away: settings,
/// current database and temporary tables of one request cannot leak into the next.
pub struct Engine {
    library: Library,
    path: PathBuf,
    sessions: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Keeps the engine up while no request is there. Taken on shutdown.
    keeper: Mutex<Option<Connection>>,
    /// The engine's version, for instance `26.7.2.1`.
    pub version: String,
    /// The engine's time zone.
    pub timezone: String,
}

/// What a request wants to be in effect before its statement runs.
#[derive(Debug, Default, Clone)]
pub struct Session {
    /// Current database.
    pub database: Option<String>,
    /// Settings by name, in the request's order.
    pub settings: Vec<(String, String)>,
    /// Values of `{name:Type}` placeholders.
    pub params: Params,
    /// Refuse to change anything (GET requests, as ClickHouse does).
    pub readonly: bool,
}

impl Engine {
    /// Boots the engine on `path` (about 0.2 s; more with many parts to load).
    ///
    /// # Errors
    /// The engine refuses the directory, or cannot answer a first query.
    pub fn open(library: Library, path: &Path, sessions: usize) -> Result<Self, EmbeddedError> {
        let mut keeper = library.connect(path, &[])?;
        let mut ask = |sql: &str| {
            keeper
                .execute(sql.as_bytes(), "TabSeparatedRaw", &Params::default())
                .map(|output| String::from_utf8_lossy(&output.body).trim().to_owned())
                .map_err(|source| EmbeddedError::EngineBroken {
                    path: path.to_owned(),
                    source,
                })
        };
        let version = ask("SELECT version()")?;
        let timezone = ask("SELECT timezone()")?;
        Ok(Self {
            library,
            path: path.to_owned(),
            sessions: Arc::new(Semaphore::new(sessions)),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            keeper: Mutex::new(Some(keeper)),
            version,
            timezone,
        })
    }

    /// Waits for the right to open a session. Held until the session is closed.
    ///
    /// # Errors
    /// Too many wait already, or it took too long.
    pub async fn permit(&self) -> Result<OwnedSemaphorePermit, Exception> {
        let busy = || Exception::new(Exception::TOO_MANY_QUERIES, "Too many simultaneous queries");
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.sessions).acquire_owned();
        tokio::time::timeout(MAX_WAIT, permit)
            .await
            .map_err(|_| busy())?
            .map_err(|_| busy())
    }

    /// Opens a session. Blocks.
    ///
    /// # Errors
    /// The engine's exception for an unknown database or setting.
    pub fn session(&self, session: &Session) -> Result<Connection, Exception> {
        let mut connection = self
            .library
            .connect(&self.path, &[])
            .map_err(|error| Exception::new(Exception::UNKNOWN, &error.to_string()))?;
        let mut run = |sql: String| {
            connection
                .execute(sql.as_bytes(), "Null", &Params::default())
                .map(drop)
        };
        // `implicit_select` belongs to the command line tool: `SELEC 1` is a syntax error of a server
        run("SET implicit_select = 0".to_owned())?;
        if let Some(database) = &session.database {
            run(format!("USE {}", quoted(database, '`')))?;
        }
        for (name, value) in &session.settings {
            if !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
            {
                return Err(Exception::new(
                    Exception::BAD_ARGUMENTS,
                    "The name of a setting has other characters than letters, digits, _ and .",
                ));
            }
            // a text is taken for every type of setting, so nothing is interpolated bare
            run(format!("SET {name} = {}", quoted(value, '\'')))?;
        }
        if session.readonly {
            run("SET readonly = 2".to_owned())?;
        }
        Ok(connection)
    }

    /// Waits at most `patience` for running requests, then closes the engine. Whether it could:
    /// otherwise statements still run, and only the end of the process stops them (MergeTree
    /// tables are safe against that).
    pub async fn close(&self, sessions: usize, patience: Duration) -> bool {
        let all = u32::try_from(sessions).unwrap_or(u32::MAX);
        let Ok(Ok(_all)) = tokio::time::timeout(patience, self.sessions.acquire_many(all)).await
        else {
            return false;
        };
        self.sessions.close();
        if let Ok(mut keeper) = self.keeper.lock() {
            keeper.take();
        }
        self.library.shutdown()
    }
}

/// A string literal or a quoted identifier.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        if c == quote || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(quoted(r"a'b\", '\''), r"'a\'b\\'");
        assert_eq!(quoted("a`b", '`'), r"`a\`b`");
    }
}
