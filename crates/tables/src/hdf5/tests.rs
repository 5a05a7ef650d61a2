//! What is written is read back, by another library.

use super::{Array, Attribute, Group, Kind, write_hdf5};
use persea_files::FileError;

fn array(kind: Kind, shape: Vec<u64>) -> Array {
    Array {
        kind,
        shape,
        attributes: vec![("unit", Attribute::Text("bp".into()))],
    }
}

fn write(path: &std::path::Path, root: &Group) -> Result<(), FileError> {
    write_hdf5(path, root, &mut |name, array, out| {
        let n = (array.n_bytes() / array.kind.n_bytes()) as usize;
        let bytes: Vec<u8> = match array.kind {
            Kind::F32 => (0..n)
                .flat_map(|i| (i as f32 / 4.0).to_le_bytes())
                .collect(),
            Kind::I64 => (0..n).flat_map(|i| (-(i as i64)).to_le_bytes()).collect(),
            Kind::Text(width) => (0..n)
                .flat_map(|i| {
                    let mut text = format!("{name}{i}").into_bytes();
                    text.resize(width as usize, 0);
                    text
                })
                .collect(),
        };
        out.write_all(&bytes)
            .map_err(|e| FileError::write(path.display(), e))
    })
}

#[test]
fn groups_attributes_and_arrays_of_every_kind_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let mut root = Group::default();
    root.attributes
        .push(("names", Attribute::Texts(vec!["a".into(), "größer".into()])));
    root.attributes.push(("none", Attribute::Texts(vec![])));
    root.attributes
        .push(("empty", Attribute::Text(String::new())));
    // More members than one table of symbols has by default, in an order that is not that of their names.
    for i in (0..70).rev() {
        root.put(&format!("many/{i}"), array(Kind::F32, vec![3, i]));
    }
    root.put("deep/er/still", array(Kind::I64, vec![5]));
    root.put("texts", array(Kind::Text(9), vec![2]));
    root.put("scalar", array(Kind::I64, vec![]));
    root.group("nothing in it");
    write(&path, &root).unwrap();

    let file = hdf5_reader::Hdf5File::open(&path).unwrap();
    let top = file.root_group().unwrap();
    let texts = |name: &str| top.attribute(name).unwrap().read_strings().unwrap();
    assert_eq!(texts("names"), ["a", "größer"]);
    assert_eq!(top.attribute("none").unwrap().num_elements().unwrap(), 0);
    assert_eq!(top.attribute("empty").unwrap().read_string().unwrap(), "");
    for i in 0..70u64 {
        let of = file.dataset(&format!("/many/{i}")).unwrap();
        assert_eq!(of.shape(), [3, i]);
        let values: Vec<f32> = of.read_array().unwrap().iter().copied().collect();
        let expected: Vec<f32> = (0..3 * i).map(|i| i as f32 / 4.0).collect();
        assert_eq!(values, expected);
        assert_eq!(of.attribute("unit").unwrap().read_string().unwrap(), "bp");
    }
    let of = file.dataset("/deep/er/still").unwrap();
    let values: Vec<i64> = of.read_array().unwrap().iter().copied().collect();
    assert_eq!(values, [0, -1, -2, -3, -4]);
    let of = file.dataset("/texts").unwrap();
    assert_eq!(of.read_strings().unwrap(), ["texts0", "texts1"]);
    assert_eq!(file.dataset("/scalar").unwrap().num_elements().unwrap(), 1);
    assert_eq!(
        file.group("/nothing in it")
            .unwrap()
            .members()
            .unwrap()
            .1
            .len(),
        0
    );
    // Its length is what it says: other readers take anything else for a file cut short.
    let length = std::fs::metadata(&path).unwrap().len();
    assert_eq!(file.superblock().eof_address, length);
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let mut root = Group::default();
    root.put("deep/a", array(Kind::F32, vec![2]));
    let too_much = write_hdf5::<FileError>(&path, &root, &mut |_, _, out| {
        out.write_all(&[0; 12])
            .map_err(|e| FileError::write("x", e))
    });
    let message = too_much.unwrap_err().to_string();
    assert!(
        message.contains("deep/a has 8 bytes, and 12 came"),
        "{message}"
    );
    root.group("deep")
        .attributes
        .push(("long", Attribute::Text("x".repeat(70_000))));
    let message = write(&path, &root).unwrap_err().to_string();
    assert!(message.contains("attribute long of /deep"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
