//! The merge, against sorting everything in memory.

use super::{Blend, Entries, Own, merge, own_sort, sort_entries};
use std::cmp::Ordering;
use wolke_domain::catalogue::{Catalogue, Image};
use wolke_domain::image::OWN_ID_MIN;
use wolke_wire::sort::{Direction, SortKey};
use wolke_wire::{Id, Timestamp};

fn orders() -> Vec<Vec<SortKey>> {
    let keys: Vec<SortKey> = ["id", "name", "created"]
        .into_iter()
        .flat_map(|field| [Direction::Ascending, Direction::Descending].map(|direction| SortKey { field, direction }))
        .collect();
    let mut orders = vec![Vec::new()];
    for a in &keys {
        orders.push(vec![*a]);
        for b in keys.iter().filter(|b| b.field != a.field) {
            orders.push(vec![*a, *b]);
            orders.extend(keys.iter().filter(|c| ![a.field, b.field].contains(&c.field)).map(|c| vec![*a, *b, *c]));
        }
    }
    orders
}

/// What is compared: a missing name comes after all names.
type Row = (Id, Option<String>, Timestamp);

fn compare(sort: &[SortKey], a: &Row, b: &Row) -> Ordering {
    let by_name = || match (&a.1, &b.1) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => a.cmp(b),
    };
    for key in sort {
        let order = match key.field {
            "name" => by_name(),
            "created" => a.2.cmp(&b.2),
            _ => a.0.cmp(&b.0),
        };
        let order = if key.direction == Direction::Descending { order.reverse() } else { order };
        if order.is_ne() {
            return order;
        }
    }
    let descending = sort.last().is_some_and(|key| key.direction == Direction::Descending);
    if descending { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) }
}

/// Five images of the catalogue and `n` own ones, made before, among and after them, some at one time.
fn sample(n: i64) -> (Vec<Image>, Vec<Row>) {
    let mut entries: Vec<Image> = Catalogue::builtin().images.iter().take(5).cloned().collect();
    for (position, entry) in (0_i64..).zip(&mut entries) {
        entry.created = Timestamp((position % 3) * 4_000);
    }
    let own = (0..n).map(|i| (OWN_ID_MIN + i + 1, None, Timestamp((i * 7 % 12) * 1_000))).collect();
    (entries, own)
}

fn is_the_page_of_a_whole_sort(n: i64, sort: &[SortKey], offset: i64, limit: i64) {
    let (images, own) = sample(n);
    let mut all: Vec<Row> = images.iter().map(|i| (i.id, Some(i.name.clone()), i.created)).collect();
    all.extend(own.clone());
    all.sort_by(|a, b| compare(sort, a, b));
    let expected: Vec<Id> = all.iter().skip(offset as usize).take(limit as usize).map(|row| row.0).collect();

    let mut entries: Vec<&Image> = images.iter().collect();
    sort_entries(&mut entries, sort);
    let blend = Blend::of(sort);
    let (from, length) = blend.window(offset, limit, entries.len() as i64);
    assert!(length <= limit + entries.len() as i64, "the window is bounded");
    let mut sorted = own;
    sorted.sort_by(|a, b| compare(&own_sort(sort), a, b));
    let window = sorted.iter().skip(from as usize).take(length as usize).map(|row| (row.0, 1, row.2)).collect();
    let found: Entries = merge(blend, &entries, &Own { window, total: n }, from, (offset, limit));
    let found: Vec<Id> = found.iter().map(|entry| entry.0).collect();
    assert_eq!(found, expected, "{n} own, {sort:?}, from {offset}");
}

#[test]
fn every_page_in_every_order() {
    for sort in orders() {
        for n in [0, 1, 3, 20] {
            for limit in [1, 3, 50] {
                for offset in 0..(n + 8) {
                    is_the_page_of_a_whole_sort(n, &sort, offset, limit);
                }
            }
        }
    }
}

#[test]
fn own_images_have_no_say_in_names() {
    let key = |field, direction| SortKey { field, direction };
    let down = Direction::Descending;
    assert_eq!(own_sort(&[key("name", down)]), [key("id", down)]);
    let two = [key("created", Direction::Ascending), key("name", down)];
    assert_eq!(own_sort(&two), [key("created", Direction::Ascending), key("id", down)]);
    assert_eq!(own_sort(&[key("id", down), key("name", Direction::Ascending)]), [key("id", down)]);
    assert!(own_sort(&[]).is_empty());
}
