//! Just enough of the SQL grammar to know what to do with a request: where an INSERT's statement
//! ends and its data begins, which format a result will have, and what must be refused.
//!
//! The engine's library needs them apart. Data left inline after an INSERT is read as far as one
//! buffer and the rest is dropped without an error, so every INSERT with data is cut here and
//! streamed.

use super::exception::Exception;

/// What a text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Statement {
    /// An INSERT followed by data: `text[..head]` is the statement without FORMAT and data, which
    /// begins at `text[data..]`.
    Insert {
        /// Length of the statement proper, bytes.
        head: usize,
        /// Input format, `Values` when none is named.
        format: String,
        /// Offset of the first byte of data.
        data: usize,
    },
    /// Anything else, given to the engine as it is, with the FORMAT clause it ends in.
    Other {
        /// Output format named in the text.
        format: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// A quoted identifier, string, number or heredoc.
    Literal,
    Mark(u8),
}

#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// Cuts `text` into tokens, skipping comments and white space.
struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        let start = self.at;
        let kind = match *self.text.get(start)? {
            quote @ (b'\'' | b'"' | b'`') => {
                self.skip_quoted(quote);
                Kind::Literal
            }
            b'$' if self.skip_heredoc() => Kind::Literal,
            b if b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80 => {
                self.skip_while(|b| {
                    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
                });
                Kind::Word
            }
            mark => {
                self.at += 1;
                Kind::Mark(mark)
            }
        };
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }

    fn skip_while(&mut self, belongs: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|b| belongs(*b)) {
            self.at += 1;
        }
    }

    fn skip_blank(&mut self) {
        loop {
            self.skip_while(|b| b.is_ascii_whitespace() || b == 0x0b || b == 0);
            let rest = &self.text[self.at..];
            if rest.starts_with(b"--") || rest.starts_with(b"# ") || rest.starts_with(b"#!") {
                self.skip_while(|b| b != b'\n');
            } else if rest.starts_with(b"/*") {
                let end = find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
                self.at += end;
            } else {
                return;
            }
        }
    }

    fn skip_quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(b) = self.text.get(self.at) {
            self.at += 1;
            if *b == b'\\' {
                self.at = (self.at + 1).min(self.text.len());
            } else if *b == quote {
                // a doubled quote is one inside
                if self.text.get(self.at) != Some(&quote) {
                    return;
                }
                self.at += 1;
            }
        }
    }

    /// `$tag$ ... $tag$`
    fn skip_heredoc(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(tag) = rest[1..]
            .iter()
            .position(|b| *b == b'$')
            .map(|end| &rest[..end + 2])
        else {
            return false;
        };
        if !tag[1..tag.len() - 1]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            return false;
        }
        let Some(end) = find(&rest[tag.len()..], tag) else {
            return false;
        };
        self.at += tag.len() + end + tag.len();
        true
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

impl Statement {
    /// Looks at `text`, which for an INSERT may end anywhere in its data.
    ///
    /// # Errors
    /// What must not reach the engine: several statements at once, files of the server's machine
    /// named by the client, an INSERT whose data could not be streamed.
    pub fn parse(text: &[u8]) -> Result<Self, Exception> {
        let mut lexer = Lexer { text, at: 0 };
        let is = |token: &Token, word: &str| {
            token.kind == Kind::Word
                && text[token.start..token.end].eq_ignore_ascii_case(word.as_bytes())
        };
        let mut previous: Option<Token> = None;
        let mut depth = 0_u32;
        let mut inserting = false;
        let mut format: Option<Token> = None;
        let mut first = true;
        let mut ended_at = None;
        while let Some(token) = lexer.next() {
            if ended_at.is_some() {
                return Err(Exception::new(
                    Exception::SYNTAX_ERROR,
                    "Multi-statements are not allowed: send one statement per request",
                ));
            }
            let after = |word: &str| previous.as_ref().is_some_and(|p| is(p, word));
            // a name in these places is a name, whatever word it is
            let is_name = after("INTO")
                || after("TABLE")
                || after("FUNCTION")
                || previous.is_some_and(|p| p.kind == Kind::Mark(b'.'));
            match token.kind {
                Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
                Kind::Mark(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                Kind::Mark(b';') if depth == 0 => ended_at = Some(token.start),
                Kind::Word if first && is(&token, "INSERT") => inserting = true,
                Kind::Word
                    if is(&token, "OUTFILE") && after("INTO")
                        || is(&token, "INFILE") && after("FROM") =>
                {
                    return Err(Exception::new(
                        Exception::NOT_IMPLEMENTED,
                        "INTO OUTFILE and FROM INFILE are for a client's own files: send or read the data over HTTP",
                    ));
                }
                // the query of INSERT ... SELECT, which the engine runs by itself
                Kind::Word
                    if inserting
                        && !is_name
                        && (is(&token, "SELECT") || is(&token, "WITH"))
                        && (depth == 0 || previous.is_some_and(|p| p.kind == Kind::Mark(b'('))) =>
                {
                    refuse_input_function(text, &is)?;
                    inserting = false;
                }
                Kind::Word if inserting && depth == 0 && !is_name && is(&token, "VALUES") => {
                    return Ok(Self::Insert {
                        head: token.start,
                        format: "Values".to_owned(),
                        data: token.end,
                    });
                }
                Kind::Word if depth == 0 && !is_name && is(&token, "FORMAT") => {
                    if inserting {
                        return insert_with_format(text, token.start, &mut lexer, &is);
                    }
                    format = lexer.next().filter(|name| name.kind == Kind::Word);
                    previous = format;
                    continue;
                }
                // not the last clause after all: FORMAT was an alias or a column
                _ if depth == 0
                    && format.is_some()
                    && !is(&token, "SETTINGS")
                    && !after("SETTINGS")
                    && previous.is_some_and(|p| format.is_some_and(|f| f.end == p.end)) =>
                {
                    format = None;
                }
                _ => {}
            }
            first = first && matches!(token.kind, Kind::Mark(_));
            previous = Some(token);
        }
        if inserting {
            let head = ended_at.unwrap_or(text.len());
            return Ok(Self::Insert {
                head,
                format: "Values".to_owned(),
                data: text.len(),
            });
        }
        let name =
            |token: Token| String::from_utf8_lossy(&text[token.start..token.end]).into_owned();
        Ok(Self::Other {
            format: format.map(name),
        })
    }
}

/// `INSERT INTO t FORMAT Name` and where its data begins: after the spaces that follow the name and
/// one line end, as in ClickHouse's own parser.
fn insert_with_format(
    text: &[u8],
    head: usize,
    lexer: &mut Lexer<'_>,
    is: &impl Fn(&Token, &str) -> bool,
) -> Result<Statement, Exception> {
    let Some(name) = lexer.next().filter(|token| token.kind == Kind::Word) else {
        return Err(Exception::new(
            Exception::SYNTAX_ERROR,
            "FORMAT without the name of a format",
        ));
    };
    let mut data = name.end;
    while matches!(text.get(data), Some(b' ' | b'\t' | 0x0c)) {
        data += 1;
    }
    if text[data..].starts_with(b"SETTINGS ")
        && lexer.next().is_some_and(|token| is(&token, "SETTINGS"))
    {
        return Err(Exception::new(
            Exception::SYNTAX_ERROR,
            "SETTINGS after FORMAT would be taken for data: write them before FORMAT",
        ));
    }
    if text.get(data) == Some(&b';') {
        data += 1;
    }
    if text.get(data) == Some(&b'\r') {
        data += 1;
    }
    if text.get(data) == Some(&b'\n') {
        data += 1;
    }
    let format = String::from_utf8_lossy(&text[name.start..name.end]).into_owned();
    Ok(Statement::Insert { head, format, data })
}

/// `INSERT INTO t SELECT ... FROM input('...') FORMAT X` carries data behind a SELECT, which the
/// library cannot stream and would silently cut.
fn refuse_input_function(text: &[u8], is: &impl Fn(&Token, &str) -> bool) -> Result<(), Exception> {
    let mut lexer = Lexer { text, at: 0 };
    let mut previous: Option<Token> = None;
    while let Some(token) = lexer.next() {
        if token.kind == Kind::Mark(b'(') && previous.is_some_and(|p| is(&p, "input")) {
            return Err(Exception::new(
                Exception::NOT_IMPLEMENTED,
                "input() is not supported by the embedded engine: insert into a table, then select from it",
            ));
        }
        previous = Some(token);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(text: &str) -> (String, String, String) {
        match Statement::parse(text.as_bytes()) {
            Ok(Statement::Insert { head, format, data }) => {
                (text[..head].to_owned(), format, text[data..].to_owned())
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    fn format_of(text: &str) -> Option<String> {
        match Statement::parse(text.as_bytes()) {
            Ok(Statement::Other { format }) => format,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn an_insert_is_cut_before_its_data() {
        let cases = [
            (
                "INSERT INTO t(`a`,`b`) FORMAT RowBinary",
                "INSERT INTO t(`a`,`b`) ",
                "RowBinary",
                "",
            ),
            (
                "insert into t values (1),('SELECT')",
                "insert into t ",
                "Values",
                " (1),('SELECT')",
            ),
            (
                "INSERT INTO t SETTINGS a=1 FORMAT CSV\n1,2\n",
                "INSERT INTO t SETTINGS a=1 ",
                "CSV",
                "1,2\n",
            ),
            (
                "INSERT INTO t FORMAT CSV  \r\n\n1",
                "INSERT INTO t ",
                "CSV",
                "\n1",
            ),
            (
                "INSERT INTO t FORMAT JSONEachRow {\"a\":1}",
                "INSERT INTO t ",
                "JSONEachRow",
                "{\"a\":1}",
            ),
            (
                "INSERT INTO d.values (format) FORMAT CSV;",
                "INSERT INTO d.values (format) ",
                "CSV",
                "",
            ),
            (
                "/* FORMAT */ INSERT INTO format -- VALUES\n FORMAT TSV\n",
                "/* FORMAT */ INSERT INTO format -- VALUES\n ",
                "TSV",
                "",
            ),
            ("INSERT INTO t (a)", "INSERT INTO t (a)", "Values", ""),
        ];
        for (text, head, format, data) in cases {
            assert_eq!(
                insert(text),
                (head.to_owned(), format.to_owned(), data.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn the_format_of_a_result_is_its_last_clause() {
        assert_eq!(format_of("SELECT 1 FORMAT JSON"), Some("JSON".to_owned()));
        assert_eq!(format_of("SELECT 1 format CSV;"), Some("CSV".to_owned()));
        assert_eq!(
            format_of("SELECT 1 FORMAT CSV SETTINGS max_threads = 1"),
            Some("CSV".to_owned())
        );
        assert_eq!(format_of("SELECT ' FORMAT CSV'"), None);
        assert_eq!(format_of("SELECT 1 -- FORMAT CSV"), None);
        assert_eq!(format_of("SELECT (SELECT 1 FORMAT CSV)"), None);
        assert_eq!(format_of("SELECT t.format FROM t"), None);
        assert_eq!(format_of("SELECT format FROM t, u"), None);
        assert_eq!(
            format_of("INSERT INTO t SELECT * FROM values('a Int8', 1)"),
            None
        );
        assert_eq!(format_of("INSERT INTO t (a) (SELECT 1)"), None);
    }

    #[test]
    fn what_could_lose_rows_or_reach_files_is_refused() {
        for text in [
            "SELECT 1; SELECT 2",
            "SELECT 1 INTO OUTFILE '/tmp/x'",
            "INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV",
            "INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV 1",
            "INSERT INTO t FORMAT CSV SETTINGS a = 1\n1",
        ] {
            assert!(Statement::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
