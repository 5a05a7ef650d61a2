//! Where `libpersea_torch` lies, and the libtorch that it is to be loaded over.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::interface;
use crate::nn::{LibraryProblem, NnError};

/// The environment variable that names the library, its folder, or a PyTorch's.
pub(super) const VARIABLE: &str = "PERSEA_TORCH";
/// The version of libtorch that it needs.
pub(super) const LIBTORCH: &str = match interface::LIBTORCH.to_str() {
    Ok(version) => version,
    Err(_) => "",
};

const SUFFIX: &str = if cfg!(target_os = "macos") {
    "dylib"
} else {
    "so"
};

/// A library's file name on this system.
pub(super) fn file_name(library: &str) -> String {
    format!("lib{library}.{SUFFIX}")
}

/// What is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// `libpersea_torch`.
    pub library: PathBuf,
    /// The folder whose libtorch is loaded before; else the library finds its own.
    pub libtorch: Option<PathBuf>,
}

/// Finds the library: what `variable` says, else what lies beside one of the programs.
///
/// # Errors
/// [`NnError::Library`], with where it was searched for and what to do.
pub(super) fn find(variable: Option<&Path>, programs: &[PathBuf]) -> Result<Found, NnError> {
    let Some(given) = variable else {
        return Ok(Found {
            library: beside(programs)?,
            libtorch: None,
        });
    };
    if given.is_file() {
        return Ok(Found {
            library: given.to_path_buf(),
            libtorch: None,
        });
    }
    let library = given.join(file_name("persea_torch"));
    if library.is_file() {
        return Ok(Found {
            library,
            libtorch: libtorch_in(given),
        });
    }
    let Some(libtorch) = libtorch_in(given) else {
        let (given, own) = (given.display(), file_name("persea_torch"));
        return Err(NnError::library(
            LibraryProblem::Missing,
            format!(
                "{VARIABLE}={given} is neither {own}, nor a folder with it, nor the folder of a PyTorch \
             or libtorch {LIBTORCH}; correct it, or unset it"
            ),
        ));
    };
    Ok(Found {
        library: beside(programs)?,
        libtorch: Some(libtorch),
    })
}

/// The folder of libraries of a libtorch: this one, or its `lib`.
fn libtorch_in(folder: &Path) -> Option<PathBuf> {
    let of = [folder.to_path_buf(), folder.join("lib")];
    of.into_iter()
        .find(|f| f.join(file_name("torch_cpu")).is_file())
}

/// The library where a build or an installation puts it.
fn beside(programs: &[PathBuf]) -> Result<PathBuf, NnError> {
    let name = file_name("persea_torch");
    let mut searched = Vec::new();
    for folder in programs.iter().filter_map(|p| p.parent()) {
        // Cargo puts tests into a folder below the program's.
        for place in [".", "..", "../lib/persea"] {
            let path = match place {
                "." => folder.join(&name),
                _ => folder.join(place).join(&name),
            };
            if path.is_file() {
                return Ok(path);
            }
            searched.push(path.display().to_string());
        }
    }
    Err(NnError::library(
        LibraryProblem::Missing,
        format!(
            "the backend torch needs {name}, which is none of {}; make it with `make torch`, or set \
         {VARIABLE} to the file, or choose the backend native",
            searched.join(", ")
        ),
    ))
}

/// The libraries' folder of the PyTorch that `python3` would import, without importing it.
pub(super) fn installed_pytorch() -> Option<PathBuf> {
    const WHERE: &str = "import importlib.util as u; s = u.find_spec('torch'); \
                         print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new("python3").args(["-c", WHERE]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    match text.trim() {
        "" => None,
        folder => libtorch_in(Path::new(folder)),
    }
}

/// The version that a libtorch's or PyTorch's files give themselves, such as `2.13.0+cu130`; `None`
/// where they give none.
pub(super) fn version_of(libraries: &Path) -> Option<String> {
    for folder in [Some(libraries), libraries.parent()].into_iter().flatten() {
        if let Ok(text) = std::fs::read_to_string(folder.join("build-version")) {
            return Some(text.trim().to_string());
        }
        if let Ok(text) = std::fs::read_to_string(folder.join("version.py")) {
            let line = text.lines().find(|l| l.starts_with("__version__"))?;
            let quoted = line.split(['\'', '"']).nth(1)?;
            return Some(quoted.to_string());
        }
    }
    None
}

/// # Errors
/// When a libtorch says that it is of another version.
pub(super) fn check_version(libraries: &Path) -> Result<(), NnError> {
    match version_of(libraries) {
        Some(found) if found.split('+').next() != Some(LIBTORCH) => Err(NnError::library(
            LibraryProblem::Version,
            format!(
                "{} is libtorch {found}; the backend torch needs {LIBTORCH}: install that version, or \
                 choose the backend native",
                libraries.display()
            ),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    fn message(result: Result<Found, NnError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn the_library_is_found_beside_the_program_built_and_installed() {
        let work = tempfile::tempdir().unwrap();
        let name = file_name("persea_torch");
        for (program, library) in [
            ("release/persea", format!("release/{name}")),
            ("test/deps/persea-1a2b", format!("test/{name}")),
            ("prefix/bin/persea", format!("prefix/lib/persea/{name}")),
        ] {
            let program = work.path().join(program);
            touch(&program);
            let programs = [program];
            let missing = message(find(None, &programs));
            assert!(missing.contains("make torch"), "{missing}");
            assert!(missing.contains("backend native"), "{missing}");
            touch(&work.path().join(&library));
            let found = find(None, &programs).unwrap();
            assert!(found.library.ends_with(&name) && found.libtorch.is_none());
        }
    }

    #[test]
    fn the_variable_names_the_library_its_folder_or_a_pytorch() {
        let work = tempfile::tempdir().unwrap();
        let at = |path: &str| work.path().join(path);
        let (own, cpu) = (file_name("persea_torch"), file_name("torch_cpu"));
        let program = at("bin/persea");
        touch(&program);
        touch(&at(&format!("bin/{own}")));
        touch(&at(&format!("mine/{own}")));
        touch(&at(&format!("site/torch/lib/{cpu}")));
        std::fs::create_dir_all(at("empty")).unwrap();
        let programs = [program];
        let file = at(&format!("mine/{own}"));
        let by_file = find(Some(&file), &programs).unwrap();
        assert_eq!((by_file.library, by_file.libtorch), (file.clone(), None));
        let by_folder = find(Some(&at("mine")), &programs).unwrap();
        assert_eq!((by_folder.library, by_folder.libtorch), (file, None));
        let over = find(Some(&at("site/torch")), &programs).unwrap();
        assert_eq!(over.library, at(&format!("bin/{own}")));
        assert_eq!(over.libtorch, Some(at("site/torch/lib")));
        for bad in ["empty", "nowhere"] {
            let message = message(find(Some(&at(bad)), &programs));
            assert!(message.contains(&format!("{bad} is neither")), "{message}");
        }
    }

    #[test]
    fn another_version_of_libtorch_is_refused_by_name() {
        let work = tempfile::tempdir().unwrap();
        let lib = work.path().join("torch/lib");
        std::fs::create_dir_all(&lib).unwrap();
        check_version(&lib).unwrap();
        let version = work.path().join("torch/version.py");
        std::fs::write(&version, "__version__ = '2.13.0+cu130'\ndebug = False\n").unwrap();
        check_version(&lib).unwrap();
        std::fs::write(&version, "__version__ = '2.8.0'\n").unwrap();
        let message = check_version(&lib).unwrap_err().to_string();
        assert!(message.contains("is libtorch 2.8.0"), "{message}");
        assert!(message.contains("needs 2.13.0"), "{message}");
    }
}
