//! Loads `libpersea_torch` and the libtorch that it needs, once a process.

use std::ffi::{CStr, CString, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::find::{self, Found, LIBTORCH, VARIABLE, file_name};
use super::interface::{self, Interface, InterfaceFunction, SliceMut, VersionFunction};
use crate::nn::{LibraryProblem, NnError};

/// libtorch's C function that gives its version: major, minor and patch in the highest bytes.
const LIBTORCH_VERSION: &CStr = c"aoti_torch_abi_version";

/// The loaded library.
pub(super) struct Library {
    interface: &'static Interface,
    path: PathBuf,
}

/// The library, loaded by the first call. A failure is not kept: what was missing may come.
///
/// # Errors
/// [`NnError::Library`], with what to do.
pub(super) fn library() -> Result<&'static Library, NnError> {
    static LOADED: OnceLock<Library> = OnceLock::new();
    static LOADING: Mutex<()> = Mutex::new(());
    if let Some(library) = LOADED.get() {
        return Ok(library);
    }
    let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = LOADED.get() {
        return Ok(library);
    }
    let library = load()?;
    Ok(LOADED.get_or_init(|| library))
}

fn load() -> Result<Library, NnError> {
    open(&found()?)
}

/// What the environment names, else what lies beside the program.
///
/// # Errors
/// [`NnError::Library`]: there is none.
pub(super) fn found() -> Result<Found, NnError> {
    let variable = std::env::var_os(VARIABLE).filter(|v| !v.is_empty());
    find::find(variable.as_deref().map(Path::new), &programs())
}

/// The program, as called and without links: an installed one may be linked to from elsewhere.
fn programs() -> Vec<PathBuf> {
    let mut programs: Vec<PathBuf> = std::env::current_exe().into_iter().collect();
    if let Some(resolved) = programs.first().and_then(|p| p.canonicalize().ok())
        && !programs.contains(&resolved)
    {
        programs.push(resolved);
    }
    programs
}

/// Loads what was found.
///
/// # Errors
/// [`NnError::Library`]: it cannot be loaded, or is of another version.
pub(super) fn open(found: &Found) -> Result<Library, NnError> {
    if let Some(folder) = &found.libtorch {
        preload(folder)?;
    } else if let Some(folder) = found.library.parent()
        && folder.join(file_name("torch_cpu")).is_file()
    {
        find::check_version(folder)?;
    }
    let path = &found.library;
    let handle = match open_shared(path, libc::RTLD_LOCAL) {
        Ok(handle) => handle,
        Err(reason) if found.libtorch.is_none() && is_about_libtorch(&reason) => {
            // Built or installed without a libtorch of its own: PyTorch's serves.
            let Some(folder) = find::installed_pytorch() else {
                return Err(NnError::library(
                    LibraryProblem::Missing,
                    format!(
                        "{} needs libtorch {LIBTORCH} ({reason}), and python3 has no PyTorch: install \
                     PyTorch {LIBTORCH}, or set {VARIABLE} to the folder of one, or choose the \
                     backend native",
                        path.display()
                    ),
                ));
            };
            preload(&folder)?;
            open_shared(path, libc::RTLD_LOCAL).map_err(|reason| cannot_load(path, &reason))?
        }
        Err(reason) => return Err(cannot_load(path, &reason)),
    };
    let of = |what: &str| {
        NnError::library(
            LibraryProblem::Load,
            format!(
                "{} {what}: build it again with `make torch`, or choose the backend native",
                path.display()
            ),
        )
    };
    let (Some(version), Some(functions)) = (
        symbol(handle, interface::VERSION_SYMBOL),
        symbol(handle, interface::INTERFACE_SYMBOL),
    ) else {
        return Err(of("is not Persea's library for libtorch"));
    };
    // SAFETY: the symbols have these types in every version of the interface.
    let (version, functions) = unsafe {
        (
            std::mem::transmute::<*mut c_void, VersionFunction>(version),
            std::mem::transmute::<*mut c_void, InterfaceFunction>(functions),
        )
    };
    // SAFETY: takes nothing, gives a number.
    let version = unsafe { version() };
    if version != interface::VERSION {
        let expected = interface::VERSION;
        return Err(of(&format!(
            "has interface {version}, and this program needs {expected}"
        )));
    }
    // SAFETY: of this version, so it gives the library's static table of functions, or null.
    let Some(interface) = (unsafe { functions().as_ref::<'static>() }) else {
        return Err(of("gives no functions"));
    };
    // SAFETY: gives a C string that lives as long as the library.
    let built_for = unsafe { CStr::from_ptr((interface.built_for)()) };
    if built_for != interface::LIBTORCH {
        let built_for = built_for.to_string_lossy();
        return Err(of(&format!(
            "was built for libtorch {built_for}, and this program needs {LIBTORCH}"
        )));
    }
    check_libtorch(handle, path)?;
    load_gpu_libraries(handle);
    tracing::debug!("loaded {}", path.display());
    Ok(Library {
        interface,
        path: path.clone(),
    })
}

fn cannot_load(path: &Path, reason: &str) -> NnError {
    NnError::library(
        LibraryProblem::Load,
        format!(
            "{} cannot be loaded ({reason}): it needs libtorch {LIBTORCH}; build it again with `make \
         torch`, or set {VARIABLE} to the folder of a PyTorch {LIBTORCH}, or choose the backend native",
            path.display()
        ),
    )
}

/// Whether the system's loader missed one of libtorch's libraries.
fn is_about_libtorch(reason: &str) -> bool {
    [
        "libtorch",
        "libc10",
        "libgomp",
        "libomp",
        "libcudart",
        "libcupti",
    ]
    .iter()
    .any(|name| reason.contains(name))
}

/// Loads a folder's libtorch for all that are loaded later.
fn preload(folder: &Path) -> Result<(), NnError> {
    find::check_version(folder)?;
    for (name, needed) in [("c10", true), ("torch_cpu", true), ("torch", false)] {
        let path = folder.join(file_name(name));
        if !needed && !path.exists() {
            continue;
        }
        open_shared(&path, libc::RTLD_GLOBAL).map_err(|reason| {
            NnError::library(LibraryProblem::Load, format!(
                "libtorch in {} cannot be loaded: {reason}; install PyTorch {LIBTORCH} again, or \
                 choose the backend native",
                folder.display()
            ))
        })?;
    }
    Ok(())
}

/// Checks the libtorch in memory, which may be another than the files say: the first one loaded into
/// a process serves all.
fn check_libtorch(handle: *mut c_void, path: &Path) -> Result<(), NnError> {
    let found = match symbol(handle, LIBTORCH_VERSION) {
        None => "older than 2.9".to_string(),
        Some(function) => {
            // SAFETY: libtorch exports it with this type in every version that has it.
            let function = unsafe {
                std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> u64>(function)
            };
            // SAFETY: takes nothing, gives a number.
            let [major, minor, patch, ..] = unsafe { function() }.to_be_bytes();
            format!("{major}.{minor}.{patch}")
        }
    };
    if found == LIBTORCH {
        return Ok(());
    }
    Err(NnError::library(
        LibraryProblem::Version,
        format!(
            "{} was loaded with libtorch {found} and needs {LIBTORCH}: set {VARIABLE} to the folder of a \
         PyTorch {LIBTORCH}, or choose the backend native",
            path.display()
        ),
    ))
}

/// Loads libtorch's libraries for GPUs where they lie beside it: nothing links them, they register
/// themselves.
fn load_gpu_libraries(handle: *mut c_void) {
    let Some(folder) = symbol(handle, LIBTORCH_VERSION).and_then(folder_of) else {
        return;
    };
    for name in ["torch_cuda", "torch_hip"] {
        let path = folder.join(file_name(name));
        if path.is_file()
            && let Err(reason) = open_shared(&path, libc::RTLD_GLOBAL)
        {
            tracing::warn!(
                "{} cannot be loaded, so no GPU is seen: {reason}",
                path.display()
            );
        }
    }
}

/// The folder of the library that a symbol belongs to.
fn folder_of(symbol: *mut c_void) -> Option<PathBuf> {
    // SAFETY: plain data, for which zeros are a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: fills the struct or returns 0.
    if unsafe { libc::dladdr(symbol, &mut info) } == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string for as long as the library is loaded, which is for ever.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(Path::new(name.to_str().ok()?).parent()?.to_path_buf())
}

/// Opens a shared library, for good: libtorch cannot be unloaded.
fn open_shared(path: &Path, visibility: i32) -> Result<*mut c_void, String> {
    let Ok(name) = CString::new(path.as_os_str().as_encoded_bytes()) else {
        return Err("its name has a zero byte".into());
    };
    // SAFETY: runs the library's initialisers, which is what the user asks for.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | visibility) };
    if !handle.is_null() {
        return Ok(handle);
    }
    // SAFETY: gives this thread's last error of the loader, or null.
    let reason = unsafe { libc::dlerror() };
    if reason.is_null() {
        return Err("the system gives no reason".into());
    }
    // SAFETY: a C string until the thread's next call to the loader.
    let reason = unsafe { CStr::from_ptr(reason) };
    Err(reason.to_string_lossy().into_owned())
}

fn symbol(handle: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the handle is of a library that stays loaded.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

impl Library {
    /// Its functions.
    pub fn functions(&self) -> &'static Interface {
        self.interface
    }

    /// Takes a function's status.
    ///
    /// # Errors
    /// [`NnError::Torch`], with the library's message.
    pub fn check(&self, status: i32) -> Result<(), NnError> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: a C string until this thread's next call.
        let message = unsafe { CStr::from_ptr((self.interface.error)()) };
        Err(NnError::Torch(message.to_string_lossy().into_owned()))
    }

    /// How many GPUs libtorch sees.
    ///
    /// # Errors
    /// When libtorch reports an error.
    pub fn gpus(&self) -> Result<u64, NnError> {
        let mut n = [0u64];
        // SAFETY: an array of one number.
        self.check(unsafe { (self.interface.cuda_devices)(SliceMut::of(&mut n)) })?;
        Ok(n[0])
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
