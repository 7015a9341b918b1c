package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// servers walks through the life of a server: created with a key, switched, changed, protected, deleted.
func servers(f *flow) {
	key := got[hcloud.SSHKey](f)(f.client.SSHKey.Create(f.ctx, hcloud.SSHKeyCreateOpts{Name: "flow", PublicKey: publicKey()}))
	labels := map[string]string{"env": "prod"}
	server := f.create(hcloud.ServerCreateOpts{Name: "flow-1", SSHKeys: []*hcloud.SSHKey{key}, Labels: labels})
	f.expect(server.Status == hcloud.ServerStatusRunning && !server.Locked, "%s, locked %t", server.Status, server.Locked)
	f.expect(server.ServerType != nil && server.ServerType.Name == serverType, "server type %+v", server.ServerType)
	f.expect(server.Image != nil && server.Image.Name == image, "image %+v", server.Image)
	f.expect(server.Location != nil && server.Location.Name != "", "location %+v", server.Location)
	f.expect(!server.Created.IsZero() && server.PrimaryDiskSize == 80, "%+v", server)
	f.expect(server.PublicNet.IPv4.IP != nil && server.PublicNet.IPv6.Network != nil, "no addresses")
	power(f, server)
	update(f, server)
	protect(f, server)
	refusals(f, server)
	f.remove(server)
	_, err := f.client.SSHKey.Delete(f.ctx, key)
	f.must(err)
}

func power(f *flow, server *hcloud.Server) {
	verbs := []struct {
		run    func(context.Context, *hcloud.Server) (*hcloud.Action, *hcloud.Response, error)
		status hcloud.ServerStatus
	}{
		{f.client.Server.Poweroff, hcloud.ServerStatusOff},
		{f.client.Server.Poweroff, hcloud.ServerStatusOff}, // what is off already is no error
		{f.client.Server.Poweron, hcloud.ServerStatusRunning},
		{f.client.Server.Reboot, hcloud.ServerStatusRunning},
		{f.client.Server.Reset, hcloud.ServerStatusRunning},
		{f.client.Server.Shutdown, hcloud.ServerStatusOff},
	}
	for _, verb := range verbs {
		action := f.done(verb.run(f.ctx, server))
		now := f.reread(server)
		f.expect(now.Status == verb.status, "%s left %s", action.Command, now.Status)
	}
}

func update(f *flow, server *hcloud.Server) {
	wanted := map[string]string{"env": "test", "tier": "1"}
	opts := hcloud.ServerUpdateOpts{Name: "flow-2", Labels: wanted}
	changed := got[hcloud.Server](f)(f.client.Server.Update(f.ctx, server, opts))
	f.expect(changed.Name == "flow-2" && maps.Equal(changed.Labels, wanted), "%s %v", changed.Name, changed.Labels)
	found, err := f.client.Server.AllWithOpts(f.ctx, hcloud.ServerListOpts{
		ListOpts: hcloud.ListOpts{LabelSelector: "env in (test),tier=1,!gone"},
		Status:   []hcloud.ServerStatus{hcloud.ServerStatusOff},
		Sort:     []string{"name:desc", "id"},
	})
	f.must(err)
	f.expect(len(found) == 1 && found[0].ID == server.ID, "the selector finds %d servers", len(found))
}

func protect(f *flow, server *hcloud.Server) {
	change := func(on bool) {
		opts := hcloud.ServerChangeProtectionOpts{Delete: &on, Rebuild: &on}
		f.done(f.client.Server.ChangeProtection(f.ctx, server, opts))
	}
	change(true)
	_, _, err := f.client.Server.DeleteWithResult(f.ctx, server)
	f.refused(err, hcloud.ErrorCodeProtected)
	_, _, err = f.client.Server.RebuildWithResult(f.ctx, server, hcloud.ServerRebuildOpts{Image: server.Image})
	f.refused(err, hcloud.ErrorCodeProtected)
	change(false)
	// Both halves have one value.
	halves := hcloud.ServerChangeProtectionOpts{Delete: hcloud.Ptr(true), Rebuild: hcloud.Ptr(false)}
	_, _, err = f.client.Server.ChangeProtection(f.ctx, server, halves)
	f.refused(err, hcloud.ErrorCodeInvalidInput)
}

func refusals(f *flow, server *hcloud.Server) {
	_, err := create(f.ctx, f.client, hcloud.ServerCreateOpts{Name: "flow-2"})
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	_, err = create(f.ctx, f.client, hcloud.ServerCreateOpts{Name: "not a name!"})
	f.refused(err, hcloud.ErrorCodeInvalidInput)
	var apiError hcloud.Error
	f.expect(errors.As(err, &apiError), "%v", err)
	details, ok := apiError.Details.(hcloud.ErrorDetailsInvalidInput)
	f.expect(ok && len(details.Fields) > 0 && details.Fields[0].Name == "name", "details %+v", apiError.Details)
	f.expect(apiError.Response().Header.Get("X-Correlation-Id") != "", "no correlation id")
	// A name that is a number is looked up as an id first, then as a name: both must say "not found" in the way that
	// the library turns into nil.
	missing, _, err := f.client.Server.Get(f.ctx, fmt.Sprint(server.ID+1_000_000))
	f.must(err)
	f.expect(missing == nil, "found a server that is not there")
}

// create makes a server and waits for it.
func (f *flow) create(opts hcloud.ServerCreateOpts) *hcloud.Server {
	server, err := create(f.ctx, f.client, opts)
	f.must(err)
	return server
}

// reread reads a server again.
func (f *flow) reread(server *hcloud.Server) *hcloud.Server {
	return got[hcloud.Server](f)(f.client.Server.GetByID(f.ctx, server.ID))
}

// remove deletes a server and waits until it is gone.
func (f *flow) remove(server *hcloud.Server) {
	result, _, err := f.client.Server.DeleteWithResult(f.ctx, server)
	f.must(err)
	f.must(f.client.Action.WaitFor(f.ctx, result.Action))
	gone, _, err := f.client.Server.GetByID(f.ctx, server.ID)
	f.must(err)
	f.expect(gone == nil, "still there")
}
