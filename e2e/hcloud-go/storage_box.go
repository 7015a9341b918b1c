package main

import (
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

const (
	password      = "1-Secret-Passw0rd-=)"
	otherPassword = "2-Secret-Passw0rd-=)"
)

// storageBoxes walks through the life of a box: its access, type, plan, snapshots and subaccounts.
func storageBoxes(f *flow) {
	kind := func(name string) *hcloud.StorageBoxType {
		return got[hcloud.StorageBoxType](f)(f.client.StorageBoxType.GetByName(f.ctx, name))
	}
	opts := hcloud.StorageBoxCreateOpts{
		Name: "archive", StorageBoxType: kind("bx11"), Location: got[hcloud.Location](f)(f.client.Location.GetByName(f.ctx, "fsn1")),
		Password: password, SSHKeys: []*hcloud.SSHKey{{PublicKey: publicKey()}}, Labels: map[string]string{"team": "a"},
		AccessSettings: &hcloud.StorageBoxCreateOptsAccessSettings{SSHEnabled: hcloud.Ptr(true)},
	}
	made, _, err := f.client.StorageBox.Create(f.ctx, opts)
	f.must(err)
	f.done(made.Action, nil, nil)
	reread := func() *hcloud.StorageBox {
		return got[hcloud.StorageBox](f)(f.client.StorageBox.GetByID(f.ctx, made.StorageBox.ID))
	}
	box := reread()
	f.expect(box.Status == hcloud.StorageBoxStatusActive && box.Username != "" && box.Server != "", "%+v", box)
	f.expect(box.AccessSettings == hcloud.StorageBoxAccessSettings{SSHEnabled: true}, "%+v", box.AccessSettings)
	_, _, err = f.client.StorageBox.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	opts.Name, opts.Password = "weak", "secret"
	_, _, err = f.client.StorageBox.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeInvalidInput)

	f.done(f.client.StorageBox.UpdateAccessSettings(f.ctx, box, hcloud.StorageBoxUpdateAccessSettingsOpts{WebDAVEnabled: hcloud.Ptr(true)}))
	f.done(f.client.StorageBox.ChangeType(f.ctx, box, hcloud.StorageBoxChangeTypeOpts{StorageBoxType: kind("bx21")}))
	f.done(f.client.StorageBox.ResetPassword(f.ctx, box, hcloud.StorageBoxResetPasswordOpts{Password: otherPassword}))
	plan := hcloud.StorageBoxEnableSnapshotPlanOpts{MaxSnapshots: 3, Hour: 4, Minute: 30, DayOfWeek: hcloud.Ptr(time.Sunday)}
	f.done(f.client.StorageBox.EnableSnapshotPlan(f.ctx, box, plan))
	f.done(f.client.StorageBox.ChangeProtection(f.ctx, box, hcloud.StorageBoxChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	change := hcloud.StorageBoxUpdateOpts{Name: "attic", Labels: map[string]string{"team": "b"}}
	got[hcloud.StorageBox](f)(f.client.StorageBox.Update(f.ctx, box, change))
	box = reread()
	f.expect(box.Name == "attic" && box.Labels["team"] == "b" && box.StorageBoxType.Name == "bx21", "%+v", box)
	f.expect(box.AccessSettings == hcloud.StorageBoxAccessSettings{SSHEnabled: true, WebDAVEnabled: true}, "%+v", box.AccessSettings)
	f.expect(box.SnapshotPlan != nil && *box.SnapshotPlan.DayOfWeek == time.Sunday && box.SnapshotPlan.Hour == 4, "%+v", box.SnapshotPlan)
	_, _, err = f.client.StorageBox.Delete(f.ctx, box)
	f.refused(err, hcloud.ErrorCodeProtected)
	f.done(f.client.StorageBox.DisableSnapshotPlan(f.ctx, box))
	f.done(f.client.StorageBox.ChangeProtection(f.ctx, box, hcloud.StorageBoxChangeProtectionOpts{Delete: hcloud.Ptr(false)}))

	snapshots(f, box)
	subaccounts(f, box)
	gone, _, err := f.client.StorageBox.Delete(f.ctx, box)
	f.must(err)
	f.done(gone.Action, nil, nil)
}

func snapshots(f *flow, box *hcloud.StorageBox) {
	made, _, err := f.client.StorageBox.CreateSnapshot(f.ctx, box, hcloud.StorageBoxSnapshotCreateOpts{Description: "before"})
	f.must(err)
	f.done(made.Action, nil, nil)
	snapshot := got[hcloud.StorageBoxSnapshot](f)(f.client.StorageBox.GetSnapshotByID(f.ctx, box, made.Snapshot.ID))
	f.expect(snapshot.Description == "before" && !snapshot.IsAutomatic && snapshot.Name != "", "%+v", snapshot)
	change := hcloud.StorageBoxSnapshotUpdateOpts{Description: hcloud.Ptr("after"), Labels: map[string]string{"a": "b"}}
	got[hcloud.StorageBoxSnapshot](f)(f.client.StorageBox.UpdateSnapshot(f.ctx, snapshot, change))
	found, err := f.client.StorageBox.AllSnapshotsWithOpts(f.ctx, box, hcloud.StorageBoxSnapshotListOpts{LabelSelector: "a=b", IsAutomatic: hcloud.Ptr(false)})
	f.must(err)
	f.expect(len(found) == 1 && found[0].Description == "after" && found[0].StorageBox.ID == box.ID, "%+v", found)
	f.done(f.client.StorageBox.RollbackSnapshot(f.ctx, box, hcloud.StorageBoxRollbackSnapshotOpts{Snapshot: snapshot}))
	gone, _, err := f.client.StorageBox.DeleteSnapshot(f.ctx, snapshot)
	f.must(err)
	f.done(gone.Action, nil, nil)
}

func subaccounts(f *flow, box *hcloud.StorageBox) {
	made, _, err := f.client.StorageBox.CreateSubaccount(f.ctx, box, hcloud.StorageBoxSubaccountCreateOpts{
		Name: "backup", HomeDirectory: "backups/host", Password: password, Description: "host",
		AccessSettings: &hcloud.StorageBoxSubaccountCreateOptsAccessSettings{SSHEnabled: hcloud.Ptr(true)},
	})
	f.must(err)
	f.done(made.Action, nil, nil)
	reread := func() *hcloud.StorageBoxSubaccount {
		return got[hcloud.StorageBoxSubaccount](f)(f.client.StorageBox.GetSubaccountByID(f.ctx, box, made.Subaccount.ID))
	}
	account := reread()
	f.expect(account.HomeDirectory == "backups/host" && account.Username != "" && account.Name == "backup", "%+v", account)
	folders, _, err := f.client.StorageBox.Folders(f.ctx, box, hcloud.StorageBoxFoldersOpts{Path: "."})
	f.must(err)
	f.expect(len(folders.Folders) > 0, "the home of the account is nowhere: %v", folders.Folders)
	f.done(f.client.StorageBox.ResetSubaccountPassword(f.ctx, account, hcloud.StorageBoxSubaccountResetPasswordOpts{Password: otherPassword}))
	f.done(f.client.StorageBox.UpdateSubaccountAccessSettings(f.ctx, account, hcloud.StorageBoxSubaccountUpdateAccessSettingsOpts{Readonly: hcloud.Ptr(true)}))
	f.done(f.client.StorageBox.ChangeSubaccountHomeDirectory(f.ctx, account, hcloud.StorageBoxSubaccountChangeHomeDirectoryOpts{HomeDirectory: "backups/other"}))
	change := hcloud.StorageBoxSubaccountUpdateOpts{Description: hcloud.Ptr("other host"), Labels: map[string]string{"a": "b"}}
	got[hcloud.StorageBoxSubaccount](f)(f.client.StorageBox.UpdateSubaccount(f.ctx, account, change))
	account = reread()
	f.expect(account.HomeDirectory == "backups/other" && account.Description == "other host" && account.Labels["a"] == "b", "%+v", account)
	f.expect(*account.AccessSettings == hcloud.StorageBoxSubaccountAccessSettings{SSHEnabled: true, Readonly: true}, "%+v", account.AccessSettings)
	byName := got[hcloud.StorageBoxSubaccount](f)(f.client.StorageBox.GetSubaccountByUsername(f.ctx, box, account.Username))
	f.expect(byName.ID == account.ID, "%+v", byName)
	gone, _, err := f.client.StorageBox.DeleteSubaccount(f.ctx, account)
	f.must(err)
	f.done(gone.Action, nil, nil)
}
