package main

import (
	"maps"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// images makes a snapshot, changes and protects it, makes a server of it, and converts a backup.
func images(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{Name: "source"})
	description, labels := "first", map[string]string{"a": "b"}
	opts := &hcloud.ServerCreateImageOpts{Type: hcloud.ImageTypeSnapshot, Description: &description, Labels: labels}
	made, _, err := f.client.Server.CreateImage(f.ctx, server, opts)
	f.must(err)
	f.done(made.Action, nil, nil)
	snapshot := got[hcloud.Image](f)(f.client.Image.GetByID(f.ctx, made.Image.ID))
	f.expect(snapshot.Status == hcloud.ImageStatusAvailable && snapshot.ImageSize > 0, "%+v", snapshot)
	f.expect(snapshot.Description == description && maps.Equal(snapshot.Labels, labels), "%+v", snapshot)
	f.expect(snapshot.CreatedFrom != nil && snapshot.CreatedFrom.ID == server.ID, "%+v", snapshot.CreatedFrom)
	f.expect(snapshot.Architecture == server.Image.Architecture && snapshot.OSFlavor == "ubuntu", "%+v", snapshot)

	changed := got[hcloud.Image](f)(f.client.Image.Update(f.ctx, snapshot, hcloud.ImageUpdateOpts{
		Description: hcloud.Ptr("second"), Labels: map[string]string{"c": "d"},
	}))
	f.expect(changed.Description == "second" && changed.Labels["c"] == "d", "%+v", changed)
	found, err := f.client.Image.AllWithOpts(f.ctx, hcloud.ImageListOpts{ListOpts: hcloud.ListOpts{LabelSelector: "c=d"}})
	f.must(err)
	f.expect(len(found) == 1 && found[0].ID == snapshot.ID, "%d images", len(found))

	f.done(f.client.Image.ChangeProtection(f.ctx, snapshot, hcloud.ImageChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	_, err = f.client.Image.Delete(f.ctx, snapshot)
	f.refused(err, hcloud.ErrorCodeProtected)
	f.done(f.client.Image.ChangeProtection(f.ctx, snapshot, hcloud.ImageChangeProtectionOpts{Delete: hcloud.Ptr(false)}))
	history, err := f.client.Image.Action.AllFor(f.ctx, snapshot, hcloud.ActionListOpts{})
	f.must(err)
	f.expect(len(history) >= 2, "%d actions of the image", len(history))

	copied := f.createOf(snapshot, hcloud.ServerCreateOpts{Name: "copy"})
	f.expect(copied.Image.ID == snapshot.ID, "made of %+v", copied.Image)
	f.remove(copied)
	_, err = f.client.Image.Delete(f.ctx, snapshot)
	f.must(err)
	conversion(f, server)
	f.remove(server)
}

// conversion keeps a backup as a snapshot.
func conversion(f *flow, server *hcloud.Server) {
	f.done(f.client.Server.EnableBackup(f.ctx, server, ""))
	made, _, err := f.client.Server.CreateImage(f.ctx, server, &hcloud.ServerCreateImageOpts{Type: hcloud.ImageTypeBackup})
	f.must(err)
	f.done(made.Action, nil, nil)
	kept := got[hcloud.Image](f)(f.client.Image.Update(f.ctx, made.Image, hcloud.ImageUpdateOpts{Type: hcloud.ImageTypeSnapshot}))
	f.expect(kept.Type == hcloud.ImageTypeSnapshot && kept.BoundTo == nil, "%+v", kept)
	_, _, err = f.client.Image.Update(f.ctx, kept, hcloud.ImageUpdateOpts{Type: hcloud.ImageTypeBackup})
	f.refused(err, hcloud.ErrorCodeInvalidInput)
	f.done(f.client.Server.DisableBackup(f.ctx, server))
	_, err = f.client.Image.Delete(f.ctx, kept)
	f.must(err)
	_, err = f.client.Image.Delete(f.ctx, kept)
	f.refused(err, hcloud.ErrorCodeNotFound)
}

// createOf makes a server of the given image and waits for it.
func (f *flow) createOf(system *hcloud.Image, opts hcloud.ServerCreateOpts) *hcloud.Server {
	opts.Image, opts.ServerType = system, got[hcloud.ServerType](f)(f.client.ServerType.Get(f.ctx, serverType))
	result, _, err := f.client.Server.Create(f.ctx, opts)
	f.must(err)
	f.must(f.client.Action.WaitFor(f.ctx, append(result.NextActions, result.Action)...))
	return f.reread(result.Server)
}
