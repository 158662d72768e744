from artvcs.client import Client
# Get a specific artifact version
artifact = Client().get_artifact_version("my_model", "1.0")
# Get the latest version of an artifact
latest_artifact = Client().get_artifact_version("my_model")
# Load it into memory
model = latest_artifact.load()
