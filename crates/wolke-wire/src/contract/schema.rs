//! Compiled schemas: small immutable trees that share the definitions of their file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::raw::{RawAdditional, RawSchema, RawType, Refers};

/// How deep schemas may nest; definitions that refer to themselves would not end.
const MAX_DEPTH: usize = 32;

/// What a document says about a value. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(super) nullable: bool,
    pub(super) node: Arc<Node>,
}

/// The part of a schema that definitions share; nullability belongs to the place of use.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What the document calls it, if it is one of its definitions.
    pub(super) name: Option<Box<str>>,
    pub(super) types: Types,
    pub(super) refers: Refers,
    pub(super) values: Box<[Box<str>]>,
    pub(super) format: Format,
    pub(super) limits: Option<Box<Limits>>,
    pub(super) items: Option<Schema>,
    /// Sorted by name.
    pub(super) properties: Box<[Property]>,
    pub(super) additional: Additional,
    pub(super) default: Option<Value>,
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: Box<str>,
    pub(super) required: bool,
    pub(super) schema: Schema,
}

/// What an object may hold besides its properties.
#[derive(Debug, Default)]
pub(super) enum Additional {
    /// The document says nothing: undocumented, ignored in requests, cut from responses.
    #[default]
    Undocumented,
    /// An object without documented members, such as error details: anything.
    Anything,
    /// Refused in requests (dialects D.2).
    Refused,
    /// An open map, such as labels.
    Values(Schema),
}

/// The limits that the documents state.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) pattern: Option<Pattern>,
}

/// Formats that are checked; the others say nothing that the type does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    None,
    /// An RFC 3339 time stamp.
    DateTime,
    /// A decimal number as text.
    Decimal,
}

/// A set of JSON types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const STRING: Types = Types(1);
    pub(super) const INTEGER: Types = Types(2);
    pub(super) const NUMBER: Types = Types(4);
    pub(super) const BOOLEAN: Types = Types(8);
    pub(super) const ARRAY: Types = Types(16);
    pub(super) const OBJECT: Types = Types(32);

    pub(super) const fn has(self, other: Types) -> bool {
        self.0 & other.0 != 0
    }

    /// With the article that a message needs.
    pub(super) fn describe(self) -> String {
        let with_article =
            |name: &str| format!("{} {name}", if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" });
        self.names().into_iter().map(with_article).collect::<Vec<_>>().join(" or ")
    }

    /// As JSON Schema calls them.
    pub(super) fn names(self) -> Vec<&'static str> {
        let names = [
            (Self::STRING, "string"),
            (Self::INTEGER, "integer"),
            (Self::NUMBER, "number"),
            (Self::BOOLEAN, "boolean"),
            (Self::ARRAY, "array"),
            (Self::OBJECT, "object"),
        ];
        names.iter().filter(|(t, _)| self.has(*t)).map(|(_, name)| *name).collect()
    }

    fn parse(names: &[String]) -> Result<Self, String> {
        names.iter().try_fold(Types(0), |set, name| {
            let one = match name.as_str() {
                "string" => Self::STRING,
                "integer" => Self::INTEGER,
                "number" => Self::NUMBER,
                "boolean" => Self::BOOLEAN,
                "array" => Self::ARRAY,
                "object" => Self::OBJECT,
                other => return Err(format!("unknown type {other}")),
            };
            Ok(Types(set.0 | one.0))
        })
    }
}

/// The patterns of the documents; there are few, so each has a function instead of a regular expression engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// The value of a label: empty, or up to 63 letters, digits, `.`, `_` and `-` with an alphanumeric at both ends.
    LabelValue,
    /// The name of a location, zone or data center: lower-case letters, digits and dashes, not beginning with a dash.
    PlaceName,
    /// A directory: one or more letters, digits, spaces, dots, slashes, underscores and dashes.
    Directory,
    /// A pattern without anchors that may match the empty text: it allows everything.
    Anything,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            r"^(()|[a-z0-9A-Z]|([a-z0-9A-Z][a-z0-9A-Z\._-]{0,61}[a-z0-9A-Z]))$" => Ok(Self::LabelValue),
            "^[a-z0-9]+(-?[a-z0-9]*)*$" => Ok(Self::PlaceName),
            "^[a-zA-Z0-9 ./_-]+$" => Ok(Self::Directory),
            r"[a-zA-Z0-9-_,:<>+#!\(\)\[\]\{\} ]*" => Ok(Self::Anything),
            other => Err(format!("unknown pattern {other}")),
        }
    }

    /// The same rule as a regular expression that no engine needs long for; none where there is no rule.
    pub(super) const fn text(self) -> Option<&'static str> {
        match self {
            Self::LabelValue => Some("^([a-zA-Z0-9]([a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?)?$"),
            Self::PlaceName => Some("^[a-z0-9][a-z0-9-]*$"),
            Self::Directory => Some("^[a-zA-Z0-9 ./_-]+$"),
            Self::Anything => None,
        }
    }

    pub(super) fn matches(self, text: &str) -> bool {
        let (first, last) = (text.bytes().next(), text.bytes().last());
        let alphanumeric = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        match self {
            Self::LabelValue => {
                text.is_empty()
                    || text.len() <= 63
                        && alphanumeric(first)
                        && alphanumeric(last)
                        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            }
            Self::PlaceName => {
                first.is_some_and(|b| b != b'-')
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            }
            Self::Directory => {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" ./_-".contains(&b))
            }
            Self::Anything => true,
        }
    }
}

impl Schema {
    /// The schema of the member `name` of an object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Schema> {
        self.node.property(name).map(|property| &property.schema)
    }

    /// The names of the documented members, sorted.
    pub fn member_names(&self) -> impl Iterator<Item = &str> {
        self.node.properties.iter().map(|property| &*property.name)
    }

    /// The schema of the items of an array.
    #[must_use]
    pub fn items(&self) -> Option<&Schema> {
        self.node.items.as_ref()
    }

    /// The values of an enumeration; empty when any value is allowed.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.node.values.iter().map(|value| &**value)
    }

    /// Whether JSON null is allowed.
    #[must_use]
    pub const fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Whether an object must have the member `name`.
    #[must_use]
    pub fn requires(&self, name: &str) -> bool {
        self.node.property(name).is_some_and(|property| property.required)
    }

    /// The value that stands for an absent one, where the document states it.
    #[must_use]
    pub fn default_value(&self) -> Option<&Value> {
        self.node.default.as_ref()
    }
}

impl Node {
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        let at = self.properties.binary_search_by(|property| (*property.name).cmp(name)).ok()?;
        self.properties.get(at)
    }
}

/// Compiles the schemas of one file; each definition once.
pub(super) struct Compiler<'a> {
    definitions: &'a BTreeMap<String, RawSchema>,
    done: HashMap<&'a str, Arc<Node>>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(definitions: &'a BTreeMap<String, RawSchema>) -> Self {
        Self { definitions, done: HashMap::new() }
    }

    pub(super) fn compile(&mut self, raw: &RawSchema) -> Result<Schema, String> {
        self.schema(raw, 0)
    }

    fn schema(&mut self, raw: &RawSchema, depth: usize) -> Result<Schema, String> {
        if depth > MAX_DEPTH {
            return Err("the schemas nest too deeply".into());
        }
        if raw.reference.is_some() && (raw.kind.is_some() || !raw.properties.is_empty()) {
            return Err("a reference has members of its own".into());
        }
        let node = match &raw.reference {
            None => Arc::new(self.node(raw, depth)?),
            Some(name) => match self.done.get(name.as_str()) {
                Some(node) => Arc::clone(node),
                None => {
                    let (name, target) = self.definitions.get_key_value(name).ok_or(format!("no definition {name}"))?;
                    let mut node = self.node(target, depth + 1).map_err(|e| format!("{name}: {e}"))?;
                    node.name = Some(name.as_str().into());
                    let node = Arc::new(node);
                    self.done.insert(name, Arc::clone(&node));
                    node
                }
            },
        };
        Ok(Schema { nullable: raw.nullable, node })
    }

    fn node(&mut self, raw: &RawSchema, depth: usize) -> Result<Node, String> {
        let types = match &raw.kind {
            Some(RawType::One(name)) => Types::parse(std::slice::from_ref(name))?,
            Some(RawType::Any(names)) => Types::parse(names)?,
            None => return Err("a schema without a type".into()),
        };
        let items = raw.items.as_ref().map(|items| self.schema(items, depth + 1)).transpose()?;
        let mut properties = Vec::with_capacity(raw.properties.len());
        for (name, property) in &raw.properties {
            let schema = self.schema(property, depth + 1).map_err(|e| format!("{name}: {e}"))?;
            properties.push(Property { name: name.as_str().into(), required: raw.required.contains(name), schema });
        }
        let additional = match &raw.additional_properties {
            Some(RawAdditional::Values(values)) => Additional::Values(self.schema(values, depth + 1)?),
            Some(RawAdditional::Allowed(false)) => Additional::Refused,
            Some(RawAdditional::Allowed(true)) => Additional::Anything,
            None if types.has(Types::OBJECT) && properties.is_empty() => Additional::Anything,
            None => Additional::Undocumented,
        };
        Ok(Node {
            name: None,
            types,
            refers: raw.refers,
            values: raw.values.iter().map(|value| value.as_str().into()).collect(),
            format: match raw.format.as_deref() {
                Some("date-time") => Format::DateTime,
                Some("decimal") => Format::Decimal,
                _ => Format::None,
            },
            limits: limits(raw)?,
            items,
            properties: properties.into(),
            additional,
            default: raw.default.clone(),
        })
    }
}

fn limits(raw: &RawSchema) -> Result<Option<Box<Limits>>, String> {
    let limits = Limits {
        minimum: raw.minimum,
        maximum: raw.maximum,
        min_length: raw.min_length,
        max_length: raw.max_length,
        min_items: raw.min_items,
        max_items: raw.max_items,
        pattern: raw.pattern.as_deref().map(Pattern::parse).transpose()?,
    };
    let numbers = limits.minimum.is_some() || limits.maximum.is_some();
    let lengths = [limits.min_length, limits.max_length, limits.min_items, limits.max_items];
    let any = numbers || lengths.iter().any(Option::is_some) || limits.pattern.is_some();
    Ok(any.then(|| Box::new(limits)))
}
