//! Tokens.

use super::types::{CreatedToken, NewToken, Token};
use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use std::sync::Arc;
use wolke_domain::Error;

/// `GET /tokens`.
pub async fn list(State(admin): State<Arc<Admin>>) -> Answer<Vec<Token>> {
    let tokens = admin.control.list_tokens().await?;
    let shown = tokens.into_iter().map(|t| Token {
        id: t.id,
        name: t.name,
        project: t.project,
        writes: t.writes,
        dialect: t.dialect,
        created: t.created,
    });
    Ok(Shown(StatusCode::OK, shown.collect()))
}

/// `POST /tokens`.
pub async fn create(State(admin): State<Arc<Admin>>, body: Body) -> Answer<CreatedToken> {
    let new: NewToken = request(body).await?;
    let (made, secret) = admin.control.create_token(&new.project, &new.name, new.writes, new.dialect).await?;
    let token = Token {
        id: made.id,
        name: made.name,
        project: made.project,
        writes: made.writes,
        dialect: made.dialect,
        created: made.created,
    };
    Ok(Shown(StatusCode::CREATED, CreatedToken { token, secret }))
}

/// `DELETE /tokens/{id}`.
pub async fn delete(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let no_such = || Error::NotFound { message: format!("token with ID '{id}' not found") };
    admin.control.delete_token(id.parse().map_err(|_| no_such())?).await?;
    Ok(StatusCode::NO_CONTENT)
}
