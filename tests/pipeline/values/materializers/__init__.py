"""Tests of artvcs.pipelines.values.materializers."""
