//! `GET /networks/{id}/members`: who is in a network, and where (fact sheet §3.5).

use crate::control::{Caller, Control};
use crate::listing::{List, sort_by_keys};
use bytes::Bytes;
use std::cmp::Ordering;
use std::net::Ipv4Addr;
use wolke_domain::network::Plan;
use wolke_domain::server::Status;
use wolke_domain::{Error, Result};
use wolke_store::network::{self, Member};
use wolke_wire::cloud::network as wire;
use wolke_wire::paging::Page;
use wolke_wire::sort::SortKey;
use wolke_wire::{Id, Kind};

/// What a list of members asks for. An empty filter lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersRequest {
    /// Only these kinds.
    pub kinds: Vec<wire::MemberType>,
    /// Only these.
    pub statuses: Vec<wire::MemberStatus>,
    /// Only those in the subnets with these ranges.
    pub subnets: Vec<String>,
    /// Order: `id`, `type`, `status`, `ip`.
    pub sort: Vec<SortKey>,
}

/// A member as it is shown, and its address to sort by.
type Shown = (wire::Member, Ipv4Addr);

/// A member as the contract shows it. A server that is still being made is on its way in, one that is being deleted on its way
/// out; whatever changes an attachment is done at once.
fn to_wire(plan: &Plan, member: &Member) -> Result<Shown> {
    let kind = match member.target.kind {
        Kind::Server => wire::MemberType::Server,
        Kind::LoadBalancer => wire::MemberType::LoadBalancer,
        other => return Err(Error::internal(format!("a {other} cannot be a member of a network"))),
    };
    let subnet = plan.subnet_with(member.ip).ok_or_else(|| Error::internal("a member outside of all subnets"))?;
    let status = match member.status {
        Some(Status::Initializing) => wire::MemberStatus::Attaching,
        Some(Status::Deleting) => wire::MemberStatus::Detaching,
        _ => wire::MemberStatus::Ok,
    };
    let shown = wire::Member {
        id: member.target.id,
        kind,
        ip: member.ip.to_string(),
        alias_ips: member.alias_ips.iter().map(Ipv4Addr::to_string).collect(),
        subnet: subnet.range.to_string(),
        status,
    };
    Ok((shown, member.ip))
}

/// Ids are unique by kind only: the kind breaks ties.
fn compare((a, a_ip): &Shown, (b, b_ip): &Shown, field: &str) -> Ordering {
    match field {
        "type" => a.kind.as_str().cmp(b.kind.as_str()),
        "status" => a.status.as_str().cmp(b.status.as_str()),
        "ip" => a_ip.cmp(b_ip),
        _ => (a.id, a.kind.as_str()).cmp(&(b.id, b.kind.as_str())),
    }
}

impl MembersRequest {
    fn asks_for(&self, member: &wire::Member) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&member.kind))
            && (self.statuses.is_empty() || self.statuses.contains(&member.status))
            && (self.subnets.is_empty() || self.subnets.contains(&member.subnet))
    }
}

impl Control {
    /// The members of a network, of which there are so few that they are sorted in memory.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn list_network_members(
        &self,
        caller: &Caller,
        id: Id,
        request: MembersRequest,
        page: Page,
    ) -> Result<List> {
        let project = caller.project;
        let (plan, members) = self
            .db
            .read(move |tx| {
                let network = network::expect(tx, project, id)?.value;
                Ok((network.details.plan, network::members_with_addresses(tx, id)?))
            })
            .await?;
        let mut shown = members.iter().map(|member| to_wire(&plan, member)).collect::<Result<Vec<Shown>>>()?;
        shown.retain(|(member, _)| request.asks_for(member));
        sort_by_keys(&mut shown, &request.sort, compare);
        let from = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let page: Vec<&wire::Member> = shown.iter().skip(from).take(limit).map(|(member, _)| member).collect();
        let json = serde_json::to_string(&page).map_err(|e| Error::internal(format!("rendering members: {e}")))?;
        // The entries alone: whoever shapes the answer brings the brackets.
        let entries = json.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(List { entries: Bytes::from(entries), total: shown.len() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::{MembersRequest, to_wire};
    use wolke_domain::action::Target;
    use wolke_domain::network::Plan;
    use wolke_domain::server::Status;
    use wolke_store::network::Member;
    use wolke_wire::Kind;
    use wolke_wire::cloud::network::{MemberStatus, MemberType, NewSubnet, SubnetType};

    #[test]
    fn what_a_server_does_says_how_it_stands_to_its_networks() {
        let subnet = NewSubnet {
            kind: SubnetType::Cloud,
            ip_range: Some("10.0.1.0/24".into()),
            network_zone: "eu-central".into(),
            vswitch_id: None,
        };
        let plan = Plan::new("10.0.0.0/16", &[subnet], &[], &|_| true).unwrap();
        let shown = |kind, status| {
            let target = Target::new(kind, 7);
            let member = Member { target, ip: [10, 0, 1, 1].into(), alias_ips: Vec::new(), status };
            to_wire(&plan, &member).map(|(shown, _)| shown)
        };
        for (status, expected) in [
            (Status::Initializing, MemberStatus::Attaching),
            (Status::Running, MemberStatus::Ok),
            (Status::Off, MemberStatus::Ok),
            (Status::Deleting, MemberStatus::Detaching),
        ] {
            assert_eq!(shown(Kind::Server, Some(status)).unwrap().status, expected);
        }
        let balancer = shown(Kind::LoadBalancer, None).unwrap();
        assert_eq!((balancer.kind, balancer.status), (MemberType::LoadBalancer, MemberStatus::Ok));
        assert!(shown(Kind::Volume, None).is_err());
        let only = MembersRequest { kinds: vec![MemberType::Server], ..MembersRequest::default() };
        assert!(!only.asks_for(&balancer) && MembersRequest::default().asks_for(&balancer));
        let there = MembersRequest { subnets: vec!["10.0.1.0/24".into()], ..MembersRequest::default() };
        assert!(there.asks_for(&balancer));
    }
}
