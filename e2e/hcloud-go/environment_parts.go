package main

import (
	"context"
	"net"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// reload reads everything again; what is gone keeps its last state.
func (e *environment) reload() {
	again(e, &e.network, e.client.Network.GetByID, e.network.ID)
	again(e, &e.web, e.client.Firewall.GetByID, e.web.ID)
	again(e, &e.admin, e.client.Firewall.GetByID, e.admin.ID)
	again(e, &e.group, e.client.PlacementGroup.GetByID, e.group.ID)
	again(e, &e.first, e.client.Server.GetByID, e.first.ID)
	again(e, &e.second, e.client.Server.GetByID, e.second.ID)
	again(e, &e.data, e.client.Volume.GetByID, e.data.ID)
	again(e, &e.logs, e.client.Volume.GetByID, e.logs.ID)
	again(e, &e.address, e.client.FloatingIP.GetByID, e.address.ID)
	again(e, &e.zone, e.client.Zone.GetByID, e.zone.ID)
	again(e, &e.certificate, e.client.Certificate.GetByID, e.certificate.ID)
	again(e, &e.balancer, e.client.LoadBalancer.GetByID, e.balancer.ID)
}

func again[R any](e *environment, last **R, get func(context.Context, int64) (*R, *hcloud.Response, error), id int64) {
	now, _, err := get(e.ctx, id)
	e.must(err)
	if now != nil {
		*last = now
	}
}

// wall makes a firewall and waits until it is applied.
func (e *environment) wall(opts hcloud.FirewallCreateOpts) *hcloud.Firewall {
	made, _, err := e.client.Firewall.Create(e.ctx, opts)
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, made.Actions...))
	return made.Firewall
}

// volume makes a volume and waits until it is attached, if it is to be.
func (e *environment) volume(opts hcloud.VolumeCreateOpts) *hcloud.Volume {
	made, _, err := e.client.Volume.Create(e.ctx, opts)
	e.must(err)
	e.must(e.client.Action.WaitFor(e.ctx, append(made.NextActions, made.Action)...))
	return made.Volume
}

// inNetwork asserts the server's one private address and its aliases.
func (e *environment) inNetwork(server *hcloud.Server, ip string, aliases ...string) {
	e.expect(len(server.PrivateNet) == 1, "%s is in %d networks", server.Name, len(server.PrivateNet))
	private, seen := server.PrivateNet[0], []string{}
	for _, alias := range private.Aliases {
		seen = append(seen, alias.String())
	}
	slices.Sort(seen)
	slices.Sort(aliases)
	e.expect(private.Network.ID == e.network.ID && private.IP.String() == ip && slices.Equal(seen, aliases), "%s: %+v", server.Name, private)
}

func ipRange(text string) *net.IPNet {
	_, parsed, err := net.ParseCIDR(text)
	if err != nil {
		panic(err) // a constant of this program
	}
	return parsed
}

func subnet(text string) hcloud.NetworkSubnet {
	return hcloud.NetworkSubnet{Type: hcloud.NetworkSubnetTypeCloud, IPRange: ipRange(text), NetworkZone: hcloud.NetworkZoneEUCentral}
}

// inbound is a rule for TCP.
func inbound(port string, sources ...string) hcloud.FirewallRule {
	rule := hcloud.FirewallRule{Direction: hcloud.FirewallRuleDirectionIn, Protocol: hcloud.FirewallRuleProtocolTCP, Port: &port}
	for _, source := range sources {
		rule.SourceIPs = append(rule.SourceIPs, *ipRange(source))
	}
	return rule
}

// server is what a firewall is applied to.
func server(server *hcloud.Server) hcloud.FirewallResource {
	return hcloud.FirewallResource{Type: hcloud.FirewallResourceTypeServer, Server: &hcloud.FirewallResourceServer{ID: server.ID}}
}

// walls are the ids of the firewalls that a server says it is behind.
func walls(server *hcloud.Server) []int64 {
	found := []int64{}
	for _, firewall := range server.PublicNet.Firewalls {
		if firewall.Status == hcloud.FirewallStatusApplied {
			found = append(found, firewall.Firewall.ID)
		}
	}
	return found
}

// followers are the ids of the servers that a firewall says it protects, by name or by label.
func followers(firewall *hcloud.Firewall) []int64 {
	found := []int64{}
	for _, resource := range firewall.AppliedTo {
		for _, one := range append(resource.AppliedToResources, resource) {
			if one.Server != nil {
				found = append(found, one.Server.ID)
			}
		}
	}
	return found
}

// ids are the ids of resources that another one shows.
func ids[R hcloud.Server | hcloud.Volume | hcloud.FloatingIP](resources []*R) []int64 {
	found := []int64{}
	for _, resource := range resources {
		switch one := any(resource).(type) {
		case *hcloud.Server:
			found = append(found, one.ID)
		case *hcloud.Volume:
			found = append(found, one.ID)
		case *hcloud.FloatingIP:
			found = append(found, one.ID)
		}
	}
	return found
}

// same is true when both hold the same ids, in any order.
func same(found []int64, wanted ...int64) bool {
	found = slices.Clone(found)
	slices.Sort(found)
	slices.Sort(wanted)
	return slices.Equal(found, wanted)
}
