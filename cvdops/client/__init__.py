"""The command line `cvdops`, which asks a portal by its API, and what following an execution looks like.

The standard library only: it runs on machines that have neither Django nor anything else of the portal.
"""
