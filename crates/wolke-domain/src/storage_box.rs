//! The pure rules of storage boxes (fact sheet §4.3; where it is silent, decision 0016).
//!
//! - `password.rs`: what a password must be
//! - `folder.rs`: paths, and what is seen at one
//! - `share.rs`: what snapshots hold that nothing else does
//! - `plan.rs`: when the plan makes a snapshot
//! - `login.rs`: who gets in, and what they may do

pub mod folder;
pub mod login;
pub mod password;
pub mod plan;
pub mod share;

use crate::catalogue::StorageBoxType;
use crate::name::resource_name;
use crate::ssh_key::PublicKey;
use crate::{Error, FieldError, Result};
use wolke_wire::{ErrorCode, Id};

/// The most snapshots of each sort that a type can allow; also what holds where it names no limit.
pub const SNAPSHOTS_MAX: i64 = 1000;
/// The most further accounts that a type can allow.
pub const SUBACCOUNTS_MAX: i64 = 1000;
/// The longest list of snapshots or further accounts of a storage box: these lists have no pages.
pub const LISTED_MAX: u32 = 2 * SNAPSHOTS_MAX as u32;
/// The longest description of a snapshot or further account, in characters.
pub const DESCRIPTION_LENGTH_MAX: usize = 1000;
/// The most public keys that a storage box can be made with.
pub const SSH_KEYS_MAX: usize = 100;
/// What all of them may hold together, in bytes.
pub const SSH_KEYS_BYTES_MAX: usize = 65_536;
/// The most bytes that the operator can fill a storage box with, whatever its type.
pub const BYTES_MAX: i64 = 1 << 50;

/// Where storage boxes are reached, behind the name of an account.
const DOMAIN: &str = "your-storagebox.de";
/// The number of an account is the id of its storage box behind this one, so that it looks like the real service's.
const ACCOUNT_BASE: Id = 500_000;
/// How many storage boxes share a system.
const BOXES_PER_SYSTEM: Id = 100;

/// The name of the first account: `u500001`.
#[must_use]
pub fn username(id: Id) -> String {
    format!("u{}", ACCOUNT_BASE + id)
}

/// The name of a further account: `u500001-sub1`.
#[must_use]
pub fn subaccount_username(id: Id, number: i64) -> String {
    format!("{}-sub{number}", username(id))
}

/// The storage box whose account has a name, and the number of the further account; none for what is no such name.
#[must_use]
pub fn account(username: &str) -> Option<(Id, Option<i64>)> {
    let number = |text: &str| -> Option<i64> {
        // A number has one spelling.
        let number: i64 = text.parse().ok()?;
        (number > 0 && number.to_string() == text).then_some(number)
    };
    let rest = username.strip_prefix('u')?;
    let (first, sub) = match rest.split_once("-sub") {
        Some((first, sub)) => (first, Some(number(sub)?)),
        None => (rest, None),
    };
    let id = number(first)?.checked_sub(ACCOUNT_BASE).filter(|id| *id > 0)?;
    Some((id, sub))
}

/// Where an account is reached.
#[must_use]
pub fn server(username: &str) -> String {
    format!("{username}.{DOMAIN}")
}

/// The system that a storage box is on: `FSN1-BX1`.
#[must_use]
pub fn system(location: &str, id: Id) -> String {
    format!("{}-BX{}", location.to_uppercase(), 1 + id / BOXES_PER_SYSTEM)
}

/// The public keys that a storage box is made with, without repetitions, and what is wrong with them.
#[must_use]
pub fn public_keys(lines: &[String]) -> (Vec<String>, Vec<FieldError>) {
    let (mut keys, mut wrong) = (Vec::new(), Vec::new());
    if lines.len() > SSH_KEYS_MAX {
        return (keys, vec![FieldError::new("ssh_keys", format!("must not have more than {SSH_KEYS_MAX} entries"))]);
    }
    if lines.iter().map(String::len).sum::<usize>() > SSH_KEYS_BYTES_MAX {
        let fault = format!("must not hold more than {SSH_KEYS_BYTES_MAX} bytes together");
        return (keys, vec![FieldError::new("ssh_keys", fault)]);
    }
    for (position, line) in lines.iter().enumerate() {
        match PublicKey::parse(line) {
            Ok(key) if keys.contains(&key.canonical()) => {}
            Ok(key) => keys.push(key.canonical()),
            Err(fault) => wrong.push(FieldError { name: format!("ssh_keys[{position}]"), messages: fault.messages }),
        }
    }
    (keys, wrong)
}

/// What a description of a snapshot or further account may be.
///
/// # Errors
/// The field `description`.
pub fn check_description(text: &str) -> Result<(), FieldError> {
    if text.chars().count() <= DESCRIPTION_LENGTH_MAX {
        return Ok(());
    }
    Err(FieldError::new("description", format!("must not be longer than {DESCRIPTION_LENGTH_MAX} characters")))
}

/// The longest name of a further account, in characters.
pub const SUBACCOUNT_NAME_LENGTH_MAX: usize = 50;

/// The name of a further account.
///
/// # Errors
/// The field with what is wrong.
pub fn subaccount_name(field: &str, text: &str) -> Result<(), FieldError> {
    if text.chars().count() > SUBACCOUNT_NAME_LENGTH_MAX {
        return Err(FieldError::new(field, format!("must not be longer than {SUBACCOUNT_NAME_LENGTH_MAX} characters")));
    }
    resource_name(field, text)
}

/// What a storage box has of what its type limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Data and snapshots, in bytes.
    pub size: i64,
    /// Snapshots that users have made.
    pub snapshots: i64,
    /// Snapshots that the plan has made.
    pub automatic_snapshots: i64,
    /// What the plan keeps, if there is one.
    pub max_snapshots: Option<i64>,
    /// Further accounts.
    pub subaccounts: i64,
}

/// Refuses to make a storage box of its own type, or of one in which it does not fit.
///
/// # Errors
/// `invalid_input`, with everything that is too much.
pub fn check_change_type(old: Id, new: &StorageBoxType, has: &Holding) -> Result<()> {
    let mut messages = Vec::new();
    if new.id == old {
        messages.push("is the type that the storage box has".to_owned());
    }
    if has.size > new.size {
        messages.push(format!("offers {} bytes, and the storage box uses {}", new.size, has.size));
    }
    let mut exceeds = |what: &str, has: i64, limit: Option<i64>| {
        if limit.is_some_and(|limit| has > limit) {
            messages.push(format!("allows {} {what}, and the storage box has {has}", limit.unwrap_or_default()));
        }
    };
    exceeds("snapshots", has.snapshots, new.snapshot_limit);
    exceeds("automatic snapshots", has.automatic_snapshots, new.automatic_snapshot_limit);
    exceeds("snapshots of the snapshot plan", has.max_snapshots.unwrap_or(0), new.automatic_snapshot_limit);
    exceeds("subaccounts", has.subaccounts, Some(new.subaccounts_limit));
    if messages.is_empty() {
        return Ok(());
    }
    Err(Error::invalid_fields(vec![FieldError { name: "storage_box_type".into(), messages }]))
}

/// Refuses more than a type allows.
///
/// # Errors
/// `resource_limit_exceeded`.
pub fn check_limit(limit: (&str, &str), number: i64, most: Option<i64>) -> Result<()> {
    if number <= most.unwrap_or(SNAPSHOTS_MAX) { Ok(()) } else { Err(Error::limit(limit.0, limit.1)) }
}

/// A type that cannot be had, or not there.
#[must_use]
pub fn not_available(kind: &str, location: &str) -> Error {
    let message = format!("storage box type {kind} is not available in location {location}");
    Error::refused(ErrorCode::ResourceUnavailable, message)
}

#[cfg(test)]
mod tests {
    use super::{Holding, account, check_change_type, public_keys, server, subaccount_username, system, username};
    use crate::catalogue::Catalogue;
    use wolke_wire::IdOrName;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIECEyYmOjnizBckgGLpuy2w/OBjo9IjyVd1dqWEMx/yC";

    #[test]
    fn accounts_have_names_that_say_whose_they_are() {
        assert_eq!(username(7), "u500007");
        assert_eq!(server(&subaccount_username(7, 12)), "u500007-sub12.your-storagebox.de");
        assert_eq!((account("u500007"), account("u500007-sub12")), (Some((7, None)), Some((7, Some(12)))));
        for other in ["", "u", "u7", "u500000", "500007", "u0500007", "u500007-sub", "u500007-sub0", "u500007-sub+1"] {
            assert_eq!(account(other), None, "{other}");
        }
        assert_eq!((system("fsn1", 99), system("hel1", 355)), ("FSN1-BX1".into(), "HEL1-BX4".into()));
    }

    #[test]
    fn keys_are_checked_each() {
        let lines = [KEY.to_owned(), format!("{KEY} a comment"), "ssh-rsa AAAA".to_owned(), "x".to_owned()];
        let (keys, wrong) = public_keys(&lines);
        assert_eq!(keys, [KEY]);
        let names: Vec<&str> = wrong.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["ssh_keys[2]", "ssh_keys[3]"]);
        assert_eq!(public_keys(&vec![KEY.to_owned(); 101]).1[0].name, "ssh_keys");
        assert_eq!(public_keys(&vec!["a".repeat(20_000); 4]).1[0].name, "ssh_keys");
    }

    #[test]
    fn a_type_must_hold_what_there_is() {
        let kind = |name| Catalogue::builtin().storage_box_type(&IdOrName::from(name)).unwrap();
        let few =
            Holding { size: 1 << 40, snapshots: 10, automatic_snapshots: 10, max_snapshots: None, subaccounts: 100 };
        check_change_type(1334, kind("bx11"), &few).unwrap();
        assert!(check_change_type(1333, kind("bx11"), &few).unwrap_err().message().contains("is the type"));
        let many = Holding {
            size: (1 << 40) + 1,
            snapshots: 11,
            automatic_snapshots: 11,
            max_snapshots: Some(11),
            subaccounts: 101,
        };
        let message = check_change_type(1334, kind("bx11"), &many).unwrap_err().message();
        for part in ["1099511627777", "10 snapshots,", "10 automatic", "of the snapshot plan", "100 subaccounts"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
