//! Numbered files of SQL, each applied once and then frozen.
//!
//! Two programs may migrate at once, and one may die between a statement and its note: every
//! statement can therefore be repeated (`IF NOT EXISTS`, `OR REPLACE`; a test insists).

use super::client::bounded;
use super::{Store, StoreError};
use clickhouse::Row;
use clickhouse::sql::Identifier;
use serde::Deserialize;
use sha2::{Digest, Sha256};

const TABLE: &str = include_str!("../../sql/store/migrations_table.sql");
const APPLIED: &str = include_str!("../../sql/store/migrations_applied.sql");

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../sql/migrations/", $name, ".sql")),
        }
    };
}

/// All of them, in order. What is released is never edited: add the next number.
const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_calls"),
    migration!(2, "0002_verdicts"),
    migration!(3, "0003_feature_names"),
    migration!(4, "0004_subscriber"),
    migration!(5, "0005_evidence"),
    migration!(6, "0006_verdicts_withdrawn"),
];

/// Why the tables are not as this program needs them.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// ClickHouse did not do as asked; its meaning says whether to try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database was migrated by a later version: use that version of the program.
    #[error(
        "the database has migration {found}, this program knows up to {known}: it is older than its data"
    )]
    Newer {
        /// Highest in the database.
        found: u32,
        /// Highest in the program.
        known: u32,
    },
    /// An applied file is not the one this program has: somebody edited a frozen file.
    #[error(
        "migration {name} was applied with other contents: applied files are frozen, restore it"
    )]
    Changed {
        /// Of the file.
        name: &'static str,
    },
}

#[derive(Row, Deserialize)]
struct Applied {
    version: u32,
    checksum: String,
}

impl Migration {
    fn checksum(&self) -> String {
        let digest = Sha256::digest(self.sql.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The statements: each ends with a semicolon at the end of a line.
    fn statements(&self) -> impl Iterator<Item = &'static str> {
        self.sql
            .split(";\n")
            .map(str::trim)
            .filter(|s| !s.is_empty())
    }
}

impl Store {
    /// Creates the database and brings its tables up to date; says which files were applied.
    ///
    /// # Errors
    /// The database is newer than the program, was made by other files, or ClickHouse failed
    /// (then repeating is safe).
    pub async fn migrate(&self) -> Result<Vec<&'static str>, MigrateError> {
        let create = self.server.query("CREATE DATABASE IF NOT EXISTS ?");
        bounded(create.bind(Identifier(&self.database)).execute()).await?;
        bounded(self.client.query_raw(TABLE).execute()).await?;
        let applied = bounded(self.client.query_raw(APPLIED).fetch_all::<Applied>()).await?;
        let pending = pending(MIGRATIONS, &applied)?;
        for migration in &pending {
            self.apply(migration).await?;
        }
        Ok(pending.iter().map(|migration| migration.name).collect())
    }

    async fn apply(&self, migration: &Migration) -> Result<(), StoreError> {
        for statement in migration.statements() {
            bounded(self.client.query_raw(statement).execute()).await?;
        }
        let note = "INSERT INTO schema_migrations (version, name, checksum) \
                    SELECT {version:UInt32}, {name:String}, {checksum:String}";
        let note = self
            .client
            .query_raw(note)
            .param("version", migration.version)
            .param("name", migration.name)
            .param("checksum", migration.checksum());
        bounded(note.execute()).await
    }
}

fn pending<'m>(
    known: &'m [Migration],
    applied: &[Applied],
) -> Result<Vec<&'m Migration>, MigrateError> {
    let newest = known.last().map_or(0, |migration| migration.version);
    if let Some(found) = applied
        .iter()
        .map(|a| a.version)
        .max()
        .filter(|&v| v > newest)
    {
        return Err(MigrateError::Newer {
            found,
            known: newest,
        });
    }
    let mut pending = Vec::new();
    for migration in known {
        let checksum = migration.checksum();
        let mut notes = applied.iter().filter(|a| a.version == migration.version);
        if notes.clone().any(|note| note.checksum != checksum) {
            return Err(MigrateError::Changed {
                name: migration.name,
            });
        }
        if notes.next().is_none() {
            pending.push(migration);
        }
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order_and_can_be_repeated() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/migrations");
        let files = std::fs::read_dir(dir).expect("lists");
        let mut files: Vec<_> = files
            .map(|entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .into_string()
                    .expect("name")
            })
            .collect();
        files.sort();
        let listed: Vec<_> = MIGRATIONS
            .iter()
            .map(|m| format!("{}.sql", m.name))
            .collect();
        assert_eq!(files, listed);
        for (migration, number) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(migration.version, number);
            assert!(migration.name.starts_with(&format!("{number:04}_")));
            for statement in migration.statements() {
                let code = statement
                    .lines()
                    .find(|l| !l.starts_with("--"))
                    .expect("a statement");
                let repeatable = [
                    "CREATE TABLE IF NOT EXISTS ",
                    "CREATE OR REPLACE VIEW ",
                    "ALTER TABLE ",
                ];
                assert!(repeatable.iter().any(|r| code.starts_with(r)), "{code}");
                assert!(
                    !code.starts_with("ALTER") || code.contains(" IF "),
                    "{code}"
                );
            }
        }
    }

    const KNOWN: &[Migration] = &[
        Migration {
            version: 1,
            name: "0001_a",
            sql: "A;\n",
        },
        Migration {
            version: 2,
            name: "0002_b",
            sql: "B;\nC;\n",
        },
    ];

    fn noted(migration: &Migration) -> Applied {
        Applied {
            version: migration.version,
            checksum: migration.checksum(),
        }
    }

    #[test]
    fn only_what_is_not_noted_is_applied() {
        let names = |applied: &[Applied]| -> Vec<_> {
            let pending = pending(KNOWN, applied).expect("fits");
            pending.iter().map(|m| m.name).collect()
        };
        assert_eq!(names(&[]), ["0001_a", "0002_b"]);
        assert_eq!(names(&[noted(&KNOWN[0])]), ["0002_b"]);
        assert!(names(&[noted(&KNOWN[0]), noted(&KNOWN[1]), noted(&KNOWN[0])]).is_empty());
        assert_eq!(KNOWN[1].statements().collect::<Vec<_>>(), ["B", "C"]);
    }

    #[test]
    fn an_edited_file_and_a_newer_database_are_refused() {
        let edited = Applied {
            version: 1,
            checksum: "other".into(),
        };
        assert!(matches!(
            pending(KNOWN, &[edited]),
            Err(MigrateError::Changed { name: "0001_a" })
        ));
        let newer = Applied {
            version: 3,
            checksum: String::new(),
        };
        assert!(matches!(
            pending(KNOWN, &[newer]),
            Err(MigrateError::Newer { found: 3, known: 2 })
        ));
    }
}
