//! Folders of a storage box: how they are named, and what is seen at a path.
//!
//! **Invariant:** a set of folders holds with every folder those above it; each is written without a leading, trailing or
//! doubled slash and without `.` and `..`. The top is not in it.

use crate::{Error, FieldError, Result};
use std::collections::BTreeSet;

/// The longest path, in characters.
pub const PATH_LENGTH_MAX: usize = 999;
/// The most folders of a storage box.
pub const FOLDERS_MAX: usize = 2000;
/// What the names of all folders may hold together, in bytes.
pub const FOLDERS_BYTES_MAX: usize = 65_536;

/// The folder of the snapshots, which is seen where the access settings say so.
pub const SNAPSHOTS: &str = ".zfs/snapshot";
/// The first part of [`SNAPSHOTS`]: no folder of this name can be made.
const HIDDEN: &str = ".zfs";

/// The most folders that a storage box holds with the homes of its accounts, once others have taken the place of those that
/// it had. A snapshot may be taken of as many.
const RESTORED_MAX: usize = 2 * FOLDERS_MAX;
/// What their names may hold together then, in bytes.
const RESTORED_BYTES_MAX: usize = 2 * FOLDERS_BYTES_MAX;

/// The folders of a storage box.
pub type Folders = BTreeSet<String>;

/// A path in its one spelling; empty for the top.
///
/// # Errors
/// What is wrong with it: a path that is too long, climbs, or holds control characters.
pub fn normal(path: &str) -> Result<String, String> {
    if path.chars().count() > PATH_LENGTH_MAX {
        return Err(format!("must not be longer than {PATH_LENGTH_MAX} characters"));
    }
    if path.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err("must not contain '..'".to_owned());
    }
    Ok(parts.join("/"))
}

/// The folder that a new folder's path names: not the top, and nothing in the folder of the snapshots.
///
/// # Errors
/// The field with what is wrong.
pub fn new(field: &str, path: &str) -> Result<String, FieldError> {
    let wrong = |fault: &str| FieldError::new(field, fault);
    let folder = normal(path).map_err(|fault| wrong(&fault))?;
    if folder.is_empty() {
        return Err(wrong("must name a folder"));
    }
    if folder.split('/').next() == Some(HIDDEN) {
        return Err(wrong("must not be the folder of the snapshots"));
    }
    Ok(folder)
}

/// A home directory: what is shown, which is what was asked for without a leading slash, and the folder that it names.
///
/// # Errors
/// The field `home_directory`.
pub fn home_directory(asked: &str) -> Result<(String, String), FieldError> {
    const FIELD: &str = "home_directory";
    let is_known = |c: char| c.is_ascii_alphanumeric() || " ./_-".contains(c);
    if !asked.chars().all(is_known) {
        return Err(FieldError::new(FIELD, "must only contain letters, digits, spaces, '.', '/', '_' and '-'"));
    }
    let folder = new(FIELD, asked)?;
    Ok((asked.trim_start_matches('/').to_owned(), folder))
}

/// Where a further account is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The name of the account.
    pub username: String,
    /// The folder.
    pub folder: String,
}

fn check_bounds(folders: &Folders, (count, bytes): (usize, usize)) -> Result<()> {
    if folders.len() > count || folders.iter().map(String::len).sum::<usize>() > bytes {
        return Err(Error::limit("storage_box_folder_limit", "storage box folder"));
    }
    Ok(())
}

/// Adds a folder and those above it.
///
/// # Errors
/// `resource_limit_exceeded` when there would be too many.
pub fn add(folders: &mut Folders, folder: &str) -> Result<()> {
    insert(folders, folder);
    check_bounds(folders, (FOLDERS_MAX, FOLDERS_BYTES_MAX))
}

/// Folders that take the place of others, with the homes of all accounts: as long as there is an account, so is its home. So
/// there may be more folders than somebody may make, but not without end.
///
/// # Errors
/// `resource_limit_exceeded`: then accounts have to find a home elsewhere, or to go.
pub fn with_homes(mut folders: Folders, homes: &[Home]) -> Result<Folders> {
    homes.iter().for_each(|home| insert(&mut folders, &home.folder));
    check_bounds(&folders, (RESTORED_MAX, RESTORED_BYTES_MAX))?;
    Ok(folders)
}

/// Removes a folder, with those below it.
///
/// # Errors
/// What is wrong with the path; that there is no such folder, or that an account is at home in it.
pub fn remove(folders: &mut Folders, homes: &[Home], path: &str) -> Result<(), String> {
    let folder = new("", path).map_err(|wrong| wrong.messages.join(", "))?;
    if !folders.contains(&folder) {
        return Err(format!("there is no folder '{folder}'"));
    }
    let is_inside =
        |other: &str| other == folder || other.strip_prefix(&*folder).is_some_and(|rest| rest.starts_with('/'));
    if let Some(home) = homes.iter().find(|home| is_inside(&home.folder)) {
        return Err(format!("{} is at home in '{}'", home.username, home.folder));
    }
    folders.retain(|other| !is_inside(other));
    Ok(())
}

/// Adds a folder and those above it, however many there are.
fn insert(folders: &mut Folders, folder: &str) {
    for (end, _) in folder.match_indices('/') {
        folders.insert(folder[..end].to_owned());
    }
    folders.insert(folder.to_owned());
}

/// What a storage box shows of its folders.
pub struct Tree<'a> {
    /// Those of its data.
    pub folders: &'a Folders,
    /// Those of each snapshot, by its name; none where the folder of the snapshots is not seen.
    pub snapshots: Option<&'a [(String, Folders)]>,
}

impl Tree<'_> {
    /// The names of the folders directly below a path in its one spelling, in order; none when there is no such folder.
    #[must_use]
    pub fn below(&self, path: &str) -> Option<Vec<String>> {
        let Some(snapshots) = self.snapshots else { return below(self.folders, path) };
        let names = || snapshots.iter().map(|(name, _)| name.clone()).collect();
        match path {
            "" => {
                let mut top = below(self.folders, path)?;
                top.push(HIDDEN.to_owned());
                top.sort();
                Some(top)
            }
            HIDDEN => Some(vec![SNAPSHOTS.trim_start_matches(HIDDEN).trim_start_matches('/').to_owned()]),
            SNAPSHOTS => Some(names()),
            _ => match path.strip_prefix(SNAPSHOTS).and_then(|rest| rest.strip_prefix('/')) {
                Some(inside) => {
                    let (name, path) = inside.split_once('/').unwrap_or((inside, ""));
                    let (_, folders) = snapshots.iter().find(|(known, _)| known == name)?;
                    below(folders, path)
                }
                None => below(self.folders, path),
            },
        }
    }
}

fn below(folders: &Folders, path: &str) -> Option<Vec<String>> {
    if !path.is_empty() && !folders.contains(path) {
        return None;
    }
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let inside = folders.range(prefix.clone()..).map_while(|folder| folder.strip_prefix(&prefix));
    Some(inside.filter(|rest| !rest.is_empty() && !rest.contains('/')).map(str::to_owned).collect())
}

/// Refuses a list of folders that an operator gives; otherwise the set of them.
///
/// # Errors
/// `invalid_input` with each that is wrong; `resource_limit_exceeded`.
pub fn all(paths: &[String]) -> Result<Folders> {
    if paths.len() > FOLDERS_MAX {
        return Err(Error::limit("storage_box_folder_limit", "storage box folder"));
    }
    let (mut folders, mut wrong) = (Folders::new(), Vec::new());
    for (position, path) in paths.iter().enumerate() {
        match new(&format!("folders[{position}]"), path) {
            Ok(folder) if wrong.is_empty() => add(&mut folders, &folder)?,
            Ok(_) => {}
            Err(fault) => wrong.push(fault),
        }
    }
    if wrong.is_empty() { Ok(folders) } else { Err(Error::invalid_fields(wrong)) }
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS_MAX, Folders, Home, Tree, add, all, home_directory, new, normal, remove, with_homes};
    use wolke_wire::ErrorCode;

    fn set(paths: &[&str]) -> Folders {
        all(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_path_has_one_spelling() {
        for (path, expected) in [("", ""), (".", ""), ("/", ""), ("./a//b/", "a/b"), ("/a/./b", "a/b"), ("a b", "a b")]
        {
            assert_eq!(normal(path).as_deref(), Ok(expected), "{path}");
        }
        for path in ["..", "a/../b", "a\u{7}", &"a".repeat(1000)] {
            assert!(normal(path).is_err(), "{path}");
        }
        assert_eq!(new("p", ".zfs/snapshot/x").unwrap_err().name, "p");
        assert_eq!(new("p", "./").unwrap_err().name, "p");
    }

    #[test]
    fn homes_are_shown_as_they_were_asked_for() {
        let shown = |asked| home_directory(asked).unwrap();
        assert_eq!(shown("backups/team1"), ("backups/team1".into(), "backups/team1".into()));
        assert_eq!(shown("/a//b/"), ("a//b/".into(), "a/b".into()));
        for wrong in ["/", "", "..", "a:b", "ä", ".zfs/a"] {
            assert_eq!(home_directory(wrong).unwrap_err().name, "home_directory", "{wrong}");
        }
    }

    #[test]
    fn what_is_below() {
        let folders = set(&["photos/2024/may", "photos-old", "photos/2023", "a"]);
        let hidden = Tree { folders: &folders, snapshots: None };
        assert_eq!(hidden.below("").unwrap(), ["a", "photos", "photos-old"]);
        assert_eq!(hidden.below("photos").unwrap(), ["2023", "2024"]);
        assert_eq!(hidden.below("photos/2024/may").unwrap(), Vec::<String>::new());
        for missing in ["b", "photos/2025", ".zfs", ".zfs/snapshot"] {
            assert_eq!(hidden.below(missing), None, "{missing}");
        }
        let snapshots = [("s1".to_owned(), set(&["b/c"])), ("s2".to_owned(), Folders::new())];
        let seen = Tree { folders: &folders, snapshots: Some(&snapshots) };
        assert_eq!(seen.below("").unwrap(), [".zfs", "a", "photos", "photos-old"]);
        assert_eq!(seen.below(".zfs").unwrap(), ["snapshot"]);
        assert_eq!(seen.below(".zfs/snapshot").unwrap(), ["s1", "s2"]);
        assert_eq!(seen.below(".zfs/snapshot/s1").unwrap(), ["b"]);
        assert_eq!(seen.below(".zfs/snapshot/s1/b").unwrap(), ["c"]);
        assert_eq!((seen.below(".zfs/snapshot/s3"), seen.below(".zfs/x")), (None, None));
    }

    fn home(folder: &str) -> Home {
        Home { username: "u1-sub1".into(), folder: folder.into() }
    }

    #[test]
    fn folders_go_with_what_is_below_but_not_with_who_lives_there() {
        let mut folders = set(&["a/b/c", "a/b-c", "ab"]);
        let homes = [home("a/b/c")];
        for (path, fault) in [
            ("a", "u1-sub1 is at home in 'a/b/c'"),
            ("a/b/c", "u1-sub1 is at home in 'a/b/c'"),
            ("x", "there is no folder 'x'"),
            ("/", "must name a folder"),
        ] {
            assert_eq!(remove(&mut folders, &homes, path).unwrap_err(), fault, "{path}");
        }
        remove(&mut folders, &homes, "/a/b-c/").unwrap();
        remove(&mut folders, &[], "a/b").unwrap();
        assert_eq!(folders, set(&["a", "ab"]));
    }

    #[test]
    fn homes_are_there_even_where_nobody_could_make_them_but_not_without_end() {
        let many = |first: usize, count: usize| (first..first + count).map(|n| format!("{n}")).collect::<Folders>();
        let full = with_homes(many(0, FOLDERS_MAX), &[home("x/y")]).unwrap();
        assert_eq!(full.len(), FOLDERS_MAX + 2);
        assert!(add(&mut full.clone(), "z").is_err());
        let homes: Vec<Home> = many(FOLDERS_MAX, FOLDERS_MAX).iter().map(|folder| home(folder)).collect();
        let fuller = with_homes(many(0, FOLDERS_MAX), &homes).unwrap();
        assert!(with_homes(fuller.clone(), &[]).is_ok(), "a snapshot of it can be brought back");
        assert_eq!(with_homes(fuller, &[home("z")]).unwrap_err().code(), ErrorCode::ResourceLimitExceeded);
    }

    #[test]
    fn folders_are_bounded() {
        let deep: Vec<&str> = vec!["a"; 400];
        assert_eq!(add(&mut Folders::new(), &deep.join("/")).unwrap_err().code(), ErrorCode::ResourceLimitExceeded);
        let many: Vec<String> = (0..FOLDERS_MAX).map(|n| format!("{n}")).collect();
        let mut folders = all(&many).unwrap();
        assert!(add(&mut folders, "1").is_ok());
        assert_eq!(add(&mut folders, "x").unwrap_err().code(), ErrorCode::ResourceLimitExceeded);
        assert_eq!(
            all(&["..".into(), "a".into(), "/".into()]).unwrap_err().message(),
            "invalid input in fields 'folders[0]', 'folders[2]'"
        );
    }
}
