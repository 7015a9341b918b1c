//! How commands reach the control plane: through the admin socket of a running server, or by being one for a moment.
//!
//! Both ways end in the same routes of the admin API, so a command cannot tell them apart.

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::directory::{Directory, Lock, Taken};
use crate::failure::{Failure, Result};
use crate::installation::Installation;
use crate::socket;
use axum::Router;
use axum::body::{Body, Bytes};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;
use wolke_http::admin::types::Status;
use wolke_http::admin::{self, Admin};

/// How long a short command may hold the directory before another gives up waiting for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two looks at a directory that is held.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// The directory of the server that runs on these settings; none when none does. Without `--ephemeral`, a server that
/// keeps its state comes before one that does not.
pub async fn server(settings: &Settings) -> Option<Directory> {
    let directories = match settings.ephemeral {
        true => vec![Directory::ephemeral(settings)],
        false => vec![Directory::persistent(settings), Directory::ephemeral(settings)],
    };
    for directory in directories {
        if is_server(&directory).await {
            return Some(directory);
        }
    }
    None
}

/// Whether a server answers in this directory.
pub async fn is_server(directory: &Directory) -> bool {
    socket::connect(&directory.socket()).await.is_some()
}

/// Takes a directory, waiting a little while `give_up` thinks that its holder will not keep it.
///
/// # Errors
/// A failure of the file system; inside, who holds it.
pub async fn hold(
    directory: &Directory,
    command: &str,
    give_up: impl Fn(&Taken) -> bool,
) -> Result<Result<Lock, Taken>> {
    let most = PATIENCE.as_millis() / LOOK_AGAIN.as_millis();
    let mut looks = 0;
    loop {
        match directory.lock(command)? {
            // At least two looks: `wolke doctor` may be looking, too, and then the name is that of a dead holder.
            Err(taken) if looks < most && (looks == 0 || !give_up(&taken)) => {
                looks += 1;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            outcome => return Ok(outcome),
        }
    }
}

/// A way to the admin API.
pub enum Access {
    /// Of a running server.
    Server(Directory),
    /// Of this process.
    Own(Box<Own>),
}

/// The admin API of a control plane whose Cloud API is at `endpoint`.
pub fn admin_routes(settings: &Settings, installation: &Installation, endpoint: String) -> Router {
    let engine = match (&settings.database, settings.ephemeral) {
        (Some(_), _) => "postgresql",
        (None, true) => "memory",
        (None, false) => "sqlite",
    };
    let status = Status {
        version: env!("CARGO_PKG_VERSION").into(),
        engine: engine.into(),
        endpoint,
        dialect: settings.dialect,
        pid: std::process::id(),
    };
    admin::router(Arc::new(Admin { control: Arc::clone(&installation.control), status }))
}

/// A control plane without a server.
pub struct Own {
    routes: Router,
    installation: Installation,
    lock: Option<Lock>,
}

impl Access {
    /// Finds a server or opens the databases.
    ///
    /// # Errors
    /// When neither works.
    pub async fn open(settings: &Settings, command: &str) -> Result<Self> {
        if let Some(directory) = server(settings).await {
            return Ok(Self::Server(directory));
        }
        let directory = Directory::of(settings);
        if directory.is_ephemeral() {
            return Err(Failure::new("no ephemeral server is running here, and nothing else remembers its state"));
        }
        check_installed(settings, &directory)?;
        let lock = match &settings.database {
            // The database coordinates: the directory need not be ours.
            Some(_) => None,
            // A server that is starting holds the directory before it has a socket.
            None => match hold(&directory, command, |_| false).await? {
                Ok(lock) => Some(lock),
                Err(_) if socket::connect(&directory.socket()).await.is_some() => return Ok(Self::Server(directory)),
                Err(taken) => return Err(taken.into()),
            },
        };
        let installation = Installation::open(settings, &directory, Arc::new(SystemClock::new())).await?;
        let routes = admin_routes(settings, &installation, String::new());
        Ok(Self::Own(Box::new(Own { routes, installation, lock })))
    }

    /// Whether a server answers.
    pub const fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// Asks the admin API.
    ///
    /// # Errors
    /// The API's refusal, in its words; or when the server went away.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let bytes = self.bytes(method, path, body).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes)
            .map_err(|e| Failure::new(format!("the server answered with what is no JSON: {e}")))
    }

    async fn bytes(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Bytes> {
        let text = body.map(ToString::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "wolke")
            .header("content-type", "application/json")
            .body(Body::from(text))
            .map_err(|e| Failure::new(format!("cannot ask {path}: {e}")))?;
        let response = match self {
            Self::Own(own) => own.routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            Self::Server(directory) => send(directory, request).await?.map(Body::new),
        };
        read(response).await
    }

    /// As [`Access::call`] with `GET`, for answers that are text as they are.
    ///
    /// # Errors
    /// As [`Access::call`].
    pub async fn text(&self, path: &str) -> Result<String> {
        let bytes = self.bytes(Method::GET, path, None).await?;
        String::from_utf8(bytes.to_vec()).map_err(|_| Failure::new("the server answered with what is no text"))
    }

    /// Puts a control plane of our own away. Returns its lock, which has to outlive the runtime: the databases are closed
    /// with that.
    pub async fn close(self) -> Option<Lock> {
        match self {
            Self::Server(_) => None,
            Self::Own(own) => {
                own.installation.close().await;
                own.lock
            }
        }
    }
}

/// A mistyped directory must not become an installation: only `serve` makes one.
fn check_installed(settings: &Settings, directory: &Directory) -> Result<()> {
    // With a key named, the installation is the database.
    if directory.is_installed() || settings.database.is_some() && settings.seal_key.is_some() {
        return directory.make();
    }
    let place = directory.path().display();
    Err(Failure::new(format!(
        "nothing is installed in {place}: `wolke serve` makes an installation; or name the right directory with --data DIR"
    )))
}

async fn send(directory: &Directory, request: Request<Body>) -> Result<Response<hyper::body::Incoming>> {
    let gone = || Failure::new("the server went away before it answered: try again");
    let stream = socket::connect(&directory.socket()).await.ok_or_else(gone)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|_| gone())?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| gone());
    drop(connection);
    response
}

/// The body of an answer that is none of a refusal.
async fn read(response: Response<Body>) -> Result<Bytes> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let bytes = body.map_err(|e| Failure::new(format!("the answer broke off: {e}")))?.to_bytes();
    if status.is_success() {
        return Ok(bytes);
    }
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    Err(Failure::new(reason(&value["error"]).unwrap_or_else(|| format!("refused with {status}"))))
}

/// Why something was refused, for a person: what is wrong with each field, if it is about fields.
fn reason(error: &Value) -> Option<String> {
    let field = |field: &Value| {
        let messages: Vec<_> = field["messages"].as_array()?.iter().filter_map(Value::as_str).collect();
        Some(format!("{}: {}", field["name"].as_str()?, messages.join(", ")))
    };
    let fields: Vec<_> = error["details"]["fields"].as_array().into_iter().flatten().filter_map(field).collect();
    let message = error["message"].as_str().filter(|text| !text.is_empty())?;
    Some(if fields.len() > 1 { fields.join("; ") } else { message.to_owned() })
}

/// Runs a command that needs the control plane for a moment.
///
/// # Errors
/// The command's own.
pub fn briefly<T>(command: impl Future<Output = Result<(T, Option<Lock>)>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(format!("cannot start threads: {e}")))?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(PATIENCE);
    // The lock, if any, is dropped here: after the databases.
    outcome.map(|(value, _lock)| value)
}
