//! A flow with the command line client: an installation, its running server and the client, which ends with an empty project.

use crate::api::{IMAGE, SERVER_TYPE, list_all};
use crate::cli::Hcloud;
use crate::prerequisite;
use crate::process::{Installation, Wolke};
use serde_json::Value;
use std::path::PathBuf;

/// Everything that a project can hold: path and member of the answer.
const KINDS: &[(&str, &str)] = &[
    ("/v1/servers", "servers"),
    ("/v1/ssh_keys", "ssh_keys"),
    ("/v1/primary_ips", "primary_ips"),
    ("/v1/floating_ips", "floating_ips"),
    ("/v1/placement_groups", "placement_groups"),
    ("/v1/networks", "networks"),
    ("/v1/images?type=snapshot&type=backup", "images"),
    ("/v1/volumes", "volumes"),
    ("/v1/firewalls", "firewalls"),
    ("/v1/zones", "zones"),
    ("/v1/certificates", "certificates"),
    ("/v1/load_balancers", "load_balancers"),
    ("/v1/storage_boxes", "storage_boxes"),
];

/// What an endpoint says that the dialect does not have.
const NO_ENDPOINT: &str = "the requested API endpoint does not exist";

/// One installation with a running server and a client.
pub struct Flow {
    /// The data directory and what is set for it.
    pub installation: Installation,
    /// The running server.
    pub server: Wolke,
    /// The client, with the project's token.
    pub hcloud: Hcloud,
    /// The token that the client has.
    pub token: String,
    program: PathBuf,
}

impl Flow {
    /// Starts everything with today's client, or says that `test` is skipped.
    pub fn start(test: &str) -> Option<Self> {
        Self::start_with(test, &[])
    }

    /// The same with further arguments for the server.
    pub fn start_with(test: &str, args: &[&str]) -> Option<Self> {
        Some(Self::run(prerequisite::hcloud(test)?, args, Installation::token))
    }

    /// Starts everything with the client of 2023 and a token of that year's dialect, or says that `test` is skipped.
    pub fn of_2023(test: &str) -> Option<Self> {
        let token = |installation: &Installation| {
            let args = ["--project", "default", "--name", "of-2023", "--dialect", "2023-07"];
            installation.run(&["token", "create"], &args).trim().to_owned()
        };
        Some(Self::run(prerequisite::hcloud_old(test)?, &[], token))
    }

    fn run(program: PathBuf, args: &[&str], token: impl Fn(&Installation) -> String) -> Self {
        let installation = Installation::embedded();
        let server = installation.serve(args);
        let token = token(&installation);
        let hcloud = Hcloud::new(program.clone(), &server, &token);
        Flow { installation, server, hcloud, token, program }
    }

    /// Stops the server the clean way and starts it again on the same data.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn restart(&mut self) {
        assert!(self.server.terminate().success(), "{}", self.installation.log());
        self.server = self.installation.serve(&[]);
        self.hcloud = Hcloud::new(self.program.clone(), &self.server, &self.token);
    }

    /// Creates a server through the client.
    pub fn create(&self, name: &str, more: &[&str]) {
        self.create_of(name, SERVER_TYPE, more);
    }

    /// The same with another server type.
    pub fn create_of(&self, name: &str, server_type: &str, more: &[&str]) {
        let mut args = vec!["server", "create", "--name", name, "--type", server_type, "--image", IMAGE];
        args.extend(more);
        self.hcloud.ok(&args);
    }

    /// What `hcloud server describe` says.
    pub fn describe(&self, name: &str) -> Value {
        self.hcloud.json(&["server", "describe", name])
    }

    /// Deletes a server through the client.
    pub fn delete(&self, name: &str) {
        self.hcloud.ok(&["server", "delete", name]);
    }

    /// Asserts that nothing is left in the project, then stops the server the clean way.
    ///
    /// # Panics
    /// When something is left, or the server does not end well.
    pub fn ends_empty(mut self) {
        nothing_left(&self.server, &self.token);
        let status = self.server.terminate();
        assert!(status.success(), "{status}\n{}", self.installation.log());
    }
}

/// Asserts that nothing is left in the project of this token, and says so.
///
/// # Panics
/// When something is left.
pub fn nothing_left(server: &Wolke, token: &str) {
    let mut client = server.client(token);
    for (path, kind) in KINDS.iter().copied() {
        // A dialect without a kind shows nothing of it.
        let answer = client.get(path).expect("GET list");
        if answer.status == 404 && answer.json()["error"]["message"] == NO_ENDPOINT {
            continue;
        }
        assert_eq!(list_all(&mut client, path, kind), Vec::<Value>::new(), "{kind} left over");
    }
    println!("the project is empty");
}

/// The ids of a list that the client printed as JSON.
///
/// # Panics
/// When it is no list.
pub fn ids(list: &Value) -> Vec<u64> {
    list.as_array().expect("a list").iter().filter_map(|entry| entry["id"].as_u64()).collect()
}

/// The names of a list that the client printed as JSON.
///
/// # Panics
/// When it is no list.
pub fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|entry| entry["name"].as_str()).collect()
}
