//! The page: prose around the tables.

use super::cells::{ABSENT, NOWHERE, THERE, cells, head, row};
use super::{dated, fields, words};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Dialects

The Hetzner Cloud API moves: members come and go, endpoints end, rules tighten. Wolke speaks it as it was at several times. What
a client sees depends on its dialect; what is stored does not, so clients of different times can share a project.

| dialect | what it is |
| --- | --- |
| `2018-04` | The API as of 2018-04-05, before networks, volumes and labels. For very old scripts. |
| `2023-07` | The OpenAPI document of 2023. The name is a label: the document has no date of its own. |
| `2026-02` | The OpenAPI document of February 2026. |
| `compat` | **The default.** The newest API, without the removals that break clients in use today. |
| `newest` | The newest API with all changes up to October 2026, removals included. |

A dialect has what its document has, nothing more: `2023-07` does not gain what came in that month and stands in a later document.
A member, parameter or operation that a dialect does not have is treated as the real service treats unknown ones: members of
requests and parameters are ignored, operations are `not_found`.

## Choosing one

For the whole server: `wolke serve --dialect newest`, `WOLKE_DIALECT=newest`, or `dialect = \"newest\"` in `wolke.toml`
([configuration](configuration.md)). For one token, whatever the server speaks:

```console
$ wolke token create --dialect 2018-04
```

`GET /v1/openapi.json` shows what the server's dialect has. To learn whether your automation survives the removals, run it once
with `newest`.

## Why `compat` is the default

No single state of the API satisfies the clients of 2026. Ansible's modules read `datacenter` of a primary IP, which went in July;
hcloud-python 2.27 demands an action when a load balancer is deleted, which came in October. `compat` serves both:

| point | `compat` | `newest` |
| --- | --- | --- |
| server, primary IP | `location` and `datacenter`, in answers and requests | `location` |
| `GET /datacenters` | the list | 410 |
| image on its way out | `deprecated` (the day of the announcement) and `deprecation` | `deprecation` |
| unassigned primary IP | `assignee_type` is `server` | `unassigned` |
| `included_traffic` of a server type, `traffic` of prices | there, and 0, as old clients read it | gone |
| deleting a load balancer | answers with an action | the same |
| deleting an assigned floating or primary IP | `must_be_unassigned`; clients unassign first | the same |

## Reading the tables

✓ there, – not there, an empty cell: what it would be part of is not there either. This page is made from the contract and the
list of switches: `WOLKE_TEST_WRITE=1 cargo test -p wolke-wire --test dialects_page`.

## Operations

How many there are. [coverage.md](coverage.md) lists each one.
";

const OPERATIONS: &str = "\
Where a resource is there, its operations may not all be. 410: the operation has ended (`deprecated_api_endpoint`).
";

const PARAMETERS: &str = "\
## List parameters

All lists have `page` and `per_page` in all dialects, and `meta.pagination` with them, except `GET /actions` where it works only by
`id`. Data centers refuse a malformed `name` in all dialects that have them, instead of finding nothing.
";

const ANSWERS: &str = "\
## Members of answers

Where one table row names a member, its own members come and go with it.
";

const REQUESTS: &str = "\
## Members of requests

✓ optional. `location` and `datacenter` exclude each other wherever both are known.
";

const VALUES: &str = "\
## Words

Values of members and parameters (`?`) that not all dialects have. In a request they are refused, as any unknown word. In an answer
the table of rules says what stands for them; processors that are `dedicated` are shown to 2018 as they are, because its clients
read any text there.
";

const RULES: &str = "\
## Rules

What the documents do not show, or not wholly; – also where a dialect lacks the resource. In the code each is a method of `Dialect`
(`crates/wolke-wire/src/dialect/switch.rs`).
";

const ERRORS: &str = "\
## Errors

The status of a code is the same in all dialects. Codes that any operation may answer:
";

const ERRORS_OF_OPERATIONS: &str = "\
Codes of single operations that not all dialects have:
";

const ERRORS_IN_PLACE: &str = "\
A dialect that is a document answers no code that the document does not know. Where such a code would be due, this one stands for it, and
`service_error` for any other (`instead` in `contract/errors.json`). `compat` and `newest` also say what no document holds and their
clients act on, such as `volume_already_attached`.
";

const ACTIONS: &str = "\
## Actions

Commands, states and resources of actions are the same words in all dialects, and creating answers name them in the same order. What
differs: which lists there are (operations), `GET /actions` without `id` (rules), and sorting by `progress` (words). A client of
2018 also sees the actions of resources that it does not know: their commands and types are texts to it.
";

const CHANGES: &str = "\
## Dated changes

Since the document of 2023, oldest first.
";

const THROUGH_2018: &str = "\
## How newer state looks through 2018

A client of 2018 may work in a project that newer clients fill.

- What its dialect has no member for is left out: labels, volumes, private networks, firewalls, placement groups, load balancers.
- What it does not know it cannot change: labels, and the name of a floating IP, survive its `PUT`. What it creates has no labels; a
  floating IP gets a generated name.
- Primary IPs show as the server's own addresses. Those that come with a server go with it.
- A server without a public IPv4 or IPv6 address shows `{\"ip\": \"\", \"blocked\": false, \"dns_ptr\": \"\"}` (`dns_ptr` is null for IPv6).
- Images of applications are `system` images, in answers and in the filter `type=system`.
- Server types with dedicated processors stay visible, with `cpu_type` `dedicated`.
- A deprecated image is listed until its day has come; then it is gone from the list, and no server can be made from it.
- The catalogue is today's. For the names of 2018 (`cx11`, `ubuntu-16.04`, `fsn1-dc8`) lay a file over it:
  `wolke serve --dialect 2018-04 --catalogue docs/examples/catalogue-2018.toml`.
";

/// The whole page.
pub fn page() -> String {
    let (counts, operations) = words::operation_tables();
    let (general, of_operations) = words::codes();
    let mut changes = head(&["date", "change"]);
    for change in dated::CHANGES {
        let has = cells(|dialect| match (change.has)(dialect) {
            None => NOWHERE,
            Some(true) => THERE,
            Some(false) => ABSENT,
        });
        changes.push_str(&row(&[change.date, change.what], &has));
    }
    let mut text = String::new();
    for (prose, table) in [
        (INTRODUCTION, counts),
        (OPERATIONS, operations),
        (PARAMETERS, words::parameters()),
        (ANSWERS, fields::answers()),
        (REQUESTS, fields::requests()),
        (VALUES, words::values()),
        (RULES, words::switches()),
        (ERRORS, general),
        (ERRORS_OF_OPERATIONS, of_operations),
        (ERRORS_IN_PLACE, words::instead()),
        (ACTIONS, String::new()),
        (CHANGES, changes),
        (THROUGH_2018, String::new()),
    ] {
        let _ = write!(text, "{prose}\n{table}{}", if table.is_empty() { "" } else { "\n" });
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
