//! What every function of the interface does at the boundary: checks pointers and lengths, catches
//! panics, and keeps the message of a failure for the thread that asked.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::TchError;

use crate::interface::{Slice, SliceMut};

/// Why a call failed.
#[derive(Debug)]
pub enum Failure {
    /// The caller's arguments do not fit together.
    Arguments(String),
    /// libtorch refuses.
    Torch(TchError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Arguments(message) => f.write_str(message),
            // After the message libtorch writes its own call stack.
            Failure::Torch(error) => {
                let text = error.to_string();
                let first = text.split("\nException raised from").next();
                write!(f, "libtorch: {}", first.unwrap_or(&text).trim())
            }
        }
    }
}

impl From<TchError> for Failure {
    fn from(error: TchError) -> Self {
        Failure::Torch(error)
    }
}

/// The result of what may fail.
pub type Result<T> = std::result::Result<T, Failure>;

/// A failure by the caller's arguments.
pub fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure::Arguments(message.into()))
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// The last failure's message.
///
/// # Safety
/// Arguments are as the interface says.
pub unsafe extern "C" fn error() -> *const c_char {
    LAST.with(|last| last.borrow().as_ptr())
}

fn keep(message: &str) -> i32 {
    let text: Vec<u8> = message.bytes().filter(|b| *b != 0).collect();
    LAST.with(|last| *last.borrow_mut() = CString::new(text).unwrap_or_default());
    1
}

/// Does the work of a function of the interface; gives its status.
pub fn guarded(work: impl FnOnce() -> Result<()>) -> i32 {
    // Whatever a panic left behind is not used again: handles take their state as a whole or not.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => keep(&failure.to_string()),
        Err(panic) => {
            let text = (panic.downcast_ref::<&str>().copied())
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            keep(&format!("a bug in libpersea_torch: {text}"))
        }
    }
}

impl<T> Slice<T> {
    /// The numbers.
    ///
    /// # Safety
    /// `data` must point to `len` numbers that nobody writes meanwhile.
    pub unsafe fn read<'a>(self, what: &str) -> Result<&'a [T]> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.data.is_null() {
            return refuse(format!("{what}: null for {} numbers", self.len));
        }
        // SAFETY: not null, and as the caller promises.
        Ok(unsafe { std::slice::from_raw_parts(self.data, self.len) })
    }

    /// The numbers, of which there must be as many as given.
    ///
    /// # Safety
    /// As [`Slice::read`].
    pub unsafe fn exactly<'a>(self, n: usize, what: &str) -> Result<&'a [T]> {
        check_length(self.len, n, what)?;
        // SAFETY: as the caller promises.
        unsafe { self.read(what) }
    }
}

impl<T> SliceMut<T> {
    /// Where to write as many numbers as given.
    ///
    /// # Safety
    /// `data` must point to `len` numbers that nobody else uses meanwhile.
    pub unsafe fn exactly<'a>(self, n: usize, what: &str) -> Result<&'a mut [T]> {
        check_length(self.len, n, what)?;
        if n == 0 {
            return Ok(&mut []);
        }
        if self.data.is_null() {
            return refuse(format!("{what}: null for {n} numbers"));
        }
        // SAFETY: not null, and as the caller promises.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.data, n) })
    }

    /// Writes one number.
    ///
    /// # Safety
    /// As [`SliceMut::exactly`].
    pub unsafe fn write(self, value: T, what: &str) -> Result<()> {
        // SAFETY: as the caller promises.
        let number = unsafe { self.exactly(1, what)? };
        number[0] = value;
        Ok(())
    }
}

fn check_length(found: usize, expected: usize, what: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    refuse(format!("{what}: {found} numbers, not {expected}"))
}

/// What a pointer to a struct of the caller's points to.
///
/// # Safety
/// It must be null or point to a `T`.
pub unsafe fn argument<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: null or as the caller promises.
    match unsafe { pointer.as_ref() } {
        Some(value) => Ok(value),
        None => refuse(format!("{what} is null")),
    }
}

/// The state behind a handle.
///
/// # Safety
/// It must be null or a handle that [`give`] gave and nobody has taken back, used by this thread alone.
pub unsafe fn behind<'a, H, T>(handle: *mut H) -> Result<&'a mut T> {
    // SAFETY: null or as the caller promises.
    match unsafe { handle.cast::<T>().as_mut() } {
        Some(state) => Ok(state),
        None => refuse("the handle is null"),
    }
}

/// Gives the caller a handle to some state.
///
/// # Safety
/// `out` must be null or a place for a pointer.
pub unsafe fn give<H, T>(state: T, out: *mut *mut H) -> Result<()> {
    // SAFETY: null or as the caller promises.
    match unsafe { out.as_mut() } {
        Some(out) => *out = Box::into_raw(Box::new(state)).cast(),
        None => return refuse("there is no place for the handle"),
    }
    Ok(())
}

/// Ends the state behind a handle.
///
/// # Safety
/// As [`behind`]; the handle is not valid afterwards.
pub unsafe fn end<H, T>(handle: *mut H) {
    if !handle.is_null() {
        guarded(|| {
            // SAFETY: made by `give`, and not used again, as the caller promises.
            drop(unsafe { Box::from_raw(handle.cast::<T>()) });
            Ok(())
        });
    }
}
