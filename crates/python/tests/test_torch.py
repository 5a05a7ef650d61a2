"""The PyTorch data set of regions with signal and embedding, where PyTorch is installed."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

REGIONS = [("chr1", start, start + 1_000) for start in range(5_000, 165_000, 4_000)]


@pytest.fixture
def tracks(database):
    return [(row["biosample"], row["assay"]) for row in database.tracks()][:2]


def test_an_item_is_the_signal_of_a_window_and_the_mean_embedding_of_the_region(database, tracks):
    items = database.torch_dataset(REGIONS, tracks, width=500)
    assert isinstance(items, torch.utils.data.Dataset) and len(items) == len(REGIONS)
    item = items[3]
    assert item["signal"].dtype == item["embedding"].dtype == torch.float32
    chrom, start, end = REGIONS[3]
    middle = (start + end) // 2
    for values, track in zip(item["signal"], tracks, strict=True):
        np.testing.assert_array_equal(values.numpy(), database.signal((chrom, middle - 250, middle + 250), *track))
    np.testing.assert_array_equal(item["embedding"].numpy(), database.mean_embeddings([REGIONS[3]])[0])
    with pytest.raises(IndexError):
        items[len(REGIONS)]


def test_without_a_width_signal_is_of_the_region_itself(database, tracks):
    items = database.torch_dataset([("chr1", 10_000, 10_100), ("chr2", 0, 50)], tracks)
    assert [tuple(item["signal"].shape) for item in (items[0], items[1])] == [(2, 4), (2, 2)]
    assert database.torch_dataset(REGIONS, [])[0]["signal"].numel() == 0


def test_a_window_beyond_its_chromosome_is_refused(database, tracks):
    length = database.chromosomes["chr1"]
    with pytest.raises(ValueError, match="extends beyond"):
        database.torch_dataset([("chr1", length - 100, length)], tracks, width=1_000)


def test_a_loader_batches_items_in_workers_as_in_its_own_process(database, tracks):
    items = database.torch_dataset(REGIONS[:12], tracks, width=500)
    copy = pickle.loads(pickle.dumps(items))
    assert type(copy) is type(items) and copy[0]["signal"].equal(items[0]["signal"])
    alone = list(torch.utils.data.DataLoader(items, batch_size=4))
    assert alone[0]["signal"].shape == (4, 2, 20) and len(alone) == 3
    workers = torch.utils.data.DataLoader(items, batch_size=4, num_workers=2, multiprocessing_context="spawn")
    for a, b in zip(alone, workers, strict=True):
        assert a["signal"].equal(b["signal"]) and a["embedding"].equal(b["embedding"])


def test_a_model_learns_from_batches(database, tracks):
    items = database.torch_dataset(REGIONS, tracks[:1], width=500)
    torch.manual_seed(0)
    layer = torch.nn.Linear(items[0]["embedding"].numel(), 1)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        total = 0.0
        for batch in torch.utils.data.DataLoader(items, batch_size=8):
            loss = ((layer(batch["embedding"])[:, 0] - batch["signal"].nanmean(dim=(1, 2))) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        losses.append(total)
    assert losses[-1] < 0.5 * losses[0]
