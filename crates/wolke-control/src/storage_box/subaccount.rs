//! Further accounts of storage boxes: operations and view; and who gets in with one, or with the first.

use super::{SEAL, check_password, done, seal, type_of};
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::input;
use crate::view::{Json, Shown};
use std::sync::Arc;
use wolke_domain::action::Target;
use wolke_domain::ssh_key::PublicKey;
use wolke_domain::storage_box::login::{Attempt, Doors, Way, refusal};
use wolke_domain::storage_box::{self as rules, folder, password};
use wolke_domain::{Error, FieldError, Result, label};
use wolke_store::storage_box::StorageBox;
use wolke_store::storage_box_subaccount::{Details, Subaccount};
use wolke_store::{Counter, Race, Stored, Tx, storage_box as boxes, storage_box_subaccount as subaccounts};
use wolke_wire::cloud::storage_box::{ResetPassword, subaccount as wire};
use wolke_wire::cloud::{Labels, Secret};
use wolke_wire::{Id, Kind};

/// The limit that further accounts have, and what is counted.
const LIMIT: (&str, &str) = ("storage_box_subaccount_limit", "storage box subaccount");

/// A further account as the contract shows it.
pub(crate) fn to_wire(account: Subaccount) -> wire::Subaccount {
    wire::Subaccount {
        id: account.id,
        storage_box: account.storage_box,
        name: account.name,
        server: rules::server(&account.username),
        username: account.username,
        home_directory: account.details.home,
        access_settings: account.details.access,
        description: account.details.description,
        labels: account.details.labels,
        created: account.created,
    }
}

fn target(id: Id) -> Target {
    Target::new(Kind::StorageBoxSubaccount, id)
}

fn wrong(name: Option<&str>, description: Option<&str>, labels: Option<&Labels>) -> Vec<FieldError> {
    let mut wrong: Vec<_> = name.and_then(|name| rules::subaccount_name("name", name).err()).into_iter().collect();
    wrong.extend(description.and_then(|text| rules::check_description(text).err()));
    wrong.extend(labels.map(label::validate).unwrap_or_default());
    wrong
}

/// What can be said of a request without looking anything up.
fn check_create(request: &wire::CreateSubaccount) -> Result<()> {
    let mut wrong = wrong(request.name.as_deref(), Some(&request.description), Some(&request.labels));
    wrong.extend(folder::home_directory(&request.home_directory).err());
    wrong.extend(password::check("password", request.password.expose()).err());
    input::refuse(wrong)
}

/// Makes the folder that a home directory names, where it is not there, and gives how the home is shown.
fn make_home(tx: &mut dyn Tx, of: Id, asked: &str) -> Result<String> {
    let (shown, home) = folder::home_directory(asked).map_err(|wrong| Error::invalid_fields(vec![wrong]))?;
    let mut folders = boxes::folders(tx, of)?;
    if !folders.contains(&home) {
        folder::add(&mut folders, &home)?;
        boxes::set_folders(tx, of, &folders)?;
    }
    Ok(shown)
}

/// The next number of an account, and its user name. That is also the name of one that gets none: what others are called is
/// passed over, or nobody could make an account without a name again.
fn next(tx: &mut dyn Tx, of: &StorageBox, named: bool) -> Result<(i64, String)> {
    let mut number = of.details.numbers;
    loop {
        number += 1;
        let username = rules::subaccount_username(of.id, number);
        if named || !subaccounts::is_name_taken(tx, of.id, &username)? {
            return Ok((number, username));
        }
    }
}

fn create(
    tx: &mut dyn Tx,
    core: &Core,
    old: &Stored<StorageBox>,
    request: &wire::CreateSubaccount,
) -> Result<(Id, Started)> {
    let mut of = old.value.clone();
    let (number, username) = next(tx, &of, request.name.is_some())?;
    of.details.numbers = number;
    boxes::update(tx, old, &of)?;
    let new = Subaccount {
        id: tx.next_id(Counter::Kind(Kind::StorageBoxSubaccount))?,
        project: of.project,
        storage_box: of.id,
        number,
        name: request.name.clone().unwrap_or_else(|| username.clone()),
        username,
        created: tx.now().whole_second(),
        details: Details {
            v: 1,
            home: make_home(tx, of.id, &request.home_directory)?,
            access: request.access_settings.over(wire::SubaccountAccessSettings::default()),
            password: seal(tx, core, &request.password)?,
            description: request.description.clone(),
            labels: request.labels.clone(),
        },
    };
    let number = subaccounts::insert(tx, &new)?;
    rules::check_limit(LIMIT, number, Some(type_of(&core.catalogue(), &of)?.subaccounts_limit))?;
    Ok((new.id, done(tx, &of, "create_subaccount", Some(target(new.id)))?))
}

impl Control {
    /// Makes a further account, and its home directory where it is not there.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`; `resource_limit_exceeded` when the type allows no more.
    pub async fn create_storage_box_subaccount(
        &self,
        caller: &Caller,
        storage_box: Id,
        request: wire::CreateSubaccount,
    ) -> Result<Json> {
        check_create(&request)?;
        let (core, project) = (Arc::clone(&self.core), caller.project);
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            let old = boxes::expect(tx, project, storage_box)?;
            action::admit(tx, false, project, Target::new(Kind::StorageBox, storage_box), "create_subaccount")?;
            let (id, started) = create(tx, &core, &old, &request)?;
            Ok(Shown::new_in_storage_box(Kind::StorageBoxSubaccount, id, storage_box).action(started.action))
        })
        .await
    }

    /// Changes name, description and labels.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`, `uniqueness_error`.
    pub async fn update_storage_box_subaccount(
        &self,
        caller: &Caller,
        (storage_box, id): (Id, Id),
        update: wire::UpdateSubaccount,
    ) -> Result<Json> {
        input::refuse(wrong(update.name.as_deref(), update.description.as_deref(), update.labels.as_ref()))?;
        let project = caller.project;
        self.write_shown(caller, vec![Race::Project(project)], move |tx| {
            boxes::expect(tx, project, storage_box)?;
            let old = subaccounts::expect(tx, (project, storage_box), id)?;
            let mut new = old.value.clone();
            input::set(&mut new.name, update.name.as_ref());
            input::set(&mut new.details.description, update.description.as_ref());
            input::set(&mut new.details.labels, update.labels.as_ref());
            if new != old.value {
                subaccounts::update(tx, &old, &new)?;
            }
            Ok(Shown::one(Kind::StorageBoxSubaccount, id))
        })
        .await
    }

    /// Deletes a further account. Its home directory and what is in it stays.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn delete_storage_box_subaccount(&self, caller: &Caller, (storage_box, id): (Id, Id)) -> Result<Json> {
        let project = caller.project;
        self.change_storage_box(caller, storage_box, move |tx, of| {
            let old = subaccounts::expect(tx, (project, storage_box), id)?.value;
            subaccounts::delete(tx, &old)?;
            done(tx, &of.value, "delete_subaccount", Some(target(id)))
        })
        .await
    }

    /// Lets a further account see another folder, which is made where it is not there. The old one stays.
    ///
    /// # Errors
    /// `not_found`, `invalid_input`.
    pub async fn change_home_directory(
        &self,
        caller: &Caller,
        of: (Id, Id),
        request: wire::ChangeHomeDirectory,
    ) -> Result<Json> {
        let wrong = folder::home_directory(&request.home_directory).err();
        input::refuse(wrong.into_iter().collect())?;
        self.change_subaccount(caller, of, "change_home_directory", move |tx, new| {
            new.details.home = make_home(tx, new.storage_box, &request.home_directory)?;
            Ok(())
        })
        .await
    }

    /// Gives a further account another password.
    ///
    /// # Errors
    /// `invalid_input` for one that the policy does not allow, `not_found`.
    pub async fn reset_subaccount_password(
        &self,
        caller: &Caller,
        of: (Id, Id),
        request: ResetPassword,
    ) -> Result<Json> {
        check_password(&request)?;
        let core = Arc::clone(&self.core);
        self.change_subaccount(caller, of, "reset_subaccount_password", move |tx, new| {
            new.details.password = seal(tx, &core, &request.password)?;
            Ok(())
        })
        .await
    }

    /// Changes how a further account can be used; what is absent from the request stays.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn update_subaccount_access_settings(
        &self,
        caller: &Caller,
        of: (Id, Id),
        change: wire::ChangeSubaccountAccessSettings,
    ) -> Result<Json> {
        self.change_subaccount(caller, of, "update_access_settings", move |_, new| {
            new.details.access = change.over(new.details.access);
            Ok(())
        })
        .await
    }

    /// Does something to a further account and shows the action that says so.
    async fn change_subaccount<F>(
        &self,
        caller: &Caller,
        (storage_box, id): (Id, Id),
        command: &'static str,
        change: F,
    ) -> Result<Json>
    where
        F: Fn(&mut dyn Tx, &mut Subaccount) -> Result<()> + Send + Sync + 'static,
    {
        let project = caller.project;
        self.change_storage_box(caller, storage_box, move |tx, of| {
            let old = subaccounts::expect(tx, (project, storage_box), id)?;
            let mut new = old.value.clone();
            change(tx, &mut new)?;
            if new != old.value {
                subaccounts::update(tx, &old, &new)?;
            }
            done(tx, &of.value, command, Some(target(id)))
        })
        .await
    }
}

/// Somebody who wants in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name of an account.
    pub username: String,
    /// How.
    pub way: Way,
    /// What they show: a password.
    pub password: Option<Secret>,
    /// Or a public key, as a line of OpenSSH; only over SSH, and only of the first account.
    pub public_key: Option<String>,
    /// From outside of the provider's network.
    pub is_external: bool,
    /// To change something.
    pub writes: bool,
}

/// Whether somebody got in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Why not; none when they did.
    pub refusal: Option<String>,
    /// The folder that they see.
    pub home_directory: String,
    /// Whether they see the folder of the snapshots.
    pub sees_snapshots: bool,
}

fn is_known(core: &Core, login: &Login, (sealed, keys): (&str, &[String])) -> Result<bool> {
    if let Some(password) = &login.password {
        return Ok(core.sealer.open(SEAL, sealed)? == password.expose());
    }
    let key = login.public_key.as_deref().and_then(|line| PublicKey::parse(line).ok());
    Ok(login.way == Way::Ssh && key.is_some_and(|key| keys.contains(&key.canonical())))
}

fn attempt(tx: &mut dyn Tx, core: &Core, login: &Login) -> Result<Attempted> {
    let unknown = || Error::NotFound { message: format!("no storage box has the account '{}'", login.username) };
    let (id, number) = rules::account(&login.username).ok_or_else(unknown)?;
    let of = boxes::of_anybody(tx, id)?.ok_or_else(unknown)?.value.details;
    let (doors, is_known, home) = match number {
        None => (Doors::from(&of.access), is_known(core, login, (&of.password, &of.ssh_keys))?, String::new()),
        Some(number) => {
            let account = subaccounts::numbered(tx, id, number)?.ok_or_else(unknown)?.value.details;
            (Doors::from(&account.access), is_known(core, login, (&account.password, &[]))?, account.home)
        }
    };
    let asked = Attempt { way: login.way, is_external: login.is_external, writes: login.writes, is_known };
    let refusal = refusal(&doors, &asked).map(str::to_owned);
    Ok(Attempted { refusal, home_directory: home, sees_snapshots: doors.snapshots })
}

impl Control {
    /// Whether somebody would get into a storage box, and what they would see: for the operator, in place of the programs that
    /// would ask a real one.
    ///
    /// # Errors
    /// `not_found` for an account that there is not.
    pub async fn try_storage_box_login(&self, login: Login) -> Result<Attempted> {
        let core = Arc::clone(&self.core);
        self.db.read(move |tx| attempt(tx, &core, &login)).await
    }
}
