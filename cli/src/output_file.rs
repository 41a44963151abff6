//! Files for results, opened before the work, so that an unwritable path fails early. If the work fails or is
//! interrupted, an existing file is unchanged.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Error as IoError, ErrorKind, Result as IoResult, Write};
use std::path::{Path, PathBuf};

use mobilebert::error::{Error, Result};

/// Paths to open files of this process, which can't be replaced.
const OPEN_FILES: [&str; 5] =
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];
/// Maximum length of a chain of symbolic links, as on Linux.
const MAX_LINKS: usize = 40;

/// A file for results.
pub struct OutputFile {
    /// As given by the user.
    path: PathBuf,
    file: File,
    /// `None` for a pipe or a device, which is written directly.
    part: Option<Part>,
}

/// The temporary file for the new content, next to the file that it will replace; removed if it stays
/// incomplete.
struct Part {
    path: PathBuf,
    destination: PathBuf,
}

impl OutputFile {
    /// Opens the file named by `option`, which can't be one of `inputs`.
    pub fn create(option: &str, path: &Path, inputs: &[PathBuf]) -> Result<Self> {
        let refuse = |problem: String| Error::invalid_input(option, problem);
        if path.as_os_str() == "-" {
            return Err(refuse(
                "- isn't a file; use /dev/stdout for standard output, ./- for this name".into(),
            ));
        }
        let failed = |source| Error::Io { file: path.display().to_string(), source };
        let older = match fs::metadata(path) {
            Ok(older) => Some(older),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(failed(source)),
        };
        if older.is_some() {
            // Checks for write permission, which replacing a protected file wouldn't require.
            let file = File::options().append(true).open(path).map_err(failed)?;
            let is_regular = older.as_ref().is_some_and(fs::Metadata::is_file);
            if !is_regular || OPEN_FILES.iter().any(|name| path.starts_with(name)) {
                return Ok(OutputFile { path: path.to_owned(), file, part: None });
            }
        }
        let destination = destination(path);
        if inputs.iter().any(|input| is_same(input, &destination)) {
            return Err(refuse(format!("{} is also an input; name another file", path.display())));
        }
        let (part, file) = create_part(&destination).map_err(failed)?;
        let part = Part { path: part, destination };
        if let Some(older) = older {
            file.set_permissions(older.permissions()).map_err(failed)?;
        }
        Ok(OutputFile { path: path.to_owned(), file, part: Some(part) })
    }

    /// Writes the whole content, replacing that of an existing file.
    pub fn write(mut self, bytes: &[u8]) -> Result<()> {
        let file = || self.path.display().to_string();
        self.file.write_all(bytes).map_err(|source| Error::Io { file: file(), source })?;
        match &self.part {
            Some(part) => {
                fs::rename(&part.path, &part.destination).map_err(|source| Error::Io { file: file(), source })
            }
            None => Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Fails if it has been renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// The end of a chain of symbolic links, so that these are kept. The file may not exist.
fn destination(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// Returns whether both are the same file, or would be if they existed.
fn is_same(left: &Path, right: &Path) -> bool {
    let place = |path: &Path| -> IoResult<PathBuf> {
        let path = destination(path);
        path.canonicalize()
            .or_else(|_| Ok(folder(&path).canonicalize()?.join(path.file_name().unwrap_or_default())))
    };
    matches!((place(left), place(right)), (Ok(left), Ok(right)) if left == right)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates `.NAME.PID.part`, with a number added if an interrupted process with the same id has left one
/// behind.
fn create_part(destination: &Path) -> IoResult<(PathBuf, File)> {
    let name = destination.file_name().ok_or_else(|| IoError::from(ErrorKind::IsADirectory))?;
    let process = std::process::id();
    let named = |end: String| [".".into(), name.to_owned(), end.into()].into_iter().collect::<OsString>();
    let numbered = (1..100).map(|number| named(format!(".{process}-{number}.part")));
    for name in std::iter::once(named(format!(".{process}.part"))).chain(numbered) {
        let path = folder(destination).join(name);
        match File::options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return Ok((path, file?)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn an_older_file_stays_until_the_new_content_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "older").unwrap();
        let file = OutputFile::create("output", &path, &[]).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(file);
        assert_eq!(names(folder.path()), ["out"]);
        let file = OutputFile::create("output", &path, &[]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"older");
        file.write(b"new").unwrap();
        assert_eq!(names(folder.path()), ["out"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_an_interrupted_process_left_behind_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(format!(".out.{}.part", std::process::id()));
        fs::write(&left, "half").unwrap();
        let path = folder.path().join("out");
        OutputFile::create("output", &path, &[]).unwrap().write(b"new").unwrap();
        assert_eq!((fs::read(&left).unwrap(), fs::read(&path).unwrap()), (b"half".to_vec(), b"new".to_vec()));
    }

    #[test]
    fn inputs_are_not_replaced_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        fs::write(&path, "kept").unwrap();
        let indirect = folder.path().join("../").join(folder.path().file_name().unwrap()).join("in");
        for (input, output) in [(&path, &path), (&path, &indirect), (&indirect, &path)] {
            let error =
                OutputFile::create("output", output, std::slice::from_ref(input)).err().unwrap().to_string();
            assert!(error.contains("is also an input"), "{error}");
        }
        // A file that doesn't exist yet would be read as an input the next time.
        let missing = folder.path().join("missing");
        assert!(OutputFile::create("output", &missing, std::slice::from_ref(&missing)).is_err());
        assert_eq!(names(folder.path()), ["in"]);
    }

    #[test]
    fn a_dash_is_not_taken_for_a_file() {
        let error = OutputFile::create("output", Path::new("-"), &[]).err().unwrap().to_string();
        assert!(error.contains("/dev/stdout"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_stay() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        symlink("target", &link).unwrap();
        drop(OutputFile::create("output", &link, &[]).unwrap());
        assert_eq!(names(folder.path()), ["link"]);
        for content in ["new", "newer"] {
            OutputFile::create("output", &link, &[]).unwrap().write(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), content);
            assert!(link.is_symlink());
        }
        assert!(OutputFile::create("output", &link, &[target]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "older").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        OutputFile::create("output", &path, &[]).unwrap().write(b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
