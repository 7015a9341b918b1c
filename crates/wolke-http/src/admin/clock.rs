//! World time.

use super::types::{AdvanceClock, Clock, Jumped, SetClock, SetClockMode};
use super::{Admin, Answer, Shown, request};
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use std::sync::Arc;
use wolke_control::clock::{ClockView, Jump};

/// The clock as the admin API shows it.
impl From<ClockView> for Clock {
    fn from(view: ClockView) -> Self {
        Self { now: view.now, mode: view.state.mode, rate_permille: view.state.rate_permille }
    }
}

async fn jump(admin: &Admin, jump: Jump) -> Answer<Jumped> {
    let jumped = admin.control.jump_clock(jump).await?;
    let (clock, stops, warning) = (jumped.clock.into(), jumped.stops, jumped.warning);
    Ok(Shown(StatusCode::OK, Jumped { clock, stops, warning }))
}

/// `GET /clock`.
pub async fn show(State(admin): State<Arc<Admin>>) -> Answer<Clock> {
    Ok(Shown(StatusCode::OK, admin.control.clock().await?.into()))
}

/// `POST /clock/mode`.
pub async fn set_mode(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Clock> {
    let set: SetClockMode = request(body).await?;
    Ok(Shown(StatusCode::OK, admin.control.set_clock_mode(set.mode, set.rate_permille).await?.into()))
}

/// `POST /clock/set`.
pub async fn set(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Jumped> {
    let set: SetClock = request(body).await?;
    jump(&admin, Jump::To(set.now)).await
}

/// `POST /clock/advance`.
pub async fn advance(State(admin): State<Arc<Admin>>, body: Body) -> Answer<Jumped> {
    let advance: AdvanceClock = request(body).await?;
    jump(&admin, Jump::By(advance.milliseconds)).await
}
