"""A registry of models and a shelf of reports for tests of the routes."""

from plan2.foundation.errors import InputError
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.training.reports import ReportItem


class FakeModels:
    """An empty registry."""

    def list(self) -> tuple[Manifest, ...]:
        """Nothing."""
        return ()

    def show(self, model_id: str) -> Manifest:
        """Never any."""
        raise InputError(f"There is no model {model_id!r}.")

    def champions(self) -> dict[str, object]:
        """Nobody."""
        return {}


class FakeReports:
    """A shelf that tests put reports on."""

    def __init__(self) -> None:
        self.kept: list[tuple[ReportItem, bytes]] = []

    def list(self) -> tuple[ReportItem, ...]:
        """In the order in which they were put there."""
        return tuple(item for item, _ in self.kept)

    def page(self, report_id: str) -> bytes:
        """The page of one of them."""
        for item, page in self.kept:
            if item.report_id == report_id:
                return page
        raise InputError(f"There is no report {report_id!r}.")
