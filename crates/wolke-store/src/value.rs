//! Values that go into and come out of statements: the common denominator of both engines.

use wolke_domain::{Error, Result};
use wolke_wire::Timestamp;

/// A column or parameter: BIGINT, TEXT, BLOB/BYTEA or NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT; also booleans (0, 1) and timestamps (milliseconds).
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<Timestamp> for Value {
    fn from(v: Timestamp) -> Self {
        Self::Int(v.0)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Blob(v)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer. Reading a column of the wrong type is an internal error that names the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> Result<&Value> {
        self.0.get(column).ok_or_else(|| Error::internal(format!("row has no column {column}")))
    }

    /// A BIGINT that is not null.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn int(&self, column: usize) -> Result<i64> {
        match self.at(column)? {
            Value::Int(v) => Ok(*v),
            other => Err(Error::internal(format!("column {column}: expected an integer, found {other:?}"))),
        }
    }

    /// A BIGINT or null.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self.at(column)? {
            Value::Null => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// A boolean stored as 0 or 1.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn flag(&self, column: usize) -> Result<bool> {
        self.int(column).map(|v| v != 0)
    }

    /// A timestamp in milliseconds.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn time(&self, column: usize) -> Result<Timestamp> {
        self.int(column).map(Timestamp)
    }

    /// A TEXT that is not null.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn text(&self, column: usize) -> Result<&str> {
        match self.at(column)? {
            Value::Text(v) => Ok(v),
            other => Err(Error::internal(format!("column {column}: expected text, found {other:?}"))),
        }
    }

    /// A TEXT or null.
    ///
    /// # Errors
    /// Internal, when the column holds something else.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>> {
        match self.at(column)? {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// A JSON document stored as TEXT.
    ///
    /// # Errors
    /// Internal, when the document does not have the shape of `T`.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T> {
        serde_json::from_str(self.text(column)?)
            .map_err(|e| Error::internal(format!("column {column}: broken document: {e}")))
    }
}

/// A document as the TEXT that is stored.
///
/// # Errors
/// Internal, when the value cannot be written as JSON.
pub fn json_text<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(|e| Error::internal(format!("cannot write document: {e}")))
}
