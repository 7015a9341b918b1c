package main

import (
	"errors"
	"strconv"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func primaryIPs(f *flow) {
	opts := hcloud.PrimaryIPCreateOpts{Name: "front", Type: hcloud.PrimaryIPTypeIPv4, Location: "hel1", Labels: map[string]string{"a": "b"}}
	made, _, err := f.client.PrimaryIP.Create(f.ctx, opts)
	f.must(err)
	ip := made.PrimaryIP
	f.expect(ip.IP.To4() != nil && ip.Location.Name == "hel1" && ip.Labels["a"] == "b" && ip.AssigneeID == 0, "%+v", ip)
	f.expect(made.Action == nil, "nothing was assigned")
	_, _, err = f.client.PrimaryIP.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	found := got[hcloud.PrimaryIP](f)(f.client.PrimaryIP.GetByIP(f.ctx, ip.IP.String()))
	f.expect(found.ID == ip.ID, "%+v", found)

	changed := got[hcloud.PrimaryIP](f)(f.client.PrimaryIP.Update(f.ctx, ip, hcloud.PrimaryIPUpdateOpts{Name: "door"}))
	f.expect(changed.Name == "door" && changed.Labels["a"] == "b", "%+v", changed)
	f.done(f.client.PrimaryIP.ChangeDNSPtr(f.ctx, hcloud.PrimaryIPChangeDNSPtrOpts{ID: ip.ID, IP: ip.IP.String(), DNSPtr: "door.example.com"}))
	name, err := got[hcloud.PrimaryIP](f)(f.client.PrimaryIP.GetByID(f.ctx, ip.ID)).GetDNSPtrForIP(ip.IP)
	f.must(err)
	f.expect(name == "door.example.com", "%s", name)
	f.done(f.client.PrimaryIP.ChangeProtection(f.ctx, hcloud.PrimaryIPChangeProtectionOpts{ID: ip.ID, Delete: true}))
	_, err = f.client.PrimaryIP.Delete(f.ctx, ip)
	f.refused(err, hcloud.ErrorCodeProtected)
	// What is protected cannot go with its server.
	_, _, err = f.client.PrimaryIP.Update(f.ctx, ip, hcloud.PrimaryIPUpdateOpts{AutoDelete: hcloud.Ptr(true)})
	f.expect(err != nil, "protected and yet deleted with its server")
	f.done(f.client.PrimaryIP.ChangeProtection(f.ctx, hcloud.PrimaryIPChangeProtectionOpts{ID: ip.ID, Delete: false}))
	history, err := f.client.PrimaryIP.Action.AllFor(f.ctx, ip, hcloud.ActionListOpts{Sort: []string{"id"}})
	f.must(err)
	f.expect(len(history) == 3 && history[0].Command == "change_dns_ptr", "%d actions", len(history))
	assignments(f, ip)
	_, err = f.client.PrimaryIP.Delete(f.ctx, ip)
	f.must(err)
}

// assignments moves an address to a server that has one, away from it, and to one that is made with it.
func assignments(f *flow, ip *hcloud.PrimaryIP) {
	server := f.create(hcloud.ServerCreateOpts{Name: "web", Location: ip.Location})
	assign := func() (*hcloud.Action, *hcloud.Response, error) {
		return f.client.PrimaryIP.Assign(f.ctx, hcloud.PrimaryIPAssignOpts{ID: ip.ID, AssigneeID: server.ID, AssigneeType: "server"})
	}
	_, _, err := assign()
	f.refused(err, hcloud.ErrorCodeServerNotStopped)
	f.done(f.client.Server.Poweroff(f.ctx, server))
	_, _, err = assign()
	f.refused(err, hcloud.ErrorCode("server_has_ipv4"))
	f.done(f.client.PrimaryIP.Unassign(f.ctx, server.PublicNet.IPv4.ID))
	// To be deleted with a server does not mean to be deleted when taken from it.
	own := got[hcloud.PrimaryIP](f)(f.client.PrimaryIP.GetByID(f.ctx, server.PublicNet.IPv4.ID))
	_, err = f.client.PrimaryIP.Delete(f.ctx, own)
	f.must(err)
	f.done(assign())
	f.done(f.client.Server.Poweron(f.ctx, server))
	f.expect(f.reread(server).PublicNet.IPv4.IP.Equal(ip.IP), "another address")
	_, err = f.client.PrimaryIP.Delete(f.ctx, ip)
	f.refused(err, hcloud.ErrorCode("must_be_unassigned"))
	f.remove(server)

	withIt := f.create(hcloud.ServerCreateOpts{Name: "web", Location: ip.Location, PublicNet: &hcloud.ServerCreatePublicNet{EnableIPv4: true, IPv4: ip}})
	f.expect(withIt.PublicNet.IPv4.ID == ip.ID && withIt.PublicNet.IPv6.IP == nil, "%+v", withIt.PublicNet)
	_, err = create(f.ctx, f.client, hcloud.ServerCreateOpts{Name: "thief", Location: ip.Location, PublicNet: &hcloud.ServerCreatePublicNet{EnableIPv4: true, IPv4: ip}})
	f.refused(err, hcloud.ErrorCodePrimaryIPAssigned)
	f.remove(withIt)
	unreachable(f)
}

// unreachable starts a server without any interface, in vain, and gives it an address of its own making.
func unreachable(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{
		Name: "bare", StartAfterCreate: hcloud.Ptr(false), PublicNet: &hcloud.ServerCreatePublicNet{},
	})
	f.expect(server.Status == hcloud.ServerStatusOff && server.PublicNet.IPv4.IP == nil, "%s", server.Status)
	action, _, err := f.client.Server.Poweron(f.ctx, server)
	f.must(err)
	var failed hcloud.ActionError
	f.expect(errors.As(f.client.Action.WaitFor(f.ctx, action), &failed), "started without an interface")
	f.expect(failed.Code == "action_failed" && failed.Action().ID == action.ID, "%v", failed)
	made, _, err := f.client.PrimaryIP.Create(f.ctx, hcloud.PrimaryIPCreateOpts{
		Name: "late-" + strconv.FormatInt(server.ID, 10), Type: hcloud.PrimaryIPTypeIPv6,
		AssigneeID: &server.ID, AssigneeType: "server", AutoDelete: hcloud.Ptr(true),
	})
	f.must(err)
	f.expect(made.Action != nil, "an assignment is an action")
	f.done(made.Action, nil, nil)
	f.done(f.client.Server.Poweron(f.ctx, server))
	f.expect(f.reread(server).PublicNet.IPv6.ID == made.PrimaryIP.ID, "another network")
	f.remove(server)
}
