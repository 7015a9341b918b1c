//! From a path to the operations on it, and from an operation to its contract in a dialect.

use crate::operation::{Operation, Verb};
use crate::table::OPERATIONS;
use std::collections::HashMap;
use std::sync::OnceLock;
use wolke_wire::contract::{Contract, OperationContract};
use wolke_wire::{Dialect, Kind};

/// Parameters that a path can have.
pub const PARAMETERS_MAX: usize = 3;

/// The parameters that are names, or ids or names: handlers look up what they say.
const NAMES: [&str; 3] = ["{id_or_name}", "{rr_name}", "{rr_type}"];

/// One segment of a template.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Text(&'static str),
    Parameter(Parameter),
}

/// What a parameter of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// An id of this kind.
    Id(Kind),
    /// A name.
    Name,
}

/// A path template with the operations on it.
#[derive(Debug)]
pub struct Route {
    /// The template: `/servers/{id}`.
    pub template: &'static str,
    segments: Vec<Segment>,
    operations: Vec<(usize, &'static Operation)>,
}

/// The texts that stand for the parameters of a path, with what they are.
pub type Parameters<'a> = [Option<(Parameter, &'a str)>; PARAMETERS_MAX];

/// All routes.
pub struct Routes {
    by_first: HashMap<&'static str, Vec<Route>>,
    /// By position in the table and in [`Dialect::ALL`]; a dialect's contract is loaded when it is first asked for.
    contracts: Vec<[OnceLock<Option<&'static OperationContract>>; Dialect::ALL.len()]>,
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl Routes {
    /// The routes of the operation table.
    #[must_use]
    pub fn new() -> Self {
        let mut by_first: HashMap<&'static str, Vec<Route>> = HashMap::new();
        for (index, operation) in OPERATIONS.iter().enumerate() {
            let first = operation.path.split('/').nth(1).unwrap_or_default();
            let routes = by_first.entry(first).or_default();
            match routes.iter_mut().find(|route| route.template == operation.path) {
                Some(route) => route.operations.push((index, operation)),
                None => routes.push(Route {
                    template: operation.path,
                    segments: segments(operation),
                    operations: vec![(index, operation)],
                }),
            }
        }
        // A literal segment comes before a parameter in the same place: `/servers/actions` is no server.
        for routes in by_first.values_mut() {
            routes.sort_by_key(|route| route.segments.iter().filter(|s| matches!(s, Segment::Parameter(_))).count());
        }
        Self { by_first, contracts: OPERATIONS.iter().map(|_| Default::default()).collect() }
    }

    /// The route of a path below the version prefix, with its parameters as they stand there.
    #[must_use]
    pub fn find<'a>(&self, path: &'a str) -> Option<(&Route, Parameters<'a>)> {
        let path = path.strip_prefix('/')?;
        let first = path.split('/').next()?;
        self.by_first.get(first)?.iter().find_map(|route| Some((route, route.parameters(path)?)))
    }

    /// The operation of a route, with its contract; none when the dialect or this server lacks it.
    #[must_use]
    pub fn operation(
        &self,
        route: &Route,
        verb: Verb,
        dialect: Dialect,
    ) -> Option<(&'static Operation, &'static OperationContract)> {
        let (index, operation) = route.operations.iter().find(|(_, operation)| operation.verb == verb)?;
        Some((operation, self.contract(*index, operation, dialect)?))
    }

    /// The methods that a route has in a dialect, for the `Allow` header; none when the dialect lacks the path.
    #[must_use]
    pub fn allowed(&self, route: &Route, dialect: Dialect) -> Vec<&'static str> {
        let known = route.operations.iter().filter(|(index, o)| self.contract(*index, o, dialect).is_some());
        known.map(|(_, operation)| operation.verb.as_str()).collect()
    }

    fn contract(&self, index: usize, operation: &Operation, dialect: Dialect) -> Option<&'static OperationContract> {
        let at = Dialect::ALL.iter().position(|d| *d == dialect)?;
        let slot = self.contracts.get(index)?.get(at)?;
        *slot.get_or_init(|| Contract::of(dialect).operation(operation.id))
    }
}

impl Route {
    fn parameters<'a>(&self, path: &'a str) -> Option<Parameters<'a>> {
        let mut found = Parameters::default();
        let mut next = 0;
        let mut texts = path.split('/');
        for segment in &self.segments {
            let text = texts.next()?;
            match segment {
                Segment::Text(expected) if *expected == text => {}
                Segment::Text(_) => return None,
                Segment::Parameter(parameter) => {
                    *found.get_mut(next)? = Some((*parameter, text));
                    next += 1;
                }
            }
        }
        texts.next().is_none().then_some(found)
    }
}

/// The segments of a template. What follows `actions` is the id of an action; other parts of a resource are told in the same way.
fn segments(operation: &'static Operation) -> Vec<Segment> {
    let mut previous = "";
    operation
        .path
        .split('/')
        .skip(1)
        .map(|text| {
            let after = std::mem::replace(&mut previous, text);
            match text.starts_with('{') {
                false => Segment::Text(text),
                true if NAMES.contains(&text) => Segment::Parameter(Parameter::Name),
                true if after == "actions" => Segment::Parameter(Parameter::Id(Kind::Action)),
                true if after == "snapshots" => Segment::Parameter(Parameter::Id(Kind::StorageBoxSnapshot)),
                true if after == "subaccounts" => Segment::Parameter(Parameter::Id(Kind::StorageBoxSubaccount)),
                true => Segment::Parameter(Parameter::Id(operation.target)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Parameter, Routes};
    use crate::operation::Verb;
    use wolke_wire::{Dialect, Kind};

    #[test]
    fn paths_find_their_templates() {
        let routes = Routes::new();
        let template = |path| routes.find(path).map(|(route, _)| route.template);
        assert_eq!(template("/servers"), Some("/servers"));
        assert_eq!(template("/servers/5"), Some("/servers/{id}"));
        assert_eq!(template("/servers/actions"), Some("/servers/actions"));
        assert_eq!(template("/servers/actions/7"), Some("/servers/actions/{id}"));
        assert_eq!(template("/servers/5/actions"), Some("/servers/{id}/actions"));
        assert_eq!(template("/servers/5/actions/poweron"), Some("/servers/{id}/actions/poweron"));
        assert_eq!(template("/servers/5/actions/9"), Some("/servers/{id}/actions/{action_id}"));
        for unknown in ["", "/", "/servers/", "servers", "/nothing", "/servers/5/actions/9/x", "//servers"] {
            let found = template(unknown);
            assert!(found.is_none() || found == Some("/servers/{id}"), "{unknown} finds {found:?}");
        }
        let (_, parameters) = routes.find("/servers/5/actions/9").unwrap();
        assert_eq!(
            parameters,
            [Some((Parameter::Id(Kind::Server), "5")), Some((Parameter::Id(Kind::Action), "9")), None]
        );
        assert_eq!(template("/zones/actions/5"), Some("/zones/actions/{id}"));
        assert_eq!(template("/zones/a.de/actions/5"), Some("/zones/{id_or_name}/actions/{action_id}"));
        let (route, parameters) = routes.find("/zones/a.de/rrsets/@/A").unwrap();
        assert_eq!(route.template, "/zones/{id_or_name}/rrsets/{rr_name}/{rr_type}");
        assert_eq!(parameters, ["a.de", "@", "A"].map(|text| Some((Parameter::Name, text))));
    }

    #[test]
    fn membership_is_the_contracts() {
        let routes = Routes::new();
        let (primary_ips, _) = routes.find("/primary_ips").unwrap();
        assert!(routes.operation(primary_ips, Verb::Get, Dialect::D2018_04).is_none());
        assert!(routes.allowed(primary_ips, Dialect::D2018_04).is_empty());
        assert_eq!(routes.allowed(primary_ips, Dialect::Compat), ["GET", "POST"]);
        assert_eq!(
            routes.operation(primary_ips, Verb::Post, Dialect::Compat).map(|(o, c)| (o.id, c.id.as_str())),
            Some(("create_primary_ip", "create_primary_ip"))
        );
    }
}
