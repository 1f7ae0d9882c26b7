"""Models of record (ONNX), their manifests, calibration and the ensemble."""
