//! Reads the 2018 blueprint (API Blueprint with MSON attributes).
//!
//! Only what the document holds in a regular form is read: headings with method and path, parameter lists, attribute
//! lists and the data structures. Members that an operation repeats below a structure are examples and are skipped.
//! The document knows only `number`: everything but [`FRACTIONS`] is an integer.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Operation;
use super::openapi::{NAME, REPEATS};

/// The numbers that may have a fraction; every other number of the document is an id, a count or a size in bytes.
const FRACTIONS: [&str; 7] = ["latitude", "longitude", "memory", "disk", "image_size", "disk_size", "step"];
/// Headings of the introduction have this prefix and are no operations.
const INTRODUCTION: &str = "/overview";
/// The structures, and how the output calls them (as the later documents do).
const STRUCTURES: [(&str, &str); 28] = [
    ("SSHKey", "ssh_key"),
    ("Server create", ""),
    ("Server", "server"),
    ("ServerType", "server_type"),
    ("Location", "location"),
    ("Datacenter", "data_center"),
    ("DatacenterServerTypes", "data_center_server_types"),
    ("Image", "image"),
    ("ImageCreator", "created_from"),
    ("Action", "action"),
    ("ActionErrorRef", "error"),
    ("ResourceRef", "resource"),
    ("FloatingIP", "floating_ip"),
    ("FloatingIPrDNS", "dns_ptr"),
    ("IPv6rDNS", "dns_ptr"),
    ("ISO", "iso"),
    ("Metrics Generic", "metrics"),
    ("Metrics Values", ""),
    ("IPv4", "ipv4"),
    ("IPv6", "ipv6"),
    ("Public Network", "server_public_net"),
    ("NetGrossPrice", "price"),
    ("ServerTypeLocationPrice", "price_per_time"),
    ("ServerTypesPricing", "server_type_prices"),
    ("Price", "pricing"),
    ("ServerProtection", "server_protection"),
    ("FloatingIPProtection", "protection"),
    ("ImageProtection", "protection"),
];
/// Structures that restate another one with other examples.
const ALIASES: [(&str, &str); 2] = [("Snapshot Image", "Image"), ("ActionRunning", "Action")];

/// One `+` item: its parts, and the items below it.
struct Item {
    indent: usize,
    name: String,
    attributes: Vec<String>,
    prose: String,
    children: Vec<Item>,
}

/// The operations of the document in document order.
pub(super) fn distil(text: &str) -> Result<Vec<Operation>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|l| *l == "# Data Structures").ok_or("there are no data structures")?;
    let (operations, structures) = lines.split_at(start);
    let structures = Structures(structures_of(structures.get(1..).unwrap_or_default()));
    let mut out = Vec::new();
    for section in sections(operations, "## ") {
        let Some((method, path)) = heading(section.first().unwrap_or(&"")) else { continue };
        if !path.starts_with(INTRODUCTION) {
            let operation = structures.operation(method, path, section);
            out.push(operation.map_err(|e| format!("{method} {path}: {e}"))?);
        }
    }
    Ok(out)
}

/// `## Title [METHOD /path{?query}]`: method and path without the query template.
fn heading(line: &str) -> Option<(&str, &str)> {
    let inner = line.split_once('[')?.1.split_once(']')?.0;
    let (method, path) = inner.split_once(' ')?;
    Some((method, path.split("{?").next().unwrap_or(path)))
}

/// Splits at the lines that start with `mark`.
fn sections<'a>(lines: &'a [&'a str], mark: &str) -> Vec<&'a [&'a str]> {
    let starts: Vec<usize> = lines.iter().enumerate().filter(|(_, l)| l.starts_with(mark)).map(|(i, _)| i).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| lines.get(*start..end)).collect()
}

fn structures_of(lines: &[&str]) -> BTreeMap<String, Vec<Item>> {
    let all: Vec<String> = lines.iter().map(|l| l.replacen("## ", "# ", usize::from(l.starts_with("## ")))).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut out = BTreeMap::new();
    for section in sections(&all, "# ") {
        let title = section.first().unwrap_or(&"").trim_start_matches("# ");
        let name = title.split('(').next().unwrap_or_default().trim();
        out.insert(name.to_owned(), tree(section.get(1..).unwrap_or_default(), 0));
    }
    out
}

/// The items from the first line on, as long as they stand at least at `least`.
fn tree(lines: &[&str], least: usize) -> Vec<Item> {
    let mut roots: Vec<Item> = Vec::new();
    for line in lines {
        let indent = line.len() - line.trim_start().len();
        let Some(rest) = line.trim_start().strip_prefix("+ ") else { continue };
        if indent < least {
            break;
        }
        place(&mut roots, parse_item(indent, rest));
    }
    roots
}

/// Puts an item below the last one that stands further left.
fn place(siblings: &mut Vec<Item>, item: Item) {
    match siblings.last_mut() {
        Some(last) if last.indent < item.indent => place(&mut last.children, item),
        _ => siblings.push(item),
    }
}

/// ``name`: `sample` (type, attribute) - prose``; samples may hold anything, so quoted text is skipped.
fn parse_item(indent: usize, text: &str) -> Item {
    let (name, rest) = match text.strip_prefix('`').and_then(|t| t.split_once('`')) {
        Some((name, rest)) => (name, rest),
        None => text.split_at(text.find([':', '(']).unwrap_or(text.len())),
    };
    let mut unquoted = String::new();
    for (i, part) in rest.split('`').enumerate() {
        if i % 2 == 0 {
            unquoted.push_str(part);
        }
    }
    let (attributes, prose) = match unquoted.split_once('(').and_then(|(_, t)| t.split_once(')')) {
        Some((inner, prose)) => (inner.split(',').map(|a| a.trim().to_owned()).collect(), prose.to_owned()),
        None => (Vec::new(), String::new()),
    };
    Item { indent, name: name.trim().to_owned(), attributes, prose, children: Vec::new() }
}

struct Structures(BTreeMap<String, Vec<Item>>);

impl Structures {
    fn operation(&self, method: &str, path: &str, section: &[&str]) -> Result<Operation, String> {
        let (mut query, mut request, mut responses) = (Vec::new(), None, Vec::new());
        let mut part = "";
        for (at, line) in section.iter().enumerate() {
            let word = line.trim();
            if line.starts_with("+ Request") || line.starts_with("+ Response") {
                part = line;
                if let Some(status) = status(line) {
                    responses.push((status.to_owned(), Value::Null));
                }
            } else if word.starts_with("+ Parameters") {
                let items = below(section, at);
                query = items.iter().filter(|i| !path.contains(&format!("{{{}}}", i.name))).map(parameter).collect();
            } else if word.starts_with("+ Attributes") {
                let schema = self.attributes(word, &below(section, at))?;
                match responses.last_mut() {
                    Some((_, body)) if status(part).is_some() => *body = schema,
                    _ => request = Some(schema),
                }
            }
        }
        Ok(Operation { method: method.to_owned(), path: path.to_owned(), query, request, responses })
    }

    fn attributes(&self, word: &str, items: &[Item]) -> Result<Value, String> {
        match word.split_once('(').and_then(|(_, t)| t.split_once(')')) {
            Some((structure, _)) => self.structure(structure),
            None => self.object(items),
        }
    }

    fn structure(&self, name: &str) -> Result<Value, String> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, target)| target);
        let items = self.0.get(name).ok_or_else(|| format!("no structure {name}"))?;
        let mut schema = self.object(items)?;
        let title = STRUCTURES.iter().find(|(known, _)| *known == name).map_or("", |(_, title)| title);
        if let (false, Some(members)) = (title.is_empty(), schema.as_object_mut()) {
            members.insert(NAME.into(), json!(title));
        }
        Ok(schema)
    }

    fn object(&self, items: &[Item]) -> Result<Value, String> {
        let (mut properties, mut required, mut open) = (Map::new(), Vec::new(), None);
        let flat =
            items.iter().flat_map(|i| if i.name == "One Of" { i.children.as_slice() } else { std::slice::from_ref(i) });
        for item in flat {
            let schema = self.schema(item).map_err(|e| format!("{}: {e}", item.name))?;
            if item.name.starts_with('*') {
                open = Some(schema);
                continue;
            }
            if item.has("required") {
                required.push(json!(item.name));
            }
            properties.insert(item.name.clone(), schema);
        }
        let mut out = Map::from_iter([("type".to_owned(), json!("object"))]);
        if !properties.is_empty() {
            out.insert("properties".into(), Value::Object(properties));
            if !required.is_empty() {
                out.insert("required".into(), Value::Array(required));
            }
        }
        if let Some(open) = open {
            out.insert("additionalProperties".into(), open);
        }
        Ok(Value::Object(out))
    }

    fn schema(&self, item: &Item) -> Result<Value, String> {
        let kind =
            item.attributes.iter().find(|a| !["required", "optional", "nullable", "fixed-type"].contains(&a.as_str()));
        // `*name (string, required)* (Type, required)`: the name of an open map is quoted with its own attributes.
        let kind = if item.name.starts_with('*') { "Metrics Values" } else { kind.map_or("string", String::as_str) };
        let mut schema = match kind.strip_prefix("array[").and_then(|k| k.strip_suffix(']')) {
            Some(of) => json!({ "type": "array", "items": self.kind(of, item)? }),
            None => self.kind(kind, item)?,
        };
        if let (true, Some(members)) = (item.has("nullable"), schema.as_object_mut()) {
            members.insert("nullable".into(), json!(true));
        }
        Ok(schema)
    }

    fn kind(&self, kind: &str, item: &Item) -> Result<Value, String> {
        Ok(match kind {
            "number" if FRACTIONS.contains(&item.name.as_str()) => json!({ "type": "number" }),
            "number" => json!({ "type": "integer" }),
            "string" | "boolean" => json!({ "type": kind }),
            "enum[string]" => json!({ "type": "string", "enum": members(item) }),
            "object" => self.object(&item.children)?,
            // Samples of metrics are pairs of a time and a value (dialects, A.5).
            "array" if item.name == "values" => json!({
                "type": "array", "items": { "type": "array", "items": { "type": ["number", "string"] } }
            }),
            "array" => match item.children.first().and_then(|c| c.attributes.first()) {
                Some(of) => json!({ "type": "array", "items": self.structure(of)? }),
                None => json!({ "type": "array", "items": { "type": "string" } }),
            },
            structure => self.structure(structure)?,
        })
    }
}

impl Item {
    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|a| a == attribute)
    }
}

/// The items below the line `at`, that is: those indented more.
fn below(section: &[&str], at: usize) -> Vec<Item> {
    let indent = section.get(at).map_or(0, |l| l.len() - l.trim_start().len());
    tree(section.get(at + 1..).unwrap_or_default(), indent + 1)
}

fn status(line: &str) -> Option<&str> {
    line.strip_prefix("+ Response ")?.split(' ').next()
}

fn members(item: &Item) -> Vec<String> {
    let listed = item.children.iter().find(|c| c.name == "Members").map_or(&item.children, |m| &m.children);
    listed.iter().map(|c| c.name.clone()).collect()
}

fn parameter(item: &Item) -> Value {
    let kind = item.attributes.first().map_or("string", String::as_str);
    let mut out = Map::from_iter([("name".to_owned(), json!(item.name))]);
    out.insert("type".into(), json!(if kind == "number" { "number" } else { "string" }));
    if kind.starts_with("enum") {
        out.insert("enum".into(), json!(members(item)));
    }
    if item.prose.contains(REPEATS) {
        out.insert("repeatable".into(), json!(true));
    }
    if item.has("required") {
        out.insert("required".into(), json!(true));
    }
    Value::Object(out)
}
