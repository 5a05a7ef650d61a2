//! `persea serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Common;

/// Show a database in the browser.
///
/// The address is printed. The server only reads, and only this machine reaches it unless --listen gives
/// another address. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: persea serve pilot.persea\n          persea serve pilot.persea --variants hits.vcf.gz\n          persea serve pilot.persea --listen 0.0.0.0:7317 --allow-host lab.example.org"
)]
pub struct Arguments {
    /// Database directory, instead of --db
    #[arg(value_name = "DATABASE", conflicts_with = "db")]
    database: Option<PathBuf>,
    /// Port on this machine; 0 for any free one
    #[arg(long, default_value_t = 7317, conflicts_with = "listen")]
    port: u16,
    /// Address and port to listen on, where others may reach it; they need the token
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Token that every request needs; with --listen a random one if omitted
    #[arg(long, env = "PERSEA_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Variants that the page finds by name: VCF (column ID), or BED with names. Nothing is looked up elsewhere
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    variants: Vec<PathBuf>,
    /// Names by which browsers reach the server, beside localhost and addresses
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<String>,
}

/// Runs the command.
#[cfg(not(feature = "serve"))]
pub fn run(_: Arguments, _: &Common) -> anyhow::Result<ExitCode> {
    anyhow::bail!(
        "this program was built without the server; build it with `make install SERVE=1`, or cargo's --features serve"
    )
}

/// Runs the command.
#[cfg(feature = "serve")]
pub fn run(arguments: Arguments, common: &Common) -> anyhow::Result<ExitCode> {
    use persea::server::{ServerOptions, has_page, serve};
    use persea::store::Database;

    use super::Misuse;
    use super::output::print_line;

    let path = match &arguments.database {
        Some(path) => path.as_path(),
        None => common.path()?,
    };
    let database = Database::open_read_only(path)?;
    let address = (arguments.listen).unwrap_or_else(|| ([127, 0, 0, 1], arguments.port).into());
    let token = match (arguments.token, address.ip().is_loopback()) {
        (Some(token), _)
            if token.len() < 8 || !token.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            let why = "--token takes 8 or more letters and digits";
            return Err(Misuse(why.into()).into());
        }
        (Some(token), _) => Some(token),
        (None, true) => None,
        (None, false) => Some(random_token()?),
    };
    let mut variants = Vec::new();
    for path in &arguments.variants {
        variants.extend(persea::loci::read_sites(path, database.axis().assembly())?);
    }
    if !has_page() {
        eprintln!(
            "this program was built without the page (`make web` builds it); the API alone is served"
        );
    }
    let options = ServerOptions {
        address,
        token: token.clone(),
        hosts: arguments.allow_host,
        variants,
        n_workers: rayon::current_num_threads(),
    };
    let mut printed = Ok(());
    serve(database, &options, &mut |address| {
        let token = token
            .as_ref()
            .map(|t| format!("?token={t}"))
            .unwrap_or_default();
        printed = print_line(format_args!("http://{address}/{token}"));
    })?;
    printed?;
    Ok(ExitCode::SUCCESS)
}

/// 128 random bits of the operating system.
#[cfg(feature = "serve")]
fn random_token() -> anyhow::Result<String> {
    use std::io::Read;

    use anyhow::Context;

    let mut bytes = [0u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot make a token: give one with --token")?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
