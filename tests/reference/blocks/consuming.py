@step
def process_data(df: pd.DataFrame) -> pd.DataFrame:
    """Takes an artifact as input and returns a new artifact."""
    df["feature_3"] = df["feature_1"] * df["feature_2"]
    return df
@pipeline
def simple_pipeline():
    """Pipeline that creates and processes artifacts."""
    data = create_data() # Produces an artifact
    processed_data = process_data(data) # Uses and produces artifacts
