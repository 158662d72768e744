"""By what the lists of the Client can be asked and sorted, under ZenML's names: see `pages`."""

from __future__ import annotations

from typing import Any

from .pages import Facts

CONDITIONS = {
    "pipeline_run": "run",
    "version_number": "number",
    "run_metadata": "metadata",
    "model_version_id": "model",
}
"""ZenML's conditions that have another name in ours."""

VERSIONS: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "version": lambda each: each.version,
    "number": lambda each: each.number,
    "version_number": lambda each: each.number,
    "created": lambda each: each.created,
    "updated": lambda each: each.created,
    "size": lambda each: each.size,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
    "data_type": lambda each: (each.data_type, each.data_type.attribute),
    "materializer": lambda each: each.materializer,
    "type": lambda each: each.type,
    "has_custom_name": lambda each: each.artifact.has_custom_name,
    "user": lambda each: each.user.name,
}
RUNS: Facts[Any] = {
    "id": lambda run: run.id,
    "name": lambda run: run.name,
    "pipeline": lambda run: run.pipeline,
    "status": lambda run: run.status,
    "created": lambda run: run.started,
    "start_time": lambda run: run.start_time,
    "end_time": lambda run: run.end_time,
    "tag": lambda run: run.tags,
    "tags": lambda run: run.tags,
}
MODELS: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "version": lambda each: each.version,
    "number": lambda each: each.number,
    "created": lambda each: each.created,
    "stage": lambda each: each.found.stages,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
}
STEPS: Facts[Any] = {
    "id": lambda step: step.id,
    "name": lambda step: step.name,
    "status": lambda step: step.status,
    "created": lambda step: step.start_time,
    "start_time": lambda step: step.start_time,
    "end_time": lambda step: step.end_time,
    "cache_key": lambda step: step.cache_key,
}
LINKS: Facts[Any] = {"name": lambda link: link.name}
TAGS: Facts[Any] = {"name": lambda tag: tag.name, "id": lambda tag: tag.id}
NAMED: Facts[Any] = {
    "id": lambda each: each.id,
    "name": lambda each: each.name,
    "created": lambda each: each.created,
    "updated": lambda each: each.updated,
    "tag": lambda each: each.tags,
    "tags": lambda each: each.tags,
}
ARTIFACTS: Facts[Any] = {**NAMED, "has_custom_name": lambda each: each.has_custom_name}
PIPELINES: Facts[Any] = {**NAMED, "latest_run_status": lambda each: each.latest_run_status}
