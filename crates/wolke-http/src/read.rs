//! Reading bodies: bytes to a JSON value, bounded in size, time and depth.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use std::time::Duration;
use wolke_domain::{Error, Result};
use wolke_wire::ErrorCode;

/// The largest body that is read, in bytes. The contract's largest request is user data of 32 KiB.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a client may take for its body.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Reads a body. The content type does not matter, and neither does an absent body (fact sheet §1).
///
/// # Errors
/// `json_error` for a syntax error; `invalid_input` for a body that is too large: the contract has no code of its own for
/// that, and its status 413 is none that clients know.
pub async fn json(body: Body) -> Result<Value> {
    let bytes = bytes(body).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    // serde_json bounds the depth, and takes the last of duplicate members.
    serde_json::from_slice(&bytes).map_err(|e| {
        Error::refused(
            ErrorCode::JsonError,
            format!("the request body is not valid JSON (line {}, column {})", e.line(), e.column()),
        )
    })
}

/// The bytes of a body.
///
/// # Errors
/// As [`json`].
pub async fn bytes(body: Body) -> Result<Bytes> {
    let collected = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::InvalidInput {
            fields: Vec::new(),
            message: Some(format!("the request body is larger than {BODY_BYTES_MAX} bytes")),
        }),
        Ok(Err(_)) | Err(_) => Err(Error::refused(ErrorCode::JsonError, "the request body is incomplete")),
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY_BYTES_MAX, json};
    use axum::body::Body;
    use serde_json::{Value, json};
    use wolke_wire::ErrorCode;

    async fn read(text: impl Into<Body>) -> Result<Value, (ErrorCode, String)> {
        json(text.into()).await.map_err(|e| (e.code(), e.message()))
    }

    #[tokio::test]
    async fn bodies() {
        assert_eq!(read("").await, Ok(Value::Null));
        assert_eq!(read(" \n").await, Ok(Value::Null));
        assert_eq!(read("null").await, Ok(Value::Null));
        assert_eq!(read(r#"{"a":1,"a":2}"#).await, Ok(json!({"a": 2})));
        assert_eq!(read("{\n\"a\":}").await.unwrap_err().0, ErrorCode::JsonError);
        assert_eq!(read("{} {}").await.unwrap_err().0, ErrorCode::JsonError);
        assert_eq!(read(&b"\"\xff\""[..]).await.unwrap_err().0, ErrorCode::JsonError);
        assert_eq!(read("[".repeat(200)).await.unwrap_err().0, ErrorCode::JsonError, "too deep");
        assert_eq!(read(" ".repeat(BODY_BYTES_MAX + 1)).await.unwrap_err().0, ErrorCode::InvalidInput);
    }
}
