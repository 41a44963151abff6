//! `pytorch_model.bin`, as written by `torch.save`: a pickle that describes tensors as views of storages,
//! then the bytes of each storage.
//!
//! The pickle is read by an interpreter that knows the few imports needed for tensors and rejects all others,
//! so nothing in a file is ever run. It precedes the data, so each storage can be cut into tensors as soon as
//! its bytes have arrived.

mod checkpoint;
mod layout;
mod legacy;
mod pickle;
mod records;
mod unpickler;
mod value;
mod zip;

use crate::error::Result;
use crate::weights::header::Header;
use crate::weights::tensor::RawTensor;

use super::Source;
use legacy::LegacyReader;
pub(super) use legacy::START as LEGACY_START;
use zip::ZipReader;

/// The container of the pickle and the storages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::weights) enum Container {
    /// A zip archive, uncompressed: since PyTorch 1.6.
    Zip,
    /// Consecutive pickles: before PyTorch 1.6.
    Legacy,
}

/// Reads one file. Holds the pickle's tensors and the storage being received.
#[derive(Debug)]
pub(in crate::weights) enum PyTorchReader {
    Zip(ZipReader),
    Legacy(LegacyReader),
}

impl PyTorchReader {
    pub(in crate::weights) fn new(source: Source, container: Container) -> Self {
        match container {
            Container::Zip => PyTorchReader::Zip(ZipReader::new(source)),
            Container::Legacy => PyTorchReader::Legacy(LegacyReader::new(source)),
        }
    }

    pub(in crate::weights) fn header(&self) -> Option<&Header> {
        match self {
            PyTorchReader::Zip(reader) => reader.header(),
            PyTorchReader::Legacy(reader) => reader.header(),
        }
    }

    /// Takes the next bytes of the file; appends the tensors that they complete.
    pub(in crate::weights) fn push(&mut self, bytes: &[u8], complete: &mut Vec<RawTensor>) -> Result<()> {
        match self {
            PyTorchReader::Zip(reader) => reader.push(bytes, complete),
            PyTorchReader::Legacy(reader) => reader.push(bytes, complete),
        }
    }

    /// Checks that the file is complete.
    pub(in crate::weights) fn finish(self, received: u64) -> Result<Header> {
        match self {
            PyTorchReader::Zip(reader) => reader.finish(received),
            PyTorchReader::Legacy(reader) => reader.finish(received),
        }
    }
}
