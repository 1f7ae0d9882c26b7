"""Nets trained on a GPU: they learn what the processor's learn, and are served without one.

ML-084. Skipped, with the reason, where torch finds no GPU.
"""

import pytest
from model_fixtures import dataset

from plan2.intelligence.training import metrics, parity
from plan2.intelligence.training.families.available import NEEDS_TORCH, families

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU here")


@pytest.fixture(scope="module")
def planted():
    """2,980 events of two symbols whose bars carry a signal."""
    return dataset(bars=15_000, strength=2.0)


@pytest.fixture(scope="module", params=NEEDS_TORCH)
def trained(request, planted):
    """Each net with its family, trained on the GPU that `auto` finds."""
    (family,), _ = families((request.param,), "auto")
    return family, family.fit(planted, planted.all_rows(), 1)


def test_auto_takes_the_gpu_and_the_manifest_says_so(trained):
    """Among the parameters that are written down with the model."""
    assert trained[0].parameters()["device"] == "cuda"


def test_the_file_is_served_by_the_processor_as_it_was_trained(planted, trained):
    """At least 20,000 hard windows through ONNX Runtime on the CPU (ML-054)."""
    content = trained[1].to_onnx()
    parity.inspected(content)
    found = trained[1].parity(content, planted, 1)

    assert found.rows >= 20_000
    assert found.passed


def test_it_finds_the_signal_that_the_processors_net_finds(planted, trained):
    """On 780 events that it never saw; chance stays below 0.5 + 3 · 0.021."""
    family, net = trained
    unseen = dataset(seed=77, strength=2.0)
    (alike,), _ = families((family.name,), "cpu")
    other = alike.fit(planted, planted.all_rows(), 1)
    rows = unseen.all_rows()
    areas = [metrics.auc(each.logits(unseen, rows), unseen.up) for each in (net, other)]

    assert min(areas) > 0.562
    assert abs(areas[0] - areas[1]) < 0.05
