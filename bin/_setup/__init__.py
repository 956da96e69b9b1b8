"""What bin/demo, bin/test and bin/bench share: how a machine gets Odoo 19, Python packages and PostgreSQL.

Plain Python 3.9 and the standard library only, since this runs before anything is installed.
"""
