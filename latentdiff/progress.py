"""Progress for people: a bar on a terminal, a plain line every few seconds in a log, nothing for what is quick."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

SECONDS_BEFORE_SHOWN = 2.0  # a stage that is over sooner leaves no trace
SECONDS_BETWEEN_LINES = 10.0


class ProgressDisplay:
    """The callback that every long function takes (`sae_training.progress.Progress`), drawn on stderr."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""
        self._started = self._shown = 0.0
        self._announced = False
        self._bar = _bar(console) if console.is_terminal else None
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressDisplay:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(complete=kind is None)
        if self._bar:
            self._bar.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._finish(complete=True)
            self._stage, self._started, self._shown, self._announced = stage, now, now, False
        long = now - self._started > SECONDS_BEFORE_SHOWN
        if self._bar:
            if self._task is None:
                self._task = self._bar.add_task(stage, total=total, visible=False)
            self._bar.update(self._task, completed=done, total=total, visible=long)
        elif long and (not self._announced or now - self._shown > SECONDS_BETWEEN_LINES):
            self._line(f"{stage}: {done:,}" + (f" of {total:,}" if total else ""))
            self._shown, self._announced = now, True

    def _finish(self, complete: bool) -> None:
        """Ends the stage: what took long leaves one line behind."""
        seconds = time.monotonic() - self._started
        if self._bar and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        if self._stage and complete and seconds > SECONDS_BEFORE_SHOWN:
            self._line(f"{self._stage}: done in {seconds:.0f} s")
        self._stage = ""

    def _line(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, style="dim", highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


def _bar(console: Console) -> Bars:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
