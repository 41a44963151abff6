//! The instructions of a pickle, one at a time: only those that `torch.save` uses for tensors.

/// A string or number longer than this is an error: the names of tensors are short.
const MAX_TEXT: usize = 1 << 16;

/// An instruction with its operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Instruction<'a> {
    /// No effect on tensors: a protocol or a frame.
    Nothing,
    Stop,
    Mark,
    Pop,
    PopMark,
    None,
    Bool(bool),
    Int(i64),
    /// A number that no tensor needs: a float, or an integer beyond 64 bits.
    Number,
    Text(&'a [u8]),
    EmptyDict,
    EmptyList,
    EmptyTuple,
    Append,
    Appends,
    SetItem,
    SetItems,
    /// The values since the last mark.
    Tuple,
    /// This number of values.
    TupleOf(usize),
    Get(u32),
    Put(u32),
    /// Like [`Instruction::Put`], with the next free index.
    Memoize,
    /// Module and name.
    Import(&'a [u8], &'a [u8]),
    /// Module and name from the stack.
    StackImport,
    Reduce,
    Build,
    PersistentId,
}

/// The first instruction of `bytes` and its length; `None` if it isn't complete yet.
///
/// # Errors
/// An instruction that tensors don't need, or an operand that is too long.
pub(super) fn instruction(bytes: &[u8]) -> Result<Option<(Instruction<'_>, usize)>, String> {
    use Instruction as I;
    let Some((&code, rest)) = bytes.split_first() else { return Ok(None) };
    let simple = |instruction| Ok(Some((instruction, 1)));
    match code {
        b'.' => simple(I::Stop),
        b'(' => simple(I::Mark),
        b'0' => simple(I::Pop),
        b'1' => simple(I::PopMark),
        b'N' => simple(I::None),
        0x88 => simple(I::Bool(true)),
        0x89 => simple(I::Bool(false)),
        b'}' => simple(I::EmptyDict),
        b']' => simple(I::EmptyList),
        b')' => simple(I::EmptyTuple),
        b'a' => simple(I::Append),
        b'e' => simple(I::Appends),
        b's' => simple(I::SetItem),
        b'u' => simple(I::SetItems),
        b't' => simple(I::Tuple),
        0x85..=0x87 => simple(I::TupleOf(usize::from(code - 0x84))),
        0x94 => simple(I::Memoize),
        0x93 => simple(I::StackImport),
        b'R' => simple(I::Reduce),
        b'b' => simple(I::Build),
        b'Q' => simple(I::PersistentId),
        0x80 => Ok(fixed::<1>(rest, |_| I::Nothing)),
        0x95 => Ok(fixed::<8>(rest, |_| I::Nothing)),
        b'G' => Ok(fixed::<8>(rest, |_| I::Number)),
        b'K' => Ok(fixed::<1>(rest, |[value]| I::Int(value.into()))),
        b'M' => Ok(fixed::<2>(rest, |value| I::Int(u16::from_le_bytes(value).into()))),
        b'J' => Ok(fixed::<4>(rest, |value| I::Int(i32::from_le_bytes(value).into()))),
        b'h' => Ok(fixed::<1>(rest, |[place]| I::Get(place.into()))),
        b'j' => Ok(fixed::<4>(rest, |place| I::Get(u32::from_le_bytes(place)))),
        b'q' => Ok(fixed::<1>(rest, |[place]| I::Put(place.into()))),
        b'r' => Ok(fixed::<4>(rest, |place| I::Put(u32::from_le_bytes(place)))),
        0x8a => counted::<1>(rest, long),
        // BINUNICODE in its three widths, and Python 2's strings.
        0x8c | b'U' => counted::<1>(rest, I::Text),
        b'X' | b'T' => counted::<4>(rest, I::Text),
        0x8d => counted::<8>(rest, I::Text),
        b'c' => import(rest),
        _ => Err(format!("its pickle has instruction {code:#04x}, which tensors don't need")),
    }
}

/// An operand of `N` bytes.
fn fixed<const N: usize>(
    rest: &[u8],
    make: impl Fn([u8; N]) -> Instruction<'static>,
) -> Option<(Instruction<'static>, usize)> {
    rest.first_chunk().map(|operand| (make(*operand), 1 + N))
}

/// An operand preceded by its length in `N` bytes.
fn counted<'a, const N: usize>(
    rest: &'a [u8],
    make: impl Fn(&'a [u8]) -> Instruction<'a>,
) -> Result<Option<(Instruction<'a>, usize)>, String> {
    let Some((length, rest)) = rest.split_first_chunk::<N>() else { return Ok(None) };
    let length = length.iter().rev().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_TEXT);
    let length = length.ok_or_else(|| format!("its pickle has a string of more than {MAX_TEXT} bytes"))?;
    Ok(rest.get(..length).map(|operand| (make(operand), 1 + N + length)))
}

/// A little-endian two's-complement integer of any length.
fn long<'a>(bytes: &'a [u8]) -> Instruction<'a> {
    if bytes.len() > 8 {
        return Instruction::Number;
    }
    let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Instruction::Int(i64::from_le_bytes(wide))
}

/// Module and name, each on its own line.
fn import(rest: &[u8]) -> Result<Option<(Instruction<'_>, usize)>, String> {
    let mut lines = rest.splitn(3, |byte| *byte == b'\n');
    match (lines.next(), lines.next(), lines.next()) {
        (Some(module), Some(name), Some(_)) => {
            Ok(Some((Instruction::Import(module, name), 1 + module.len() + 1 + name.len() + 1)))
        }
        _ if rest.len() > MAX_TEXT => Err("its pickle has an import without an end".into()),
        _ => Ok(None),
    }
}
