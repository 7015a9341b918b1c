package main

import (
	"fmt"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// many is more than one page of the library holds.
const many = 55

// actions reads histories by every way there is, and waits for more actions at once than one request may name.
func actions(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{Name: "history"})
	var running []*hcloud.Action
	for number := range many {
		verb := f.client.Server.Poweroff
		if number%2 == 1 {
			verb = f.client.Server.Poweron
		}
		action, _, err := verb(f.ctx, server)
		f.must(err)
		running = append(running, action)
	}
	f.must(f.client.Action.WaitFor(f.ctx, running...))
	f.expect(f.reread(server).Status == hcloud.ServerStatusOff, "the order of requests is the order of work")

	all, err := f.client.Server.Action.AllFor(f.ctx, server, hcloud.ActionListOpts{})
	f.must(err)
	f.expect(len(all) == many+2, "%d actions", len(all))
	first, last := running[0], running[many-1]
	sorted, err := f.client.Server.Action.All(f.ctx, hcloud.ActionListOpts{
		ID:     []int64{first.ID, last.ID, running[1].ID},
		Status: []hcloud.ActionStatus{hcloud.ActionStatusSuccess},
		Sort:   []string{"command:desc", "id:desc"},
	})
	f.must(err)
	f.expect(len(sorted) == 3 && sorted[0].ID == last.ID && sorted[1].ID == first.ID, "%d actions", len(sorted))
	byKind := got[hcloud.Action](f)(f.client.Server.Action.GetByID(f.ctx, last.ID))
	byID := got[hcloud.Action](f)(f.client.Action.GetByID(f.ctx, last.ID))
	f.expect(fmt.Sprint(byKind.Resources[0].ID) == fmt.Sprint(server.ID) && byID.Progress == 100, "%+v", byID)
	f.expect(!byID.Finished.Before(byID.Started) && byID.Error() == nil, "%+v", byID)
	missing, _, err := f.client.Action.GetByID(f.ctx, last.ID+1_000_000)
	f.must(err)
	f.expect(missing == nil, "an action that is not there")
	f.remove(server)
}
