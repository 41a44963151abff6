//! GLUE's metrics, between −1 and 1; GLUE's tables multiply them by 100.

use std::cmp::Ordering;

/// Fraction of equal entries; 0 for empty slices.
pub fn accuracy(predictions: &[usize], labels: &[usize]) -> f64 {
    let n = predictions.len().min(labels.len());
    let same = predictions.iter().zip(labels).filter(|(a, b)| a == b).count();
    if n == 0 { 0.0 } else { same as f64 / n as f64 }
}

/// True positives, false positives, false negatives and true negatives of label 1.
fn confusion(predictions: &[usize], labels: &[usize]) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for (&prediction, &label) in predictions.iter().zip(labels) {
        let [tp, fp, fneg, tn] = &mut counts;
        *match (prediction == 1, label == 1) {
            (true, true) => tp,
            (true, false) => fp,
            (false, true) => fneg,
            (false, false) => tn,
        } += 1.0;
    }
    counts
}

/// F1 of label 1; 0 without true positives.
pub fn f1(predictions: &[usize], labels: &[usize]) -> f64 {
    let [tp, fp, fneg, _] = confusion(predictions, labels);
    if tp == 0.0 { 0.0 } else { 2.0 * tp / (2.0 * tp + fp + fneg) }
}

/// Matthews correlation coefficient of two binary labellings; 0 if one of them is constant.
pub fn matthews(predictions: &[usize], labels: &[usize]) -> f64 {
    let [tp, fp, fneg, tn] = confusion(predictions, labels);
    let product = (tp + fp) * (tp + fneg) * (tn + fp) * (tn + fneg);
    if product == 0.0 { 0.0 } else { (tp * tn - fp * fneg) / product.sqrt() }
}

/// Pearson correlation; 0 if one side is constant or there are fewer than two values.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n.max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut only_a, mut only_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        only_a += (a - mean_a).powi(2);
        only_b += (b - mean_b).powi(2);
    }
    let scale = (only_a * only_b).sqrt();
    if scale == 0.0 { 0.0 } else { (both / scale).clamp(-1.0, 1.0) }
}

/// Spearman correlation: the Pearson correlation of the ranks, where ties get their mean rank.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    pearson(&ranks(&a[..n]), &ranks(&b[..n]))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while let Some(&first) = order.get(from) {
        let same = |at: &&usize| values[**at].partial_cmp(&values[first]) == Some(Ordering::Equal);
        let to = from + order[from..].iter().take_while(same).count().max(1);
        let shared = (from + to - 1) as f64 / 2.0;
        order[from..to].iter().for_each(|&at| ranks[at] = shared);
        from = to;
    }
    ranks
}
