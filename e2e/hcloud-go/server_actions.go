package main

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// serverActions does to one server what needs no other resource.
func serverActions(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{Name: "worked-on", UserData: "#cloud-config\n"})
	rebuild(f, server)
	rescue(f, server)
	passwords(f, server)
	discs(f, server)
	reverseNames(f, server)
	backups(f, server)
	f.remove(server)
}

func rebuild(f *flow, server *hcloud.Server) {
	debian := got[hcloud.Image](f)(f.client.Image.GetForArchitecture(f.ctx, "debian-12", server.ServerType.Architecture))
	userData := "#!/bin/sh\n"
	result, _, err := f.client.Server.RebuildWithResult(f.ctx, server, hcloud.ServerRebuildOpts{Image: debian, UserData: &userData})
	f.must(err)
	f.done(result.Action, nil, nil)
	now := f.reread(server)
	f.expect(now.Image.ID == debian.ID && now.Status == hcloud.ServerStatusRunning, "%s, %s", now.Image.Name, now.Status)
	f.expect(result.RootPassword != "", "a server without keys has a password")
	arm := got[hcloud.Image](f)(f.client.Image.GetForArchitecture(f.ctx, "debian-12", hcloud.ArchitectureARM))
	_, _, err = f.client.Server.RebuildWithResult(f.ctx, server, hcloud.ServerRebuildOpts{Image: arm})
	f.refused(err, hcloud.ErrorCodeInvalidInput)
}

func rescue(f *flow, server *hcloud.Server) {
	key := got[hcloud.SSHKey](f)(f.client.SSHKey.Create(f.ctx, hcloud.SSHKeyCreateOpts{Name: "rescuer", PublicKey: publicKey()}))
	enable := func(opts hcloud.ServerEnableRescueOpts) string {
		result, _, err := f.client.Server.EnableRescue(f.ctx, server, opts)
		f.must(err)
		f.done(result.Action, nil, nil)
		f.expect(f.reread(server).RescueEnabled, "the rescue system is not enabled")
		return result.RootPassword
	}
	f.expect(enable(hcloud.ServerEnableRescueOpts{Type: hcloud.ServerRescueTypeLinux64}) != "", "no password")
	f.done(f.client.Server.DisableRescue(f.ctx, server))
	f.expect(!f.reread(server).RescueEnabled, "the rescue system is still enabled")
	enable(hcloud.ServerEnableRescueOpts{Type: hcloud.ServerRescueTypeLinux64, SSHKeys: []*hcloud.SSHKey{key}})
	f.done(f.client.Server.Reset(f.ctx, server))
	f.expect(!f.reread(server).RescueEnabled, "a boot does not use it up")
	_, err := f.client.SSHKey.Delete(f.ctx, key)
	f.must(err)
}

func passwords(f *flow, server *hcloud.Server) {
	result, _, err := f.client.Server.ResetPassword(f.ctx, server)
	f.must(err)
	f.done(result.Action, nil, nil)
	f.expect(len(result.RootPassword) >= 12, "password %q", result.RootPassword)
	console, _, err := f.client.Server.RequestConsole(f.ctx, server)
	f.must(err)
	f.done(console.Action, nil, nil)
	f.expect(strings.HasPrefix(console.WSSURL, "ws") && console.Password != "", "%+v", console)
}

func discs(f *flow, server *hcloud.Server) {
	all, err := f.client.ISO.AllWithOpts(f.ctx, hcloud.ISOListOpts{Architecture: []hcloud.Architecture{server.ServerType.Architecture}})
	f.must(err)
	f.done(f.client.Server.AttachISO(f.ctx, server, all[0]))
	now := f.reread(server)
	f.expect(now.ISO != nil && now.ISO.ID == all[0].ID, "disc %+v", now.ISO)
	f.done(f.client.Server.DetachISO(f.ctx, server))
	f.expect(f.reread(server).ISO == nil, "the disc is still in")
	// Nothing to take out is no error.
	f.done(f.client.Server.DetachISO(f.ctx, server))
	_, _, err = f.client.Server.AttachISO(f.ctx, server, &hcloud.ISO{ID: all[0].ID + 1_000_000_000})
	f.refused(err, hcloud.ErrorCodeNotFound)
}

func reverseNames(f *flow, server *hcloud.Server) {
	four, name := server.PublicNet.IPv4.IP, "mail.example.com"
	before, err := server.GetDNSPtrForIP(four)
	f.must(err)
	six := append(net.IP{}, server.PublicNet.IPv6.Network.IP...)
	six[15] = 7
	for _, ip := range []net.IP{four, six} {
		f.done(f.client.RDNS.ChangeDNSPtr(f.ctx, server, ip, &name))
		now, err := f.reread(server).GetDNSPtrForIP(ip)
		f.must(err)
		f.expect(now == name, "%s is %s", ip, now)
		f.done(f.client.RDNS.ChangeDNSPtr(f.ctx, server, ip, nil))
	}
	// Without a wish an IPv4 address has its default again, an IPv6 address no entry.
	now, err := f.reread(server).GetDNSPtrForIP(four)
	f.must(err)
	f.expect(now == before, "%s is %s", four, now)
	_, err = f.reread(server).GetDNSPtrForIP(six)
	f.expect(err != nil, "%s still has a name", six)
	_, _, err = f.client.RDNS.ChangeDNSPtr(f.ctx, server, net.ParseIP("192.0.2.1"), &name)
	f.expect(err != nil, "a foreign address got a name")
}

func backups(f *flow, server *hcloud.Server) {
	opts := &hcloud.ServerCreateImageOpts{Type: hcloud.ImageTypeBackup}
	_, _, err := f.client.Server.CreateImage(f.ctx, server, opts)
	f.refused(err, hcloud.ErrorCodeInvalidInput)
	f.done(f.client.Server.EnableBackup(f.ctx, server, ""))
	f.expect(f.reread(server).BackupWindow != "", "no window")
	result, _, err := f.client.Server.CreateImage(f.ctx, server, opts)
	f.must(err)
	f.done(result.Action, nil, nil)
	bound, err := f.client.Image.AllWithOpts(f.ctx, hcloud.ImageListOpts{BoundTo: server})
	f.must(err)
	f.expect(len(bound) == 1 && bound[0].ID == result.Image.ID && bound[0].BoundTo.ID == server.ID, "%d backups", len(bound))
	f.done(f.client.Server.DisableBackup(f.ctx, server))
	f.expect(f.reread(server).BackupWindow == "", "backups still have a window")
	gone, _, err := f.client.Image.GetByID(f.ctx, result.Image.ID)
	f.must(err)
	f.expect(gone == nil, "the backup outlives the service")
}

// serverTypes makes a server grow, keeps its disk, grows that too, and asks for what does not go.
func serverTypes(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{Name: "grows"})
	kind := func(name string) *hcloud.ServerType {
		return got[hcloud.ServerType](f)(f.client.ServerType.GetByName(f.ctx, name))
	}
	bigger, arm := kind("cpx32"), kind("cax21")
	change := func(to *hcloud.ServerType, disk bool) (*hcloud.Action, *hcloud.Response, error) {
		return f.client.Server.ChangeType(f.ctx, server, hcloud.ServerChangeTypeOpts{ServerType: to, UpgradeDisk: disk})
	}
	_, _, err := change(bigger, false)
	f.refused(err, hcloud.ErrorCodeServerNotStopped)
	for _, step := range []struct {
		to   *hcloud.ServerType
		grow bool
		disk int
	}{{bigger, false, 80}, {server.ServerType, false, 80}, {bigger, true, 160}} {
		f.done(f.client.Server.Poweroff(f.ctx, server))
		f.done(change(step.to, step.grow))
		now := f.reread(server)
		f.expect(now.ServerType.ID == step.to.ID && now.PrimaryDiskSize == step.disk, "%s, %d GB", now.ServerType.Name, now.PrimaryDiskSize)
		f.expect(now.Status == hcloud.ServerStatusRunning, "%s", now.Status)
	}
	f.done(f.client.Server.Poweroff(f.ctx, server))
	for _, wrong := range []*hcloud.ServerType{server.ServerType, arm} {
		_, _, err = change(wrong, false)
		f.refused(err, hcloud.ErrorCodeInvalidServerType)
	}
	f.remove(server)
}

// metrics reads every series of a server that has run for a moment.
func metrics(f *flow) {
	server := f.create(hcloud.ServerCreateOpts{Name: "busy"})
	end := time.Now()
	opts := hcloud.ServerGetMetricsOpts{
		Types: []hcloud.ServerMetricType{hcloud.ServerMetricCPU, hcloud.ServerMetricDisk, hcloud.ServerMetricNetwork},
		Start: end.Add(-time.Hour), End: end, Step: 60,
	}
	seen, _, err := f.client.Server.GetMetrics(f.ctx, server, opts)
	f.must(err)
	f.expect(len(seen.TimeSeries) == 9 && seen.Step == 60, "%d series, step %f", len(seen.TimeSeries), seen.Step)
	for name, values := range seen.TimeSeries {
		// They begin with the server, which was made just now.
		f.expect(len(values) <= 2, "%s has %d values", name, len(values))
		for _, value := range values {
			number, err := strconv.ParseFloat(value.Value, 64)
			f.must(err)
			f.expect(number >= 0, "%s is %s", name, value.Value)
			f.expect(value.Timestamp+seen.Step >= float64(server.Created.Unix()), "%s at %f", name, value.Timestamp)
		}
	}
	opts.Start, opts.End = opts.End, opts.Start
	_, _, err = f.client.Server.GetMetrics(f.ctx, server, opts)
	f.expect(err != nil, "metrics of a time that runs backwards")
	f.remove(server)
}
