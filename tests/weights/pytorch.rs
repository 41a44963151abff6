//! PyTorch checkpoints: files written by `torch.save`, and files that it would never write.

use crate::support::random::Random;
use crate::support::torch::{Pickle, Style, View, archive, floats, legacy, zip};
use mobilebert::error::{Code, Error};
use mobilebert::weights::{Dtype, Header, RawTensor, Stream};
use serde_json::Value;

const FILE: &str = "pytorch_model.bin";
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pytorch");

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FIXTURES}/{name}")).unwrap()
}

/// Reads a file of known length in chunks of this size.
fn read_all(bytes: &[u8], size: usize) -> Result<(Header, Vec<RawTensor>), Error> {
    let mut stream = Stream::new(FILE, Some(bytes.len() as u64));
    let mut tensors = Vec::new();
    for chunk in bytes.chunks(size) {
        tensors.extend(stream.push(chunk)?);
    }
    Ok((stream.finish()?, tensors))
}

fn value(raw: &RawTensor, index: usize) -> f64 {
    let at = |width: usize| &raw.bytes[index * width..][..width];
    match raw.dtype {
        Dtype::F64 => f64::from_le_bytes(at(8).try_into().unwrap()),
        Dtype::F32 => f32::from_le_bytes(at(4).try_into().unwrap()).into(),
        Dtype::F16 => half::f16::from_le_bytes(at(2).try_into().unwrap()).into(),
        Dtype::BF16 => half::bf16::from_le_bytes(at(2).try_into().unwrap()).into(),
        Dtype::I64 => i64::from_le_bytes(at(8).try_into().unwrap()) as f64,
        Dtype::I32 => i32::from_le_bytes(at(4).try_into().unwrap()).into(),
        Dtype::I16 => i16::from_le_bytes(at(2).try_into().unwrap()).into(),
        Dtype::I8 => (at(1)[0] as i8).into(),
        _ => at(1)[0].into(),
    }
}

fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F64 => "float64",
        Dtype::F32 => "float32",
        Dtype::F16 => "float16",
        Dtype::BF16 => "bfloat16",
        Dtype::I64 => "int64",
        Dtype::I32 => "int32",
        Dtype::I16 => "int16",
        Dtype::I8 => "int8",
        Dtype::U8 => "uint8",
        _ => "bool",
    }
}

#[test]
fn both_formats_give_the_values_of_pytorch_in_chunks_of_any_size() {
    let expected: Value = serde_json::from_slice(&fixture("tensors.json")).unwrap();
    let expected = expected.as_object().unwrap();
    for name in ["tensors.bin", "tensors-legacy.bin"] {
        let bytes = fixture(name);
        for size in [1, 7, 1000, bytes.len()] {
            let (header, tensors) = read_all(&bytes, size).unwrap();
            assert_eq!((header.tensors.len(), tensors.len()), (expected.len(), expected.len()));
            for raw in &tensors {
                let stated = &expected[&raw.name];
                assert_eq!(dtype_name(raw.dtype), stated["dtype"], "{}", raw.name);
                assert_eq!(serde_json::json!(raw.shape), stated["shape"], "{}", raw.name);
                let entry = header.get(&raw.name).unwrap();
                assert_eq!((entry.dtype, &entry.shape, entry.len), (raw.dtype, &raw.shape, raw.bytes.len()));
                for (index, stated) in stated["values"].as_array().unwrap().iter().enumerate() {
                    let stated = stated.as_f64().unwrap_or_else(|| f64::from(u8::from(*stated == true)));
                    assert_eq!(value(raw, index), stated, "{name} {} {index}", raw.name);
                }
            }
        }
    }
}

#[test]
fn the_header_is_known_before_any_data() {
    for bytes in [fixture("tensors.bin"), fixture("tensors-legacy.bin")] {
        let mut stream = Stream::new(FILE, None);
        let known = bytes.iter().position(|byte| {
            let complete = stream.push(std::slice::from_ref(byte)).unwrap();
            assert!(complete.is_empty());
            stream.header().is_some()
        });
        assert!(known.unwrap() < bytes.len() - 300);
        assert!(stream.header().unwrap().get("plain").is_some());
    }
}

#[test]
fn the_state_of_a_model_is_found_in_a_training_loops_checkpoint() {
    let (header, _) = read_all(&fixture("wrapped.bin"), 100).unwrap();
    assert_eq!(header.tensors.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["plain"]);
}

#[test]
fn every_truncation_is_detected() {
    for name in ["tensors.bin", "tensors-legacy.bin"] {
        let bytes = fixture(name);
        for end in 0..bytes.len() {
            let mut stream = Stream::new(FILE, None);
            let error = match stream.push(&bytes[..end]) {
                Ok(_) => stream.finish().unwrap_err(),
                Err(error) => error,
            };
            assert!(error.to_string().contains(FILE), "{end}: {error}");
            assert!([Code::Corrupt, Code::NotAModel].contains(&error.code()), "{end}: {error}");
        }
    }
}

fn matrix<'a>(name: &'a str, key: &'a str) -> View<'a> {
    View { name, key, len: 6, offset: 0, shape: &[2, 3], strides: &[3, 1] }
}

#[test]
fn storages_arrive_in_any_order_and_style_of_archive() {
    let pickle = Pickle::tensors(&[matrix("first", "a"), matrix("second", "b")], false);
    let storages =
        [("b", floats((6..12).map(|value| value as f32))), ("a", floats((0..6).map(|value| value as f32)))];
    for style in [Style::Torch, Style::Sized, Style::Wide] {
        let (_, tensors) = read_all(&zip(&pickle, &storages, style), 13).unwrap();
        let names: Vec<&str> = tensors.iter().map(|raw| raw.name.as_str()).collect();
        assert_eq!(names, ["second", "first"], "{style:?}");
        assert_eq!(tensors[0].bytes, storages[0].1);
    }
    let pickle = Pickle::tensors(&[matrix("first", "a"), matrix("second", "b")], true);
    let (_, tensors) = read_all(&legacy(&pickle, &storages), 13).unwrap();
    assert_eq!(tensors[1].bytes, storages[1].1);
}

/// `transformers` ties the decoder when it reads either format.
#[test]
fn a_tied_decoder_is_read_once() {
    let tied = [
        matrix("bert.embeddings.word_embeddings.weight", "a"),
        matrix("cls.predictions.decoder.weight", "a"),
    ];
    let (header, tensors) =
        read_all(&zip(&Pickle::tensors(&tied, false), &[("a", floats([1.0; 6]))], Style::Torch), 50).unwrap();
    assert_eq!((header.tensors.len(), tensors.len()), (1, 1));
    let others = [matrix("one", "a"), matrix("two", "a")];
    let (header, _) =
        read_all(&zip(&Pickle::tensors(&others, false), &[("a", floats([1.0; 6]))], Style::Torch), 50)
            .unwrap();
    assert_eq!(header.tensors.len(), 2);
}

/// Files that no program should write, and the words that the error must contain.
fn bad_files() -> Vec<(Vec<u8>, &'static [&'static str])> {
    let six = || vec![("0", floats([0.5; 6]))];
    let packed = |pickle: Vec<u8>| zip(&pickle, &six(), Style::Torch);
    let viewed = |view: View<'_>| packed(Pickle::tensors(&[view], false));
    let weight = matrix("a.weight", "0");
    let nine = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|name| matrix(name, "0"));
    let large = View { name: "large", key: "1", len: 600, offset: 0, shape: &[600], strides: &[1] };
    let shared = Pickle::tensors(&[&nine[..], &[large]].concat(), false);
    let storages = [("0", floats([0.5; 6])), ("1", floats([0.5; 600]))];
    let evil = |module, name| packed(Pickle::new().import(module, name).raw(b"(X\x02\0\0\0lstR.").0);
    let stored = Pickle::tensors(&[weight], false);
    let nested = |open: &[u8], close: &[u8], depth: usize| {
        packed(
            [b"\x80\x02".to_vec(), open.repeat(depth), b"N".to_vec(), close.repeat(depth), b".".to_vec()]
                .concat(),
        )
    };
    vec![
        (evil("os", "system"), &["`os.system`", "only tensors are read"]),
        (evil("builtins", "eval"), &["`builtins.eval`"]),
        (evil("torch", "load"), &["`torch.load`"]),
        (evil("torch._utils", "_rebuild_sparse_tensor"), &["_rebuild_sparse_tensor"]),
        (evil("torch", "ComplexFloatStorage"), &["ComplexFloatStorage"]),
        (packed(b"\x80\x04\x8c\x05posix\x8c\x06system\x93.".to_vec()), &["`posix.system`"]),
        (packed(Pickle::tensors(&[weight, weight], false)), &["`a.weight`", "twice"]),
        (zip(&shared, &storages, Style::Torch), &["`i`", "too many tensors"]),
        (viewed(View { offset: 1, ..weight }), &["`a.weight`", "beyond the 6 values"]),
        (viewed(View { shape: &[1 << 40, 1 << 40], ..weight }), &["`a.weight`", "beyond"]),
        (viewed(View { strides: &[0, 1], ..weight }), &["`a.weight`", "share places"]),
        (viewed(View { strides: &[-3, 1], ..weight }), &["`a.weight`", "-3"]),
        (viewed(View { shape: &[6], ..weight }), &["`a.weight`", "1 sizes and 2 strides"]),
        (viewed(View { len: 1 << 60, ..weight }), &["`a.weight`", "bytes"]),
        (viewed(View { len: i64::MAX, ..weight }), &["`a.weight`", "bytes"]),
        (viewed(View { len: -1, ..weight }), &["length -1"]),
        (viewed(View { key: "elsewhere", ..weight }), &["`a.weight`", "no data"]),
        (viewed(View { len: 5, shape: &[5], strides: &[1], ..weight }), &["archive/data/0"]),
        (zip(&stored, &[("0", floats([0.5; 5]))], Style::Sized), &["`a.weight`", "needs 24 bytes", "20"]),
        (archive(&[("archive/data.pkl", &stored)], Style::Torch, 8), &["`archive/data.pkl` is compressed"]),
        (
            [archive(&[("archive/data.pkl", &stored)], Style::Sized, 0), b"PK".to_vec()].concat(),
            &["more bytes"],
        ),
        (archive(&[("weights.npy", b"")], Style::Torch, 0), &["begins with `weights.npy`"]),
        (
            archive(&[("archive/data/0", &[0; 24]), ("archive/data.pkl", &stored)], Style::Sized, 0),
            &["data/0"],
        ),
        (packed(b"\x80\x02X\xff\xff\xff\xff".to_vec()), &["a string of more than"]),
        (packed(b"\x80\x02r\xff\xff\xff\xff.".to_vec()), &["more values than it has"]),
        (packed(b"\x80\x02Nr\xff\xff\xff\xffj\xfe\xff\xff\xff.".to_vec()), &["refers to a value"]),
        (packed(b"\x80\x02K\x01.".to_vec()), &["isn't a dictionary"]),
        (packed(b"\x80\x02}.".to_vec()), &["no tensors"]),
        (packed(b"\x80\x02}X\x01\0\0\0aK\x01s.".to_vec()), &["no tensors", "a"]),
        (packed(b"\x80\x02P1\n.".to_vec()), &["instruction 0x50"]),
        (packed(b"\x80\x02ccollections\nOrderedDict\n)\x81.".to_vec()), &["instruction 0x81"]),
        (nested(b"(", b"t", 100_000), &["isn't a dictionary"]),
        (nested(b"]", b"a", 100_000), &["isn't a dictionary"]),
        (
            packed([b"\x80\x02".to_vec(), b"N".repeat(300_000), b".".to_vec()].concat()),
            &["more than 262144 values"],
        ),
        (packed(b"\x80\x02]q\0h\0a.".to_vec()), &["isn't a dictionary"]),
        (
            legacy(&Pickle::tensors(&[weight], true), &[("0", floats([0.5; 5]))]),
            &["`a.weight`", "storage of 6 values, found one of 5"],
        ),
        (legacy(&Pickle::tensors(&[weight], true), &[]), &["`a.weight`", "no data"]),
        (legacy(&Pickle::tensors(&[weight], true), &[("9", floats([0.5; 6]))]), &["list of storages"]),
    ]
}

#[test]
fn files_that_torch_never_writes_are_refused_with_file_and_tensor() {
    for (bytes, words) in bad_files() {
        for size in [5, 4096, bytes.len()] {
            let error = read_all(&bytes, size).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(FILE), "{message}");
            assert!(words.iter().all(|word| message.contains(word)), "{words:?}: {message}");
        }
    }
}

/// A compressed storage is recognized by its header, and the error names a tensor.
#[test]
fn a_compressed_storage_is_refused_by_the_name_of_its_tensor() {
    let pickle = Pickle::tensors(&[matrix("a.weight", "0")], false);
    let plain = archive(&[("archive/data.pkl", &pickle)], Style::Torch, 0);
    let compressed = archive(&[("archive/data/0", &[0; 9])], Style::Sized, 8);
    let directory = plain.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let error = read_all(&[&plain[..directory], &compressed].concat(), 1000).unwrap_err().to_string();
    assert!(error.contains("`a.weight`") && error.contains("compressed"), "{error}");
}

#[test]
fn data_of_another_byte_order_is_refused() {
    let pickle = Pickle::tensors(&[matrix("a.weight", "0")], false);
    for style in [Style::Torch, Style::Sized] {
        let entries: [(&str, &[u8]); 2] = [("archive/data.pkl", &pickle), ("archive/byteorder", b"big")];
        let error = read_all(&archive(&entries, style, 0), 1000).unwrap_err();
        assert_eq!(error.code(), Code::Unsupported);
        assert!(error.to_string().contains("big-endian"), "{error}");
    }
}

/// Random but seeded damage to valid files: bytes replaced, removed, inserted. The result is tensors or a
/// typed error, never a panic.
#[test]
fn damaged_files_give_errors_that_name_the_file() {
    let random = &mut Random::new(7);
    for name in ["tensors.bin", "tensors-legacy.bin"] {
        let whole = fixture(name);
        for _ in 0..3000 {
            let mut bytes = whole.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, random.below(256) as u8),
                    2 => bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)],
                    _ => bytes[at] = random.below(256) as u8,
                }
            }
            if let Err(error) = read_all(&bytes, 1 + random.below(2000)) {
                assert!(error.to_string().contains(FILE), "{error}");
                assert_ne!(error.code(), Code::Internal, "{error}");
            }
        }
    }
}
