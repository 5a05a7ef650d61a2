//! The same readers over HTTP.

use super::super::create_signal;
use super::super::http::test_server::{Behaviour, TestServer};
use super::super::{checksum, identity};
use super::*;

/// A bigWig of 20 Mb of bins that do not compress, about 3 MB.
fn big() -> (GenomeAxis, Vec<u8>) {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 20_000_000)]), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    let mut writer = create_signal(&file, Format::BigWig, &axis).unwrap();
    let mut state = 1u32;
    let values: Vec<f32> = (0..axis.n_bins())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 1_000.0
        })
        .collect();
    writer.write(0, &values).unwrap();
    writer.finish().unwrap();
    (axis, std::fs::read(&file).unwrap())
}

#[test]
fn a_region_of_a_remote_bigwig_costs_a_small_part_of_the_file() {
    let (whole, bytes) = big();
    let server = TestServer::start(bytes.clone(), Behaviour::Good);
    let location = Location::Url(server.url());
    let part = vec![region("chr1", 400_000, 4_000)];
    let axis = GenomeAxis::new(whole.assembly().clone(), part).unwrap();
    let (remote, _) = read_bins(&location, None, &axis, Missing::Zero).unwrap();
    let sent = server.n_sent();
    assert!(bytes.len() > 2_000_000);
    assert!(sent < bytes.len() as u64 / 5, "{sent} of {}", bytes.len());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.bw");
    std::fs::write(&file, &bytes).unwrap();
    let (local, _) = read_bins(&path(&file), None, &axis, Missing::Zero).unwrap();
    assert_eq!(remote, local);
    // The whole file, in few requests, each byte about once.
    let n_requests = server.n_requests();
    let (remote, _) = read_bins(&location, None, &whole, Missing::Zero).unwrap();
    assert_eq!(remote.len(), 800_000);
    assert!(server.n_sent() - sent < bytes.len() as u64 * 11 / 10);
    assert!(
        server.n_requests() - n_requests < 12,
        "{}",
        server.n_requests()
    );
}

#[test]
fn text_and_arrays_come_from_a_server_too() {
    let axis = GenomeAxis::whole_chromosomes(assembly(&[("chr1", 100)]), &[]).unwrap();
    let text = b"chr1\t0\t50\t2\nchr1\t75\t100\t4\n".to_vec();
    for (name, content) in [("a.bedgraph", text), ("a.npy", npy(&[2.0, 2.0, 0.0, 4.0]))] {
        let server = TestServer::start_named(name, content, Behaviour::Good);
        let location = Location::Url(server.url());
        let (bins, _) = read_bins(&location, None, &axis, Missing::Zero).unwrap();
        assert_eq!(bins, [2.0, 2.0, 0.0, 4.0], "{name}");
    }
}

#[test]
fn a_server_s_failure_is_reported_with_the_url() {
    let (axis, bytes) = big();
    for (behaviour, why) in [
        (Behaviour::IgnoresRange, "ignores byte ranges"),
        (
            Behaviour::Fails {
                status: 404,
                times: usize::MAX,
            },
            "no such file (404)",
        ),
        (
            Behaviour::ChangesEtag { after: 1 },
            "changed while it was being read",
        ),
    ] {
        let server = TestServer::start(bytes.clone(), behaviour);
        let message = refusal(&Location::Url(server.url()), None, &axis);
        assert!(
            message.contains(why) && message.contains(&server.url()),
            "{message}"
        );
    }
}

#[test]
fn remote_files_differ_by_length_and_etag() {
    let first = TestServer::start(vec![1; 100], Behaviour::Good);
    let location = Location::Url(first.url());
    let is = identity(&location).unwrap();
    assert_eq!(
        (is.bytes, is.modified, is.etag),
        (100, None, Some("\"first\"".into()))
    );
    assert_eq!(checksum(&location).unwrap(), checksum(&location).unwrap());
    let other = TestServer::start(vec![1; 100], Behaviour::ChangesEtag { after: 1 });
    let location = Location::Url(other.url());
    assert_ne!(checksum(&location).unwrap(), checksum(&location).unwrap());
}
