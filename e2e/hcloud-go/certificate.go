package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// ownCertificate is a certificate that a company signed itself.
type ownCertificate struct {
	certificate, key string
	// fingerprint is the SHA-256 of the certificate, as the API writes it.
	fingerprint string
	ends        time.Time
}

// certificates walks through the life of uploaded certificates: read and checked, shown, renamed, deleted.
func certificates(f *flow) {
	mine, other := sign("company.example", "www.company.example"), sign("company.example")
	opts := hcloud.CertificateCreateOpts{
		Name: "www", Type: hcloud.CertificateTypeUploaded, Certificate: mine.certificate, PrivateKey: mine.key,
		Labels: map[string]string{"team": "a"},
	}
	made := got[hcloud.Certificate](f)(f.client.Certificate.Create(f.ctx, opts))
	f.expect(made.Fingerprint == mine.fingerprint && made.NotValidAfter.Equal(mine.ends), "%+v", made)
	f.expect(slices.Equal(made.DomainNames, []string{"company.example", "www.company.example"}), "%v", made.DomainNames)
	f.expect(strings.TrimSpace(made.Certificate) == strings.TrimSpace(mine.certificate) && len(made.UsedBy) == 0, "%+v", made)
	_, _, err := f.client.Certificate.Create(f.ctx, opts)
	f.refused(err, hcloud.ErrorCodeUniquenessError)
	opts.Name, opts.PrivateKey = "wrong key", other.key
	_, _, err = f.client.Certificate.Create(f.ctx, opts)
	f.expect(err != nil, "a key of another certificate")
	change := hcloud.CertificateUpdateOpts{Name: "shop", Labels: map[string]string{}}
	changed := got[hcloud.Certificate](f)(f.client.Certificate.Update(f.ctx, made, change))
	f.expect(changed.Name == "shop" && len(changed.Labels) == 0, "%+v", changed)
	found := got[hcloud.Certificate](f)(f.client.Certificate.GetByName(f.ctx, "shop"))
	f.expect(found.ID == made.ID && found.Type == hcloud.CertificateTypeUploaded && found.Status == nil, "%+v", found)
	_, _, err = f.client.Certificate.RetryIssuance(f.ctx, found)
	f.expect(err != nil, "an uploaded certificate was issued")
	_, err = f.client.Certificate.Delete(f.ctx, found)
	f.must(err)
}

// sign makes a certificate for names, the first of which is its subject.
func sign(names ...string) ownCertificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // the operating system has no randomness
	}
	now := time.Now().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err) // the template is a constant of this program
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // as above
	}
	sum := sha256.Sum256(signed)
	octets := []string{}
	for _, octet := range sum {
		octets = append(octets, strings.ToUpper(hex.EncodeToString([]byte{octet})))
	}
	return ownCertificate{
		certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		fingerprint: strings.Join(octets, ":"),
		ends:        template.NotAfter,
	}
}
