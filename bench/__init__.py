"""Measures the addon against single SQL statements that do the same work.

Started by ``bin/bench``, or with ``python -m bench --database NAME --config FILE`` on a
database that has the addon and no graduates.  Everything is done in copies of that
database, which are dropped in the end.
"""
