package main

import (
	"slices"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func placementGroups(f *flow) {
	opts := hcloud.PlacementGroupCreateOpts{Name: "apart", Type: hcloud.PlacementGroupTypeSpread, Labels: map[string]string{"a": "b"}}
	made, _, err := f.client.PlacementGroup.Create(f.ctx, opts)
	f.must(err)
	f.expect(made.Action == nil, "a group is there at once")
	_, _, err = f.client.PlacementGroup.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	group := made.PlacementGroup

	first := f.create(hcloud.ServerCreateOpts{Name: "first", PlacementGroup: group})
	f.expect(first.PlacementGroup != nil && first.PlacementGroup.ID == group.ID, "%+v", first.PlacementGroup)
	second := f.create(hcloud.ServerCreateOpts{Name: "second"})
	_, _, err = f.client.Server.AddToPlacementGroup(f.ctx, second, group)
	f.refused(err, hcloud.ErrorCodeServerNotStopped)
	f.done(f.client.Server.Poweroff(f.ctx, second))
	f.done(f.client.Server.AddToPlacementGroup(f.ctx, second, group))
	members := func() []int64 {
		return got[hcloud.PlacementGroup](f)(f.client.PlacementGroup.GetByID(f.ctx, group.ID)).Servers
	}
	f.expect(slices.Equal(members(), []int64{first.ID, second.ID}), "members %v", members())
	_, err = f.client.PlacementGroup.Delete(f.ctx, group)
	f.refused(err, hcloud.ErrorCodeResourceInUse)
	f.done(f.client.Server.RemoveFromPlacementGroup(f.ctx, first))
	f.remove(second)
	f.expect(len(members()) == 0, "members %v", members())

	changed := got[hcloud.PlacementGroup](f)(f.client.PlacementGroup.Update(f.ctx, group, hcloud.PlacementGroupUpdateOpts{
		Name: "far", Labels: map[string]string{"c": "d"},
	}))
	f.expect(changed.Name == "far" && changed.Labels["c"] == "d", "%+v", changed)
	_, err = f.client.PlacementGroup.Delete(f.ctx, group)
	f.must(err)
	f.remove(first)
}
