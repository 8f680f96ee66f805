"""The tour behind ``alignkit demo``: two cameras, four maps, one report to look at."""
