//! The list of settings as text: an example of `wolke.toml`, and the page `docs/configuration.md`, which a test compares.

use super::list::{Form, SETTINGS, Setting};
use std::fmt::Write as _;

/// What stands above the example.
const EXAMPLE_HEAD: &str = "\
# wolke.toml: every setting with its meaning and its default.
#
# Wolke reads ~/.config/wolke/wolke.toml ($XDG_CONFIG_HOME/wolke/wolke.toml) and over it DIR/wolke.toml in the data
# directory; or only the file that --config names. Environment variables and flags come over both.
# Relative paths start at the folder of the file. `wolke config` shows what holds, and why.
";

/// A commented configuration file that changes nothing until a line is uncommented.
pub fn example() -> String {
    let mut text = EXAMPLE_HEAD.to_owned();
    let mut heading = "";
    for setting in SETTINGS {
        if setting.heading != heading {
            heading = setting.heading;
            let _ = write!(text, "\n## {heading}\n");
        }
        let _ = write!(text, "\n# {}\n", setting.help);
        if let Form::Word(words) = setting.form {
            let _ = writeln!(text, "# One of: {}.", words.join(", "));
        }
        let _ = writeln!(text, "#{} = {}", setting.key, sample(setting));
    }
    text.truncate(text.trim_end().len());
    text
}

/// The default in TOML, or a value of the right form where there is none.
fn sample(setting: &Setting) -> String {
    match (setting.form, setting.default) {
        (Form::Number(_), default) => default.unwrap_or("3600").to_owned(),
        (Form::Switch, default) => default.unwrap_or("false").to_owned(),
        (Form::Word(words), default) => format!("\"{}\"", default.unwrap_or(words[0])),
        (Form::Text(_) | Form::Path(_), Some(default)) => format!("\"{default}\""),
        (Form::Text(_), None) => match setting.key {
            "database" => "\"postgres://wolke@localhost/wolke\"".to_owned(),
            "linux_types" => "\"cx23=machine,ccx13=container\"".to_owned(),
            "linux_name" => "\"box\"".to_owned(),
            _ => "\"\"".to_owned(),
        },
        (Form::Path(_), None) => match setting.key {
            "data" => "\"/var/lib/wolke\"".to_owned(),
            key => format!("\"/etc/wolke/{}\"", key.replace('_', ".")),
        },
    }
}

/// The page of the manual.
#[cfg(test)]
fn page() -> String {
    let mut text = "\
# Configuration

Each setting has a key in `wolke.toml`, an environment variable and a flag. Flags win over variables, these over files, files
over defaults. Files are `~/.config/wolke/wolke.toml` and over it `wolke.toml` in the data directory; or only the one that
`--config FILE` (`WOLKE_CONFIG`) names. A key or variable that Wolke does not know is refused, with the nearest that it does.

`wolke config` shows each value with where it comes from, `wolke config --example` prints a commented `wolke.toml`, and `wolke
doctor` tries what can be tried. Flags of the headings \"Where the state is\" and \"Log\" belong to every command, the others to
`serve`, `config` and `doctor`.

This page is made from the program's own list: `WOLKE_TEST_WRITE=1 cargo test -p wolke --bin wolke page`.
"
    .to_owned();
    let mut heading = "";
    for setting in SETTINGS {
        if setting.heading != heading {
            heading = setting.heading;
            let _ = write!(
                text,
                "\n## {heading}\n\n| key | flag, variable | default | meaning |\n| --- | --- | --- | --- |\n"
            );
        }
        let default = setting.default.map_or_else(|| "–".to_owned(), |default| format!("`{default}`"));
        let words = match setting.form {
            Form::Word(words) => format!(": `{}`", words.join("`, `")),
            _ => String::new(),
        };
        let (key, flag, variable, help) = (setting.key, setting.flag, setting.variable, setting.help);
        let _ = writeln!(text, "| `{key}` | `--{flag}`, `{variable}` | {default} | {help}{words} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{example, page};
    use crate::config::list::SETTINGS;
    use crate::config::resolve;
    use crate::testing::Folder;
    use std::collections::BTreeMap;

    /// Makes the page anew instead of comparing it.
    const WRITE: &str = "WOLKE_TEST_WRITE";

    #[test]
    fn the_page_is_made_from_the_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(kept, page(), "run this test with {WRITE}=1 and commit docs/configuration.md");
    }

    #[test]
    fn the_example_is_valid_with_and_without_its_comments() {
        let folder = Folder::new();
        let file = folder.path().join("wolke.toml");
        let home = BTreeMap::from([("HOME".to_owned(), folder.path().to_string_lossy().into_owned())]);
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            resolve(&BTreeMap::new(), Some(&file), &home)
        };
        let example = example();
        let plain = read(&example).unwrap();
        let default = resolve(&BTreeMap::new(), None, &home).unwrap();
        assert_eq!((plain.listen, plain.settle, plain.database), (default.listen, default.settle, default.database));
        // Every line without its comment, but one at a time where two exclude each other.
        for setting in SETTINGS {
            let commented = format!("\n#{} = ", setting.key);
            assert_eq!(example.matches(&commented).count(), 1, "{}", setting.key);
            let one = example.replace(&commented, &commented.replace('#', ""));
            assert!(read(&one).unwrap().said.get(setting.key).is_some(), "{}", setting.key);
        }
    }
}
