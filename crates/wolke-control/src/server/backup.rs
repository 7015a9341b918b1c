//! Daily backups of a server: switching them on and off, and making the one that is due.
//!
//! The time inside the window is drawn once, when backups are enabled, and stays until they are disabled or another window
//! is asked for (2018 could). After a stop of the installation one backup is made at once, and none is caught up with.

use super::{begin_image, calendar, check_not_doomed};
use crate::action::{self, Started};
use crate::control::{Caller, Control};
use crate::core::Core;
use crate::image;
use wolke_domain::Result;
use wolke_domain::action::Target;
use wolke_domain::backup::{Window, following};
use wolke_domain::image::Type;
use wolke_domain::server::{Backup, Server};
use wolke_store::{Race, Stored, Tx, server};
use wolke_wire::cloud::Labels;
use wolke_wire::cloud::server::EnableServerBackup;
use wolke_wire::{Id, Kind};

impl Control {
    /// Switches daily backups on; that they are on already changes nothing but their window, if one is asked for.
    ///
    /// # Errors
    /// `not_found`; `invalid_input` for a window that there is not; `locked` when it is being deleted or contention is
    /// refused.
    pub async fn enable_server_backup(&self, caller: &Caller, id: Id, request: EnableServerBackup) -> Result<Started> {
        let wanted = request.backup_window.as_deref().map(Window::parse).transpose()?;
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let old = server::expect(tx, project, id)?;
            check_not_doomed(&old.value)?;
            let target = Target::new(Kind::Server, id);
            action::admit(tx, refuse, project, target, "enable_backup")?;
            enable(tx, &old, wanted)?;
            action::done(tx, project, "enable_backup", vec![target])
        })
        .await
    }

    /// Switches daily backups off and deletes those that there are, at once (dialects D.1).
    ///
    /// # Errors
    /// `not_found`; `locked` when it is being deleted or contention is refused.
    pub async fn disable_server_backup(&self, caller: &Caller, id: Id) -> Result<Started> {
        let (project, refuse) = (caller.project, self.options.refuse_contention);
        self.act(caller, vec![Race::Project(project)], move |tx| {
            let old = server::expect(tx, project, id)?;
            check_not_doomed(&old.value)?;
            let target = Target::new(Kind::Server, id);
            action::admit(tx, refuse, project, target, "disable_backup")?;
            if old.value.details.backup.is_some() {
                let mut new = old.value.clone();
                new.details.backup = None;
                calendar::ensure(tx, &mut new)?;
                server::update(tx, &old, &new)?;
                image::delete_backups_of(tx, id)?;
            }
            action::done(tx, project, "disable_backup", vec![target])
        })
        .await
    }
}

/// The window that was asked for, or any; in it any slot.
fn enable(tx: &mut dyn Tx, old: &Stored<Server>, wanted: Option<Window>) -> Result<()> {
    let known = old.value.details.backup.as_ref().map(|backup| backup.window.as_str());
    if known.is_some_and(|known| wanted.is_none_or(|wanted| wanted.as_str() == known)) {
        return Ok(());
    }
    let now = tx.now();
    let window = wanted.unwrap_or_else(|| Window::draw(&mut *tx.random("backup_window")));
    let next = window.draw_slot(&mut *tx.random("backup_slot"), now);
    let mut new = old.value.clone();
    new.details.backup = Some(Backup { window: window.as_str().into(), next });
    calendar::ensure(tx, &mut new)?;
    server::update(tx, old, &new)
}

/// Starts the backup that is due, behind whatever works on the server, and makes the appointment of the next one. A server
/// on its way out gets none.
pub(super) fn make_due(tx: &mut dyn Tx, core: &Core, old: &Stored<Server>) -> Result<()> {
    let now = tx.now();
    let mut new = old.value.clone();
    if let Some(backup) = &mut new.details.backup {
        backup.next = following(backup.next, now);
    }
    server::update(tx, old, &new)?;
    if new.details.doomed {
        return Ok(());
    }
    begin_image(tx, core, old, Type::Backup, None, Labels::new(), true).map(|_| ())
}
