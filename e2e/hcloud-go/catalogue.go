package main

import (
	"strconv"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// catalogue reads everything that is offered, one by one as well as in lists, and compares the two.
func catalogue(f *flow) {
	places(f)
	offers(f)
	systems(f)
	prices(f)
}

func places(f *flow) {
	locations, err := f.client.Location.All(f.ctx)
	f.must(err)
	f.expect(len(locations) == 6, "%d locations", len(locations))
	for _, location := range locations {
		byName := got[hcloud.Location](f)(f.client.Location.GetByName(f.ctx, location.Name))
		f.expect(*byName == *location, "%+v is not %+v", byName, location)
		f.expect(location.NetworkZone != "" && location.Latitude != 0, "location %+v", location)
	}
	datacenters, err := f.client.Datacenter.All(f.ctx)
	if hcloud.IsError(err, "deprecated_api_endpoint") {
		return // the newest dialect has no datacenters any more
	}
	f.must(err)
	for _, datacenter := range datacenters {
		types := datacenter.ServerTypes
		f.expect(datacenter.Location != nil && len(types.Available) > 0, "datacenter %+v", datacenter)
		f.expect(len(types.Supported) >= len(types.Available), "%s offers what it does not support", datacenter.Name)
	}
	f.expect(len(datacenters) == len(locations), "%d datacenters", len(datacenters))
}

func offers(f *flow) {
	types, err := f.client.ServerType.All(f.ctx)
	f.must(err)
	for _, kind := range types {
		known := kind.Architecture == hcloud.ArchitectureX86 || kind.Architecture == hcloud.ArchitectureARM
		f.expect(known && kind.Category != "" && len(kind.Locations) > 0, "server type %+v", kind)
		f.expect(len(kind.Pricings) > 0 && kind.Pricings[0].IncludedTraffic > 0, "prices of %s", kind.Name)
		f.expect(!kind.IsDeprecated() || kind.UnavailableAfter().After(kind.DeprecationAnnounced()), "%s", kind.Name)
	}
	// What is gone for good is not listed, and still readable by its number.
	old := got[hcloud.ServerType](f)(f.client.ServerType.GetByID(f.ctx, 1))
	f.expect(old.Name == "cx11" && old.IsDeprecated(), "%+v", old)
	missing, _, err := f.client.ServerType.GetByName(f.ctx, old.Name)
	f.must(err)
	f.expect(missing == nil, "%s is listed", old.Name)

	balancers, err := f.client.LoadBalancerType.All(f.ctx)
	f.must(err)
	f.expect(len(balancers) == 3, "%d load balancer types", len(balancers))
	for _, kind := range balancers {
		f.expect(kind.MaxServices > 0 && kind.MaxTargets > 0 && len(kind.Pricings) > 0, "%+v", kind)
	}
}

func systems(f *flow) {
	for _, architecture := range []hcloud.Architecture{hcloud.ArchitectureX86, hcloud.ArchitectureARM} {
		one := got[hcloud.Image](f)(f.client.Image.GetForArchitecture(f.ctx, image, architecture))
		f.expect(one.Architecture == architecture && one.Type == hcloud.ImageTypeSystem, "%+v", one)
		f.expect(one.Status == hcloud.ImageStatusAvailable && one.CreatedFrom == nil && one.BoundTo == nil, "%+v", one)
		all, err := f.client.Image.AllWithOpts(f.ctx, hcloud.ImageListOpts{Architecture: []hcloud.Architecture{architecture}})
		f.must(err)
		for _, other := range all {
			f.expect(other.Architecture == architecture, "%+v", other)
		}
		isos, err := f.client.ISO.AllWithOpts(f.ctx, hcloud.ISOListOpts{Architecture: []hcloud.Architecture{architecture}})
		f.must(err)
		f.expect(len(isos) > 0, "no ISO for %s", architecture)
		iso := got[hcloud.ISO](f)(f.client.ISO.Get(f.ctx, strconv.FormatInt(isos[0].ID, 10)))
		f.expect(iso.Name == isos[0].Name && iso.Architecture != nil && *iso.Architecture == architecture, "%+v", iso)
	}
	_, err := f.client.Image.Delete(f.ctx, got[hcloud.Image](f)(f.client.Image.GetForArchitecture(f.ctx, image, hcloud.ArchitectureX86)))
	f.expect(err != nil, "a system image was deleted")
}

func prices(f *flow) {
	pricing, _, err := f.client.Pricing.Get(f.ctx)
	f.must(err)
	positive := func(what string, price hcloud.Price) {
		net, err := strconv.ParseFloat(price.Net, 64)
		f.must(err)
		gross, err := strconv.ParseFloat(price.Gross, 64)
		f.must(err)
		f.expect(net > 0 && gross >= net && price.Currency == pricing.Currency, "%s costs %+v", what, price)
	}
	positive("an image", pricing.Image.PerGBMonth)
	positive("a volume", pricing.Volume.PerGBMonthly)
	f.expect(len(pricing.FloatingIPs) == 2 && len(pricing.PrimaryIPs) == 2, "%+v", pricing)
	f.expect(pricing.ServerBackup.Percentage != "", "no price of backups")
	types, err := f.client.ServerType.All(f.ctx)
	f.must(err)
	f.expect(len(pricing.ServerTypes) >= len(types), "%d server types have prices", len(pricing.ServerTypes))
	for _, kind := range pricing.ServerTypes {
		for _, price := range kind.Pricings {
			positive(kind.ServerType.Name, price.Monthly)
		}
	}
	f.expect(len(pricing.LoadBalancerTypes) == 3, "%d load balancer types", len(pricing.LoadBalancerTypes))
}
