"""Models: scikit-learn, boosting, Keras, PyTorch, Transformers."""
