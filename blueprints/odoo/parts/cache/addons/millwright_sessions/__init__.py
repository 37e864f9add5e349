from odoo import http

from .store import RedisSessionStore

# An attribute of the instance wins over the lazy property of the class. A new `cached_property` put on the class instead would fail at
# the first request: nothing called its `__set_name__`.
http.root.session_store = RedisSessionStore()
