// Command hcloud-go drives a server under test with the official Go library, whose decoder and action waiter are the ones inside
// today's hcloud command line client, Terraform provider and Kubernetes integrations.
//
//	hcloud-go flow [NAME]  one walk through a noun's operations, every answer checked; without a name all walks
//	hcloud-go list         lists all servers, as `hcloud server list` does
//	hcloud-go create NAME  creates a server, as `hcloud server create` does
//
// HCLOUD_TOKEN and HCLOUD_ENDPOINT name the project and the server. Failures go to standard error, with exit status 1.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

const (
	serverType = "cpx22"
	image      = "ubuntu-24.04"
	// limit bounds one run: nothing here needs more than seconds.
	limit = 2 * time.Minute
	// pollEvery is what the command line client waits between two looks at an action.
	pollEvery = 500 * time.Millisecond
	// pollFlowsEvery is that for flows, which are not measured.
	pollFlowsEvery = 50 * time.Millisecond
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	interval := pollEvery
	if len(os.Args) > 1 && os.Args[1] == "flow" {
		interval = pollFlowsEvery
	}
	client := hcloud.NewClient(
		hcloud.WithToken(os.Getenv("HCLOUD_TOKEN")),
		hcloud.WithEndpoint(os.Getenv("HCLOUD_ENDPOINT")),
		// Storage boxes have a host of their own in the real service.
		hcloud.WithHetznerEndpoint(os.Getenv("HCLOUD_ENDPOINT")),
		hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: hcloud.ConstantBackoff(interval)}),
	)
	if err := run(ctx, client, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hcloud-go:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, client *hcloud.Client, args []string) error {
	switch {
	case len(args) > 0 && args[0] == "flow":
		return runFlows(ctx, client, args[1:])
	case len(args) == 1 && args[0] == "list":
		servers, err := client.Server.All(ctx)
		for _, server := range servers {
			fmt.Println(server.ID, server.Name, server.Status, server.PublicNet.IPv4.IP, server.Location.Name)
		}
		return err
	case len(args) == 2 && args[0] == "create":
		server, err := create(ctx, client, hcloud.ServerCreateOpts{Name: args[1]})
		if err == nil {
			fmt.Println(server.ID, server.PublicNet.IPv4.IP, server.PublicNet.IPv6.IP)
		}
		return err
	}
	return fmt.Errorf("usage: hcloud-go flow [NAME] | list | create NAME")
}

// create resolves type and image, creates, waits for every action and reads the server again: the calls of the command line
// client, in its order.
func create(ctx context.Context, client *hcloud.Client, opts hcloud.ServerCreateOpts) (*hcloud.Server, error) {
	kind, _, err := client.ServerType.Get(ctx, serverType)
	if err != nil || kind == nil {
		return nil, fmt.Errorf("server type %s: %w", serverType, orMissing(err))
	}
	system, _, err := client.Image.GetForArchitecture(ctx, image, kind.Architecture)
	if err != nil || system == nil {
		return nil, fmt.Errorf("image %s: %w", image, orMissing(err))
	}
	opts.ServerType, opts.Image = kind, system
	result, _, err := client.Server.Create(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := client.Action.WaitFor(ctx, append(result.NextActions, result.Action)...); err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	server, _, err := client.Server.GetByID(ctx, result.Server.ID)
	if err != nil || server == nil {
		return nil, fmt.Errorf("server %d: %w", result.Server.ID, orMissing(err))
	}
	return server, nil
}

// orMissing turns the library's "nil and no error" for a missing resource into an error.
func orMissing(err error) error {
	if err == nil {
		return fmt.Errorf("not found")
	}
	return err
}
