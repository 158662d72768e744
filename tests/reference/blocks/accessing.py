from artvcs.client import Client
# Get a specific run
client = Client()
pipeline_run = client.get_pipeline_run("<PIPELINE_RUN_ID>")
# Get an artifact from a specific step
train_data = pipeline_run.steps["split_data"].outputs["train_data"].load()
# Use the artifact
print(train_data.shape)
