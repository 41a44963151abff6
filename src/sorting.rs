//! Sorting with a single copy of the algorithm. The standard library's sorts are compiled once per element
//! type, at about 8 KB of WebAssembly each.

use std::cmp::Ordering;
use std::mem;

/// Sorts stably, like [`slice::sort_by`].
pub(crate) fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut taken: Vec<Option<T>> = mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|index| taken[index].take()));
}

/// Sorts stably, like [`slice::sort_by_key`].
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts stably, like [`slice::sort`].
pub(crate) fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// The indices below `count` in order, the smaller of equal ones first.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    indices.sort_by(|&a, &b| compare(a, b));
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sorted_stably() {
        let mut items: Vec<(u64, usize)> =
            (0..200).map(|index| ((index as u64 * 7919) % 13, index)).collect();
        let mut expected = items.clone();
        sort_by_key(&mut items, |item| item.0);
        expected.sort_by_key(|item| item.0);
        assert_eq!(items, expected);
        sort_by(&mut items, |a, b| b.1.cmp(&a.1));
        assert!(items.windows(2).all(|pair| pair[0].1 > pair[1].1));
        let mut words = vec!["b".to_owned(), "a".to_owned(), String::new()];
        sort(&mut words);
        assert_eq!(words, ["", "a", "b"]);
    }
}
