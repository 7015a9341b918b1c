//! noVNC on a page of ours, in a browser that is asked nothing: the page tells what it sees, and is told what to type.

use e2e::folder::Folder;
use e2e::wait::wait_for;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The page.
const PAGE: &str = include_str!("../../novnc/page.html");
/// How long anything may take: the browser alone needs seconds to start on a loaded machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Longest body of a request, in bytes.
const BODY_LIMIT: u64 = 64 << 10;

/// What test and page share.
#[derive(Default)]
struct Shared {
    seen: Value,
    to_type: Vec<u32>,
    is_open: bool,
}

/// What the page is served from.
struct Site {
    novnc: PathBuf,
    settings: Value,
    shared: Mutex<Shared>,
    opened: Condvar,
}

/// A browser with the page.
pub struct Viewer {
    site: Arc<Site>,
    browser: Child,
    log: PathBuf,
    screenshot: PathBuf,
    _profile: Folder,
}

/// A number that the page has reported.
pub fn number(seen: &Value, key: &str) -> u64 {
    seen[key].as_u64().unwrap_or(0)
}

impl Viewer {
    /// Opens a console in a browser of its own, which will leave a screenshot.
    pub fn open(novnc: &Path, chromium: &Path, (url, password): (&str, &str), screenshot: &Path) -> Self {
        let _ = std::fs::remove_file(screenshot);
        let site = Arc::new(Site {
            novnc: novnc.to_path_buf(),
            settings: json!({"url": url, "password": password}),
            shared: Mutex::default(),
            opened: Condvar::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let page = format!("http://{}/", listener.local_addr().unwrap());
        let serving = Arc::clone(&site);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = Arc::clone(&serving);
                std::thread::spawn(move || drop(site.answer(&stream)));
            }
        });
        let profile = Folder::new("chromium");
        let log = profile.path().join("log");
        let mut browser = Command::new(chromium);
        browser
            // Whatever it loads is ours, and its sandbox refuses root.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-extensions", "--disable-background-networking"])
            .args(["--no-proxy-server", "--window-size=800,520"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg(format!("--screenshot={}", screenshot.display()))
            .arg(page)
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        let browser = browser.spawn().expect("the browser starts");
        Viewer { site, browser, log, screenshot: screenshot.to_path_buf(), _profile: profile }
    }

    /// Waits until the page reports something, and returns that report.
    ///
    /// # Panics
    /// When it does not in time.
    pub fn sees(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let look =
            || Some(self.site.shared.lock().unwrap().seen.clone()).filter(|seen| seen.is_object() && is_so(seen));
        wait_for(LIMIT, look).unwrap_or_else(|| {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("no {what}, but {}; the browser says:\n{log}", self.site.shared.lock().unwrap().seen)
        })
    }

    /// Has the page press and release keys.
    pub fn types(&self, keysyms: impl IntoIterator<Item = u32>) {
        self.site.shared.lock().unwrap().to_type.extend(keysyms);
    }

    /// Lets the page finish loading, upon which the browser takes its screenshot and ends. Its size in bytes.
    ///
    /// # Panics
    /// When there is none in time.
    pub fn take_screenshot(mut self) -> u64 {
        self.site.shared.lock().unwrap().is_open = true;
        self.site.opened.notify_all();
        let ended = wait_for(LIMIT, || self.browser.try_wait().expect("wait"));
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        assert!(ended.is_some_and(|status| status.success()), "{ended:?}: {log}");
        std::fs::metadata(&self.screenshot).unwrap_or_else(|error| panic!("no screenshot: {error}: {log}")).len()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.site.shared.lock().unwrap().is_open = true;
        self.site.opened.notify_all();
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

impl Site {
    /// One request, one answer, one connection.
    fn answer(&self, stream: &TcpStream) -> Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = Vec::new();
        reader.take(length.min(BODY_LIMIT)).read_to_end(&mut body)?;
        let (status, kind, content) = self.content(&path, &body);
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", content.len())?;
        stream.write_all(b"cache-control: no-store\r\nconnection: close\r\n\r\n")?;
        stream.write_all(&content)
    }

    fn content(&self, path: &str, body: &[u8]) -> (&'static str, &'static str, Vec<u8>) {
        match path {
            "/" => ("200 OK", "text/html", PAGE.into()),
            "/settings" => ("200 OK", "application/json", self.settings.to_string().into()),
            "/report" => {
                let mut shared = self.shared.lock().unwrap();
                shared.seen = serde_json::from_slice(body).unwrap_or_default();
                let keys = std::mem::take(&mut shared.to_type);
                ("200 OK", "application/json", json!(keys).to_string().into())
            }
            "/gate" => {
                let shared = self.shared.lock().unwrap();
                drop(self.opened.wait_while(shared, |shared| !shared.is_open));
                ("204 No Content", "text/plain", Vec::new())
            }
            _ => match path.strip_prefix("/novnc/").map(|file| std::fs::read(self.novnc.join(file))) {
                Some(Ok(script)) if !path.contains("..") => ("200 OK", "text/javascript", script),
                _ => ("404 Not Found", "text/plain", Vec::new()),
            },
        }
    }
}
