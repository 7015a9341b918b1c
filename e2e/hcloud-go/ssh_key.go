package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

func sshKeys(f *flow) {
	opts := hcloud.SSHKeyCreateOpts{Name: "laptop", PublicKey: publicKey(), Labels: map[string]string{"team": "a"}}
	key := got[hcloud.SSHKey](f)(f.client.SSHKey.Create(f.ctx, opts))
	f.expect(key.PublicKey == opts.PublicKey && maps.Equal(key.Labels, opts.Labels), "%+v", key)
	found := got[hcloud.SSHKey](f)(f.client.SSHKey.GetByFingerprint(f.ctx, key.Fingerprint))
	f.expect(found.ID == key.ID && !found.Created.IsZero(), "%+v", found)

	_, _, err := f.client.SSHKey.Create(f.ctx, hcloud.SSHKeyCreateOpts{Name: "same key", PublicKey: opts.PublicKey})
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	_, _, err = f.client.SSHKey.Create(f.ctx, hcloud.SSHKeyCreateOpts{Name: "laptop", PublicKey: publicKey()})
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	_, _, err = f.client.SSHKey.Create(f.ctx, hcloud.SSHKeyCreateOpts{Name: "bad", PublicKey: "no key"})
	f.refused(err, hcloud.ErrorCodeInvalidInput)

	change := hcloud.SSHKeyUpdateOpts{Name: "desk", Labels: map[string]string{"team": "b"}}
	changed := got[hcloud.SSHKey](f)(f.client.SSHKey.Update(f.ctx, key, change))
	f.expect(changed.Name == "desk" && changed.Labels["team"] == "b", "%+v", changed)
	_, err = f.client.SSHKey.Delete(f.ctx, key)
	f.must(err)
	_, err = f.client.SSHKey.Delete(f.ctx, key)
	f.refused(err, hcloud.ErrorCodeNotFound)
	pages(f)
}

// pages makes more keys than a page holds and reads them all, once each.
func pages(f *flow) {
	var made []int64
	for number := range many {
		opts := hcloud.SSHKeyCreateOpts{Name: fmt.Sprintf("key-%02d", number), PublicKey: publicKey()}
		made = append(made, got[hcloud.SSHKey](f)(f.client.SSHKey.Create(f.ctx, opts)).ID)
	}
	all, err := f.client.SSHKey.AllWithOpts(f.ctx, hcloud.SSHKeyListOpts{Sort: []string{"name:desc"}})
	f.must(err)
	f.expect(len(all) == many && all[0].ID == made[many-1] && all[many-1].ID == made[0], "%d keys", len(all))
	_, response, err := f.client.SSHKey.List(f.ctx, hcloud.SSHKeyListOpts{ListOpts: hcloud.ListOpts{Page: 2, PerPage: 25}})
	f.must(err)
	pagination := hcloud.Pagination{Page: 2, PerPage: 25, PreviousPage: 1, NextPage: 3, LastPage: 3, TotalEntries: many}
	f.expect(*response.Meta.Pagination == pagination, "%+v", response.Meta.Pagination)
	for _, key := range all {
		_, err := f.client.SSHKey.Delete(f.ctx, key)
		f.must(err)
	}
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
