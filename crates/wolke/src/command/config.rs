//! `wolke config`: each setting with its value and where that comes from.

use crate::cli::Output;
use crate::config::list::SETTINGS;
use crate::config::{Settings, Source, document};
use crate::directory::Directory;
use crate::failure::Result;
use crate::output::{self, Column, print};
use serde_json::{Value, json};

const COLUMNS: &[Column] = &[("KEY", "key"), ("VALUE", "value"), ("SOURCE", "from")];
/// What stands where a secret would.
const HIDDEN: &str = "***";

/// Prints the settings, or the example.
///
/// # Errors
/// When standard output cannot be written.
pub fn run(settings: &Settings, example: bool, output: Output) -> Result<()> {
    if example {
        return output::line(&document::example());
    }
    print(output.format, &rows(settings), COLUMNS)
}

fn rows(settings: &Settings) -> Value {
    let row = |key: &str| {
        let said = settings.said.get(key);
        let value = match (key, said) {
            ("data", _) => Some(settings.data.display().to_string()),
            ("seal_key", None) => Some(Directory::of(settings).file("seal.key").display().to_string()),
            ("database", Some(value)) => Some(without_password(&value.text)),
            (_, said) => said.map(|value| value.text.clone()),
        };
        let mut row = json!({"key": key, "value": value});
        source(&mut row, said.map_or(&Source::Default, |value| &value.source));
        row
    };
    SETTINGS.iter().map(|setting| row(setting.key)).collect()
}

/// The source as words for people (`from`) and as members for programs.
fn source(row: &mut Value, source: &Source) {
    let (kind, from) = match source {
        Source::Default => ("default", "default".to_owned()),
        Source::File(path, line) => {
            (row["file"], row["line"]) = (json!(path.display().to_string()), json!(line));
            ("file", format!("{}:{line}", path.display()))
        }
        Source::Variable(name) => ("environment", (*name).to_owned()),
        Source::Flag(name) => ("flag", format!("--{name}")),
    };
    (row["source"], row["from"]) = (json!(kind), json!(from));
}

/// A database URL that may be shown: the password between user and host is hidden, and one among the parameters.
pub fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    // A password may hold any character but '@', whatever a parser of URLs would make of it.
    let shown = match rest.rsplit_once('@') {
        Some((login, place)) => match login.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = shown.split_once('?') else { return format!("{scheme}://{shown}") };
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("password") => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    };
    let parameters: Vec<_> = parameters.split('&').map(hide).collect();
    format!("{scheme}://{place}?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use super::{rows, without_password};
    use crate::config::resolve;
    use crate::testing::Folder;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn passwords_are_hidden() {
        for (url, shown) in [
            ("postgres://u:secret@h/d", "postgres://u:***@h/d"),
            ("postgresql://u:se/cr?et:@h:5432/d?sslmode=disable", "postgresql://u:***@h:5432/d?sslmode=disable"),
            (
                "postgres://h/d?user=u&password=secret&sslmode=require",
                "postgres://h/d?user=u&password=***&sslmode=require",
            ),
            ("postgres://u:p@ss@h/d", "postgres://u:***@h/d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://%2Frun%2Fpg/d", "postgres://%2Frun%2Fpg/d"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn every_value_names_its_source() {
        let folder = Folder::new();
        let home = folder.path().to_string_lossy().into_owned();
        let file = folder.path().join(".config/wolke/wolke.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "# a remark\n\nsettle = 7\n").unwrap();
        let variable = ("WOLKE_DATABASE".to_owned(), "postgres://u:secret@h/d".to_owned());
        let environment = BTreeMap::from([("HOME".to_owned(), home.clone()), variable]);
        let flags = BTreeMap::from([("listen", "127.0.0.1:1".to_owned())]);
        let shown = rows(&resolve(&flags, None, &environment).unwrap());
        let row = |key: &str| shown.as_array().unwrap().iter().find(|row| row["key"] == key).unwrap().clone();
        let path = file.display().to_string();
        let expected = json!({"key": "settle", "value": "7", "file": path, "line": 3, "source": "file", "from": format!("{path}:3")});
        assert_eq!(row("settle"), expected);
        let expected = json!({"key": "listen", "value": "127.0.0.1:1", "source": "flag", "from": "--listen"});
        assert_eq!(row("listen"), expected);
        assert_eq!(row("database")["value"], "postgres://u:***@h/d");
        assert_eq!(row("database")["from"], "WOLKE_DATABASE");
        assert_eq!(row("data")["value"], format!("{home}/.local/share/wolke"));
        assert_eq!((&row("rate_limit")["value"], &row("rate_limit")["source"]), (&json!(null), &json!("default")));
        assert!(!shown.to_string().contains("secret"), "{shown}");
    }
}
