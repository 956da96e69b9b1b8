"""Where source systems are pulled from: a folder, an address, a database.

Plain code that knows nothing of feeds.  What goes wrong is raised as a ``UserError`` in plain words that hold no
secret, and without the original error (``from None``): its text, and the trace that Odoo sends to the browser,
would tell addresses and passwords.
"""

from . import settings, table, folder, web, database
