"""`artvcs.zenml`: code that was written for ZenML, with changed imports."""
