package main

import (
	"slices"
	"strings"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func zones(f *flow) {
	opts := hcloud.ZoneCreateOpts{
		Name: "example.com", Mode: hcloud.ZoneModePrimary, TTL: hcloud.Ptr(10800), Labels: map[string]string{"key": "value"},
		RRSets: []hcloud.ZoneCreateOptsRRSet{{
			Name: "www", Type: hcloud.ZoneRRSetTypeA, Records: []hcloud.ZoneRRSetRecord{{Value: "201.42.91.35", Comment: "web"}},
		}},
	}
	made, _, err := f.client.Zone.Create(f.ctx, opts)
	f.must(err)
	f.must(f.client.Action.WaitFor(f.ctx, made.Action))
	_, _, err = f.client.Zone.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	zone := got[hcloud.Zone](f)(f.client.Zone.GetByName(f.ctx, "example.com"))
	f.expect(zone.ID == made.Zone.ID && zone.TTL == 10800 && zone.RecordCount == 5, "%+v", zone)
	f.expect(len(zone.AuthoritativeNameservers.Assigned) == 3, "%+v", zone.AuthoritativeNameservers)
	f.expect(zone.AuthoritativeNameservers.DelegationStatus == "unknown", "%+v", zone.AuthoritativeNameservers)
	f.expect(zone.AuthoritativeNameservers.DelegationLastCheck.IsZero(), "%+v", zone.AuthoritativeNameservers)
	missing, _, err := f.client.Zone.GetByName(f.ctx, "example.org")
	f.expect(missing == nil && err == nil, "%v %v", missing, err)
	f.done(f.client.Zone.ChangeTTL(f.ctx, zone, hcloud.ZoneChangeTTLOpts{TTL: 600}))

	records(f, zone)
	files(f, zone)

	f.done(f.client.Zone.ChangeProtection(f.ctx, zone, hcloud.ZoneChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	_, _, err = f.client.Zone.Delete(f.ctx, zone)
	f.refused(err, hcloud.ErrorCodeProtected)
	f.done(f.client.Zone.ChangeProtection(f.ctx, zone, hcloud.ZoneChangeProtectionOpts{Delete: hcloud.Ptr(false)}))
	changed := got[hcloud.Zone](f)(f.client.Zone.Update(f.ctx, zone, hcloud.ZoneUpdateOpts{Labels: map[string]string{"c": "d"}}))
	f.expect(changed.Labels["c"] == "d" && changed.TTL == 600, "%+v", changed)
	gone, _, err := f.client.Zone.Delete(f.ctx, &hcloud.Zone{Name: "example.com"})
	f.done(gone.Action, nil, err)
	secondaryZones(f)
}

// records changes sets as the Terraform provider does: by the name of the zone, and by the ids of sets.
func records(f *flow, zone *hcloud.Zone) {
	byName := &hcloud.Zone{Name: zone.Name}
	set := got[hcloud.ZoneRRSet](f)(f.client.Zone.GetRRSetByID(f.ctx, byName, "www/A"))
	f.expect(set.Zone.ID == zone.ID && set.TTL == nil && set.Records[0].Comment == "web", "%+v", set)
	set = &hcloud.ZoneRRSet{Zone: byName, ID: "www/A"}
	f.done(f.client.Zone.ChangeRRSetTTL(f.ctx, set, hcloud.ZoneRRSetChangeTTLOpts{TTL: hcloud.Ptr(60)}))
	two := []hcloud.ZoneRRSetRecord{{Value: "42.42.91.35"}, {Value: "42.42.91.36", Comment: "some web server"}}
	f.done(f.client.Zone.SetRRSetRecords(f.ctx, set, hcloud.ZoneRRSetSetRecordsOpts{Records: two}))
	f.done(f.client.Zone.UpdateRRSetRecords(f.ctx, set, hcloud.ZoneRRSetUpdateRecordsOpts{
		Records: []hcloud.ZoneRRSetRecord{{Value: "42.42.91.36"}},
	}))
	f.done(f.client.Zone.ChangeRRSetProtection(f.ctx, set, hcloud.ZoneRRSetChangeProtectionOpts{Change: hcloud.Ptr(true)}))
	_, _, err := f.client.Zone.DeleteRRSet(f.ctx, set)
	f.refused(err, hcloud.ErrorCodeProtected)
	f.done(f.client.Zone.ChangeRRSetProtection(f.ctx, set, hcloud.ZoneRRSetChangeProtectionOpts{Change: hcloud.Ptr(false)}))
	seen := got[hcloud.ZoneRRSet](f)(f.client.Zone.UpdateRRSet(f.ctx, set, hcloud.ZoneRRSetUpdateOpts{Labels: map[string]string{"a": "b"}}))
	f.expect(*seen.TTL == 60 && seen.Labels["a"] == "b" && len(seen.Records) == 2, "%+v", seen)
	f.expect(seen.Records[1].Value == "42.42.91.36" && seen.Records[1].Comment == "", "%+v", seen)

	// The start of authority is there from the beginning; its serial is the zone's.
	soa := &hcloud.ZoneRRSet{Zone: byName, ID: "@/SOA"}
	value := "ns1.example.com. hostmaster.example.com. 0 3600 600 86400 300"
	f.done(f.client.Zone.SetRRSetRecords(f.ctx, soa, hcloud.ZoneRRSetSetRecordsOpts{Records: []hcloud.ZoneRRSetRecord{{Value: value}}}))
	soa = got[hcloud.ZoneRRSet](f)(f.client.Zone.GetRRSetByNameAndType(f.ctx, zone, "@", hcloud.ZoneRRSetTypeSOA))
	words := strings.Split(soa.Records[0].Value, " ")
	f.expect(len(words) == 7 && words[2] > "2020010100" && words[6] == "300", "%v", words)

	text := []hcloud.ZoneRRSetRecord{{Value: `"v=spf1 -all" "\"quoted\""`}}
	added := &hcloud.ZoneRRSet{Zone: zone, Name: "@", Type: hcloud.ZoneRRSetTypeTXT}
	f.done(f.client.Zone.AddRRSetRecords(f.ctx, added, hcloud.ZoneRRSetAddRecordsOpts{Records: text}))
	all, err := f.client.Zone.AllRRSetsWithOpts(f.ctx, zone, hcloud.ZoneRRSetListOpts{Name: "@", Sort: []string{"id:desc"}})
	f.must(err)
	ids := []string{}
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	f.expect(slices.Equal(ids, []string{"@/TXT", "@/SOA", "@/NS"}), "%v", ids)
	f.done(f.client.Zone.RemoveRRSetRecords(f.ctx, added, hcloud.ZoneRRSetRemoveRecordsOpts{Records: text}))
	left, _, err := f.client.Zone.GetRRSetByID(f.ctx, zone, "@/TXT")
	f.expect(left == nil && err == nil, "%v %v", left, err)
}

func files(f *flow, zone *hcloud.Zone) {
	exported, _, err := f.client.Zone.ExportZonefile(f.ctx, zone)
	f.must(err)
	f.expect(strings.Contains(exported.Zonefile, "$ORIGIN\texample.com.\n"), "%s", exported.Zonefile)
	more := exported.Zonefile + "\nfoobar\tIN\tA\t192.168.0.2\n"
	f.done(f.client.Zone.ImportZonefile(f.ctx, zone, hcloud.ZoneImportZonefileOpts{Zonefile: more}))
	got[hcloud.ZoneRRSet](f)(f.client.Zone.GetRRSetByID(f.ctx, zone, "foobar/A"))
	_, _, err = f.client.Zone.ImportZonefile(f.ctx, zone, hcloud.ZoneImportZonefileOpts{Zonefile: "foobar A"})
	f.refused(err, hcloud.ErrorCodeInvalidInput)
}

func secondaryZones(f *flow) {
	made, _, err := f.client.Zone.Create(f.ctx, hcloud.ZoneCreateOpts{
		Name: "example.net", Mode: hcloud.ZoneModeSecondary,
		PrimaryNameservers: []hcloud.ZoneCreateOptsPrimaryNameserver{{Address: "201.34.67.42"}, {Address: "201.34.67.43", Port: 5353}},
	})
	f.must(err)
	zone := made.Zone
	f.expect(zone.TTL == 3600 && zone.PrimaryNameservers[0].Port == 53 && zone.PrimaryNameservers[1].Port == 5353, "%+v", zone)
	// The Terraform provider's own suite does this with a secondary zone.
	f.done(f.client.Zone.ChangeTTL(f.ctx, zone, hcloud.ZoneChangeTTLOpts{TTL: 10800}))
	f.done(f.client.Zone.ChangePrimaryNameservers(f.ctx, zone, hcloud.ZoneChangePrimaryNameserversOpts{
		PrimaryNameservers: []hcloud.ZoneChangePrimaryNameserversOptsPrimaryNameserver{{Address: "89.34.67.42"}},
	}))
	_, _, err = f.client.Zone.ExportZonefile(f.ctx, zone)
	f.refused(err, hcloud.ErrorCode("incorrect_zone_mode"))
	gone, _, err := f.client.Zone.Delete(f.ctx, zone)
	f.done(gone.Action, nil, err)
}
