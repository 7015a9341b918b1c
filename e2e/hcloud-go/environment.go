package main

import (
	"net"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// environment is what a small company has: two servers in a network, behind firewalls and a load balancer with its certificate,
// with volumes, a floating address and names in a zone.
type environment struct {
	*flow
	network *hcloud.Network
	// One firewall protects whatever has a label, the other servers by name.
	web, admin *hcloud.Firewall
	group      *hcloud.PlacementGroup
	// The first server is born with everything, the second is given it later.
	first, second *hcloud.Server
	data, logs    *hcloud.Volume
	address       *hcloud.FloatingIP
	zone          *hcloud.Zone
	certificate   *hcloud.Certificate
	balancer      *hcloud.LoadBalancer
}

// behind is the label that the firewall and the load balancer follow.
const behind = "role=web"

// environments builds one, changes half of it, and takes everything down.
func environments(f *flow) {
	e := &environment{flow: f}
	e.build()
	e.reload()
	e.built()
	e.change()
	e.reload()
	e.changed()
	e.takeDown()
}

func (e *environment) build() {
	e.network = got[hcloud.Network](e.flow)(e.client.Network.Create(e.ctx, hcloud.NetworkCreateOpts{
		Name: "company", IPRange: ipRange("10.0.0.0/16"),
		Subnets: []hcloud.NetworkSubnet{subnet("10.0.1.0/24"), subnet("10.0.2.0/24")},
		Routes:  []hcloud.NetworkRoute{{Destination: ipRange("10.100.0.0/16"), Gateway: net.ParseIP("10.0.1.250")}},
	}))
	e.web = e.wall(hcloud.FirewallCreateOpts{
		Name: "web", Rules: []hcloud.FirewallRule{inbound("443", "0.0.0.0/0", "::/0")},
		ApplyTo: []hcloud.FirewallResource{{
			Type: hcloud.FirewallResourceTypeLabelSelector, LabelSelector: &hcloud.FirewallResourceLabelSelector{Selector: behind},
		}},
	})
	e.admin = e.wall(hcloud.FirewallCreateOpts{Name: "admin", Rules: []hcloud.FirewallRule{inbound("22", "192.0.2.0/24")}})
	group, _, err := e.client.PlacementGroup.Create(e.ctx, hcloud.PlacementGroupCreateOpts{Name: "apart", Type: hcloud.PlacementGroupTypeSpread})
	e.must(err)
	e.group = group.PlacementGroup

	home := got[hcloud.Location](e.flow)(e.client.Location.GetByName(e.ctx, "fsn1"))
	e.data = e.volume(hcloud.VolumeCreateOpts{Name: "data", Size: 10, Location: home, Format: hcloud.Ptr(hcloud.VolumeFormatExt4)})
	e.first = e.create(hcloud.ServerCreateOpts{
		Name: "first", Location: home, Labels: map[string]string{"role": "web"}, PlacementGroup: e.group,
		Networks: []*hcloud.Network{e.network}, Volumes: []*hcloud.Volume{e.data}, Automount: hcloud.Ptr(true),
		Firewalls: []*hcloud.ServerCreateFirewall{{Firewall: *e.admin}},
	})
	e.buildSecond(home)
	e.buildBalancer(home)

	made, _, err := e.client.FloatingIP.Create(e.ctx, hcloud.FloatingIPCreateOpts{
		Name: hcloud.Ptr("entrance"), Type: hcloud.FloatingIPTypeIPv4, Server: e.second,
	})
	e.must(err)
	e.done(made.Action, nil, nil)
	e.address = made.FloatingIP
	zone, _, err := e.client.Zone.Create(e.ctx, hcloud.ZoneCreateOpts{
		Name: "company.example", Mode: hcloud.ZoneModePrimary,
		RRSets: []hcloud.ZoneCreateOptsRRSet{{
			Name: "www", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: e.balancer.PublicNet.IPv4.IP.String()}},
		}},
	})
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, zone.Action))
	e.zone = zone.Zone
}

// buildSecond makes a server that is off and gives it everything afterwards.
func (e *environment) buildSecond(home *hcloud.Location) {
	e.second = e.create(hcloud.ServerCreateOpts{Name: "second", Location: home, StartAfterCreate: hcloud.Ptr(false)})
	e.expect(e.second.Status == hcloud.ServerStatusOff, "%s", e.second.Status)
	e.done(e.client.Server.AddToPlacementGroup(e.ctx, e.second, e.group))
	join := hcloud.ServerAttachToNetworkOpts{Network: e.network, IP: net.ParseIP("10.0.2.7"), AliasIPs: []net.IP{net.ParseIP("10.0.2.8")}}
	e.done(e.client.Server.AttachToNetwork(e.ctx, e.second, join))
	actions, _, err := e.client.Firewall.ApplyResources(e.ctx, e.admin, []hcloud.FirewallResource{server(e.second)})
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, actions...))
	e.logs = e.volume(hcloud.VolumeCreateOpts{Name: "logs", Size: 10, Server: e.second, Format: hcloud.Ptr(hcloud.VolumeFormatXFS)})
	e.done(e.client.Server.Poweron(e.ctx, e.second))
}

// built asserts what each part shows of the others.
func (e *environment) built() {
	e.expect(same(ids(e.network.Servers), e.first.ID, e.second.ID), "members: %v", ids(e.network.Servers))
	e.expect(len(e.network.Subnets) == 2 && len(e.network.Routes) == 1, "%+v", e.network)
	members, err := e.client.Network.AllMembers(e.ctx, e.network)
	e.must(err)
	e.expect(len(members) >= 2, "%d members", len(members))
	e.inNetwork(e.first, "10.0.1.1")
	e.inNetwork(e.second, "10.0.2.7", "10.0.2.8")
	e.expect(same(ids(e.first.Volumes), e.data.ID) && same(ids(e.second.Volumes), e.logs.ID), "%v %v", ids(e.first.Volumes), ids(e.second.Volumes))
	e.expect(e.data.Server.ID == e.first.ID && e.logs.Server.ID == e.second.ID, "%+v %+v", e.data, e.logs)
	e.expect(same(walls(e.first), e.web.ID, e.admin.ID) && same(walls(e.second), e.admin.ID), "%v %v", walls(e.first), walls(e.second))
	e.expect(same(followers(e.web), e.first.ID) && same(followers(e.admin), e.first.ID, e.second.ID), "%+v", e.web.AppliedTo)
	e.expect(same(e.group.Servers, e.first.ID, e.second.ID), "%v", e.group.Servers)
	e.expect(e.first.PlacementGroup.ID == e.group.ID && e.second.PlacementGroup.ID == e.group.ID, "%+v", e.second.PlacementGroup)
	e.expect(same(ids(e.second.PublicNet.FloatingIPs), e.address.ID) && e.address.Server.ID == e.second.ID, "%+v", e.address)
	e.expect(e.zone.RecordCount == 5, "%d records", e.zone.RecordCount)
	e.balancerBuilt()
}

func (e *environment) change() {
	e.done(e.client.Volume.Resize(e.ctx, e.data, 20))
	e.done(e.client.Volume.Detach(e.ctx, e.data))
	e.done(e.client.Volume.AttachWithOpts(e.ctx, e.data, hcloud.VolumeAttachOpts{Server: e.second, Automount: hcloud.Ptr(true)}))

	// The label moves, and what follows it moves with it.
	got[hcloud.Server](e.flow)(e.client.Server.Update(e.ctx, e.first, hcloud.ServerUpdateOpts{Labels: map[string]string{}}))
	got[hcloud.Server](e.flow)(e.client.Server.Update(e.ctx, e.second, hcloud.ServerUpdateOpts{Labels: map[string]string{"role": "web"}}))
	rules := hcloud.FirewallSetRulesOpts{Rules: []hcloud.FirewallRule{inbound("80-90", "10.0.0.0/8"), inbound("443", "::/0")}}
	actions, _, err := e.client.Firewall.SetRules(e.ctx, e.web, rules)
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, actions...))
	actions, _, err = e.client.Firewall.RemoveResources(e.ctx, e.admin, []hcloud.FirewallResource{server(e.second)})
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, actions...))

	e.changeBalancer()

	e.done(e.client.Server.Poweroff(e.ctx, e.second))
	// Nobody answers where nothing runs.
	e.balances(hcloud.LoadBalancerTargetHealthStatusStatusUnhealthy, e.second.ID)
	bigger := got[hcloud.ServerType](e.flow)(e.client.ServerType.GetByName(e.ctx, "cpx32"))
	e.done(e.client.Server.ChangeType(e.ctx, e.second, hcloud.ServerChangeTypeOpts{ServerType: bigger, UpgradeDisk: true}))

	e.done(e.client.Network.AddSubnet(e.ctx, e.network, hcloud.NetworkAddSubnetOpts{Subnet: subnet("10.0.3.0/24")}))
	e.done(e.client.Network.DeleteRoute(e.ctx, e.network, hcloud.NetworkDeleteRouteOpts{Route: e.network.Routes[0]}))
	e.done(e.client.Server.DetachFromNetwork(e.ctx, e.first, hcloud.ServerDetachFromNetworkOpts{Network: e.network}))
	join := hcloud.ServerAttachToNetworkOpts{Network: e.network, IPRange: ipRange("10.0.3.0/24")}
	e.done(e.client.Server.AttachToNetwork(e.ctx, e.first, join))
	alias := hcloud.ServerChangeAliasIPsOpts{Network: e.network, AliasIPs: []net.IP{net.ParseIP("10.0.2.9"), net.ParseIP("10.0.2.10")}}
	e.done(e.client.Server.ChangeAliasIPs(e.ctx, e.second, alias))

	e.done(e.client.FloatingIP.Assign(e.ctx, e.address, e.first))
	e.done(e.client.FloatingIP.ChangeDNSPtr(e.ctx, e.address, e.address.IP.String(), hcloud.Ptr("www.company.example")))
	set := &hcloud.ZoneRRSet{Zone: e.zone, Name: "www", Type: hcloud.ZoneRRSetTypeA}
	both := []hcloud.ZoneRRSetRecord{{Value: e.first.PublicNet.IPv4.IP.String()}, {Value: e.second.PublicNet.IPv4.IP.String()}}
	e.done(e.client.Zone.SetRRSetRecords(e.ctx, set, hcloud.ZoneRRSetSetRecordsOpts{Records: both}))
	e.done(e.client.Zone.ChangeRRSetTTL(e.ctx, set, hcloud.ZoneRRSetChangeTTLOpts{TTL: hcloud.Ptr(60)}))
}

// changed asserts that every change shows on both sides.
func (e *environment) changed() {
	e.expect(e.data.Size == 20 && e.data.Server.ID == e.second.ID, "%+v", e.data)
	e.expect(len(e.first.Volumes) == 0 && same(ids(e.second.Volumes), e.data.ID, e.logs.ID), "%v", ids(e.second.Volumes))
	e.expect(same(walls(e.first), e.admin.ID) && same(walls(e.second), e.web.ID), "%v %v", walls(e.first), walls(e.second))
	e.expect(same(followers(e.web), e.second.ID) && same(followers(e.admin), e.first.ID), "%+v %+v", e.web.AppliedTo, e.admin.AppliedTo)
	e.expect(len(e.web.Rules) == 2 && *e.web.Rules[0].Port == "80-90", "%+v", e.web.Rules)
	e.expect(e.second.ServerType.Name == "cpx32" && e.second.PrimaryDiskSize == 160, "%s", e.second.ServerType.Name)
	e.expect(e.second.Status == hcloud.ServerStatusRunning, "%s", e.second.Status)
	e.expect(len(e.network.Subnets) == 3 && len(e.network.Routes) == 0, "%+v", e.network)
	e.inNetwork(e.first, "10.0.3.1")
	e.inNetwork(e.second, "10.0.2.7", "10.0.2.9", "10.0.2.10")
	e.expect(same(ids(e.first.PublicNet.FloatingIPs), e.address.ID) && len(e.second.PublicNet.FloatingIPs) == 0, "%+v", e.address)
	name, err := e.address.GetDNSPtrForIP(e.address.IP)
	e.must(err)
	e.expect(name == "www.company.example", "%s", name)
	e.expect(e.zone.RecordCount == 6, "%d records", e.zone.RecordCount)
	e.balancerChanged()
}

// takeDown deletes what is used first: that is refused, or lets go of everything.
func (e *environment) takeDown() {
	_, err := e.client.Firewall.Delete(e.ctx, e.web)
	e.refused(err, hcloud.ErrorCodeResourceInUse)
	_, err = e.client.Volume.Delete(e.ctx, e.data)
	e.expect(err != nil, "an attached volume is gone")
	_, err = e.client.Network.Delete(e.ctx, e.network)
	e.must(err)
	e.expect(len(e.reread(e.second).PrivateNet) == 0, "in a network that is gone")
	e.takeBalancerDown()
	e.remove(e.first)
	e.remove(e.second)
	e.reload()
	e.expect(e.data.Server == nil && e.address.Server == nil && len(e.group.Servers) == 0, "servers are gone: %+v", e.data)
	e.expect(len(followers(e.web)) == 0 && len(e.admin.AppliedTo) == 0, "servers are gone: %+v", e.admin)
	for _, volume := range []*hcloud.Volume{e.data, e.logs} {
		_, err = e.client.Volume.Delete(e.ctx, volume)
		e.must(err)
	}
	actions, _, err := e.client.Firewall.RemoveResources(e.ctx, e.web, []hcloud.FirewallResource{e.web.AppliedTo[0]})
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, actions...))
	for _, firewall := range []*hcloud.Firewall{e.web, e.admin} {
		_, err = e.client.Firewall.Delete(e.ctx, firewall)
		e.must(err)
	}
	_, err = e.client.FloatingIP.Delete(e.ctx, e.address)
	e.must(err)
	_, err = e.client.PlacementGroup.Delete(e.ctx, e.group)
	e.must(err)
	gone, _, err := e.client.Zone.Delete(e.ctx, e.zone)
	e.done(gone.Action, nil, err)
}
