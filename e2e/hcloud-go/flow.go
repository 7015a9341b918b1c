package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// flows are walks through a noun's operations, by name. Each leaves the project as it found it: empty.
var flows = []struct {
	name string
	run  func(*flow)
}{
	{"catalogue", catalogue},
	{"ssh-keys", sshKeys},
	{"servers", servers},
	{"server-actions", serverActions},
	{"server-types", serverTypes},
	{"metrics", metrics},
	{"images", images},
	{"placement-groups", placementGroups},
	{"primary-ips", primaryIPs},
	{"certificates", certificates},
	{"zones", zones},
	{"storage-boxes", storageBoxes},
	{"environment", environments},
	{"actions", actions},
}

// flow is one walk. Like a test of Go's own, it ends at the first thing that is not as it should be.
type flow struct {
	ctx    context.Context
	client *hcloud.Client
}

// failure is what a flow panics with; runFlow turns it into an error.
type failure struct {
	err   error
	where string
}

// runFlows runs the flows of those names, or all of them.
func runFlows(ctx context.Context, client *hcloud.Client, names []string) error {
	found := 0
	for _, one := range flows {
		if len(names) > 0 && !slices.Contains(names, one.name) {
			continue
		}
		found++
		if err := runFlow(&flow{ctx, client}, one.run); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if found == 0 || found < len(names) {
		return fmt.Errorf("unknown flow among %q", names)
	}
	return nil
}

func runFlow(f *flow, run func(*flow)) (err error) {
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case failure:
			err = fmt.Errorf("%w\n%s", caught.err, caught.where)
		default:
			panic(caught)
		}
	}()
	run(f)
	f.empty()
	return nil
}

// must ends the flow at an error.
func (f *flow) must(err error) {
	if err != nil {
		panic(failure{err, string(debug.Stack())})
	}
}

// expect ends the flow when something does not hold.
func (f *flow) expect(holds bool, format string, args ...any) {
	if !holds {
		f.must(fmt.Errorf(format, args...))
	}
}

// done takes what an action call returns and waits until the action has succeeded.
func (f *flow) done(action *hcloud.Action, _ *hcloud.Response, err error) *hcloud.Action {
	f.must(err)
	f.must(f.client.Action.WaitFor(f.ctx, action))
	return action
}

// refused asserts that an error is the API's refusal with that code.
func (f *flow) refused(err error, code hcloud.ErrorCode) {
	f.expect(hcloud.IsError(err, code), "expected %s, got %v", code, err)
}

// got takes what a call for one resource returns; a missing one ends the flow.
func got[R any](f *flow) func(*R, *hcloud.Response, error) *R {
	return func(resource *R, _ *hcloud.Response, err error) *R {
		f.must(err)
		f.expect(resource != nil, "not found")
		return resource
	}
}

// empty asserts that the project holds nothing, and says so.
func (f *flow) empty() {
	none(f, "servers", f.client.Server.All)
	none(f, "SSH keys", f.client.SSHKey.All)
	none(f, "primary IPs", f.client.PrimaryIP.All)
	none(f, "floating IPs", f.client.FloatingIP.All)
	none(f, "placement groups", f.client.PlacementGroup.All)
	none(f, "networks", f.client.Network.All)
	none(f, "firewalls", f.client.Firewall.All)
	none(f, "volumes", f.client.Volume.All)
	none(f, "certificates", f.client.Certificate.All)
	none(f, "load balancers", f.client.LoadBalancer.All)
	none(f, "storage boxes", f.client.StorageBox.All)
	none(f, "zones", f.client.Zone.All)
	none(f, "images", func(ctx context.Context) ([]*hcloud.Image, error) {
		own := []hcloud.ImageType{hcloud.ImageTypeSnapshot, hcloud.ImageTypeBackup}
		return f.client.Image.AllWithOpts(ctx, hcloud.ImageListOpts{Type: own})
	})
	fmt.Println("the project is empty")
}

func none[R any](f *flow, what string, all func(context.Context) ([]*R, error)) {
	left, err := all(f.ctx)
	f.must(err)
	f.expect(len(left) == 0, "%d %s are left", len(left), what)
}
