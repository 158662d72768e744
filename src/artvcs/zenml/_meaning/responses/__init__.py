"""What the Client shows of the past, with the names that ZenML has for it besides ours."""

from .artifacts import TYPE, ArtifactResponse, ArtifactVersionResponse
from .base import Named_, person, response
from .models import NOTED, ModelResponse, ModelVersionResponse, find_model, set_stage
from .pipelines import PipelineResponse
from .runs import PipelineRunResponse
from .steps import StepRunResponse

__all__ = [
    "NOTED",
    "TYPE",
    "ArtifactResponse",
    "ArtifactVersionResponse",
    "ModelResponse",
    "ModelVersionResponse",
    "Named_",
    "PipelineResponse",
    "PipelineRunResponse",
    "StepRunResponse",
    "find_model",
    "person",
    "response",
    "set_stage",
]
