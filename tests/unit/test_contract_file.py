"""Contract data that a person wrote down: read, refused with the place, and used to train."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from model_fixtures import EURUSD, random_walk

from plan2 import cli
from plan2.dataflow.archive import END_OF_TIME_NS, TickArchive
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.foundation.config.load import load
from plan2.foundation.errors import InputError
from plan2.foundation.values import TickBlock
from plan2.intelligence.training.labels import costs_of
from plan2.wiring.contract_file import read_contracts
from plan2.wiring.contracts import archived_contracts, contract_of, contracts_of
from plan2.wiring.data_sets import BuildOrder, assembled, request_of
from plan2.wiring.live_account import LiveAccount, write_account
from plan2.wiring.markets import ReplayWindow, open_backtest

FILE = """
[NAS100]
base = "NAS100"
quote = "USD"
digits = 2
contract_size = 20
commission_per_lot = 1.25
swap_long_points = -12
margin_mode = "value"
"""


def written(folder: Path, text: str = FILE) -> Path:
    """A data folder with a file."""
    (folder / "contracts.toml").write_text(text, "utf-8")
    return folder


def test_what_is_written_is_known(tmp_path: Path) -> None:
    """With everything else as an instrument has it; for all verbs without a running market."""
    found = read_contracts(written(tmp_path))["NAS100"]
    assert (found.symbol, found.contract_size, found.swap_long_points) == ("NAS100", 20.0, -12.0)
    assert found.commission_per_lot == Decimal("1.25")
    assert found.margin_mode.value == "value"
    assert found.volume_min == EURUSD.volume_min
    settings = load(None, {"PLAN2_DATA_DIR": str(tmp_path)}).settings
    assert contract_of(settings, "NAS100") == found
    assert read_contracts(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[A]\nbase = 'A'\nquote = 'USD'", r"\[A\].*digits"),
        ("[A]\nbase = 'A'\nquote = 'USD'\ndigits = 2\nlot = 3", "there is no lot; known: base"),
        ("[A]\nbase = 'A'\nquote = 'USD'\ndigits = 2\ncontract_size = 0", "contract_size cannot"),
        ("[A]\nbase = 'A'\nquote = 'USD'\ndigits = -1", "digits cannot be"),
        ("A = 3", "expected a table"),
        ("[A", "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """The file and the symbol are named."""
    with pytest.raises(InputError, match=words) as refused:
        read_contracts(written(tmp_path, text))
    assert "contracts.toml" in str(refused.value)


def test_who_goes_first(tmp_path: Path) -> None:
    """The file, then the simulated market's, then what a broker's terminal told."""
    told = {
        name: msgspec.structs.replace(EURUSD, symbol=name, contract_size=7.0)
        for name in ("EURUSD", "NAS100", "BTCUSD")
    }
    account = LiveAccount(
        login="1", server="s", mode="demo", currency="USD", start_balance="1", since_ns=0,
        instruments=told,
    )  # fmt: skip
    write_account(tmp_path / "live" / "live.json", account)
    for home in (written(tmp_path), tmp_path / "simulated"):
        known = archived_contracts(home)
        sizes = [known[name].contract_size for name in ("NAS100", "EURUSD", "BTCUSD")]
        assert sizes == [20.0, instruments(["EURUSD"])["EURUSD"].contract_size, 7.0]
    with pytest.raises(InputError, match="There is no contract data for AUDJPY") as refused:
        contracts_of(tmp_path, ["NAS100", "AUDJPY"])
    assert "[AUDJPY]" in str(refused.value.remedy)


def foreign(seed: int, days: float) -> TickBlock:
    """A walk of an index that the simulated market does not have."""
    walk = random_walk(seed, days, "NAS100")
    bid = np.round(walk.bid * 15_000, 2)
    return TickBlock("NAS100", walk.ts_ns, bid, bid + 1.0)


def test_a_data_set_of_a_foreign_symbol_pays_what_is_written(tmp_path: Path) -> None:
    """Commission of both sides by unit of the base: 2 · 1.25 / 20; a backtest trades it, too."""
    TickArchive(tmp_path / "archive").merge(foreign(4, 2.0))
    settings = load(None, {"PLAN2_DATA_DIR": str(tmp_path)}).settings
    order = BuildOrder(name="x", start_ns=0, end_ns=END_OF_TIME_NS)
    with pytest.raises(InputError, match="no contract data for NAS100"):
        request_of(tmp_path, order, settings, (("NAS100",), ""))
    with pytest.raises(InputError, match="no contract data for NAS100"):
        open_backtest(settings, tmp_path, ReplayWindow(symbols=("NAS100",)))
    written(tmp_path)
    request = request_of(tmp_path, order, settings, (("NAS100",), ""))
    assert costs_of(request.instrument("NAS100"), 16_000.0).commission == 0.125
    (samples,) = assembled(tmp_path, order, request, lambda _: None)
    assert len(samples.labels) > 20
    market = open_backtest(settings, tmp_path, ReplayWindow(symbols=("NAS100",)))
    assert market.instruments["NAS100"].contract_size == 20.0
    assert market.instruments["NAS100"].leverage == settings.simulated.leverage


@pytest.mark.slow
def test_train_on_a_symbol_that_exists_in_the_archive_alone(tmp_path: Path) -> None:
    """What is missing is said with what to write; then a candidate comes out."""
    TickArchive(tmp_path / "archive").merge(foreign(5, 6.0))
    words = ["--data-dir", str(tmp_path), "train", "--symbol", "NAS100", "--families", "logistic"]
    refused = CliRunner().invoke(cli.command, words)
    assert refused.exit_code == 3
    assert "[NAS100]" in refused.output
    written(tmp_path)
    done = CliRunner().invoke(cli.command, words)
    assert done.exit_code == 0, done.output
    assert "Candidate" in done.output
