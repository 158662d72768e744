# You can also view visualizations in notebooks
from artvcs.client import Client
artifact = Client().get_artifact_version("<ARTIFACT_NAME>")
artifact.visualize()
