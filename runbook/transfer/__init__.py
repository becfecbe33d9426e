"""The model's way from hub to bucket. It needs Python and google-crc32c alone, so it can run on any host."""
