//! Puts libtorch's folder into the run path, so that what is built here runs from any directory.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    // torch-sys names the folder it linked; absent without the feature `torch`.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    let origin = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => "@loader_path",
        _ => "$ORIGIN",
    };
    // Beside the program first: `make install` lays libtorch there, so that no cache can break it.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{origin}/../lib/persea");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
}
