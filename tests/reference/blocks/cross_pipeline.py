from artvcs.client import Client
from artvcs import step, pipeline
@step
def use_trained_model(data: pd.DataFrame, model) -> pd.Series:
    """Use a model loaded from a previous pipeline run."""
    return pd.Series(model.predict(data))
@pipeline
def inference_pipeline():
    # Load data
    data = load_data()
    # Get the latest model from another pipeline
    model = Client().get_artifact_version("trained_model")
    # Use it for predictions
    predictions = use_trained_model(data=data, model=model)
