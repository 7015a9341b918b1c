package main

import (
	"slices"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

// buildBalancer puts a load balancer with a certificate of the company in front of whatever has the label.
func (e *environment) buildBalancer(home *hcloud.Location) {
	mine := sign("company.example", "www.company.example")
	e.certificate = got[hcloud.Certificate](e.flow)(e.client.Certificate.Create(e.ctx, hcloud.CertificateCreateOpts{
		Name: "www", Type: hcloud.CertificateTypeUploaded, Certificate: mine.certificate, PrivateKey: mine.key,
	}))
	kind := got[hcloud.LoadBalancerType](e.flow)(e.client.LoadBalancerType.GetByName(e.ctx, "lb11"))
	made, _, err := e.client.LoadBalancer.Create(e.ctx, hcloud.LoadBalancerCreateOpts{
		Name: "front", LoadBalancerType: kind, Location: home, Network: e.network,
		Algorithm: &hcloud.LoadBalancerAlgorithm{Type: hcloud.LoadBalancerAlgorithmTypeLeastConnections},
		Services: []hcloud.LoadBalancerCreateOptsService{
			{Protocol: hcloud.LoadBalancerServiceProtocolHTTP, DestinationPort: hcloud.Ptr(8080)},
			{
				Protocol: hcloud.LoadBalancerServiceProtocolHTTPS, DestinationPort: hcloud.Ptr(8080),
				HTTP: &hcloud.LoadBalancerCreateOptsServiceHTTP{
					Certificates: []*hcloud.Certificate{e.certificate}, StickySessions: hcloud.Ptr(true), CookieName: hcloud.Ptr("COMPANY"),
				},
			},
		},
		Targets: []hcloud.LoadBalancerCreateOptsTarget{{
			Type: hcloud.LoadBalancerTargetTypeLabelSelector, UsePrivateIP: hcloud.Ptr(true),
			LabelSelector: hcloud.LoadBalancerCreateOptsTargetLabelSelector{Selector: behind},
		}},
	})
	e.must(err)
	e.done(made.Action, nil, nil)
	e.balancer = made.LoadBalancer
}

// balancerBuilt asserts that the balancer knows its targets, and others the balancer.
func (e *environment) balancerBuilt() {
	e.expect(e.balancer.Algorithm.Type == hcloud.LoadBalancerAlgorithmTypeLeastConnections, "%+v", e.balancer.Algorithm)
	e.expect(len(e.balancer.PrivateNet) == 1 && e.balancer.PrivateNet[0].Network.ID == e.network.ID, "%+v", e.balancer.PrivateNet)
	e.expect(len(e.network.LoadBalancers) == 1 && e.network.LoadBalancers[0].ID == e.balancer.ID, "%+v", e.network.LoadBalancers)
	e.usedBy(e.balancer.ID)
	plain, sealed := e.service(80), e.service(443)
	e.expect(plain.DestinationPort == 8080 && plain.HealthCheck.Port == 8080 && !plain.HTTP.StickySessions, "%+v", plain)
	e.expect(sealed.HTTP.StickySessions && sealed.HTTP.CookieName == "COMPANY", "%+v", sealed.HTTP)
	e.expect(len(sealed.HTTP.Certificates) == 1 && sealed.HTTP.Certificates[0].ID == e.certificate.ID, "%+v", sealed.HTTP)
	e.balances(hcloud.LoadBalancerTargetHealthStatusStatusHealthy, e.first.ID)
}

func (e *environment) changeBalancer() {
	e.done(e.client.LoadBalancer.UpdateService(e.ctx, e.balancer, 443, hcloud.LoadBalancerUpdateServiceOpts{
		DestinationPort: hcloud.Ptr(8443),
		HTTP:            &hcloud.LoadBalancerUpdateServiceOptsHTTP{StickySessions: hcloud.Ptr(false)},
		HealthCheck:     &hcloud.LoadBalancerUpdateServiceOptsHealthCheck{Interval: hcloud.Ptr(10 * time.Second)},
	}))
	e.done(e.client.LoadBalancer.DeleteService(e.ctx, e.balancer, 80))
	again := hcloud.LoadBalancerAddServiceOpts{
		Protocol: hcloud.LoadBalancerServiceProtocolTCP, ListenPort: hcloud.Ptr(443), DestinationPort: hcloud.Ptr(443),
	}
	_, _, err := e.client.LoadBalancer.AddService(e.ctx, e.balancer, again)
	e.refused(err, hcloud.ErrorCodeSourcePortAlreadyUsed)
	again.ListenPort, again.DestinationPort, again.Proxyprotocol = hcloud.Ptr(22), hcloud.Ptr(22), hcloud.Ptr(true)
	e.done(e.client.LoadBalancer.AddService(e.ctx, e.balancer, again))
	robin := hcloud.LoadBalancerChangeAlgorithmOpts{Type: hcloud.LoadBalancerAlgorithmTypeRoundRobin}
	e.done(e.client.LoadBalancer.ChangeAlgorithm(e.ctx, e.balancer, robin))
	bigger := got[hcloud.LoadBalancerType](e.flow)(e.client.LoadBalancerType.GetByName(e.ctx, "lb21"))
	e.done(e.client.LoadBalancer.ChangeType(e.ctx, e.balancer, hcloud.LoadBalancerChangeTypeOpts{LoadBalancerType: bigger}))
	// Targets have private addresses, so the public interface can go.
	e.done(e.client.LoadBalancer.DisablePublicInterface(e.ctx, e.balancer))
}

// balancerChanged asserts what has changed, and that what was not changed has not.
func (e *environment) balancerChanged() {
	e.expect(e.balancer.LoadBalancerType.Name == "lb21" && !e.balancer.PublicNet.Enabled, "%+v", e.balancer)
	e.expect(e.balancer.Algorithm.Type == hcloud.LoadBalancerAlgorithmTypeRoundRobin, "%+v", e.balancer.Algorithm)
	sealed, remote := e.service(443), e.service(22)
	e.expect(len(e.balancer.Services) == 2 && remote.Proxyprotocol && remote.DestinationPort == 22, "%+v", e.balancer.Services)
	e.expect(sealed.DestinationPort == 8443 && !sealed.HTTP.StickySessions && len(sealed.HTTP.Certificates) == 1, "%+v", sealed)
	e.expect(sealed.HealthCheck.Interval == 10*time.Second && sealed.HealthCheck.Port == 8080, "%+v", sealed.HealthCheck)
	e.usedBy(e.balancer.ID)
	e.balances(hcloud.LoadBalancerTargetHealthStatusStatusHealthy, e.second.ID)
}

// takeBalancerDown deletes the balancer, which frees its certificate.
func (e *environment) takeBalancerDown() {
	_, err := e.client.Certificate.Delete(e.ctx, e.certificate)
	e.refused(err, hcloud.ErrorCodeResourceInUse)
	gone, _, err := e.client.LoadBalancer.DeleteWithResult(e.ctx, e.balancer)
	e.must(err)
	e.done(gone.Action, nil, nil)
	again(e, &e.certificate, e.client.Certificate.GetByID, e.certificate.ID)
	e.usedBy()
	_, err = e.client.Certificate.Delete(e.ctx, e.certificate)
	e.must(err)
}

// balances asserts the servers behind the balancer's label, and the health of every service on each.
func (e *environment) balances(status hcloud.LoadBalancerTargetHealthStatusStatus, servers ...int64) {
	again(e, &e.balancer, e.client.LoadBalancer.GetByID, e.balancer.ID)
	e.expect(len(e.balancer.Targets) == 1, "%+v", e.balancer.Targets)
	found := []int64{}
	for _, target := range e.balancer.Targets[0].Targets {
		found = append(found, target.Server.Server.ID)
		e.expect(target.UsePrivateIP && len(target.HealthStatus) == len(e.balancer.Services), "%+v", target)
		for _, health := range target.HealthStatus {
			e.expect(health.Status == status, "port %d is %s, not %s", health.ListenPort, health.Status, status)
		}
	}
	e.expect(same(found, servers...), "targets: %v, not %v", found, servers)
}

// service is the balancer's service on that port.
func (e *environment) service(port int) hcloud.LoadBalancerService {
	at := slices.IndexFunc(e.balancer.Services, func(service hcloud.LoadBalancerService) bool { return service.ListenPort == port })
	e.expect(at >= 0, "nothing listens on port %d", port)
	return e.balancer.Services[at]
}

// usedBy asserts which balancers the certificate says it is used by.
func (e *environment) usedBy(balancers ...int64) {
	found := []int64{}
	for _, user := range e.certificate.UsedBy {
		e.expect(user.Type == hcloud.CertificateUsedByRefTypeLoadBalancer, "%+v", user)
		found = append(found, user.ID)
	}
	e.expect(same(found, balancers...), "used by %v, not %v", found, balancers)
}
