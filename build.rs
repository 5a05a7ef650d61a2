//! Puts libtorch's folder into the run path, so that what is built here runs from any directory.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // torch-sys names the folder it linked; absent without the feature `torch`, and on Windows.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    let origin = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("macos") => "@loader_path",
        _ => "$ORIGIN",
    };
    // First what lies with the program: `make install` lays libtorch there, so that no cache can
    // break it. The folder built against comes last, for the program as built and for the tests.
    for folder in [origin, &format!("{origin}/../lib/persea"), &lib] {
        // One argument each: -Wl would split a folder's name at a comma.
        for argument in ["-Xlinker", "-rpath", "-Xlinker", folder] {
            println!("cargo:rustc-link-arg={argument}");
        }
    }
}
