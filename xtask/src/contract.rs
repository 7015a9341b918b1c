//! `cargo xtask contract [--reference DIR] [--check]`: distils the reference documents into `contract/`.
//!
//! Reads the two OpenAPI documents and the 2018 blueprint and writes `contract/<label>/<segment>.json` and the table
//! of embedded files of `wolke-wire`. Facts only: names, types, enumerations, limits; never prose. The overlays and
//! the three tables (`decisions`, `errors`, `exceptions`) are written by hand and left alone.
//!
//! Invariant: the output is a function of the reference documents, byte for byte, so `--check` can compare.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod definitions;
mod ids;
mod mson;
mod openapi;
mod print;

/// Where the reference documents are looked for, relative to the workspace root.
const DEFAULT_REFERENCE: &str = "../shared/reference";
/// The generated table of embedded files, relative to the workspace root.
const FILE_TABLE: &str = "crates/wolke-wire/src/contract/files.rs";

/// The documents: label of the directory, file name in the reference directory, how it is read.
const DOCUMENTS: [(&str, &str, Distiller); 3] = [
    ("2018-04", "cloud-blueprint-2018.apib", mson::distil),
    ("2023-07", "cloud-openapi-2023.json", openapi::distil),
    ("2026-02", "cloud-openapi-2026-02.json", openapi::distil),
];

/// Turns the text of a document into its operations, in document order.
type Distiller = fn(&str) -> Result<Vec<Operation>, String>;

/// One distilled operation, before definitions are factored out.
pub(crate) struct Operation {
    /// The upper-case method.
    pub(crate) method: String,
    /// The path template, from the version prefix on.
    pub(crate) path: String,
    /// Query parameters in the output format.
    pub(crate) query: Vec<serde_json::Value>,
    /// The schema of the request body.
    pub(crate) request: Option<serde_json::Value>,
    /// Success responses: status and schema (null without a body).
    pub(crate) responses: Vec<(String, serde_json::Value)>,
}

/// Runs the chore. `args` are the words after `contract`.
pub fn run(args: &[String]) -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    match distil_or_check(args) {
        Ok(report) => {
            let _ = out.write_all(report.as_bytes());
            ExitCode::SUCCESS
        }
        Err(message) => {
            let _ = writeln!(err, "contract: {message}");
            ExitCode::FAILURE
        }
    }
}

fn distil_or_check(args: &[String]) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace root is not known")?;
    let (mut check, mut reference) = (false, root.join(DEFAULT_REFERENCE));
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--check" => check = true,
            "--reference" => reference = PathBuf::from(words.next().ok_or("--reference needs a directory")?),
            other => return Err(format!("unknown argument {other}; use [--reference DIR] [--check]")),
        }
    }
    if !reference.is_dir() {
        let message = format!("the reference documents are not at {}", reference.display());
        return if check { Ok(format!("contract: {message}; nothing compared\n")) } else { Err(message) };
    }
    let files = generate(root, &reference)?;
    if check { compare(root, &files) } else { write(root, &files) }
}

/// Everything that is generated: path relative to the root, and content.
fn generate(root: &Path, reference: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    let mut table: Vec<(&str, String, Vec<String>)> = Vec::new();
    for (label, name, distil) in DOCUMENTS {
        let path = reference.join(name);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        for (segment, operations) in by_segment(distil(&text).map_err(|e| format!("{name}: {e}"))?) {
            let mut ids = Vec::new();
            for operation in &operations {
                let id = ids::operation_id(&operation.method, &operation.path);
                if ids.contains(&id) {
                    return Err(format!("{name}: two operations are called {id}"));
                }
                ids.push(id);
            }
            let content = print::pretty(&definitions::factor(&ids, operations));
            files.insert(format!("contract/{label}/{segment}.json"), content);
            table.push((label, segment, ids));
        }
    }
    files.insert(FILE_TABLE.to_owned(), file_table(&table) + &overlay_table(root)?);
    Ok(files)
}

fn by_segment(operations: Vec<Operation>) -> BTreeMap<String, Vec<Operation>> {
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        let segment = operation.path.split('/').nth(1).unwrap_or_default().to_owned();
        groups.entry(segment).or_default().push(operation);
    }
    groups
}

fn file_table(table: &[(&str, String, Vec<String>)]) -> String {
    let mut text = String::from(
        "//! The embedded files of the contract. Generated by `cargo xtask contract`; do not edit.\n\n\
         use super::load::Embedded;\n\n\
         /// Every distilled file: document, first path segment, text, and the ids of its operations.\n\
         #[rustfmt::skip]\n\
         pub(super) static FILES: &[Embedded] = &[\n",
    );
    for (label, segment, ids) in table {
        let document = label.split('-').next().unwrap_or_default();
        let ids = ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            text,
            "    Embedded {{\n        document: crate::dialect::Document::D{document},\n        segment: \"{segment}\",\n        \
             text: include_str!(\"../../../../contract/{label}/{segment}.json\"),\n        ids: &[{ids}],\n    }},"
        );
    }
    text.push_str("];\n");
    text
}

/// The overlays by name, which starts with their date: that is the order in which they apply.
fn overlay_table(root: &Path) -> Result<String, String> {
    let directory = root.join("contract").join("overlays");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))? {
        names.push(
            entry.map_err(|e| format!("{}: {e}", directory.display()))?.file_name().to_string_lossy().into_owned(),
        );
    }
    names.sort();
    let mut text = String::from(
        "\n/// Every overlay, by date: name and text.\n#[rustfmt::skip]\npub(super) static OVERLAYS: &[(&str, &str)] = &[\n",
    );
    for name in names {
        let _ = writeln!(text, "    (\"{name}\", include_str!(\"../../../../contract/overlays/{name}\")),");
    }
    text.push_str("];\n");
    Ok(text)
}

fn write(root: &Path, files: &BTreeMap<String, String>) -> Result<String, String> {
    for (name, content) in files {
        let path = root.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
        }
        std::fs::write(&path, content).map_err(|e| format!("{name}: {e}"))?;
    }
    for stale in stale(root, files)? {
        std::fs::remove_file(root.join(&stale)).map_err(|e| format!("{stale}: {e}"))?;
    }
    let bytes: usize = files.values().map(String::len).sum();
    Ok(format!("contract: {} files, {bytes} bytes\n", files.len()))
}

fn compare(root: &Path, files: &BTreeMap<String, String>) -> Result<String, String> {
    let mut wrong = stale(root, files)?;
    for (name, content) in files {
        if std::fs::read_to_string(root.join(name)).ok().as_deref() != Some(content.as_str()) {
            wrong.push(name.clone());
        }
    }
    if wrong.is_empty() {
        return Ok(format!("contract: {} files are what the documents say\n", files.len()));
    }
    Err(format!("these files differ from the documents, run `cargo xtask contract`: {}", wrong.join(", ")))
}

/// Files in the directories of the documents that the documents do not call for.
fn stale(root: &Path, files: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let mut stale = Vec::new();
    for (label, ..) in DOCUMENTS {
        let Ok(entries) = std::fs::read_dir(root.join("contract").join(label)) else { continue };
        for entry in entries {
            let entry = entry.map_err(|e| format!("contract/{label}: {e}"))?;
            let name = format!("contract/{label}/{}", entry.file_name().to_string_lossy());
            if !files.contains_key(&name) {
                stale.push(name);
            }
        }
    }
    stale.sort();
    Ok(stale)
}
