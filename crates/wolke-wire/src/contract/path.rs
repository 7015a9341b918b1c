//! Where in a JSON value something is wrong: `services[0].http.certificates`.

/// One thing that is wrong with a request, a query or a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldViolation {
    /// The member: dots between names, indices in brackets; empty for the whole value.
    pub path: String,
    /// What is wrong, without the name of the member: `must be a string`.
    pub message: String,
}

/// A path as a chain on the stack; it costs an allocation only when it is written into a violation.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Member(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// A violation at this place.
    pub(super) fn violation(&self, message: impl Into<String>) -> FieldViolation {
        FieldViolation { path: self.to_string(), message: message.into() }
    }
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
