//! A database whose rows were edited by somebody who knows the schema: values of any content in any column, blobs
//! changed, rows lost, doubled or exchanged. In half of the executions the checksums are those of the edited rows.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use persea::store::{Database, accept_edits};
use persea_fuzz::{databases, edited, setting};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

struct Whole {
    folder: PathBuf,
    sqlite: Vec<u8>,
    /// Tables that have rows, with their columns, the key's first.
    tables: Vec<Table>,
}

struct Table {
    name: String,
    columns: Vec<String>,
    keys: Vec<String>,
    n_rows: u64,
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(names)?;
    let names = names.query_map([], |r| r.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let mut tables = Vec::new();
    for name in names {
        let sql = format!("SELECT count(*) FROM {name}");
        let n_rows: i64 = connection.query_row(&sql, [], |r| r.get(0))?;
        let mut info = connection.prepare(&format!("PRAGMA table_info({name})"))?;
        let columns = info.query_map([], |r| Ok((r.get(1)?, r.get(5)?)))?;
        let columns: Vec<(String, i64)> = columns.collect::<rusqlite::Result<_>>()?;
        let keys = columns.iter().filter(|(_, key)| *key > 0);
        let mut keys: Vec<String> = keys.map(|(name, _)| name.clone()).collect();
        if keys.is_empty() {
            keys.push("rowid".into());
        }
        if n_rows > 0 {
            tables.push(Table {
                name,
                columns: columns.into_iter().map(|(name, _)| name).collect(),
                keys,
                n_rows: n_rows.unsigned_abs(),
            });
        }
    }
    Ok(tables)
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = setting().path("tables.persea");
        databases::make(&folder);
        let sqlite = folder.join("persea.sqlite");
        let tables = Connection::open(&sqlite).and_then(|c| tables(&c));
        let tables = tables.expect("it can be opened");
        let findings = Database::open(&folder).and_then(|d| d.check());
        let findings = findings.expect("it can be opened");
        assert!(findings.is_empty(), "{findings:?}");
        let _ = fs::remove_file(folder.join("persea.sqlite-wal"));
        let _ = fs::remove_file(folder.join("persea.sqlite-shm"));
        Whole {
            sqlite: fs::read(&sqlite).unwrap(),
            folder,
            tables,
        }
    })
}

/// One edit: table, column, two rows, what is done, and seven bytes of content. Edits that a rule of SQLite forbids
/// change nothing.
fn edit(connection: &Connection, tables: &[Table], bytes: &[u8; 12]) -> rusqlite::Result<()> {
    let table = &tables[usize::from(bytes[0]) % tables.len()];
    let column = &table.columns[usize::from(bytes[1]) % table.columns.len()];
    let row = |byte: u8| u64::from(byte) % table.n_rows;
    let (name, keys) = (&table.name, table.keys.join(", "));
    let place = |byte: u8| {
        format!(
            "({keys}) = (SELECT {keys} FROM {name} ORDER BY {keys} LIMIT 1 OFFSET {})",
            row(byte)
        )
    };
    let (here, there) = (place(bytes[2]), place(bytes[3]));
    let content = &bytes[5..];
    let set = |value: Value| {
        let sql = format!("UPDATE {name} SET {column} = ?1 WHERE {here}");
        connection.execute(&sql, params![value]).map(drop)
    };
    let now = || -> rusqlite::Result<Value> {
        let sql = format!("SELECT {column} FROM {name} WHERE {here}");
        connection.query_row(&sql, [], |r| r.get(0))
    };
    let small = i64::from(i32::from_le_bytes([
        content[0], content[1], content[2], content[3],
    ]));
    match bytes[4] % 12 {
        0 => set(Value::Null),
        1 => set(Value::Integer(small)),
        2 => set(Value::Integer(small.wrapping_shl(u32::from(content[4]) % 64))),
        3 => set(Value::Integer(i64::MAX - i64::from(content[0]))),
        4 => set(Value::Real(f64::from_bits(u64::from_le_bytes([
            0, content[0], content[1], content[2], content[3], content[4], content[5], content[6],
        ])))),
        5 => set(Value::Text(String::from_utf8_lossy(content).into_owned())),
        6 | 7 => match now()? {
            Value::Blob(blob) => set(Value::Blob(edited(&blob, &content[..5]))),
            Value::Text(text) => {
                let text = edited(text.as_bytes(), &content[..5]);
                set(Value::Text(String::from_utf8_lossy(&text).into_owned()))
            }
            Value::Integer(i) => set(Value::Integer(i ^ (1 << (content[0] % 64)))),
            other => set(other),
        },
        8 => set(Value::Blob(content.repeat(usize::from(content[0])))),
        9 => connection
            .execute(&format!("DELETE FROM {name} WHERE {here}"), [])
            .map(drop),
        // Another row's value.
        10 => connection
            .execute(
                &format!("UPDATE OR IGNORE {name} SET {column} = (SELECT {column} FROM {name} WHERE {there}) WHERE {here}"),
                [],
            )
            .map(drop),
        // Deep JSON, and numbers that are none.
        _ => set(Value::Text(match content[0] % 4 {
            0 => "[".repeat(usize::from(content[1]) * 8),
            1 => "{\"a\":".repeat(usize::from(content[1])) + "1" + &"}".repeat(usize::from(content[1])),
            2 => format!("[1e{}, -0, {small}]", content[1]),
            _ => "null".into(),
        })),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, edits)) = data.split_first() else {
        return;
    };
    let whole = whole();
    let sqlite = whole.folder.join("persea.sqlite");
    fs::write(&sqlite, &whole.sqlite).unwrap();
    {
        let connection = Connection::open(&sqlite).unwrap();
        let rules = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF; BEGIN";
        connection.execute_batch(rules).unwrap();
        for bytes in edits.as_chunks::<12>().0.iter().take(8) {
            let _ = edit(&connection, &whole.tables, bytes);
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    if choice % 2 == 0 {
        let _ = accept_edits(&sqlite);
    }
    if let Ok(database) = Database::open(&whole.folder) {
        databases::read_everything(&database);
    }
    let _ = fs::remove_file(whole.folder.join("persea.sqlite-wal"));
    let _ = fs::remove_file(whole.folder.join("persea.sqlite-shm"));
});
