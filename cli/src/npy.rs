//! NumPy's `.npy` format, version 1.0: a magic number, a Python dictionary, and the values.

use mobilebert::error::{Error, Result};

/// The content of a file with an f32 array of shape `[rows, columns]`.
pub fn matrix(rows: &[Vec<f32>]) -> Result<Vec<u8>> {
    let columns = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != columns) {
        return Err(Error::internal("npy", "rows of different lengths"));
    }
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {columns}), }}", rows.len());
    // Magic, version and length take 10 bytes. The header ends with a newline, and the values start at a multiple of 64.
    let padding = (64 - (10 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for value in rows.iter().flatten() {
        bytes.extend(value.to_le_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_aligned_and_has_the_shape() {
        let bytes = matrix(&[vec![1.0, 2.0, 3.0], vec![-1.0, 0.5, f32::MIN]]).unwrap();
        let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
        assert_eq!((10 + length) % 64, 0);
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(header.contains("'shape': (2, 3)") && header.ends_with('\n'), "{header}");
        assert_eq!(bytes.len(), 10 + length + 24);
        assert_eq!(bytes[10 + length + 4..10 + length + 8], 2f32.to_le_bytes());
    }

    #[test]
    fn rows_of_different_lengths_are_rejected() {
        assert!(matrix(&[vec![1.0], vec![]]).is_err());
    }
}
