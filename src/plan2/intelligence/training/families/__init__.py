"""The model families: how each is fitted and how it becomes an ONNX file."""
