//! Files as written by `torch.save`, and files damaged in ways that it never writes.

/// The instructions of a pickle, appended one by one.
#[derive(Clone, Debug)]
pub struct Pickle(pub Vec<u8>);

/// A view of a storage of 32-bit floats.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Name of the tensor.
    pub name: &'a str,
    /// Key of the storage.
    pub key: &'a str,
    /// Number of values in the storage.
    pub len: i64,
    /// Index of the first value.
    pub offset: i64,
    /// Sizes.
    pub shape: &'a [i64],
    /// Strides.
    pub strides: &'a [i64],
}

impl Pickle {
    /// An empty pickle of protocol 2.
    pub fn new() -> Self {
        Pickle(b"\x80\x02".to_vec())
    }

    /// An import.
    pub fn import(mut self, module: &str, name: &str) -> Self {
        self.0.extend(format!("c{module}\n{name}\n").bytes());
        self
    }

    /// Any instructions.
    pub fn raw(mut self, instructions: &[u8]) -> Self {
        self.0.extend(instructions);
        self
    }

    /// A text.
    pub fn text(mut self, text: &str) -> Self {
        self.0.push(b'X');
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.bytes());
        self
    }

    /// An integer.
    pub fn int(mut self, value: i64) -> Self {
        self.0.extend(b"\x8a\x08");
        self.0.extend(value.to_le_bytes());
        self
    }

    fn ints(self, values: &[i64]) -> Self {
        values.iter().fold(self.raw(b"("), |pickle, value| pickle.int(*value)).raw(b"t")
    }

    /// A tensor's name and the tensor.
    pub fn tensor(self, view: View<'_>, is_legacy: bool) -> Self {
        self.text(view.name)
            .import("torch._utils", "_rebuild_tensor_v2")
            .raw(b"((")
            .text("storage")
            .import("torch", "FloatStorage")
            .text(view.key)
            .text("cpu")
            .int(view.len)
            .raw(if is_legacy { b"NtQ" } else { b"tQ" })
            .int(view.offset)
            .ints(view.shape)
            .ints(view.strides)
            .raw(b"\x89}tR")
    }

    /// A dictionary of tensors.
    pub fn tensors(views: &[View<'_>], is_legacy: bool) -> Vec<u8> {
        let start = Pickle::new().raw(b"}(");
        let all = views.iter().fold(start, |pickle, view| pickle.tensor(*view, is_legacy));
        all.raw(b"u.").0
    }
}

/// How an archive is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As by `torch.save`: sizes only after the data.
    Torch,
    /// Sizes before the data, as written by old versions and other programs.
    Sized,
    /// 64-bit sizes after the data.
    Wide,
}

/// A zip archive of these entries, uncompressed unless `method` says otherwise.
pub fn archive(entries: &[(&str, &[u8])], style: Style, method: u16) -> Vec<u8> {
    let mut file = Vec::new();
    for (name, data) in entries {
        let len = data.len() as u32;
        let extra: &[u8] = if style == Style::Wide { &[1, 0, 16, 0] } else { b"FB\x05\0ZZZZZ" };
        let wide_sizes: &[u8] = if style == Style::Wide { &[0; 16] } else { &[] };
        file.extend(b"PK\x03\x04\0\0");
        file.extend(if style == Style::Sized { 0x0800u16 } else { 0x0808 }.to_le_bytes());
        file.extend(method.to_le_bytes());
        file.extend([0; 8]);
        let stated = match style {
            Style::Torch => 0,
            Style::Sized => len,
            Style::Wide => u32::MAX,
        };
        let stated = if style == Style::Wide { 0 } else { stated };
        file.extend(stated.to_le_bytes());
        file.extend(stated.to_le_bytes());
        file.extend((name.len() as u16).to_le_bytes());
        file.extend(((extra.len() + wide_sizes.len()) as u16).to_le_bytes());
        file.extend(name.bytes());
        file.extend(extra);
        file.extend(wide_sizes);
        file.extend(*data);
        match style {
            Style::Sized => {}
            Style::Torch => {
                file.extend(b"PK\x07\x08\0\0\0\0");
                file.extend([len.to_le_bytes(), len.to_le_bytes()].concat());
            }
            Style::Wide => {
                file.extend(b"PK\x07\x08\0\0\0\0");
                file.extend([u64::from(len).to_le_bytes(), u64::from(len).to_le_bytes()].concat());
            }
        }
    }
    file.extend(b"PK\x01\x02");
    file.extend([0; 42]);
    file.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0");
    file.extend([0; 44]);
    file.extend(b"PK\x06\x07");
    file.extend([0; 16]);
    file.extend(b"PK\x05\x06");
    file.extend([0; 18]);
    file
}

/// `torch.save`'s archive of a pickle and its storages by key.
pub fn zip(pickle: &[u8], storages: &[(&str, Vec<u8>)], style: Style) -> Vec<u8> {
    let names: Vec<String> = storages.iter().map(|(key, _)| format!("archive/data/{key}")).collect();
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("archive/data.pkl", pickle),
        ("archive/.format_version", b"1"),
        ("archive/byteorder", b"little"),
    ];
    entries.extend(names.iter().zip(storages).map(|(name, (_, data))| (name.as_str(), data.as_slice())));
    entries.push(("archive/version", b"3\n"));
    archive(&entries, style, 0)
}

/// The format before PyTorch 1.6.
pub fn legacy(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(b"\x80\x02M\xe9\x03.\x80\x02}.");
    file.extend(pickle);
    let keys = storages.iter().fold(Pickle::new().raw(b"]("), |keys, (key, _)| keys.text(key));
    file.extend(keys.raw(b"e.").0);
    for (_, data) in storages {
        file.extend((data.len() as u64 / 4).to_le_bytes());
        file.extend(data);
    }
    file
}

/// The bytes of 32-bit floats.
pub fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}
