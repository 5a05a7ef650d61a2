//! Tells the linker where libtorch lies at run time, so that what is built here runs from any
//! directory, and that a GPU build's libraries are to be loaded.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys names the folder it linked; absent without the feature `torch`, and on Windows.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    let macos = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let origin = if macos { "@loader_path" } else { "$ORIGIN" };

    // First what lies with the program: `make install` lays libtorch there, so that no cache can
    // break it. The folder built against comes last, for the program as built and for the tests.
    for folder in [origin, &format!("{origin}/../lib/persea"), &lib] {
        // One argument each: -Wl would split a folder's name at a comma.
        for argument in ["-Xlinker", "-rpath", "-Xlinker", folder] {
            println!("cargo:rustc-link-arg={argument}");
        }
    }

    // Nothing calls into these by name, they register themselves when loaded; a linker told to
    // drop what is not called would leave a program that sees no GPU.
    for backend in ["torch_cuda", "torch_hip"] {
        if Path::new(&lib).join(format!("lib{backend}.so")).exists() {
            println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
            println!("cargo:rustc-link-arg=-l{backend}");
            println!("cargo:rustc-link-arg=-Wl,--as-needed");
        }
    }
}
