"""A model that reads handwritten digits: load → split → train → evaluate → report.

art run examples/digits.py
art run examples/digits.py -p max_depth=4
art log digits-model --graph
"""

from typing import Annotated

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split

from artvcs import ArtifactConfig, log_metadata, pipeline, step

PIXELS_MAX = 16.0


def normalise(images: np.ndarray) -> np.ndarray:
    """Pixels between 0 and 1."""
    return images / PIXELS_MAX


@step
def load() -> tuple[Annotated[np.ndarray, "images"], Annotated[np.ndarray, "labels"]]:
    """1,797 images of 8 by 8 pixels, and which digit each shows."""
    digits = load_digits()
    print(f"loaded {len(digits.data)} images")
    return digits.data, digits.target


@step
def split(
    images: np.ndarray, labels: np.ndarray, test_size: float
) -> tuple[
    Annotated[np.ndarray, "x_train"],
    Annotated[np.ndarray, "x_test"],
    Annotated[np.ndarray, "y_train"],
    Annotated[np.ndarray, "y_test"],
]:
    """Sets a part of the data aside for the test."""
    x_train, x_test, y_train, y_test = train_test_split(
        normalise(images), labels, test_size=test_size, random_state=0, stratify=labels
    )
    return x_train, x_test, y_train, y_test


@step
def train(
    x_train: np.ndarray, y_train: np.ndarray, trees: int, max_depth: int | None
) -> Annotated[RandomForestClassifier, ArtifactConfig(name="digits-model", tags=["random-forest"])]:
    """Fits a random forest."""
    model = RandomForestClassifier(n_estimators=trees, max_depth=max_depth, random_state=0)
    model.fit(x_train, y_train)
    return model


@step
def evaluate(
    model: RandomForestClassifier, x_test: np.ndarray, y_test: np.ndarray
) -> tuple[Annotated[float, "accuracy"], Annotated[pd.DataFrame, "confusion"]]:
    """How often the model is right, and what it takes for what."""
    predicted = model.predict(x_test)
    accuracy = float(accuracy_score(y_test, predicted))
    log_metadata({"accuracy": accuracy})
    print(f"accuracy {accuracy:.4f}")
    confusion = pd.DataFrame(confusion_matrix(y_test, predicted))
    return accuracy, confusion


@step
def report(accuracy: float, confusion: pd.DataFrame) -> Annotated[str, "digits-report"]:
    """A few lines for people."""
    wrong = confusion.copy()
    for digit in wrong.index:
        wrong.loc[digit, digit] = 0
    true, taken_for = wrong.stack().idxmax()
    return f"Accuracy {accuracy:.1%}. Most often wrong: a {true} taken for a {taken_for}."


@pipeline
def digits(test_size: float = 0.25, trees: int = 100, max_depth: int | None = None) -> None:
    """Trains and judges one model."""
    images, labels = load()
    x_train, x_test, y_train, y_test = split(images, labels, test_size)
    model = train(x_train, y_train, trees, max_depth)
    accuracy, confusion = evaluate(model, x_test, y_test)
    report(accuracy, confusion)


if __name__ == "__main__":
    digits()
