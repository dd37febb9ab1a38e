"""`python -m cvdops.client`, where nothing is installed."""

from cvdops.client.main import main

main()
