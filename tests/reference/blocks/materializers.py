from artvcs import step
from sklearn.linear_model import LinearRegression
@step
def train_model(X_train, y_train) -> LinearRegression:
    """Train a model and return it as an artifact."""
    model = LinearRegression()
    model.fit(X_train, y_train)
    return model # ZenML uses a specific materializer for scikit-learn models
