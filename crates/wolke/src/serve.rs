//! `wolke serve`: from the lock to the last answer.

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::directory::{Directory, Lock, Taken};
use crate::env::url;
use crate::failure::{Failure, Result};
use crate::installation::Installation;
use crate::stop::Stop;
use crate::{files, output, reach, real, socket};
use axum::Router;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use wolke_http::Api;

/// Threads at least: one blocked by the kernel must not stop the others.
const THREADS_MIN: usize = 2;
/// Threads at most: the embedded engine has one writer anyway.
const THREADS_MAX: usize = 16;
/// The stack of a thread of the runtime. The deepest is a transaction with its statements.
const STACK_BYTES: usize = 1 << 20;
/// How long closing waits for tasks that do not end by themselves.
const CLOSE: Duration = Duration::from_secs(5);

/// Runs a server until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start: a refused setting, a directory or port in use, a database that cannot be opened.
pub fn run(settings: &Settings) -> Result<()> {
    settings.check_listen()?;
    real::check(settings)?;
    warm_up(settings.dialect);
    let directory = Directory::of(settings);
    directory.make()?;
    let threads = std::thread::available_parallelism().map_or(THREADS_MIN, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.clamp(THREADS_MIN, THREADS_MAX))
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("cannot start threads: {e}")))?;
    let lock = runtime.block_on(own(settings, &directory))?;
    let outcome = runtime.block_on(async {
        let stop = Stop::on_signals()?;
        let server = Server::start(settings, &directory, lock.is_some()).await?;
        // The one line of standard output: scripts wait for it.
        let (version, url, real) = (env!("CARGO_PKG_VERSION"), url(server.address), &server.real);
        let real = real.as_ref().map(|real| format!(" ({real})")).unwrap_or_default();
        output::line(&format!("wolke {version} listens on {url}{real}"))?;
        server.run(stop.wait()).await;
        Ok(())
    });
    // In this order: the databases are closed with the runtime, and only then may another process have the directory.
    runtime.shutdown_timeout(CLOSE);
    drop(lock);
    outcome
}

/// Reads what the first request needs (the catalogue, the contract of servers) beside the opening of the databases. Whoever
/// comes first does it; the thread is only there to use the other core.
fn warm_up(dialect: wolke_wire::Dialect) {
    let warm = move || {
        let _ = wolke_domain::catalogue::Catalogue::builtin();
        let contract = wolke_wire::contract::Contract::of(dialect);
        let _ = (contract.operation("list_servers"), contract.resource(wolke_wire::Kind::Server));
    };
    // Without a thread the first request takes a millisecond longer.
    drop(std::thread::Builder::new().name("wolke-warm-up".into()).spawn(warm));
}

/// Takes the directory. Beside others on PostgreSQL it may be taken already: then this process does without.
async fn own(settings: &Settings, directory: &Directory) -> Result<Option<Lock>> {
    let command = if directory.is_ephemeral() { "serve --ephemeral" } else { "serve" };
    match reach::hold(directory, command, Taken::by_server).await? {
        Ok(lock) => Ok(Some(lock)),
        Err(_) if settings.database.is_some() => Ok(None),
        Err(taken) => Err(taken.into()),
    }
}

/// Removes the sockets of killed processes: each has a name of its own, which nobody else would reuse.
async fn sweep(directory: &Directory) {
    for path in directory.sockets_beside() {
        if socket::connect(&path).await.is_none() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A server that is ready.
pub struct Server {
    /// Where its API listens.
    pub address: SocketAddr,
    listener: TcpListener,
    routes: Router,
    socket: UnixListener,
    admin_routes: Router,
    installation: Installation,
    /// What is real here, in a few words.
    real: Option<String>,
    /// Files that say where it is; removed when it stops.
    traces: Vec<PathBuf>,
}

impl Server {
    /// Opens everything. `leads`: the directory belongs to this process, which is the one that commands find.
    ///
    /// # Errors
    /// As [`run`].
    pub async fn start(settings: &Settings, directory: &Directory, leads: bool) -> Result<Self> {
        // First, because a port in use should not have opened a database.
        let listener = TcpListener::bind(settings.listen).await.map_err(|e| {
            Failure::new(format!(
                "cannot listen on {}: {e}: choose another place with --listen ADDR:PORT (port 0 takes a free one)",
                settings.listen
            ))
        })?;
        let address = listener.local_addr().map_err(|e| Failure::new(format!("cannot listen: {e}")))?;
        let mut installation = Installation::open(settings, directory, Arc::new(SystemClock::new())).await?;
        let real = real::begin(settings, directory, &mut installation).await?;
        let http = wolke_http::Settings {
            dialect: settings.dialect,
            rate_limit: settings.rate_limit,
            correlation_seed: u64::from(std::process::id()),
        };
        let api = Api::new(Arc::clone(&installation.control), Arc::clone(&installation.clock), http);
        let path = if leads { directory.socket() } else { directory.socket_beside() };
        if settings.database.is_some() {
            sweep(directory).await;
        }
        let socket = socket::listen(&path)?;
        let admin_routes = reach::admin_routes(settings, &installation, url(address));
        let mut traces = vec![path];
        if leads {
            traces.push(directory.endpoint());
            files::write_volatile(&directory.endpoint(), &url(address))?;
        }
        let routes = wolke_http::router(api);
        Ok(Self { address, listener, routes, socket, admin_routes, installation, real, traces })
    }

    /// Serves until `stop` ends, answers what is under way, and puts everything away.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let Self { address, listener, routes, socket, admin_routes, installation, traces, real: _ } = self;
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let operator = tokio::spawn(wolke_http::serve(socket, admin_routes, async {
            let _ = end.await;
        }));
        tracing::info!(%address, "ready");
        wolke_http::serve(listener, routes, stop).await;
        tracing::info!("stopping");
        drop(ended);
        let _ = operator.await;
        for trace in traces {
            let _ = std::fs::remove_file(trace);
        }
        installation.close().await;
    }
}
