//! Writes into the library where its libtorch lies: in its own folder first, where `make install` puts
//! both, then where it was built against. A libtorch that the program has loaded before counts first.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../src/nn/torch/interface.rs");
    // torch-sys names the folder that it linked.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else {
        return;
    };
    let macos = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let origin = if macos { "@loader_path" } else { "$ORIGIN" };
    for folder in [origin, &lib] {
        // One argument each: -Wl would split a folder's name at a comma.
        for argument in ["-Xlinker", "-rpath", "-Xlinker", folder] {
            println!("cargo:rustc-link-arg={argument}");
        }
    }
    if macos {
        println!("cargo:rustc-link-arg=-Wl,-install_name,@rpath/libpersea_torch.dylib");
    }
}
