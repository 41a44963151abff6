//! The records of a zip archive, as they arrive.

/// Signatures of records.
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const END: [u8; 4] = *b"PK\x05\x06";
/// Maximum length of a record at the end of the directory; the format allows more, but nothing writes it.
const MAX_END: u64 = 1 << 16;

/// A record, excluding an entry's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// The header before an entry's data.
    Local(LocalHeader),
    /// A part of the directory at the end of the file.
    Directory,
    /// The last record.
    End,
}

/// The header before an entry's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalHeader {
    pub(super) name: String,
    /// True if the data is neither compressed nor encrypted.
    pub(super) is_plain: bool,
    /// Size of the data; `None` if it is only in the descriptor after the data.
    pub(super) size: Option<u64>,
    /// Length of the descriptor after the data; 0 if there is none.
    pub(super) descriptor_len: usize,
}

/// The record at the start of `bytes` and its length, or the number of bytes needed to read it.
///
/// # Errors
/// A description of the problem, if it isn't a record.
pub(super) fn record(bytes: &[u8]) -> Result<Result<(Record, usize), usize>, String> {
    let Some(signature) = bytes.first_chunk::<4>() else { return Ok(Err(4)) };
    let (fixed, lengths): (usize, &[usize]) = match *signature {
        LOCAL => (30, &[26, 28]),
        CENTRAL => (46, &[28, 30, 32]),
        LOCATOR_64 => (20, &[]),
        END => (22, &[20]),
        END_64 => (12, &[]),
        _ => return Err("has something other than an entry of a zip archive".into()),
    };
    if bytes.len() < fixed {
        return Ok(Err(fixed));
    }
    let mut needed = fixed + lengths.iter().map(|at| usize::from(u16_at(bytes, *at))).sum::<usize>();
    if *signature == END_64 {
        let rest = u64_at(bytes, 4);
        if rest > MAX_END {
            return Err(format!("has a record of {rest} bytes at the end of its directory"));
        }
        needed += rest as usize;
    }
    if bytes.len() < needed {
        return Ok(Err(needed));
    }
    let record = match *signature {
        LOCAL => Record::Local(local_header(bytes)?),
        END => Record::End,
        _ => Record::Directory,
    };
    Ok(Ok((record, needed)))
}

fn local_header(bytes: &[u8]) -> Result<LocalHeader, String> {
    let (flags, method) = (u16_at(bytes, 6), u16_at(bytes, 8));
    let (compressed, size) = (u32_at(bytes, 18), u32_at(bytes, 22));
    let (name_len, extra_len) = (usize::from(u16_at(bytes, 26)), usize::from(u16_at(bytes, 28)));
    let name =
        std::str::from_utf8(&bytes[30..][..name_len]).map_err(|_| "has an entry whose name isn't UTF-8")?;
    let wide = zip64(&bytes[30 + name_len..][..extra_len]);
    let has_descriptor = flags & 8 != 0;
    let size = match wide.and_then(|sizes| sizes.get(..8)) {
        Some(wide) if size == u32::MAX => u64_at(wide, 0),
        _ => size.into(),
    };
    Ok(LocalHeader {
        name: name.to_owned(),
        is_plain: method == 0 && flags & 1 == 0,
        size: (!has_descriptor || compressed != 0).then_some(size),
        descriptor_len: match (has_descriptor, wide) {
            (false, _) => 0,
            (true, None) => 16,
            (true, Some(_)) => 24,
        },
    })
}

/// The extra field with 64-bit sizes.
fn zip64(mut extra: &[u8]) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let content = extra.get(4..4 + len)?;
        if id == 1 {
            return Some(content);
        }
        extra = &extra[4 + len..];
    }
    None
}

/// Returns whether `bytes` start with the descriptor of an entry whose data has `size` bytes in the file.
pub(super) fn is_descriptor(bytes: &[u8], len: usize, size: u64) -> bool {
    let Some(bytes) = bytes.get(..len) else { return false };
    let found = if len == 24 { u64_at(bytes, 8) } else { u64::from(u32_at(bytes, 8)) };
    bytes.starts_with(&DESCRIPTOR) && found == size
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
