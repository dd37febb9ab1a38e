"""A figure: what was measured, beside the floor of the same run and the goal."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `floor`: the least that the same machine could do in the same minute."""

    figure: str
    value: float
    unit: str
    floor: float | None
    goal: float
    more: bool = False  # whether more is better

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.more else self.value <= self.goal


def table(figures: Iterable[Figure]) -> str:
    """The figures as text, one a line."""
    lines = [f"{'figure':<52} {'value':>9} {'floor':>9} {'goal':>9}  unit"]
    for figure in figures:
        floor = "–" if figure.floor is None else f"{figure.floor:.1f}"
        mark = "met" if figure.met else "NOT met"
        lines.append(
            f"{figure.figure:<52} {figure.value:>9.1f} {floor:>9} {figure.goal:>9.1f}  "
            f"{figure.unit:<4} {mark}"
        )
    return "\n".join(lines)


def write(figures: Iterable[Figure], path: Path) -> None:
    """The figures as JSON."""
    rows = [{**asdict(figure), "met": figure.met} for figure in figures]
    path.write_text(json.dumps({"figures": rows}, indent=2) + "\n")


def median(values: list[float]) -> float:
    return percentile(values, 0.5)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
