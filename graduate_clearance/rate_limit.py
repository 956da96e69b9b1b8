"""How often one address may ask: counted in this process, in bounded memory."""

import ipaddress
import threading
import time
from collections import OrderedDict


class RateLimit:
    """So many times in so many seconds, counted from the first of them.

    Like Odoo's own cool-down after failed logins the count is not shared between
    processes: with four workers an address may ask up to four times as often.  It
    forgets by itself, and remembers at most ``size`` addresses, the latest ones.
    """

    def __init__(self, times, seconds, size=10_000):
        self.times = times
        self.seconds = seconds
        self.size = size
        self.clock = time.monotonic
        self._windows = OrderedDict()  # key: [begin, count], in the order in which they began
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._windows)

    def wait(self, key):
        """Seconds until ``key`` may ask again; 0 when it may ask now."""
        with self._lock:
            window = self._windows.get(key)
            if not window or window[1] < self.times:
                return 0
            return max(0, self.seconds - (self.clock() - window[0]))

    def count(self, key):
        """Count one more of ``key``."""
        with self._lock:
            now = self.clock()
            window = self._windows.get(key)
            if window and now - window[0] < self.seconds:
                window[1] += 1
                return
            self._windows.pop(key, None)
            self._windows[key] = [now, 1]
            if len(self._windows) > self.size:
                self._windows.popitem(last=False)

    def clear(self):
        """Forget everybody."""
        with self._lock:
            self._windows.clear()


def get_source(address):
    """What one caller is known by: the address, of IPv6 the network of a household.

    Whoever has one IPv6 address usually has 2⁶⁴ of them.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
