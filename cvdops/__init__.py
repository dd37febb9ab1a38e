"""CVD Ops Runbooks: run, approve and review operations runbooks in the browser."""
