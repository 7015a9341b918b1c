//! DHCP and metadata of all links: one thread inside the namespace, a task per link, sockets bound to its device.
//!
//! **Invariants:** a link's sockets are made and closed by this thread alone; they are made anew when its device is another
//! one than before; whatever guests send keeps no link but their own from being served.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use wolke_wire::Id;

use super::dhcp::{self, Lease, Told, Verdict};
use super::filter::METADATA_PORT;
use super::resolvers::Teller;
use super::space::{Space, failed};
use super::{Guests, metadata};
use crate::engine::Result;

/// The thread's name.
const THREAD: &str = "wolke-net";
/// How long the thread may take for what it is told.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// Threads in which guests are looked up.
const BLOCKING_MAX: usize = 4;
/// How long look-ups may go on when the thread ends.
const END_TIME_MAX: Duration = Duration::from_secs(5);
/// Connections that wait to be accepted, per link.
const BACKLOG: i32 = 32;
/// Between two reads of what a guest asks of DHCP: more it does not need, what floods us is dropped by the kernel, and a read
/// that fails again and again does not spin.
const PACE: Duration = Duration::from_millis(5);

/// A link that is served.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Whose it is.
    pub(super) server: Id,
    /// Its device.
    pub(super) device: String,
    /// The device's number: another one is another device of the same name.
    pub(super) ifindex: u32,
    /// What its guest gets by DHCP.
    pub(super) lease: Lease,
}

enum Order {
    Serve(Served, SyncSender<io::Result<()>>),
    Stop(Id, SyncSender<io::Result<()>>),
}

/// The thread.
pub(super) struct Servers {
    /// Until it ends.
    running: Mutex<Option<(UnboundedSender<Order>, JoinHandle<()>)>>,
    malformed: Arc<AtomicU64>,
}

impl Servers {
    /// Starts it.
    pub(super) fn start(space: &Space, guests: Arc<dyn Guests>, teller: Teller) -> Result<Self> {
        let (orders, received) = unbounded_channel();
        let (ready, started) = sync_channel(1);
        let malformed = Arc::new(AtomicU64::new(0));
        let (space, counter) = (space.clone(), Arc::clone(&malformed));
        let thread = std::thread::Builder::new().name(THREAD.into()).spawn(move || {
            let runtime = space.enter().and_then(|()| runtime());
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let _ = ready.send(Ok(()));
            let teller = Arc::new(teller);
            runtime.block_on(Links { guests, teller, malformed: counter, links: BTreeMap::new() }.run(received));
            runtime.shutdown_timeout(END_TIME_MAX);
        });
        let thread = thread.map_err(|error| failed(format!("cannot start a thread: {error}")))?;
        let servers = Self { running: Mutex::new(Some((orders, thread))), malformed };
        started.recv().unwrap_or_else(|_| Err(failed("the thread of DHCP and metadata has ended")))?;
        Ok(servers)
    }

    /// Serves a link, from now on with this lease.
    pub(super) fn serve(&self, served: Served) -> Result<()> {
        let device = served.device.clone();
        self.order(&device, |answer| Order::Serve(served, answer))
    }

    /// Closes the sockets of a link.
    pub(super) fn stop(&self, server: Id) -> Result<()> {
        self.order(&server.to_string(), |answer| Order::Stop(server, answer))
    }

    /// Packets that came to DHCP and were no requests.
    pub(super) fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// Closes every socket; returns when the thread has ended.
    pub(super) fn end(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((orders, thread)) = running {
            drop(orders);
            // One that panicked has said so itself.
            let _ = thread.join();
        }
    }

    fn order(&self, of: &str, order: impl FnOnce(SyncSender<io::Result<()>>) -> Order) -> Result<()> {
        let (answer, answered) = sync_channel(1);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = running.as_ref().is_some_and(|(orders, _)| orders.send(order(answer)).is_ok());
        drop(running);
        let ended = || failed(format!("DHCP and metadata of {of}: their thread does not answer"));
        if !sent {
            return Err(ended());
        }
        let done = answered.recv_timeout(ANSWER_TIME_MAX).map_err(|_| ended())?;
        done.map_err(|error| failed(format!("DHCP and metadata of {of}: {error}")))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.end();
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .thread_name(THREAD)
        .build();
    runtime.map_err(|error| failed(format!("cannot serve DHCP and metadata: {error}")))
}

/// What the thread knows.
struct Links {
    guests: Arc<dyn Guests>,
    teller: Arc<Teller>,
    malformed: Arc<AtomicU64>,
    links: BTreeMap<Id, Running>,
}

struct Running {
    ifindex: u32,
    lease: Arc<Mutex<Lease>>,
    tasks: [AbortHandle; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Links {
    async fn run(mut self, mut orders: UnboundedReceiver<Order>) {
        while let Some(order) = orders.recv().await {
            let (done, answer) = match order {
                Order::Serve(served, answer) => (self.serve(served), answer),
                Order::Stop(server, answer) => {
                    self.links.remove(&server);
                    (Ok(()), answer)
                }
            };
            // Aborted tasks let go of their sockets before anybody is told so.
            tokio::task::yield_now().await;
            let _ = answer.send(done);
        }
    }

    fn serve(&mut self, served: Served) -> io::Result<()> {
        let running = self.links.get(&served.server).filter(|running| running.ifindex == served.ifindex);
        if let Some(running) = running.filter(|running| !running.tasks.iter().any(AbortHandle::is_finished)) {
            *running.lease.lock().unwrap_or_else(PoisonError::into_inner) = served.lease;
            return Ok(());
        }
        self.links.remove(&served.server);
        let (udp, tcp) = (dhcp_socket(&served.device)?, metadata_socket(&served.device)?);
        let lease = Arc::new(Mutex::new(served.lease));
        let leases = Leases {
            server: served.server,
            lease: Arc::clone(&lease),
            guests: Arc::clone(&self.guests),
            teller: Arc::clone(&self.teller),
            malformed: Arc::clone(&self.malformed),
        };
        let service = metadata::Service::new(served.server, Arc::clone(&self.guests));
        let tasks = [tokio::spawn(leases.serve(udp)).abort_handle(), tokio::spawn(service.serve(tcp)).abort_handle()];
        self.links.insert(served.server, Running { ifindex: served.ifindex, lease, tasks });
        Ok(())
    }
}

/// DHCP of one link.
struct Leases {
    server: Id,
    lease: Arc<Mutex<Lease>>,
    guests: Arc<dyn Guests>,
    teller: Arc<Teller>,
    malformed: Arc<AtomicU64>,
}

impl Leases {
    async fn serve(self, socket: UdpSocket) {
        let mut packet = [0; dhcp::MESSAGE_MAX];
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            match socket.recv_from(&mut packet).await {
                Ok((length, _)) => self.answer(&socket, packet.get(..length).unwrap_or_default()).await,
                Err(error) => tracing::debug!(server = self.server, %error, "cannot read from a guest"),
            }
        }
    }

    async fn answer(&self, socket: &UdpSocket, packet: &[u8]) {
        let Some(request) = dhcp::parse(packet) else { return self.count() };
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (server, guests, teller) = (self.server, Arc::clone(&self.guests), Arc::clone(&self.teller));
        let told =
            tokio::task::spawn_blocking(move || Told { host_name: guests.host_name(server), resolvers: teller.tell() });
        match dhcp::answer(&request, &lease, &told.await.unwrap_or_default()) {
            Verdict::Answer(bytes, to) => {
                if let Err(error) = socket.send_to(&bytes, to).await {
                    tracing::debug!(server, %error, "cannot answer a guest");
                }
            }
            Verdict::Nothing => {}
            Verdict::Malformed => self.count(),
        }
    }

    fn count(&self) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(server = self.server, "a guest sent something to DHCP that is no request");
    }
}

fn dhcp_socket(device: &str) -> io::Result<UdpSocket> {
    let socket = bound(device, Type::DGRAM, Protocol::UDP, dhcp::SERVER_PORT)?;
    socket.set_broadcast(true)?;
    UdpSocket::from_std(socket.into())
}

fn metadata_socket(device: &str) -> io::Result<TcpListener> {
    let socket = bound(device, Type::STREAM, Protocol::TCP, METADATA_PORT)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A socket that hears one device alone.
fn bound(device: &str, kind: Type, protocol: Protocol, port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
    // Connections of the process before, which wait for their end, do not keep the port from us.
    socket.set_reuse_address(true)?;
    socket.bind_device(Some(device.as_bytes()))?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
