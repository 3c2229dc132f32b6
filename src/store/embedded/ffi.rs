//! The boundary to `libchdb.so`: the only file of the product with `unsafe` in it.
//!
//! It loads the library at run time (so that building needs neither it nor libclang) and wraps the
//! C API (`chdb.h`, 26.7) in types whose borrows say what the header says in prose: a connection
//! runs one statement at a time, an open stream keeps its connection busy, every handle is
//! destroyed exactly once.
//!
//! Everything here blocks. Call it from a thread that may block, never from an async task.
#![allow(unsafe_code)] // a C library cannot be called without it; every block states its invariant

use std::{
    ffi::{CStr, CString, OsStr, c_char, c_int, c_void},
    marker::PhantomData,
    mem::ManuallyDrop,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::NonNull,
};

use bytes::Bytes;

use super::EmbeddedError;
use super::exception::Exception;

/// `chdb_connection` of the header: opaque, owned by the library.
type RawConnection = *mut c_void;
/// `chdb_result *`.
type RawResult = *mut c_void;
/// `chdb_insert_stream`.
type RawInsert = *mut c_void;

type QueryFn = unsafe extern "C" fn(
    RawConnection,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> RawResult;
type InsertFn = unsafe extern "C" fn(
    RawConnection,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> RawInsert;

/// The entry points in use. Names are those of the header without the `chdb_` prefix.
struct Api {
    version: unsafe extern "C" fn() -> *const c_char,
    set_signal_handlers_enabled: unsafe extern "C" fn(c_int),
    shutdown: unsafe extern "C" fn() -> c_int,
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut RawConnection,
    close_conn: unsafe extern "C" fn(*mut RawConnection),
    query: QueryFn,
    stream_query: QueryFn,
    stream_fetch_result: unsafe extern "C" fn(RawConnection, RawResult) -> RawResult,
    stream_cancel_query: unsafe extern "C" fn(RawConnection, RawResult),
    destroy_query_result: unsafe extern "C" fn(RawResult),
    result_buffer: unsafe extern "C" fn(RawResult) -> *mut c_char,
    result_length: unsafe extern "C" fn(RawResult) -> usize,
    result_error: unsafe extern "C" fn(RawResult) -> *const c_char,
    result_rows_read: unsafe extern "C" fn(RawResult) -> u64,
    result_rows_written: unsafe extern "C" fn(RawResult) -> u64,
    result_bytes_written: unsafe extern "C" fn(RawResult) -> u64,
    stream_insert: InsertFn,
    stream_append: unsafe extern "C" fn(RawInsert, *const c_void, usize) -> c_int,
    stream_done: unsafe extern "C" fn(RawInsert) -> RawResult,
    stream_insert_error: unsafe extern "C" fn(RawInsert) -> *const c_char,
    destroy_insert_stream: unsafe extern "C" fn(RawInsert),
    /// Never unloaded: the engine's threads run its code until the process ends.
    _library: ManuallyDrop<libloading::Library>,
}

/// The loaded library. A copy is a reference: it lives as long as the process.
#[derive(Clone, Copy)]
pub struct Library(&'static Api);

impl Library {
    /// Loads `file`, resolves every function in use and switches the library's signal handlers off
    /// (they would take SIGSEGV and SIGABRT from the process and sleep for minutes in them).
    ///
    /// # Errors
    /// [`EmbeddedError::LibraryUnusable`] when the file is not a libchdb of 26.7 or later.
    pub fn load(file: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |source| EmbeddedError::LibraryUnusable {
            file: file.to_owned(),
            source,
        };
        // SAFETY: loading runs the library's initialisers. The file is the one the operator
        // configured or the set-up command fetched and checked by hash; it is a ClickHouse build
        // whose initialisers need nothing from the host.
        let library = unsafe { libloading::Library::new(file) }.map_err(unusable)?;

        macro_rules! symbol {
            ($name:literal) => {
                // SAFETY: the type of the field this initialises is the signature that chdb.h
                // 26.7 declares for this name; `Library` keeps the code mapped for ever.
                *unsafe { library.get($name) }.map_err(unusable)?
            };
        }
        let api = Api {
            version: symbol!(b"chdb_version\0"),
            set_signal_handlers_enabled: symbol!(b"chdb_set_signal_handlers_enabled\0"),
            shutdown: symbol!(b"chdb_shutdown\0"),
            connect: symbol!(b"chdb_connect\0"),
            close_conn: symbol!(b"chdb_close_conn\0"),
            query: symbol!(b"chdb_query_with_params_n\0"),
            stream_query: symbol!(b"chdb_stream_query_with_params_n\0"),
            stream_fetch_result: symbol!(b"chdb_stream_fetch_result\0"),
            stream_cancel_query: symbol!(b"chdb_stream_cancel_query\0"),
            destroy_query_result: symbol!(b"chdb_destroy_query_result\0"),
            result_buffer: symbol!(b"chdb_result_buffer\0"),
            result_length: symbol!(b"chdb_result_length\0"),
            result_error: symbol!(b"chdb_result_error\0"),
            result_rows_read: symbol!(b"chdb_result_rows_read\0"),
            result_rows_written: symbol!(b"chdb_result_rows_written\0"),
            result_bytes_written: symbol!(b"chdb_result_bytes_written\0"),
            stream_insert: symbol!(b"chdb_stream_insert_with_params_n\0"),
            stream_append: symbol!(b"chdb_stream_append\0"),
            stream_done: symbol!(b"chdb_stream_done\0"),
            stream_insert_error: symbol!(b"chdb_stream_insert_error\0"),
            destroy_insert_stream: symbol!(b"chdb_destroy_insert_stream\0"),
            _library: ManuallyDrop::new(library),
        };
        // SAFETY: takes an int, sets a process-wide flag and resets handlers to their defaults;
        // documented to be called before the first connection, which only `self` can open.
        unsafe { (api.set_signal_handlers_enabled)(0) };
        Ok(Self(Box::leak(Box::new(api))))
    }

    /// The library's version, for instance `26.7.3`.
    #[must_use]
    pub fn version(self) -> String {
        // SAFETY: no arguments; returns a static NUL-terminated string.
        unsafe { text((self.0.version)()) }.unwrap_or_default()
    }

    /// Opens a connection to the data directory `path`, created when missing.
    /// The first one boots the engine (about 0.3 s); later ones must name the same path.
    ///
    /// # Errors
    /// [`EmbeddedError::EngineRefused`]; the engine writes the reason to standard error.
    pub fn connect(self, path: &Path, arguments: &[&str]) -> Result<Connection, EmbeddedError> {
        let refused = || EmbeddedError::EngineRefused {
            path: path.to_owned(),
        };
        let mut path_argument = b"--path=".to_vec();
        path_argument.extend_from_slice(OsStr::as_bytes(path.as_os_str()));
        let mut owned = vec![CString::from(c"clickhouse")];
        owned.push(CString::new(path_argument).map_err(|_| refused())?);
        for argument in arguments {
            owned.push(CString::new(*argument).map_err(|_| refused())?);
        }
        let mut argv: Vec<*mut c_char> = owned.iter().map(|a| a.as_ptr().cast_mut()).collect();
        let argc = c_int::try_from(argv.len()).map_err(|_| refused())?;
        // SAFETY: `argv` holds `argc` pointers to NUL-terminated strings that `owned` keeps alive
        // over the call; the library copies them and does not write to them.
        let raw = unsafe { (self.0.connect)(argc, argv.as_mut_ptr()) };
        let raw = NonNull::new(raw).ok_or_else(refused)?;
        Ok(Connection { api: self.0, raw })
    }

    /// Stops the engine: every thread it started is joined. Close all connections first; no
    /// connection can be opened afterwards. Returns whether everything stopped.
    #[must_use]
    pub fn shutdown(self) -> bool {
        // SAFETY: no arguments; serialised by the library; refuses by itself while a connection
        // is open.
        unsafe { (self.0.shutdown)() == 0 }
    }
}

/// One connection: a session of its own (settings, current database, temporary tables).
pub struct Connection {
    api: &'static Api,
    raw: NonNull<RawConnection>,
}

// SAFETY: the handle has no thread affinity (the library runs statements on its own threads and
// documents the connection calls as thread-safe); it is not `Sync`, so one thread uses it at a time.
unsafe impl Send for Connection {}

impl Connection {
    fn handle(&self) -> RawConnection {
        // SAFETY: `raw` came from `chdb_connect`, is non-null, and is freed only in `drop`.
        unsafe { *self.raw.as_ptr() }
    }

    /// Runs a statement and keeps its whole output in memory: for statements with little of it.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn execute(
        &mut self,
        sql: &[u8],
        format: &str,
        params: &Params,
    ) -> Result<Output, Exception> {
        let raw = self.start(self.api.query, sql, format, params);
        let result = QueryResult::new(self.api, raw)?;
        Ok(Output {
            body: result.bytes(),
            rows_read: result.rows_read(),
            rows_written: result.rows_written(),
            bytes_written: result.bytes_written(),
        })
    }

    /// Starts a query whose result is fetched piece by piece.
    ///
    /// # Errors
    /// The engine's exception, when it came before the first row.
    pub fn stream(
        &mut self,
        sql: &[u8],
        format: &str,
        params: &Params,
    ) -> Result<ResultStream<'_>, Exception> {
        let raw = self.start(self.api.stream_query, sql, format, params);
        let result = QueryResult::new(self.api, raw)?;
        Ok(ResultStream {
            connection: self,
            result,
            finished: false,
        })
    }

    /// Starts an INSERT: `sql` without FORMAT clause and without data.
    ///
    /// # Errors
    /// The engine's exception, for instance for a table that does not exist.
    pub fn insert(
        &mut self,
        sql: &[u8],
        format: &str,
        params: &Params,
    ) -> Result<InsertStream<'_>, Exception> {
        let raw = self.start(self.api.stream_insert, sql, format, params);
        let raw = NonNull::new(raw).ok_or_else(Exception::no_answer)?;
        let stream = InsertStream {
            api: self.api,
            raw,
            _connection: PhantomData,
        };
        match stream.error() {
            Some(exception) => Err(exception),
            None => Ok(stream),
        }
    }

    fn start(&mut self, call: QueryFn, sql: &[u8], format: &str, params: &Params) -> *mut c_void {
        let names: Vec<_> = params
            .0
            .iter()
            .map(|(name, _)| name.as_ptr().cast())
            .collect();
        let name_lens: Vec<_> = params.0.iter().map(|(name, _)| name.len()).collect();
        let values: Vec<_> = params
            .0
            .iter()
            .map(|(_, value)| value.as_ptr().cast())
            .collect();
        let value_lens: Vec<_> = params.0.iter().map(|(_, value)| value.len()).collect();
        // SAFETY: the connection is open and, being borrowed exclusively, runs no other statement.
        // All pointers are valid for the lengths beside them over the call; the four arrays have
        // `params.len()` elements; the library copies what it keeps.
        unsafe {
            call(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lens.as_ptr(),
                values.as_ptr(),
                value_lens.as_ptr(),
                params.0.len(),
            )
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: `raw` came from `chdb_connect` and is closed exactly once. Streams borrow the
        // connection, so none is open.
        unsafe { (self.api.close_conn)(self.raw.as_ptr()) };
    }
}

/// Values for the `{name:Type}` placeholders of a statement, bound by the engine.
#[derive(Debug, Default, Clone)]
pub struct Params(pub Vec<(String, String)>);

/// What a statement that was run in one go left.
#[derive(Debug, Default, Clone)]
pub struct Output {
    /// The formatted result.
    pub body: Bytes,
    /// Rows of the result.
    pub rows_read: u64,
    /// Rows written, those of materialised views included.
    pub rows_written: u64,
    /// Bytes written, likewise.
    pub bytes_written: u64,
}

/// Owner of a `chdb_result *` that reported no error.
struct QueryResult {
    api: &'static Api,
    raw: NonNull<c_void>,
}

impl QueryResult {
    fn new(api: &'static Api, raw: RawResult) -> Result<Self, Exception> {
        let raw = NonNull::new(raw).ok_or_else(Exception::no_answer)?;
        let result = Self { api, raw };
        // SAFETY: a live result handle; the text belongs to it and is copied at once.
        match unsafe { text((api.result_error)(raw.as_ptr())) } {
            Some(message) => Err(Exception::parse(message)),
            None => Ok(result),
        }
    }

    fn bytes(&self) -> Bytes {
        // SAFETY: a live result handle.
        let (start, length) = unsafe {
            (
                (self.api.result_buffer)(self.raw.as_ptr()),
                (self.api.result_length)(self.raw.as_ptr()),
            )
        };
        if start.is_null() || length == 0 {
            return Bytes::new();
        }
        // SAFETY: the buffer belongs to the result, has `length` initialised bytes and stays
        // until the result is destroyed; it is copied here.
        Bytes::copy_from_slice(unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }

    fn rows_read(&self) -> u64 {
        // SAFETY: a live result handle.
        unsafe { (self.api.result_rows_read)(self.raw.as_ptr()) }
    }

    fn rows_written(&self) -> u64 {
        // SAFETY: a live result handle.
        unsafe { (self.api.result_rows_written)(self.raw.as_ptr()) }
    }

    fn bytes_written(&self) -> u64 {
        // SAFETY: a live result handle.
        unsafe { (self.api.result_bytes_written)(self.raw.as_ptr()) }
    }
}

impl Drop for QueryResult {
    fn drop(&mut self) {
        // SAFETY: came from the library, non-null, destroyed exactly once.
        unsafe { (self.api.destroy_query_result)(self.raw.as_ptr()) };
    }
}

/// A running query. Dropping it before its end cancels it.
pub struct ResultStream<'c> {
    connection: &'c mut Connection,
    result: QueryResult,
    finished: bool,
}

impl ResultStream<'_> {
    /// The next piece of formatted output, or `None` at the end.
    ///
    /// # Errors
    /// The engine's exception; what was fetched before is not a whole result then.
    pub fn fetch(&mut self) -> Result<Option<Bytes>, Exception> {
        if self.finished {
            return Ok(None);
        }
        let api = self.connection.api;
        // SAFETY: connection and stream are alive, and borrowed exclusively by `self`.
        let raw = unsafe {
            (api.stream_fetch_result)(self.connection.handle(), self.result.raw.as_ptr())
        };
        let piece = QueryResult::new(api, raw)
            .inspect_err(|_| self.finished = true)?
            .bytes();
        self.finished = piece.is_empty();
        Ok((!self.finished).then_some(piece))
    }
}

impl Drop for ResultStream<'_> {
    fn drop(&mut self) {
        if !self.finished {
            let api = self.connection.api;
            // SAFETY: connection and stream are alive; the handle itself is freed by
            // `QueryResult::drop`, which runs after this.
            unsafe {
                (api.stream_cancel_query)(self.connection.handle(), self.result.raw.as_ptr());
            }
        }
    }
}

/// An open INSERT. Dropping it without [`finish`](Self::finish) cancels it: blocks the engine had
/// already written stay (ClickHouse's semantics), the others are never written.
pub struct InsertStream<'c> {
    api: &'static Api,
    raw: NonNull<c_void>,
    _connection: PhantomData<&'c mut Connection>,
}

impl InsertStream<'_> {
    /// Hands over a piece of the data, cut anywhere. Blocks when the engine is behind.
    ///
    /// # Errors
    /// The engine's exception, for instance for data that does not parse.
    pub fn append(&mut self, data: &[u8]) -> Result<(), Exception> {
        // SAFETY: the stream is alive; `data` is readable for its length and copied by the library.
        let state = unsafe {
            (self.api.stream_append)(self.raw.as_ptr(), data.as_ptr().cast(), data.len())
        };
        if state == 0 {
            return Ok(());
        }
        Err(self.error().unwrap_or_else(Exception::no_answer))
    }

    /// Ends the data and commits; the rows and bytes the engine says it wrote.
    ///
    /// # Errors
    /// The engine's exception.
    pub fn finish(self) -> Result<Output, Exception> {
        // SAFETY: the stream is alive and, `self` being consumed, finished at most once; the
        // handle is freed by `drop`.
        let result = QueryResult::new(self.api, unsafe {
            (self.api.stream_done)(self.raw.as_ptr())
        })?;
        Ok(Output {
            body: Bytes::new(),
            rows_read: 0,
            rows_written: result.rows_written(),
            bytes_written: result.bytes_written(),
        })
    }

    fn error(&self) -> Option<Exception> {
        // SAFETY: the stream is alive; the text belongs to it and is copied at once.
        unsafe { text((self.api.stream_insert_error)(self.raw.as_ptr())) }.map(Exception::parse)
    }
}

impl Drop for InsertStream<'_> {
    fn drop(&mut self) {
        // SAFETY: came from the library, non-null, destroyed exactly once; its connection is
        // still borrowed. Cancels first when it was not finished (chdb.h).
        unsafe { (self.api.destroy_insert_stream)(self.raw.as_ptr()) };
    }
}

/// Copies a C string; `None` for null.
///
/// # Safety
/// `pointer` is null or NUL-terminated and stays valid over the call.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(
        unsafe { CStr::from_ptr(pointer) }
            .to_string_lossy()
            .into_owned(),
    )
}
