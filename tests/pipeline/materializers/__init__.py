"""Tests of artvcs.pipelines.materializers."""
