//! `wolke env`: what clients read to find the server (fact sheet §9.1 to §9.3).

use crate::cli::EnvFormat;
use crate::config::Settings;
use crate::directory::{Directory, Lock};
use crate::failure::{Failure, Result};
use crate::reach::Access;
use crate::{files, first_token, output};
use http::Method;
use serde_json::Value;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// Prints the lines. Without a server the installation is opened for a moment, as a start would: then the token works.
///
/// # Errors
/// When nothing is installed, there is no token, or nobody can tell the port.
pub async fn run(settings: &Settings, format: EnvFormat) -> Result<((), Option<Lock>)> {
    let access = Access::open(settings, "env").await?;
    let outcome = print(settings, &access, format).await;
    let lock = access.close().await;
    outcome.map(|()| ((), lock))
}

async fn print(settings: &Settings, access: &Access, format: EnvFormat) -> Result<()> {
    let (directory, endpoint) = match access {
        Access::Server(directory) => (directory.clone(), files::read(&directory.endpoint())?),
        Access::Own(_) => (Directory::of(settings), None),
    };
    let token = token(access, &directory).await?;
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => {
            let endpoint = configured(settings)?;
            output::remark(&format!(
                "no server is running here: the endpoint is where `wolke serve` would listen, {endpoint}"
            ));
            endpoint
        }
    };
    output::line(&lines(format, &variables(&token, &endpoint)))
}

/// The token of the first start, which may have been deleted since.
async fn token(access: &Access, directory: &Directory) -> Result<String> {
    let file = directory.token();
    let make = "make one with HCLOUD_TOKEN=$(wolke token create --project PROJECT)";
    let Some(secret) = files::read(&file)?.filter(|token| first_token::is_token(token)) else {
        return Err(Failure::new(format!("there is no token in {}: {make}", file.display())));
    };
    let asked = serde_json::json!({"secret": secret});
    match access.call(Method::POST, "/tokens/find", Some(&asked)).await? {
        Value::Null => {
            Err(Failure::new(format!("the token in {} was deleted, or its project was: {make}", file.display())))
        }
        _ => Ok(secret),
    }
}

/// Where a server would listen.
fn configured(settings: &Settings) -> Result<String> {
    if settings.listen.port() == 0 {
        return Err(Failure::new("no server is running here, and port 0 says nothing about where one would listen"));
    }
    Ok(url(settings.listen))
}

/// The base of all endpoints. An address that means all of them is reached by loopback.
pub fn url(address: SocketAddr) -> String {
    let mut address = address;
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// The variables: `HCLOUD_*` for hcloud, hcloud-go and hcloud-python programs, Terraform, Ansible and the Kubernetes
/// integrations; the API's second host is called `HCLOUD_HETZNER_ENDPOINT` by hcloud and `HETZNER_ENDPOINT` by the others.
fn variables(token: &str, endpoint: &str) -> [(&'static str, String); 4] {
    let api = format!("{endpoint}{}", wolke_http::PREFIX);
    [
        ("HCLOUD_TOKEN", token.to_owned()),
        ("HCLOUD_ENDPOINT", api.clone()),
        ("HCLOUD_HETZNER_ENDPOINT", api.clone()),
        ("HETZNER_ENDPOINT", api),
    ]
}

fn lines(format: EnvFormat, variables: &[(&'static str, String)]) -> String {
    let each = |line: fn(&str, &str) -> String| {
        let lines: Vec<_> = variables.iter().map(|(name, value)| line(name, value)).collect();
        lines.join("\n")
    };
    match format {
        EnvFormat::Shell => each(|name, value| format!("export {name}={}", shell_word(value))),
        EnvFormat::Fish => each(|name, value| format!("set -gx {name} {}", quote(&value.replace('\\', r"\\"), r"\'"))),
        EnvFormat::Json => {
            let members = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
            format!("{:#}", serde_json::Value::Object(members.collect()))
        }
    }
}

/// A text as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    quote(text, r"'\''")
}

/// In single quotes, unless every character is harmless.
fn quote(value: &str, apostrophe: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if !value.is_empty() && value.chars().all(harmless) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', apostrophe))
}

#[cfg(test)]
mod tests {
    use super::{lines, url, variables};
    use crate::cli::EnvFormat;

    #[test]
    fn lines_of_each_format() {
        let variables = variables("abc", "http://127.0.0.1:4280");
        let shell = lines(EnvFormat::Shell, &variables);
        assert_eq!(
            shell,
            "export HCLOUD_TOKEN=abc\nexport HCLOUD_ENDPOINT=http://127.0.0.1:4280/v1\n\
             export HCLOUD_HETZNER_ENDPOINT=http://127.0.0.1:4280/v1\nexport HETZNER_ENDPOINT=http://127.0.0.1:4280/v1"
        );
        assert!(lines(EnvFormat::Fish, &variables).starts_with("set -gx HCLOUD_TOKEN abc\n"));
        let json: serde_json::Value = serde_json::from_str(&lines(EnvFormat::Json, &variables)).unwrap();
        assert_eq!(json["HETZNER_ENDPOINT"], "http://127.0.0.1:4280/v1");
    }

    /// What a POSIX shell makes of one word. (A real shell would be a fork, and a fork would keep other tests' locks.)
    fn unquote(word: &str) -> String {
        let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
        for c in word.chars() {
            match c {
                _ if escaped => (escaped, _) = (false, text.push(c)),
                '\'' => quoted = !quoted,
                '\\' if !quoted => escaped = true,
                _ => {
                    assert!(quoted || !" \n\t$`\"\\;&|*?<>()#~!{}[]".contains(c), "{c:?} stands bare in {word}");
                    text.push(c);
                }
            }
        }
        assert!(!quoted && !escaped && !word.is_empty(), "{word}");
        text
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for nasty in
            ["a b", "it's", "''", "$(id)`id`", "\\", "\"", "a;b&c|d", "*", "", "ü\n\t!", "http://[::1]:4280/v1"]
        {
            let line = lines(EnvFormat::Shell, &[("X", nasty.to_owned())]);
            assert_eq!(unquote(line.strip_prefix("export X=").unwrap()), nasty, "{line}");
        }
        assert_eq!(lines(EnvFormat::Fish, &[("X", r"a'b\c".to_owned())]), r"set -gx X 'a\'b\\c'");
    }

    #[test]
    fn all_addresses_are_reached_by_loopback() {
        for (address, expected) in
            [("0.0.0.0:1", "http://127.0.0.1:1"), ("[::]:1", "http://[::1]:1"), ("192.0.2.1:80", "http://192.0.2.1:80")]
        {
            assert_eq!(url(address.parse().unwrap()), expected);
        }
    }
}
