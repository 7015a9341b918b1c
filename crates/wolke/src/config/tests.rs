//! Precedence, files, unknown names and malformed values.

use super::overlay::Source;
use super::{Settings, resolve};
use crate::failure::Result;
use crate::testing::Folder;
use std::collections::BTreeMap;
use std::path::Path;

/// A home with configuration files.
struct Home {
    folder: Folder,
    environment: BTreeMap<String, String>,
}

impl Home {
    fn new() -> Self {
        let folder = Folder::new();
        let home = folder.path().to_string_lossy().into_owned();
        Self { folder, environment: BTreeMap::from([("HOME".to_owned(), home)]) }
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn variable(&mut self, name: &str, value: &str) -> &Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    fn resolve(&self, flags: &[(&'static str, &str)]) -> Result<Settings> {
        let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
        resolve(&flags, None, &self.environment)
    }

    fn refusal(&self, flags: &[(&'static str, &str)]) -> String {
        let failure = self.resolve(flags).unwrap_err();
        assert_eq!(failure.code, 2, "{failure:?}");
        failure.text
    }
}

const USER_FILE: &str = ".config/wolke/wolke.toml";
const DATA_FILE: &str = ".local/share/wolke/wolke.toml";

#[test]
fn flags_over_environment_over_files_over_defaults() {
    let mut home = Home::new();
    assert_eq!(home.resolve(&[]).unwrap().settle.as_millis(), 25);
    home.file(USER_FILE, "settle = 1\nlisten = '127.0.0.1:1'");
    assert_eq!(home.resolve(&[]).unwrap().settle.as_millis(), 1);
    home.file(DATA_FILE, "settle = 2");
    let settings = home.resolve(&[]).unwrap();
    assert_eq!((settings.settle.as_millis(), settings.listen.port()), (2, 1));
    home.variable("WOLKE_SETTLE", "3");
    assert_eq!(home.resolve(&[]).unwrap().settle.as_millis(), 3);
    let settings = home.resolve(&[("settle", "4")]).unwrap();
    assert_eq!(settings.settle.as_millis(), 4);
    let source = |key| settings.said.get(key).map(|value| value.source.clone());
    assert_eq!(source("settle"), Some(Source::Flag("settle")));
    assert_eq!(source("listen"), Some(Source::File(home.folder.path().join(USER_FILE), 2)));
    assert_eq!(source("log"), Some(Source::Default));
    assert_eq!(source("database"), None);
}

#[test]
fn a_named_file_stands_alone_and_its_paths_are_its_own() {
    let home = Home::new();
    home.file(USER_FILE, "settle = 1").file("x/own.toml", "data = 'state'\nephemeral = true\nrate_limit = 3600");
    let file = home.folder.path().join("x/own.toml");
    let settings = resolve(&BTreeMap::new(), Some(&file), &home.environment).unwrap();
    assert_eq!(settings.data, home.folder.path().join("x/state"));
    assert_eq!((settings.settle.as_millis(), settings.ephemeral, settings.rate_limit), (25, true, Some(3600)));
    let missing = resolve(&BTreeMap::new(), Some(Path::new("/does/not/exist")), &home.environment).unwrap_err();
    assert!(missing.text.contains("/does/not/exist"), "{missing:?}");
}

#[test]
fn data_directories() {
    let mut home = Home::new();
    let data = |home: &Home| home.resolve(&[]).unwrap().data;
    assert_eq!(data(&home), home.folder.path().join(".local/share/wolke"));
    home.variable("XDG_DATA_HOME", "relative");
    assert_eq!(data(&home), home.folder.path().join(".local/share/wolke"));
    home.variable("XDG_DATA_HOME", "/srv");
    assert_eq!(data(&home), Path::new("/srv/wolke"));
    home.variable("WOLKE_DATA", "/other");
    assert_eq!(data(&home), Path::new("/other"));
    let homeless = resolve(&BTreeMap::new(), None, &BTreeMap::new()).unwrap_err();
    assert!(homeless.text.contains("--data"), "{homeless:?}");
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    let mut home = Home::new();
    home.file(USER_FILE, "\nrate-limit = 5");
    let text = home.refusal(&[]);
    assert!(
        text.contains("rate-limit") && text.contains(&format!("{USER_FILE}:2 ")) && text.contains("rate_limit?"),
        "{text}"
    );
    home.file(USER_FILE, "");
    home.variable("WOLKE_LISTN", "x");
    let text = home.refusal(&[]);
    assert!(text.contains("WOLKE_LISTN") && text.contains("WOLKE_LISTEN?"), "{text}");
    home.environment.remove("WOLKE_LISTN");
    for foreign in ["WOLKE_BIN", "WOLKE_TEST_POSTGRES", "WOLKE_PORT_4280_TCP", "WOLKE_SERVICE_HOST"] {
        home.variable(foreign, "x");
    }
    home.resolve(&[]).unwrap();
}

#[test]
fn malformed_values_name_their_place() {
    let mut home = Home::new();
    for (key, text) in [
        ("listen", "4280"),
        ("settle", "soon"),
        ("settle", "10001"),
        ("dialect", "2019"),
        ("latency", "slow"),
        ("contention", "no"),
        ("log", "xml"),
        ("log_level", "loud"),
        ("ephemeral", "perhaps"),
        ("rate_limit", "0"),
        ("database", "mysql://u:secret@h/d"),
        ("data", ""),
    ] {
        let said = home.refusal(&[(key, text)]);
        assert!(said.contains(&format!("--{}", key.replace('_', "-"))) && !said.contains("secret"), "{said}");
    }
    home.variable("WOLKE_SETTLE", "soon");
    assert!(home.refusal(&[]).contains("WOLKE_SETTLE"));
    home.environment.remove("WOLKE_SETTLE");
    for (text, part) in [("settle = '1'", "whole number"), ("settle = ", "TOML"), ("ephemeral = 1", "true or false")] {
        let said = home.file(USER_FILE, text).refusal(&[]);
        assert!(said.contains(part) && said.contains(USER_FILE), "{said}");
    }
    let said = home.file(USER_FILE, "").file(DATA_FILE, "data = '/x'").refusal(&[]);
    assert!(said.contains("no effect"), "{said}");
}

#[test]
fn only_loopback_without_saying_so() {
    let home = Home::new();
    let check = |flags: &[(&'static str, &str)]| home.resolve(flags).unwrap().check_listen();
    for fine in ["127.0.0.1:0", "[::1]:4280", "localhost:1"] {
        check(&[("listen", fine)]).unwrap();
    }
    let refused = check(&[("listen", "0.0.0.0:4280")]).unwrap_err();
    assert!(refused.text.contains("--insecure-listen"), "{refused:?}");
    check(&[("listen", "0.0.0.0:4280"), ("insecure_listen", "true")]).unwrap();
    assert!(home.refusal(&[("ephemeral", "true"), ("database", "postgres://h/d")]).contains("exclude"));
}
