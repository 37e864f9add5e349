"""The session addon against a real Redis with the blueprint's own ACL, and its client against a server that misbehaves.

Run by sessions-addon.test.ts. Arguments: folder of the addon, rendered redis.conf and users.acl (secrets filled in).
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest

ADDONS = os.path.abspath(sys.argv[1])
CONF, ACL = sys.argv[2], sys.argv[3]


class Session(dict):
    def __init__(self, data, sid, new=False):
        super().__init__(data)
        self.sid = sid
        self.is_new = new


class FilesystemSessionStore:
    """What the addon takes over from Odoo's class, in its form of 18.0."""

    def __init__(self, path, session_class, renew_missing):
        self.session_class = session_class

    def is_valid_key(self, key):
        return isinstance(key, str) and len(key) == 84 and all(c.isalnum() or c in "-_" for c in key)

    def new(self):
        return self.session_class({}, sid(), True)


class ServiceUnavailable(Exception):
    def __init__(self, description=None, response=None, retry_after=None):
        super().__init__(description)


def sid():
    return secrets.token_urlsafe(63)


def stub_odoo():
    import re

    http = types.ModuleType("odoo.http")
    http.FilesystemSessionStore = FilesystemSessionStore
    http.Session = Session
    http.SESSION_LIFETIME = 7 * 86400
    http._session_identifier_re = re.compile(r"^[A-Za-z0-9_-]{42}$")
    http.root = types.SimpleNamespace(session_store="files")
    odoo = types.ModuleType("odoo")
    odoo.http = http
    werkzeug = types.ModuleType("werkzeug")
    werkzeug.exceptions = types.ModuleType("werkzeug.exceptions")
    werkzeug.exceptions.ServiceUnavailable = ServiceUnavailable
    sys.modules.update({"odoo": odoo, "odoo.http": http, "werkzeug": werkzeug, "werkzeug.exceptions": werkzeug.exceptions})


stub_odoo()
sys.path.insert(0, ADDONS)
sys.dont_write_bytecode = True


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(shutil.which("redis-server"), "there is no redis-server")
class WithRedis(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(CONF) as file:
            conf = file.read().replace("/etc/redis/users.acl", ACL).replace("dir /data", f"dir {self.folder}").replace("bind * -::*", "bind 127.0.0.1")
        self.port = free_port()
        self.conf = os.path.join(self.folder, "redis.conf")
        with open(self.conf, "w") as file:
            file.write(conf.replace("port 6379", f"port {self.port}"))
        self.start()
        password = os.path.join(self.folder, "password")
        with open(password, "w") as file:
            file.write("odoo-password")
        os.environ["MILLWRIGHT_SESSIONS_REDIS"] = f"127.0.0.1:{self.port}"
        os.environ["MILLWRIGHT_SESSIONS_PASSWORD_FILE"] = password
        from millwright_sessions.store import RedisSessionStore

        self.store = RedisSessionStore()

    def start(self):
        self.redis = subprocess.Popen(["redis-server", self.conf], stdout=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.fail("redis-server does not listen")

    def stop(self):
        self.redis.terminate()
        self.redis.wait()

    def save(self, **data):
        session = Session(data, sid())
        self.store.save(session)
        return session

    def test_a_saved_session_comes_back_and_expires(self):
        session = self.save(uid=2, login="ä'\"\r\n€", context={"lang": "de_DE"})
        again = self.store.get(session.sid)
        self.assertEqual((dict(again), again.sid, again.is_new), (dict(session), session.sid, False))
        ((ttl,), (devices,)) = self.store._run(("TTL", "session:s:" + session.sid)), self.store._run(("TTL", "session:i:" + session.sid[:42]))
        self.assertTrue(604000 < ttl <= 604800 and 604000 < devices <= 604800)

    def test_unknown_and_malformed_sids_give_a_new_session(self):
        for unknown in (sid(), "../../etc/passwd", ""):
            self.assertTrue(self.store.get(unknown).is_new)

    def test_a_malformed_sid_is_not_saved(self):
        with self.assertRaises(ValueError):
            self.store.save(Session({}, "short"))

    def test_a_deleted_session_is_gone_and_its_device_missing(self):
        session = self.save(uid=2)
        self.store.delete(session)
        self.assertTrue(self.store.get(session.sid).is_new)
        self.assertEqual(self.store.get_missing_session_identifiers([session.sid[:42]]), {session.sid[:42]})

    def test_revoking_a_device_ends_all_its_sessions_and_no_other(self):
        first, other = self.save(uid=2), self.save(uid=3)
        rotated = Session({"uid": 2}, first.sid[:42] + sid()[42:])
        self.store.save(rotated)
        self.store.delete_from_identifiers([first.sid[:42]])
        self.assertTrue(self.store.get(first.sid).is_new and self.store.get(rotated.sid).is_new)
        self.assertFalse(self.store.get(other.sid).is_new)
        self.assertEqual(self.store.get_missing_session_identifiers([first.sid[:42], other.sid[:42]]), {first.sid[:42]})

    def test_a_string_instead_of_a_list_is_refused(self):
        session = self.save(uid=2)
        with self.assertRaises(ValueError):
            self.store.delete_from_identifiers(session.sid[:42])

    def test_vacuum_removes_what_is_older_than_a_shorter_lifetime(self):
        old, young = self.save(uid=2), self.save(uid=3)
        self.store._run(("EXPIRE", "session:s:" + old.sid, 604800 - 7200))
        self.store.vacuum(max_lifetime=3600)
        self.assertTrue(self.store.get(old.sid).is_new)
        self.assertFalse(self.store.get(young.sid).is_new)

    def test_redis_away_is_503_and_back_is_as_before(self):
        session = self.save(uid=2)
        time.sleep(1.2)
        self.stop()
        with self.assertLogs(level="ERROR"), self.assertRaises(ServiceUnavailable):
            self.store.get(session.sid)
        self.start()
        self.assertEqual(dict(self.store.get(session.sid)), {"uid": 2})

    def test_the_acl_allows_nothing_else(self):
        for command in (("KEYS", "*"), ("FLUSHALL",), ("SET", "other", "1"), ("CONFIG", "GET", "*"), ("EVAL", "return 1", "0")):
            with self.assertLogs(level="ERROR"), self.assertRaises(ServiceUnavailable):
                self.store._run(command)

    def test_the_health_user_may_only_ping_and_the_default_user_nothing(self):
        def ask(user, password, *command):
            words = ["redis-cli", "-p", str(self.port), "--no-auth-warning"] + (["--user", user, "--pass", password] if user else [])
            return subprocess.run([*words, *command], capture_output=True, text=True).stdout.strip()

        self.assertEqual(ask("health", "health", "ping"), "PONG")
        self.assertIn("NOPERM", ask("health", "health", "get", "session:s:x"))
        self.assertIn("NOAUTH", ask("", "", "ping"))
        self.assertIn("redis_version", ask("monitor", "monitor-password", "info", "server"))
        self.assertIn("NOPERM", ask("monitor", "monitor-password", "get", "session:s:x"))


class Client(unittest.TestCase):
    def serve(self, handle):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def loop():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    handle(connection)

        threading.Thread(target=loop, daemon=True).start()
        from millwright_sessions.resp import Client as RedisClient

        return RedisClient("127.0.0.1", server.getsockname()[1], "odoo", lambda: "p")

    def test_an_answer_in_pieces_is_put_together(self):
        def handle(connection):
            connection.recv(4096)
            connection.sendall(b"+OK\r\n")
            connection.recv(4096)
            for piece in (b"$1", b"1\r\nhello", b"\r\nyou!", b"\r", b"\n*2\r\n$-1\r\n:7\r\n"):
                connection.sendall(piece)
                time.sleep(0.01)

        self.assertEqual(self.serve(handle).run(("GET", "a"), ("X",)), [b"hello\r\nyou!", [None, 7]])

    def test_a_server_that_hangs_is_given_up_after_one_retry(self):
        def handle(connection):
            connection.recv(4096)
            time.sleep(0.8)

        client = self.serve(handle)
        start = time.monotonic()
        with self.assertRaises(OSError):
            client.run(("GET", "a"))
        self.assertLess(time.monotonic() - start, 2)

    def test_a_connection_closed_while_idle_is_replaced(self):
        def handle(connection):
            connection.recv(4096)
            connection.sendall(b"+OK\r\n")
            connection.recv(4096)
            connection.sendall(b":1\r\n")

        client = self.serve(handle)
        self.assertEqual(client.run(("EXISTS", "a")), [1])
        time.sleep(0.05)
        self.assertEqual(client.run(("EXISTS", "a")), [1])

    def test_an_error_answer_is_raised_and_the_connection_kept(self):
        from millwright_sessions.resp import RedisError

        def handle(connection):
            connection.recv(4096)
            connection.sendall(b"+OK\r\n")
            connection.recv(4096)
            connection.sendall(b"-NOPERM no\r\n+OK\r\n")
            connection.recv(4096)
            connection.sendall(b":5\r\n")

        client = self.serve(handle)
        with self.assertRaises(RedisError):
            client.run(("KEYS", "*"), ("PING",))
        self.assertEqual(client.run(("TTL", "a")), [5])


class Loading(unittest.TestCase):
    def test_importing_the_addon_puts_the_store_in_place_and_connects_to_nothing(self):
        import millwright_sessions
        from odoo import http

        self.assertEqual(type(http.root.session_store).__name__, "RedisSessionStore")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
