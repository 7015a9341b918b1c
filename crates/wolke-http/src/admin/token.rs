//! Tokens.

use super::types::{CreatedToken, FindToken, NewToken, Token};
use super::{Admin, Answer, Refused, Shown, request};
use axum::body::Body;
use axum::extract::{Path, State};
use http::StatusCode;
use std::sync::Arc;
use wolke_domain::Error;

fn shown(token: wolke_control::admin::Token) -> Token {
    let wolke_control::admin::Token { id, name, project, writes, dialect, created, .. } = token;
    Token { id, name, project, writes, dialect, created }
}

/// `GET /tokens`.
pub async fn list(State(admin): State<Arc<Admin>>) -> Answer<Vec<Token>> {
    let tokens = admin.control.list_tokens().await?;
    Ok(Shown(StatusCode::OK, tokens.into_iter().map(shown).collect()))
}

/// `POST /tokens`.
pub async fn create(State(admin): State<Arc<Admin>>, body: Body) -> Answer<CreatedToken> {
    let new: NewToken = request(body).await?;
    let (made, secret) = admin.control.create_token(&new.project, &new.name, new.writes, new.dialect).await?;
    Ok(Shown(StatusCode::CREATED, CreatedToken { token: shown(made), secret }))
}

/// `POST /tokens/find`.
pub async fn find(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Option<Token>> {
    let asked: FindToken = request(body).await?;
    Ok(Shown(StatusCode::OK, admin.control.authenticate(&asked.secret).await?.map(shown)))
}

/// `DELETE /tokens/{id}`.
pub async fn delete(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let no_such = || Error::NotFound { message: format!("token with ID '{id}' not found") };
    admin.control.delete_token(id.parse().map_err(|_| no_such())?).await?;
    Ok(StatusCode::NO_CONTENT)
}
