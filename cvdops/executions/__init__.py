"""Executions: what runs, what ran, and the engine that carries it out.

services > tasks > recovery > engine > gates|rollback|output|context > leases > transitions > queries >
models > planner|outcome > states
"""
