"""Fuzz targets: strangers' bytes into everything that reads them.

A test run makes a few inputs for each (`FUZZ_EXAMPLES` sets how many) and checks all that is kept in `seeds`.
To dig for ten minutes each:

    for target in parse dates identity headers; do python -m tests.feeds.fuzz $target 600; done
"""
