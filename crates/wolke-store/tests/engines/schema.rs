//! Schemas: both engines have the same tables, columns, keys and indexes, and a newer one is refused.

use crate::common::{Engine, Place};
use std::collections::{BTreeMap, BTreeSet};
use wolke_store::migrate::Role;

/// Column: its table, its name, its type, whether it may be null.
type Column = (String, String, String, bool);
/// Index or key: its table, whether it is unique, whether it is partial, its columns in order.
type Index = (String, bool, bool, Vec<String>);
/// Foreign key: table and column, table and column referred to.
type Reference = (String, String, String, String);

#[derive(Debug, Default, PartialEq, Eq)]
struct Schema {
    columns: BTreeSet<Column>,
    indexes: BTreeSet<Index>,
    references: BTreeSet<Reference>,
    /// The names of those indexes that were given one.
    names: BTreeMap<String, String>,
}

fn of_sqlite(engine: &Engine) -> Schema {
    let Place::File(path) = &engine.place else { panic!("not a file") };
    let connection = rusqlite::Connection::open(path).unwrap();
    let ask = |sql: &str, columns: usize| -> Vec<Vec<String>> {
        let mut statement = connection.prepare(sql).unwrap();
        let text = |value: rusqlite::types::Value| match value {
            rusqlite::types::Value::Integer(v) => v.to_string(),
            rusqlite::types::Value::Text(v) => v,
            _ => String::new(),
        };
        let rows = statement.query_map([], |row| (0..columns).map(|i| row.get(i).map(text)).collect());
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    let mut schema = Schema::default();
    for table in ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", 1) {
        let table = table[0].clone();
        let mut key = BTreeMap::new();
        for column in ask(&format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')"), 4) {
            let nullable = column[2] == "0" && column[3] == "0";
            schema.columns.insert((table.clone(), column[0].clone(), column[1].clone(), nullable));
            if column[3] != "0" {
                key.insert(column[3].parse::<u32>().unwrap(), column[0].clone());
            }
        }
        schema.indexes.insert((table.clone(), true, false, key.into_values().collect()));
        let list = format!("SELECT name, \"unique\", partial, origin FROM pragma_index_list('{table}')");
        for index in ask(&list, 4) {
            let columns = ask(&format!("SELECT name FROM pragma_index_info('{}') ORDER BY seqno", index[0]), 1);
            let columns = columns.into_iter().map(|c| c[0].clone()).collect();
            schema.indexes.insert((table.clone(), index[1] == "1", index[2] == "1", columns));
            if index[3] == "c" {
                schema.names.insert(index[0].clone(), table.clone());
            }
        }
        let keys = format!("SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list('{table}')");
        for key in ask(&keys, 3) {
            schema.references.insert((table.clone(), key[0].clone(), key[1].clone(), key[2].clone()));
        }
    }
    schema
}

const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES'
    FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'schema_version'";
const INDEXES: &str = "SELECT t.relname::text, i.indisunique, i.indpred IS NOT NULL, c.relname::text, k.conname IS NULL,
    ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS u (attnum, n)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum ORDER BY u.n)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype <> 'f'
    WHERE s.nspname = $1";
const REFERENCES: &str = "SELECT t.relname::text, a.attname::text, f.relname::text, b.attname::text
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
    JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = k.confkey[1]
    WHERE k.contype = 'f' AND s.nspname = $1";

fn of_postgres(engine: &Engine) -> Schema {
    let Place::Schema(url, name) = &engine.place else { panic!("not a schema") };
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let mut schema = Schema::default();
    for row in client.query(COLUMNS, &[name]).unwrap() {
        let ty = match row.get(2) {
            "bigint" => "INTEGER",
            "text" => "TEXT",
            "bytea" => "BLOB",
            other => panic!("column of type {other}"),
        };
        schema.columns.insert((row.get(0), row.get(1), ty.to_owned(), row.get(3)));
    }
    for row in client.query(INDEXES, &[name]).unwrap() {
        schema.indexes.insert((row.get(0), row.get(1), row.get(2), row.get(5)));
        if row.get(4) {
            schema.names.insert(row.get(3), row.get(0));
        }
    }
    for row in client.query(REFERENCES, &[name]).unwrap() {
        schema.references.insert((row.get(0), row.get(1), row.get(2), row.get(3)));
    }
    schema
}

#[test]
fn both_engines_have_the_same_schema() {
    for role in [Role::Root, Role::World] {
        let sqlite = of_sqlite(&Engine::sqlite(role));
        assert!(sqlite.columns.len() > 10 && !sqlite.names.is_empty(), "nothing was read");
        if let Some(engine) = Engine::postgres("both_engines_have_the_same_schema", role) {
            assert_eq!(sqlite, of_postgres(&engine), "{role:?}");
        }
    }
}

crate::on_both_engines!(World: a_newer_schema_is_refused);

fn a_newer_schema_is_refused(engine: &Engine) {
    assert!(engine.again().is_ok());
    match &engine.place {
        Place::File(path) => {
            rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        }
        Place::Schema(url, schema) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            client.batch_execute(&format!("UPDATE \"{schema}\".schema_version SET version = 99")).unwrap();
        }
    }
    let error = engine.again().err().map(|e| e.to_string()).unwrap();
    assert!(error.contains("use a newer release"), "{error}");
}
