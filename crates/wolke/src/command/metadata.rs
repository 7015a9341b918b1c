//! `wolke metadata`: what a server's metadata service says.

use super::path_to;
use crate::cli::OfProject;
use crate::failure::{Failure, Result};
use crate::output;
use crate::reach::Access;
use wolke_wire::metadata::{CHILDREN, METADATA_PATH, USERDATA_PATH};

/// The name under which user data is asked for here.
const USERDATA: &str = "userdata";

/// The names of everything but the summary.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHILDREN.into_iter().chain([USERDATA])
}

pub(super) async fn run(access: &Access, (server, of): (&str, &OfProject), child: Option<&str>) -> Result<()> {
    let path = match child {
        None => METADATA_PATH.to_owned(),
        Some(USERDATA) => USERDATA_PATH.to_owned(),
        Some(child) => format!("{METADATA_PATH}/{child}"),
    };
    let answer = access.text(&path_to("servers", (server, of), &format!("metadata{path}"))).await;
    // The one child that a server may lack answers as the service does, which is no sentence.
    let answer = answer.map_err(|failure| match child {
        Some(child) if failure.text.starts_with("refused") => Failure::new(format!("server {server} has no {child}")),
        _ => failure,
    })?;
    // Often a script or an archive, piped on: a line break that nobody gave would change it.
    if child == Some(USERDATA) { output::exactly(&answer) } else { output::text(&answer) }
}
