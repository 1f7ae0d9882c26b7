"""How a tenant's part of the process is, as one answer."""

from collections.abc import Callable

from plan2.interface.api.ports import Health, LatencyBoard
from plan2.interface.items import BucketItem, ComponentItem, HealthInfo, StageItem
from plan2.interface.screen import number_or_none


class HealthReport:
    """The health of the whole process as one answer; the stream sends the same."""

    def __init__(self, board: Health, latency: LatencyBoard, clients: Callable[[], int]) -> None:
        self._board = board
        self._latency = latency
        self._clients = clients

    def make(self) -> HealthInfo:
        """Every part, every stage, the loop and the screens, now."""
        board = self._board
        return HealthInfo(
            status=str(board.overall()),
            components=[
                ComponentItem(
                    name=part.name,
                    level=part.level,
                    status=str(part.status),
                    detail=part.detail,
                    since_us=part.since_us,
                    metrics={name: number_or_none(value) for name, value in part.metrics.items()},
                )
                for part in board.snapshot()
            ],
            latency=[
                StageItem(
                    stage=stage.stage,
                    count=stage.count,
                    p50_us=stage.p50_us,
                    p95_us=stage.p95_us,
                    p99_us=stage.p99_us,
                    max_us=stage.max_us,
                    buckets=[
                        BucketItem(le_us=bucket.le_us, count=bucket.count)
                        for bucket in stage.buckets
                    ],
                )
                for stage in self._latency.snapshot()
            ],
            loop_lag_ms_p99=board.loop_lag_ms_p99(),
            ws_clients=self._clients(),
        )
