"""Materializers as ZenML's users write them, and what they note and draw."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import pandas as pd
import pytest
from pydantic import BaseModel

from artvcs.zenml import (
    pipeline,
    save_artifact,
    step,
)
from artvcs.zenml.enums import ArtifactType, VisualizationType
from artvcs.zenml.io import fileio
from artvcs.zenml.materializers import (
    BuiltInMaterializer,
    PandasMaterializer,
    PydanticMaterializer,
)
from artvcs.zenml.materializers.base_materializer import BaseMaterializer

pytestmark = pytest.mark.usefixtures("project")


class Grid:
    def __init__(self, cells: list[int]) -> None:
        self.cells = cells


class GridMaterializer(BaseMaterializer):
    ASSOCIATED_TYPES = (Grid,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA

    def load(self, data_type: type[Any]) -> Grid:
        super().load(data_type)
        with self.artifact_store.open(os.path.join(self.uri, "cells.json"), "r") as file:
            return Grid(json.load(file))

    def save(self, data: Grid) -> None:
        super().save(data)
        with fileio.open(os.path.join(self.uri, "cells.json"), "w") as file:
            json.dump(data.cells, file)

    def save_visualizations(self, data: Grid) -> dict[str, VisualizationType]:  # type: ignore[override]
        path = os.path.join(self.uri, "cells.html")
        with fileio.open(path, "w") as file:
            file.write("<b>cells</b>")
        return {path: VisualizationType.HTML}

    def extract_metadata(self, data: Grid) -> dict[str, Any]:
        return {"cells": len(data.cells)}


class Report(BaseModel):
    title: str
    score: float = 0.5


class ReportMaterializer(PydanticMaterializer):
    ASSOCIATED_TYPES = (Report,)

    def extract_metadata(self, data: Report) -> dict[str, Any]:
        return {"title": data.title, **super().extract_metadata(data)}


@step(output_materializers=GridMaterializer)
def grid() -> Annotated[Grid, "grid"]:
    return Grid([1, 2])


@step(output_materializers=[GridMaterializer, BuiltInMaterializer])
def both() -> tuple[Annotated[Grid, "other"], Annotated[int, "number"]]:
    return Grid([3]), 4


@step(output_materializers={"report": ReportMaterializer})
def report(grid: Grid) -> Annotated[Report, "report"]:
    return Report(title=str(grid.cells))


def test_materializers() -> None:
    @pipeline
    def making() -> None:
        report(grid())
        both()

    run = making()
    assert run.steps["both"].outputs["other"].load().cells == [3]
    assert run.steps["both"].outputs["number"].load() == 4
    made = run.steps["report"].output
    assert made.load() == Report(title="[1, 2]")
    assert made.metadata["title"] == "[1, 2]"
    shown = run.steps["grid"].output
    assert shown.metadata["cells"] == 2
    assert [(each.kind, each.content) for each in shown.visualizations()] == [("html", b"<b>cells</b>")]


def test_a_series_where_a_frame_is_declared_and_the_other_way_round() -> None:
    @step
    def split() -> Annotated[pd.Series, "y"]:  # type: ignore[type-arg]
        return pd.Series([1, 2], name="target")

    @step
    def as_frame(y: pd.DataFrame) -> Annotated[pd.DataFrame, "frame"]:
        return y

    @step
    def as_series(y: pd.Series) -> float:  # type: ignore[type-arg]
        return float(y.sum())

    @pipeline
    def converting() -> None:
        as_series(as_frame(split()))

    run = converting()
    assert list(run.steps["as_frame"].output.load().columns) == ["target"]
    assert run.steps["as_series"].output.load() == 3.0


class FrameMaterializer(PandasMaterializer):  # type: ignore[misc, valid-type]
    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        return {**super().extract_metadata(data), "first": str(data.columns[0])}


def test_the_facts_of_a_materializer_of_zenml() -> None:
    version = save_artifact(pd.DataFrame({"a": [1, 2]}), "frame", materializer=FrameMaterializer)
    assert (version.metadata["shape"], version.metadata["first"]) == ([2, 1], "a")
