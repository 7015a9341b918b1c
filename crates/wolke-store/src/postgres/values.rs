//! Values to and from PostgreSQL's binary forms: BIGINT, TEXT and BYTEA, nothing else.

use crate::value::{Row, Value};
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type};
use std::error::Error as StdError;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(v), &Type::INT8) => v.to_sql(ty, out),
            (Self::Text(v), &Type::TEXT) => v.to_sql(ty, out),
            (Self::Blob(v), &Type::BYTEA) => v.to_sql(ty, out),
            (value, ty) => Err(format!("{value:?} was given for a parameter of type {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    postgres::types::to_sql_checked!();
}

/// A row as the rest of the house sees it.
pub(crate) fn row(from: &postgres::Row) -> Result<Row, postgres::Error> {
    let mut values = Vec::with_capacity(from.len());
    for (index, column) in from.columns().iter().enumerate() {
        values.push(match *column.type_() {
            Type::INT8 => from.try_get::<_, Option<i64>>(index)?.into(),
            Type::BYTEA => from.try_get::<_, Option<Vec<u8>>>(index)?.into(),
            // Any other type is refused by the conversion, which names the column.
            _ => from.try_get::<_, Option<String>>(index)?.into(),
        });
    }
    Ok(Row(values))
}
