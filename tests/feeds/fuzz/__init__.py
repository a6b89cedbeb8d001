"""Fuzz targets: strangers' bytes into everything that reads them. `FUZZ_EXAMPLES=100000` digs deeper."""
