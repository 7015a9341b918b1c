//! What differs between 2018, 2023, 2026, the default and the newest, topic by topic (`docs/dialects.md`). What only one resource
//! does differently is also told in its own file.

mod dated_changes;
mod errors;
mod list_parameters;
mod operations;
mod request_members;
mod response_members;
mod rules;
mod through_2018;

use crate::common::World;
use wolke_wire::Dialect;

/// The dialects that a row of five marks names, in the order of [`Dialect::ALL`]: `X` has it, `-` has it not, and a space is not
/// asked.
fn marked(row: &'static str) -> impl Iterator<Item = (Dialect, bool)> {
    assert_eq!(row.len(), Dialect::ALL.len(), "{row}");
    Dialect::ALL.iter().copied().zip(row.chars()).filter(|(_, mark)| *mark != ' ').map(|(d, mark)| (d, mark == 'X'))
}

/// One project, seen through each dialect.
async fn views(world: &World) -> Vec<World> {
    let mut views = Vec::new();
    for dialect in Dialect::ALL {
        views.push(world.through(*dialect).await);
    }
    views
}
