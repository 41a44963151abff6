//! Shaders as embedded in the binary: without comments, a fifth of their size. Line numbers are preserved,
//! because browsers' messages refer to them.

/// The source of a shader file, named as for `include_str!`.
macro_rules! include_wgsl {
    ($path:expr) => {{
        const SOURCE: &str = include_str!($path);
        const STRIPPED: [u8; $crate::kernels::wgsl::length(SOURCE)] = $crate::kernels::wgsl::strip(SOURCE);
        const TEXT: &str = match std::str::from_utf8(&STRIPPED) {
            Ok(text) => text,
            Err(_) => panic!("only the ends of lines are removed"),
        };
        TEXT
    }};
}
pub(crate) use include_wgsl;

/// Length of the source without comments.
pub(crate) const fn length(source: &str) -> usize {
    let (mut at, mut length) = (0, 0);
    while at < source.len() {
        let next = skipped(source.as_bytes(), at);
        if next == at {
            length += 1;
            at += 1;
        } else {
            at = next;
        }
    }
    length
}

/// The source without comments; `N` is its [`length`].
pub(crate) const fn strip<const N: usize>(source: &str) -> [u8; N] {
    let (mut at, mut kept, mut stripped) = (0, 0, [0; N]);
    while at < source.len() {
        let next = skipped(source.as_bytes(), at);
        if next == at {
            stripped[kept] = source.as_bytes()[at];
            kept += 1;
            at += 1;
        } else {
            at = next;
        }
    }
    stripped
}

/// The end of the comment that starts at this byte; the byte itself if none does.
const fn skipped(source: &[u8], at: usize) -> usize {
    let mut end = at;
    if source[at] == b'/' && at + 1 < source.len() && source[at + 1] == b'/' {
        while end < source.len() && source[end] != b'\n' {
            end += 1;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_lines_stay() {
        const SOURCE: &str = "// é: a comment\nfn f() {\n    a = b / c; // half\n\n}\n//";
        const STRIPPED: [u8; length(SOURCE)] = strip(SOURCE);
        assert_eq!(std::str::from_utf8(&STRIPPED), Ok("\nfn f() {\n    a = b / c; \n\n}\n"));
    }
}
