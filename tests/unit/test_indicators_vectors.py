"""Bar indicators against published tables, column by column."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from plan2.foundation.values import Float64Array
from plan2.intelligence.features.indicator_rules import PriceBars
from plan2.intelligence.features.indicators import indicators_of

FULL = 1e-9
Table = dict[str, list[str]]


def read_table(shared_data: Path, archive: str, member: str) -> Table:
    """Columns of a CSV inside a zip as text; only rows that have a date, first column wins."""
    with zipfile.ZipFile(shared_data / "indicators" / archive) as folder:
        rows = list(csv.reader(io.StringIO(folder.read(member).decode("utf-8-sig"))))
    header, body = rows[0], rows[1:]
    columns: Table = {}
    for position, title in enumerate(header):
        cells = [row[position].strip() if position < len(row) else "" for row in body]
        columns.setdefault(title.strip(), cells)
    return columns


def numbers(cells: list[str]) -> Float64Array:
    """Cells as floats, NaN where the table is blank."""
    return np.array([float(cell) if cell not in {"", "#N/A", "X"} else np.nan for cell in cells])


def bars_of(table: Table, names: str = "open high low close volume") -> PriceBars:
    """Bars from the columns of a table; missing columns repeat the close.

    Some sheets print no close in rows where it has no effect yet: the high stands in there.
    """
    wanted = dict(zip(("open", "high", "low", "close", "volume"), names.split(), strict=True))
    close = numbers(table[wanted["close"]])
    if wanted["high"] in table:
        close = np.where(np.isnan(close), numbers(table[wanted["high"]]), close)
    full = np.isfinite(close)
    columns = {
        field: numbers(table[title])[full] if title in table and field != "close" else close[full]
        for field, title in wanted.items()
    }
    return PriceBars(**columns)


def assert_column(
    actual: Float64Array, cells: list[str], relative: float, absolute: float = 0.0
) -> None:
    """Every printed value is met within the tolerance, and something is printed."""
    expected = numbers(cells)[: actual.shape[0]]
    printed = np.isfinite(expected)
    assert np.count_nonzero(printed) > 0
    np.testing.assert_allclose(
        actual[printed], expected[printed], rtol=relative, atol=absolute + relative
    )


SPREADSHEETS = [
    ("Sma.SMA_Close", "SMA", "sma_20"),
    ("Ema.EMA", "ema", "ema_20"),
    ("Dema.DEMA", "dema", "dema_20"),
    ("Tema.TEMA", "tema", "tema_20"),
    ("Wma.WMA", "wma", "wma_20"),
    ("Smma.Smoothed_Moving_Average", "SMMA", "smma_20"),
    ("Kama.KAMA", "KAMA", "kama_10_2_30"),
    ("StdDev.StdDev", "stddev", "stddev_10"),
    ("Rsi.RSI", "RSI(14)", "rsi_14"),
    ("Macd.MACD", "MACD", "macd_12_26_9"),
    ("Macd.MACD", "Signal", "macd_signal_12_26_9"),
    ("Macd.MACD", "Histo", "macd_hist_12_26_9"),
    ("BollingerBands.Bollinger_Bands", "upper", "bb_upper_20_2"),
    ("BollingerBands.Bollinger_Bands", "sma", "bb_middle_20_2"),
    ("BollingerBands.Bollinger_Bands", "lower", "bb_lower_20_2"),
    ("BollingerBands.Bollinger_Bands", "%b", "bb_percent_b_20_2"),
    ("BollingerBands.Bollinger_Bands", "width", "bb_width_20_2"),
    ("Tr.TR", "TR", "tr"),
    ("Atr.ATR", "ATR", "atr_14"),
    ("Adx.ADX", "+DI14", "plus_di_14"),
    ("Adx.ADX", "-DI14", "minus_di_14"),
    ("Adx.ADX", "ADX", "adx_14"),
    ("Stoch.STO_14_3_3_2_", "K(14)'", "stoch_k_14"),
    ("Stoch.STO_14_3_3_2_", "%K", "stoch_k_14_3"),
    ("Stoch.STO_14_3_3_2_", "%D", "stoch_d_14_3_3"),
    ("WilliamsR.WilliamsR_14_", "%R", "williams_r_14"),
    ("Roc.ROC", "roc", "roc_20"),
    ("Roc.ROC", "mom", "momentum_20"),
    ("Trix.TRIX", "trix", "trix_20"),
    ("Aroon.AROON_25_", "up", "aroon_up_25"),
    ("Aroon.AROON_25_", "down", "aroon_down_25"),
    ("Obv.OBV", "obv", "obv"),
    ("Mfi.MFI", "mf", "mfi_14"),
    ("SuperTrend.SuperTrend_14_3_", "SuperTrend", "supertrend_14_3"),
    ("Ichimoku.Ichimoku", "tenkan", "ichimoku_tenkan_9"),
    ("Ichimoku.Ichimoku", "kijun", "ichimoku_kijun_26"),
    ("Ichimoku.Ichimoku", "senkouA", "ichimoku_senkou_a_9_26"),
    ("Ichimoku.Ichimoku", "senkouB", "ichimoku_senkou_b_52_26"),
]


@pytest.mark.parametrize(("sheet", "column", "name"), SPREADSHEETS)
def test_spreadsheet_column(shared_data: Path, sheet: str, column: str, name: str) -> None:
    """502 daily bars, full precision: every cell of the published calculation is met."""
    table = read_table(shared_data, "stock_indicators_calc.zip", f"{sheet}.csv")
    actual = indicators_of([name], bars_of(table))[name]
    assert_column(actual, table[column], FULL)


def test_hull_average_at_printed_precision(shared_data: Path) -> None:
    """The spreadsheet stores the whole HMA column with four decimals."""
    table = read_table(shared_data, "stock_indicators_calc.zip", "Hma.HMA.csv")
    assert_column(indicators_of(["hma_20"], bars_of(table))["hma_20"], table["HMA"], 0.0, 6e-5)


def test_parabolic_sar_after_the_first_reversal(shared_data: Path) -> None:
    """Wilder's stop with start 0.01, step 0.02, limit 0.2, from the first reversal on."""
    table = read_table(shared_data, "stock_indicators_calc.zip", "ParabolicSar.Parabolic_SAR.csv")
    name = "psar_0.02_0.2_0.01"
    actual = indicators_of([name], bars_of(table))[name]
    first = table["rev"].index("True")
    assert np.isnan(actual[:first]).all()
    np.testing.assert_allclose(
        actual[first:], numbers(table["sar"])[first : len(actual)], rtol=FULL
    )


def test_donchian_counts_the_current_bar(shared_data: Path) -> None:
    """The spreadsheet leaves the current bar out, so its bands are ours of one bar earlier."""
    table = read_table(shared_data, "stock_indicators_calc.zip", "Donchian.Donchian.csv")
    bands = indicators_of(["donchian_upper_20", "donchian_lower_20"], bars_of(table))
    for name, title in zip(bands, ("Upper", "Lower"), strict=True):
        assert_column(bands[name][:-1], table[title][1:], FULL)


def test_keltner_is_published_ema_and_atr(shared_data: Path) -> None:
    """EMA 20 and ATR 14 of two published sheets over the same bars give the channel."""
    ema = read_table(shared_data, "stock_indicators_calc.zip", "Ema.EMA.csv")
    atr = read_table(shared_data, "stock_indicators_calc.zip", "Atr.ATR.csv")
    names = ["keltner_upper_20_2_14", "keltner_middle_20_2_14", "keltner_lower_20_2_14"]
    channel = indicators_of(names, bars_of(atr))
    for name, sign in zip(names, (1.0, 0.0, -1.0), strict=True):
        expected = numbers(ema["ema"])[:502] + sign * 2.0 * numbers(atr["ATR"])[:502]
        np.testing.assert_allclose(channel[name][19:], expected[19:], rtol=FULL)


CHARTSCHOOL = [
    ("cs-bbands", "- - - Close -", "HighBand", "bb_upper_20_2", 5e-7),
    ("cs-bbands", "- - - Close -", "LowBand", "bb_lower_20_2", 5e-7),
    ("cs-bbands", "- - - Close -", "PercentageBand", "bb_percent_b_20_2", 5e-7),
    ("cs-cci", "Open High Low Close -", "CCI", "cci_20", 6e-5),
    ("cs-percentr", "- High Low Close -", "Williams_%R", "williams_r_14", 5e-7),
    ("cs-soo", "- High Low Close -", "SO", "stoch_k_14", 5e-7),
    ("cs-soo", "- High Low Close -", "SO_SIG", "stoch_d_14_3", 1e-6),
    ("cs-roc", "- - - Close -", "ROC", "roc_12", 5e-9),
    ("cs-kama", "- - - Close -", "KAMA", "kama_10_2_30", 5e-7),
    ("cs-adx", "- High Low Close -", "ADX", "adx_14", 5e-7),
    ("cs-adx", "- High Low Close -", "+DI14", "plus_di_14", 5e-7),
    ("cs-dc", "- high low close -", "upper_band", "donchian_upper_20", 1e-9),
    ("cs-dc", "- high low close -", "lower_band", "donchian_lower_20", 1e-9),
]


@pytest.mark.parametrize(("sheet", "titles", "column", "name", "printed"), CHARTSCHOOL)
def test_chartschool_column(
    shared_data: Path, sheet: str, titles: str, column: str, name: str, printed: float
) -> None:
    """StockCharts examples, within half of the last printed digit of inputs and outputs."""
    table = read_table(shared_data, "ta_chartschool.zip", f"{sheet}.csv")
    actual = indicators_of([name], bars_of(table, titles))[name]
    assert_column(actual, table[column], 0.0, printed)


TULIP = [
    ("sma 5", "c", 0, "sma_5"),
    ("wma 5", "c", 0, "wma_5"),
    ("rsi 5", "c", 0, "rsi_5"),
    ("mom 5", "c", 0, "momentum_5"),
    ("stddev 5", "c", 0, "stddev_5"),
    ("hma 5", "c", 0, "hma_5"),
    ("bbands 5 2", "c", 0, "bb_lower_5_2"),
    ("bbands 5 2", "c", 1, "bb_middle_5_2"),
    ("bbands 5 2", "c", 2, "bb_upper_5_2"),
    ("cci 5", "hlc", 0, "cci_5"),
    ("willr 5", "hlc", 0, "williams_r_5"),
    ("stoch 5 3 3", "hlc", 0, "stoch_k_5_3"),
    ("stoch 5 3 3", "hlc", 1, "stoch_d_5_3_3"),
    ("aroon 5", "hl", 0, "aroon_down_5"),
    ("aroon 5", "hl", 1, "aroon_up_5"),
    ("max 5", "c", 0, "donchian_upper_5"),
    ("min 5", "c", 0, "donchian_lower_5"),
    ("mfi 5", "hlcv", 0, "mfi_5"),
]


def tulip_case(shared_data: Path, title: str) -> list[Float64Array]:
    """The columns of one case of untest.txt: inputs first, then outputs."""
    with zipfile.ZipFile(shared_data / "indicators" / "tulip_vectors.zip") as folder:
        lines = folder.read("untest.txt").decode().splitlines()
    start = lines.index(title) + 1
    stop = next(row for row in range(start, len(lines)) if not lines[row].startswith("{"))
    return [np.array([float(cell) for cell in row[1:-1].split(",")]) for row in lines[start:stop]]


@pytest.mark.parametrize(("title", "inputs", "output", "name"), TULIP)
def test_tulip_vector(shared_data: Path, title: str, inputs: str, output: int, name: str) -> None:
    """Tulip's own test vectors, printed with three decimals."""
    columns = tulip_case(shared_data, title)
    given = dict(zip(inputs, columns, strict=False))
    close = given.get("c", columns[0])
    bars = PriceBars(close, given.get("h", close), given.get("l", close), close, given.get("v"))
    expected = columns[len(inputs) + output]
    actual = indicators_of([name], bars)[name][-len(expected) :]
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=6e-4)
