package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// flow walks through the life of a key and a server. It leaves the project as it found it.
func flow(ctx context.Context, client *hcloud.Client) error {
	key, _, err := client.SSHKey.Create(ctx, hcloud.SSHKeyCreateOpts{Name: "flow", PublicKey: publicKey()})
	if err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	labels := map[string]string{"env": "prod"}
	server, err := create(ctx, client, hcloud.ServerCreateOpts{Name: "flow-1", SSHKeys: []*hcloud.SSHKey{key}, Labels: labels})
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		run  func(context.Context, *hcloud.Client, *hcloud.Server) error
	}{
		{"created", created},
		{"power", power},
		{"update", update},
		{"protection", protection},
		{"refusals", refusals},
		{"delete", remove},
	}
	for _, step := range steps {
		if err := step.run(ctx, client, server); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if _, err := client.SSHKey.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	left, err := client.PrimaryIP.All(ctx)
	if err != nil {
		return err
	}
	return expect(len(left) == 0, "%d primary IPs left", len(left))
}

func created(_ context.Context, _ *hcloud.Client, server *hcloud.Server) error {
	return errors.Join(
		expect(server.Status == hcloud.ServerStatusRunning, "status %s", server.Status),
		expect(server.ServerType != nil && server.ServerType.Name == serverType, "server type %+v", server.ServerType),
		expect(server.Image != nil && server.Image.Name == image, "image %+v", server.Image),
		expect(server.Location != nil && server.Location.Name != "", "location %+v", server.Location),
		expect(!server.Created.IsZero(), "no creation time"),
		expect(!server.Locked, "locked"),
		expect(server.PublicNet.IPv4.IP != nil, "no IPv4"),
		expect(server.PublicNet.IPv6.Network != nil, "no IPv6 network"),
	)
}

func power(ctx context.Context, client *hcloud.Client, server *hcloud.Server) error {
	verbs := []struct {
		run    func(context.Context, *hcloud.Server) (*hcloud.Action, *hcloud.Response, error)
		status hcloud.ServerStatus
	}{
		{client.Server.Poweroff, hcloud.ServerStatusOff},
		{client.Server.Poweron, hcloud.ServerStatusRunning},
		{client.Server.Reboot, hcloud.ServerStatusRunning},
		{client.Server.Reset, hcloud.ServerStatusRunning},
		{client.Server.Shutdown, hcloud.ServerStatusOff},
	}
	for number, verb := range verbs {
		action, _, err := verb.run(ctx, server)
		if err != nil {
			return fmt.Errorf("verb %d: %w", number, err)
		}
		if err := client.Action.WaitFor(ctx, action); err != nil {
			return fmt.Errorf("%s: %w", action.Command, err)
		}
		now, _, err := client.Server.GetByID(ctx, server.ID)
		if err != nil || now == nil {
			return orMissing(err)
		}
		if err := expect(now.Status == verb.status, "%s left %s", action.Command, now.Status); err != nil {
			return err
		}
	}
	return nil
}

func update(ctx context.Context, client *hcloud.Client, server *hcloud.Server) error {
	wanted := map[string]string{"env": "test", "tier": "1"}
	changed, _, err := client.Server.Update(ctx, server, hcloud.ServerUpdateOpts{Name: "flow-2", Labels: wanted})
	if err != nil {
		return err
	}
	if err := expect(changed.Name == "flow-2" && maps.Equal(changed.Labels, wanted), "%s %v", changed.Name, changed.Labels); err != nil {
		return err
	}
	found, err := client.Server.AllWithOpts(ctx, hcloud.ServerListOpts{
		ListOpts: hcloud.ListOpts{LabelSelector: "env in (test),tier=1,!gone"},
		Status:   []hcloud.ServerStatus{hcloud.ServerStatusOff},
		Sort:     []string{"name:desc", "id"},
	})
	if err != nil {
		return err
	}
	return expect(len(found) == 1 && found[0].ID == server.ID, "the selector finds %d servers", len(found))
}

func protection(ctx context.Context, client *hcloud.Client, server *hcloud.Server) error {
	protect := func(on bool) error {
		opts := hcloud.ServerChangeProtectionOpts{Delete: &on, Rebuild: &on}
		action, _, err := client.Server.ChangeProtection(ctx, server, opts)
		if err != nil {
			return err
		}
		return client.Action.WaitFor(ctx, action)
	}
	if err := protect(true); err != nil {
		return err
	}
	_, _, err := client.Server.DeleteWithResult(ctx, server)
	if err := refused(err, hcloud.ErrorCodeProtected); err != nil {
		return err
	}
	return protect(false)
}

func refusals(ctx context.Context, client *hcloud.Client, server *hcloud.Server) error {
	_, err := create(ctx, client, hcloud.ServerCreateOpts{Name: "flow-2"})
	taken := refused(err, hcloud.ErrorCodeUniquenessError)
	_, err = create(ctx, client, hcloud.ServerCreateOpts{Name: "not a name!"})
	wrong := refused(err, hcloud.ErrorCodeInvalidInput)
	var apiError hcloud.Error
	if errors.As(err, &apiError) {
		details, ok := apiError.Details.(hcloud.ErrorDetailsInvalidInput)
		wrong = errors.Join(wrong, expect(ok && len(details.Fields) > 0 && details.Fields[0].Name == "name", "details %+v", apiError.Details))
		wrong = errors.Join(wrong, expect(apiError.Response().Header.Get("X-Correlation-Id") != "", "no correlation id"))
	}
	// A name that is a number is looked up as an id first, then as a name: both must say "not found" in the way that
	// the library turns into nil.
	missing, _, err := client.Server.Get(ctx, fmt.Sprint(server.ID+1_000_000))
	return errors.Join(taken, wrong, err, expect(missing == nil, "found a server that is not there"))
}

func remove(ctx context.Context, client *hcloud.Client, server *hcloud.Server) error {
	result, _, err := client.Server.DeleteWithResult(ctx, server)
	if err != nil {
		return err
	}
	if err := client.Action.WaitFor(ctx, result.Action); err != nil {
		return err
	}
	gone, _, err := client.Server.GetByID(ctx, server.ID)
	return errors.Join(err, expect(gone == nil, "still there"))
}

// refused asserts that an error is the API's refusal with that code.
func refused(err error, code hcloud.ErrorCode) error {
	return expect(hcloud.IsError(err, code), "expected %s, got %v", code, err)
}

func expect(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// publicKey makes an OpenSSH public key whose private half is forgotten at once.
func publicKey() string {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // the operating system has no randomness
	}
	var blob []byte
	for _, field := range [][]byte{[]byte("ssh-ed25519"), public} {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(field)))
		blob = append(blob, field...)
	}
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " flow"
}
